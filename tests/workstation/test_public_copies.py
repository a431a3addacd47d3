"""Local copies of the public files, in a folder or in the cache; and the errors as a user reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sotag_convert.data import sotitle, stackoverflow_16k, tagged_titles
from sotag_edge.errors import InputError
from tests.conftest import Run
from tests.workstation.public_files import sixteen_k, tagged_jsonl, tagged_tsv, unpacked
from tests.workstation.public_sets import FILES, TITLES, load_from, put_copies
from tests.workstation.server import Server


def test_all_copies_and_the_download_give_the_same_data(
    server: Server, copies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archives and single files, from a folder or from the cache; the second time there is no request."""
    expected = load_from(copies).sha256_of_all()
    other = tmp_path / "other"
    other.mkdir()
    (other / stackoverflow_16k.ARCHIVE).write_bytes(sixteen_k({"train": 10, "test": 1}))
    (other / tagged_titles.FILE).write_bytes(tagged_tsv(TITLES))
    unpacked(other, FILES)
    assert load_from(other).sha256_of_all() == expected

    server.files = FILES | {"titles": tagged_tsv(TITLES)}
    monkeypatch.setattr(sotitle, "URL", server.url)
    monkeypatch.setattr(tagged_titles, "URL", server.url + "titles")
    for _ in range(2):
        assert load_from(copies / stackoverflow_16k.ARCHIVE).sha256_of_all() == expected
        assert server.requests == len(FILES) + 1
    cache = tmp_path / "cache"
    for path in cache.rglob("*.?sv"):
        path.unlink()
    put_copies(cache)
    assert load_from(None).sha256_of_all() == expected
    assert server.requests == len(FILES) + 1


@pytest.mark.parametrize("name", [sotitle.ARCHIVE, tagged_titles.PART, stackoverflow_16k.ARCHIVE])
def test_what_a_folder_lacks_is_in_the_cache(copies: Path, name: str) -> None:
    """Each file is looked for by itself."""
    expected = load_from(copies).sha256_of_all()
    (copies / name).rename(copies.parent / "cache" / name)
    assert load_from(copies).sha256_of_all() == expected


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            tagged_titles.PART,
            b"no gzip",
            r"is not usable \(Not a gzipped file .*\): replace it, or remove it for a download",
        ),
        (tagged_titles.PART, tagged_jsonl(TITLES[:5]), r"is not usable \(its rows are not those"),
        (tagged_titles.PART, tagged_jsonl(TITLES)[:-9], r"is not usable \(it has another shape: EOFError"),
        (sotitle.ARCHIVE, b"no archive", r"is not usable \(it cannot be unpacked: .*\): replace it, or remove"),
        (
            stackoverflow_16k.ARCHIVE,
            b"no archive",
            "is not a usable archive of 'stackoverflow-16k'.*: get the file of http",
        ),
    ],
)
def test_an_unusable_copy_is_an_error(copies: Path, name: str, content: bytes, words: str) -> None:
    """It names the copy and how to get another one."""
    (copies / name).write_bytes(content)
    with pytest.raises(InputError, match=f"^{copies}/{name} {words}") as error:
        load_from(copies)
    assert "\n" not in str(error.value)


def test_a_folder_that_lacks_a_file_is_an_error(copies: Path) -> None:
    """It names the folder and the file in it."""
    (copies / sotitle.ARCHIVE).unlink()
    unpacked(copies, FILES)
    (copies / sotitle.FOLDER / "data" / "JS" / "test_body.csv").unlink()
    with pytest.raises(
        InputError, match=rf"^{copies}/SOTitle is not usable \(data/JS/test_body\.csv is missing\): replace"
    ):
        load_from(copies)


@pytest.mark.parametrize("missing", [sotitle.ARCHIVE, tagged_titles.PART])
def test_without_a_network_the_error_names_the_file(copies: Path, missing: str) -> None:
    """And the name that a copy of it has in the folder."""
    (copies / missing).unlink()
    expected = "SOTitle, a copy of the repository" if missing == sotitle.ARCHIVE else "validation.tsv"
    with pytest.raises(
        InputError, match=rf"^http\S+ cannot be downloaded .* name a folder with --archive that has {expected}$"
    ):
        load_from(copies)


NAMES = {
    "stackoverflow": (
        "stack_overflow_16k.tar.gz, sotitle_raw.tar.xz or SOTitle, so_titles_100tags.jsonl.gz or validation.tsv"
    ),
    "stackoverflow-16k": "stack_overflow_16k.tar.gz",
    "stackoverflow-topics": "so_titles_100tags.jsonl.gz or validation.tsv",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_place_without_copies_is_an_error(run: Run, tmp_path: Path, name: str) -> None:
    """A path that does not exist, or a folder without any of the files: one sentence says which are looked for."""
    (tmp_path / "empty").mkdir()
    for place, sentence in (
        ("nowhere", "there is no local copy at nowhere: "),
        ("empty", f"empty has no local copy of {name!r}: "),
    ):
        done = run("check-data", name, "--archive", place)
        expected = f"sotag-edge: {sentence}name a folder with --archive that has {NAMES[name]}"
        assert (done.returncode, " ".join(done.stderr.split())) == (1, expected)


def test_a_file_is_no_copy_of_the_topics(run: Run, copies: Path) -> None:
    """Only the archive of the benchmark is named by itself."""
    archive = copies / stackoverflow_16k.ARCHIVE
    done = run("check-data", "stackoverflow-topics", "--archive", archive)
    expected = f"{archive} is a file: for 'stackoverflow-topics' name a folder with --archive that has "
    assert (done.returncode, " ".join(done.stderr.split())) == (
        2,
        f"sotag-edge: {expected}{NAMES['stackoverflow-topics']}",
    )
