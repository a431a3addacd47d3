"""The download of Stack Overflow 16k, from a server on this machine, and local copies of its archive."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from sotag_convert.data import stackoverflow_16k as data
from sotag_convert.data.downloads import download
from sotag_convert.data.stackoverflow_16k import stack_overflow_16k
from sotag_edge.errors import InputError
from sotag_edge.trial import CACHE_VARIABLE
from tests.workstation.public_files import sha256, sixteen_k, training_sha256
from tests.workstation.server import Server

NAME = data.ARCHIVE


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a data set with two texts per label instead of two thousand."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(data, "TEXTS_PER_LABEL", {"train": 2, "test": 1})
    monkeypatch.setattr(data, "TRAINING_SHA256", training_sha256(2))
    return tmp_path / "cache"


def archive(texts: dict[str, int] | None = None, extra: str | None = None) -> bytes:
    return sixteen_k(texts or {"train": 2, "test": 1}, extra)


def test_downloads_once(server: Server, cache: Path) -> None:
    """The first call downloads and unpacks; the second one sends no request."""
    server.files[NAME] = archive()
    folder = stack_overflow_16k(server.url + NAME)
    assert (folder / "train" / "java" / "1.txt").read_text() == "a question in train/java/1.txt"
    assert stack_overflow_16k(server.url + NAME) == folder
    assert server.requests == 1
    assert [entry.name for entry in cache.iterdir()] == ["stack_overflow_16k"]


def _is_missing(server: Server) -> None:
    server.files.clear()


def _is_cut_off(server: Server) -> None:
    server.files[NAME] = archive()
    server.cut = len(server.files[NAME]) // 2


def _is_truncated(server: Server) -> None:
    server.files[NAME] = archive()[:-200]


def _is_garbage(server: Server) -> None:
    server.files[NAME] = b"<html>log in to the hotel's network</html>"


def _lacks_texts(server: Server) -> None:
    server.files[NAME] = archive({"train": 1, "test": 1})


def _has_another_text(server: Server) -> None:
    content = gzip.decompress(archive())
    server.files[NAME] = gzip.compress(
        content.replace(b"a question in train/java/1.txt", b"A question in train/java/1.txt")
    )


@pytest.mark.parametrize(
    "fault", [_is_missing, _is_cut_off, _is_truncated, _is_garbage, _lacks_texts, _has_another_text]
)
def test_a_bad_download_leaves_nothing(server: Server, cache: Path, fault: Callable[[Server], None]) -> None:
    """An archive that is missing, cut off, damaged or incomplete is an error, and the next try starts clean."""
    fault(server)
    with pytest.raises(InputError, match="stack_overflow_16k"):
        stack_overflow_16k(server.url + NAME)
    assert list(cache.iterdir()) == []
    server.cut, server.files[NAME] = -1, archive()
    assert stack_overflow_16k(server.url + NAME).is_dir()


@pytest.mark.parametrize(
    "name", ["../../outside.txt", "/outside.txt", "train/java/../../../../outside.txt", "train/java/.."]
)
def test_nothing_is_written_outside(server: Server, cache: Path, tmp_path: Path, name: str) -> None:
    """Members whose names lead outside the folder are left out; the texts are unpacked."""
    server.files[NAME] = archive(extra=name)
    folder = stack_overflow_16k(server.url + NAME)
    assert not list(tmp_path.rglob("outside.txt"))
    assert {file.parent.parent.parent for file in tmp_path.rglob("*.txt")} == {folder}


def test_no_server_is_an_input_error(server: Server) -> None:
    """Without a network the message names the alternative: a local copy of the archive."""
    server.http.server_close()
    with pytest.raises(InputError, match=rf"{server.url}{NAME} .* name a folder with --archive that has {NAME}$"):
        stack_overflow_16k(server.url + NAME)


def test_a_cache_that_cannot_be_written_is_an_input_error(server: Server, tmp_path: Path) -> None:
    """It names the folder, and how to choose another one."""
    server.files[NAME] = archive()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=rf"{NAME} cannot be saved in {tmp_path}/file/data .*\$SOTAG_EDGE_CACHE"):
        download(server.url + NAME, tmp_path / "file" / "data", None, NAME)


def test_the_download_can_be_pinned(server: Server, cache: Path) -> None:
    """By the hash of the archive; another archive is an error and leaves nothing."""
    server.files[NAME] = archive()
    with pytest.raises(InputError, match=r"did not give the expected file \(its SHA-256 is not 0000"):
        stack_overflow_16k(server.url + NAME, known_hash="0" * 64)
    assert list(cache.iterdir()) == []
    assert stack_overflow_16k(server.url + NAME, known_hash=sha256(server.files[NAME])).is_dir()


def test_a_local_archive_gives_the_same_data(server: Server, cache: Path, tmp_path: Path) -> None:
    """As the download, without a request; a second run unpacks nothing new."""
    server.files[NAME] = archive()
    (tmp_path / "mine.tar.gz").write_bytes(server.files[NAME])
    said: list[str] = []
    local = stack_overflow_16k(server.url + NAME, archive=tmp_path / "mine.tar.gz", say=said.append)
    assert server.requests == 0
    assert said == [f"{tmp_path}/mine.tar.gz has 4 of 4 test texts"]
    assert stack_overflow_16k(server.url + NAME, archive=tmp_path / "mine.tar.gz") == local
    downloaded = stack_overflow_16k(server.url + NAME)
    assert [entry.name for entry in cache.iterdir()].count("stack_overflow_16k") == 1
    for folder in (local, downloaded):
        assert len(list(folder.rglob("*.txt"))) == 12
    for file in local.rglob("*.txt"):
        assert file.read_bytes() == (downloaded / file.relative_to(local)).read_bytes()


def test_an_archive_in_the_cache_is_used(server: Server, cache: Path) -> None:
    """Under the name of the download, where there is no network."""
    server.http.server_close()
    cache.mkdir()
    (cache / "stack_overflow_16k.tar.gz").write_bytes(archive())
    assert len(list(stack_overflow_16k(server.url + NAME).rglob("*.txt"))) == 12


def test_a_local_archive_may_lack_test_texts(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is said, and the download does not take its folder for its own."""
    monkeypatch.setattr(data, "TEXTS_PER_LABEL", {"train": 2, "test": 3})
    (tmp_path / "mine.tar.gz").write_bytes(archive())
    said: list[str] = []
    folder = stack_overflow_16k(server.url + NAME, archive=tmp_path / "mine.tar.gz", say=said.append)
    assert said == [f"{tmp_path}/mine.tar.gz has 4 of 12 test texts"]
    server.files[NAME] = archive({"train": 2, "test": 3})
    assert stack_overflow_16k(server.url + NAME) != folder


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>", "mine is not a usable archive of 'stackoverflow-16k' .file could not be opened successfully.: get"),
        (archive()[:-200], "mine is not a usable archive"),
        (archive({"train": 1, "test": 1}), "it has 1 texts in train/csharp, not the expected 2"),
        (archive({"train": 2}), "it has 0 texts in test/csharp, not the expected 1"),
        (archive({"train": 2, "test": 2}), "it has 2 texts in test/csharp, not the expected 1"),
        (None, "there is no archive at"),
    ],
)
def test_another_file_is_no_archive(cache: Path, tmp_path: Path, content: bytes | None, words: str) -> None:
    """One sentence says why, and nothing is left in the cache."""
    if content is not None:
        (tmp_path / "mine").write_bytes(content)
    with pytest.raises(InputError, match=words):
        stack_overflow_16k(archive=tmp_path / "mine")
    assert list(cache.iterdir()) == []
