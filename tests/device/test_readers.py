"""Files and streams -> documents."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge.readers import Document, read_documents, read_file, read_lines


def texts(content: bytes) -> list[str]:
    return [document.text for document in read_lines(io.BytesIO(content))]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\n\n\nb\n", ["a", "", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\xef\xbb\xbfa\nb\n", ["a", "b"]),
        ("one\u2028line\x85here\n".encode(), ["one\u2028line\x85here"]),
    ],
)
def test_each_line_is_a_document(content: bytes, expected: list[str]) -> None:
    """Lines end at a newline and nowhere else; an empty one is a document; BOM and carriage return are taken off."""
    assert texts(content) == expected


def test_lines_are_numbered_from_one() -> None:
    """A line's source is its number, as an editor counts."""
    assert [document.source for document in read_lines(io.BytesIO(b"a\nb\n"))] == ["stdin:1", "stdin:2"]


def test_bytes_that_are_not_utf8_are_replaced_and_marked() -> None:
    """The text is kept as far as it can be read, and the document says that it was mended."""
    assert list(read_lines(io.BytesIO(b"caf\xe9\nok\n"))) == [
        Document("stdin:1", "caf\ufffd", replaced=True),
        Document("stdin:2", "ok"),
    ]


def test_a_file_is_one_document(tmp_path: Path) -> None:
    """A file's whole text, newlines and all, is one document."""
    (tmp_path / "q.txt").write_bytes(b"\xef\xbb\xbftitle\n\nbody\n")
    assert read_file(str(tmp_path / "q.txt")) == Document(str(tmp_path / "q.txt"), "title\n\nbody\n")


def test_what_cannot_be_read_keeps_its_place(tmp_path: Path) -> None:
    """A missing file, a folder and a bad name give a document with the error, between those that can be read."""
    (tmp_path / "q.txt").write_text("text")
    paths = [str(tmp_path / "none"), str(tmp_path / "q.txt"), str(tmp_path), "a\0b", "-"]
    documents = list(read_documents(paths, io.BytesIO(b"a line\n")))
    assert [document.source for document in documents] == [*paths[:4], "stdin:1"]
    assert [bool(document.error) for document in documents] == [True, False, True, True, False]
    assert "does not exist" in str(documents[0].error)
    assert "is a directory" in str(documents[2].error)


@given(st.binary())
def test_any_bytes_can_be_read(content: bytes) -> None:
    """Any bytes at all give one document a line, without an error."""
    documents = list(read_lines(io.BytesIO(content)))
    assert len(documents) == content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
    assert not any(document.error for document in documents)
