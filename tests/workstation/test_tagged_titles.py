"""Titles with all their tags: the download, local copies, the rows that are used, and files of another shape."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import pytest

from sotag_convert.data.tagged_titles import FILE, PART, TaggedTitle, TitleParts, TitleRows, read_titles
from sotag_edge.errors import InputError
from tests.workstation.public_files import rows_of, sha256, tagged_jsonl, tagged_tsv
from tests.workstation.server import Server

TITLES = [
    TaggedTitle(1, 'Why is "null" null?', ("java", "null")),
    TaggedTitle(2, "Bake,\tthen\neat", ("php",)),
    TaggedTitle(3, "Sort a list's items", ("python", "list")),
    TaggedTitle(4, "No part has this one", ("ruby",)),
    TaggedTitle(5, "Öffnen", ("c#", ".net")),
]
NOWHERE = "http://127.0.0.1:9/"
PARTS = TitleParts([TITLES[0], TITLES[2]], [TITLES[4]], [TITLES[1]])
ROWS = rows_of(PARTS)


def read_copy(place: Path, name: str, content: bytes, rows: TitleRows = ROWS) -> TitleParts:
    (place / name).write_bytes(content)
    return read_titles(place, place / name, rows, NOWHERE, sha256(content))


def test_downloads_once(server: Server, tmp_path: Path) -> None:
    """The second time the file is in the cache, and a damaged one is downloaded again."""
    server.files["titles.tsv"] = tagged_tsv(TITLES)
    for damage, requests in ((False, 1), (False, 1), (True, 2)):
        if damage:
            (tmp_path / FILE).write_bytes(b"half")
        assert read_titles(tmp_path, None, ROWS, f"{server.url}titles.tsv", sha256(tagged_tsv(TITLES))) == PARTS
        assert server.requests == requests


def _is_missing(server: Server) -> None:
    server.files = {}


def _is_cut_off(server: Server) -> None:
    server.cut = 40


def _is_another_file(server: Server) -> None:
    server.files["titles.tsv"] = tagged_tsv(TITLES[1:])


def _is_stopped(server: Server) -> None:
    server.http.server_close()


@pytest.mark.parametrize("fault", [_is_missing, _is_cut_off, _is_another_file, _is_stopped])
def test_a_bad_download_leaves_nothing(server: Server, tmp_path: Path, fault: Callable[[Server], None]) -> None:
    """The error names the address and the alternative."""
    server.files["titles.tsv"] = tagged_tsv(TITLES)
    fault(server)
    with pytest.raises(InputError, match=rf"{server.url}titles.tsv .*--archive that has validation\.tsv$"):
        read_titles(tmp_path, None, ROWS, f"{server.url}titles.tsv", sha256(tagged_tsv(TITLES)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [(FILE, tagged_tsv(TITLES)), (PART, tagged_jsonl(TITLES)), (PART, tagged_jsonl([TITLES[n] for n in (4, 1, 2, 0)]))],
)
def test_a_local_copy_gives_the_same_titles(tmp_path: Path, name: str, content: bytes) -> None:
    """The file, all rows of it or only those that are used; rows in no part are left out."""
    assert read_copy(tmp_path, name, content) == PARTS


def test_a_whole_copy_has_the_hash_of_the_download(tmp_path: Path) -> None:
    """Even where a row that is not used differs."""
    (tmp_path / FILE).write_bytes(tagged_tsv([*TITLES, TaggedTitle(6, "One more", ())]))
    with pytest.raises(ValueError, match="its SHA-256 differs"):
        read_titles(tmp_path, tmp_path / FILE, ROWS, NOWHERE, sha256(tagged_tsv(TITLES)))


@pytest.mark.parametrize(
    "titles",
    [
        TITLES[:4],
        [*TITLES, TITLES[0]],
        [TITLES[0]._replace(row=2), TITLES[1]._replace(row=1), *TITLES[2:]],
        [TITLES[0]._replace(text="Why?"), *TITLES[1:]],
        [TITLES[0]._replace(tags=("java",)), *TITLES[1:]],
    ],
    ids=["a row is missing", "a row is there twice", "other numbers", "another text", "other tags"],
)
def test_other_rows_are_an_error(tmp_path: Path, titles: Sequence[TaggedTitle]) -> None:
    """Figures would not be those of the same texts."""
    with pytest.raises(ValueError, match="its rows are not those that the project was measured with"):
        read_copy(tmp_path, PART, tagged_jsonl(titles))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (FILE, b"title\ttags\nonly a title\n"),
        (FILE, b"title\ttags\na\t['b']\tc\n"),
        (FILE, b"title\ttags\na\tjava, php\n"),
        (FILE, b"title\ttags\na\t[java]\n"),
        (FILE, b"title\ttags\na\t'java'\n"),
        (FILE, b"title\ttags\na\t[1, 2]\n"),
        (FILE, b"title\ttags\na\t1\n"),
        (FILE, b"title\ttags\na\t__import__('os').getcwd()\n"),
        (FILE, b"title\ttags\ncaf\xe9\t['java']\n"),
        (FILE, b"title\ttags\n" + b"a" * 200_000 + b"\t['java']\n"),
        (PART, gzip.compress(b"a title\n", mtime=0)),
        (PART, gzip.compress(b"[1, 2]\n", mtime=0)),
        (PART, gzip.compress(b'{"row": 1, "text": "a"}\n', mtime=0)),
        (PART, gzip.compress(b'{"row": "1", "text": "a", "tags": ["b"]}\n', mtime=0)),
        (PART, gzip.compress(b'{"row": 1, "text": null, "tags": ["b"]}\n', mtime=0)),
        (PART, gzip.compress(b'{"row": 1, "text": "a", "tags": "b"}\n', mtime=0)),
        (PART, gzip.compress(b'{"row": 1, "text": "a", "tags": [["b"]]}\n', mtime=0)),
        (PART, gzip.compress(b'{"row": 1, "text": "caf\xe9", "tags": []}\n', mtime=0)),
        (PART, tagged_jsonl(TITLES)[:-20]),
        (PART, tagged_jsonl(TITLES)[:20] + b"\0" * 20 + tagged_jsonl(TITLES)[40:]),
    ],
)
@pytest.mark.usefixtures("field_limit")
def test_files_of_another_shape_are_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    """Whatever is wrong with them."""
    with pytest.raises(ValueError, match="it has another shape: "):
        read_copy(tmp_path, name, content)


def test_the_shipped_parts_have_no_row_in_common() -> None:
    """Nor the header, which is row 0."""
    rows = TitleRows.shipped()
    assert min(map(len, rows[:3])) > 1000
    for one, other in combinations(rows[:3], 2):
        assert not one & other
    assert not any(0 in numbers for numbers in rows[:3])
