"""Tables with faults, and of other programs' kinds: one result per row, in its place, and the others are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from sotag_edge.document import Document
from sotag_edge.formats import FORMATS, Fields, csv_lines, decoding
from tests.conftest import FIXTURE, Run
from tests.records import FAULT, documents, outcomes


def arriving(*pieces: bytes) -> io.BufferedReader:
    """A stream of these pieces that fails a reader which waits for more."""

    class Pieces(io.RawIOBase):
        remaining = iter(pieces)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            piece = next(self.remaining, None)
            assert piece is not None, "it waits for more"
            buffer[: len(piece)] = piece
            return len(piece)

    return io.BufferedReader(Pieces())


def first_texts(form: str, count: int, *pieces: bytes) -> list[str]:
    found: Iterator[Document] = FORMATS[form].read(arriving(*pieces), "in", Fields())
    return [next(found).text for _ in range(count)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("n,text\n1\n2,b\n", [("in:2", FAULT), ("in:3", "b")]),
        ("n,text\n1,a,x\n2,b\n", [("in:2", FAULT), ("in:3", "b")]),
        ("n,text\n\n1,a\n\r\n\n2,b\n", [("in:3", "a"), ("in:6", "b")]),
        ('n,text\n1,"a "b" c\nd"\n2,e\n', [("in:2", FAULT), ("in:4", "e")]),
        ('n,text\n1,"a "b" c\nd ""e"" f\ng"\n2,h\n', [("in:2", FAULT), ("in:5", "h")]),
        ('n,text\n1,"a "b" c\nd","e"\n2,f\n', [("in:2", FAULT), ("in:4", "f")]),
        ('n,text\n1,"a\nb "c" d"\n2,e\n', [("in:2", FAULT), ("in:4", "e")]),
        ('n,text\n1,"a "b" c"\n2,d\n', [("in:2", FAULT), ("in:3", "d")]),
        ('n,text\n1,"a" b"\n2,"c" d"\n3,e\n', [("in:2", FAULT), ("in:3", FAULT), ("in:4", "e")]),
        ('n,text\n1,"a\n2,"b"\n3,c\n', [("in:2", FAULT), ("in:3", "b"), ("in:4", "c")]),
        ('n,text\n1,"a\n2,b\n3,c\n', [("in:2", FAULT), ("in:3", "b"), ("in:4", "c")]),
        ('n,text\n1,"a\n2,"b\n3,c\n', [("in:2", FAULT), ("in:3", FAULT), ("in:4", "c")]),
    ],
)
def test_a_bad_row_is_one_error_and_the_others_are_read(content: str, expected: list[tuple[str, str]]) -> None:
    """Also one that spans lines, and one with a quote that is never closed. A blank line is no row."""
    assert outcomes("csv", content) == expected


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1", "in:2 has 1 field, fewer than the 2 of the header"),
        ("1,a,b,c", "in:2 has 4 fields, more than the 2 of the header"),
        ('1,"a', "in:2 is not valid CSV: a quote is never closed"),
        ('1,"a" b "c"', "in:2 is not valid CSV: ',' expected after '\"'"),
    ],
)
def test_the_fault_of_a_row_is_named(row: str, words: str) -> None:
    """With its line, and what it should be."""
    (found,) = documents("csv", f"n,text\n{row}\n")
    assert words in str(found.error)


@pytest.mark.parametrize(
    ("form", "content", "words"),
    [
        ("csv", "", "in is empty: it has no header"),
        ("csv", "\ufeff\n  \n", "in is empty: it has no header"),
        ("tsv", "", "in is empty: it has no header"),
        ("csv", "a,b\n", "in has no field 'text' for the text; its fields are: 'a', 'b'"),
        ("csv", "a,b\n1,2\n3,4\n", "in has no field 'text' for the text"),
        ("tsv", "a\tb\n1\t2\n3\t4\n", "in has no field 'text' for the text"),
        ("csv", ",".join(map(str, range(50))), "'19' and 30 more"),
        ("csv", "text,text\n1,2\n", "in has the field 'text' twice in its header"),
        ("csv", 'n,"te"xt\n1,a\n2,b\n', "the header of in is not valid CSV: ',' expected"),
        ("csv", '"text\n1\n2\n', "the header of in is not valid CSV: unexpected end"),
    ],
)
def test_a_header_with_a_fault_is_one_error(form: str, content: str, words: str) -> None:
    """For the whole table, whether it has rows or not."""
    (found,) = documents(form, content)
    assert found.source == "in"
    assert words in str(found.error)


@pytest.mark.parametrize("field", ["id", "label"])
def test_each_field_that_is_named_must_be_in_the_header_once(field: str) -> None:
    """The identifier and the label too; any other column may be there twice."""
    assert "no field 'k'" in str(documents("csv", "text\na\n", **{field: "k"})[0].error)
    assert "'k' twice" in str(documents("csv", "text,k,k\na,1,2\n", **{field: "k"})[0].error)
    assert outcomes("csv", "text,k,k\na,1,2\n") == [("in:2", "a")]


@pytest.mark.parametrize(("form", "content"), [("csv", "text\n"), ("csv", "n,text"), ("tsv", "n\ttext\r\n")])
def test_a_table_without_rows_has_no_results(form: str, content: str) -> None:
    """Its header is right, so nothing is wrong."""
    assert documents(form, content) == []


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\n\n \n", ",,\n", "\t\n", "\ufeff\n"])
def test_blank_lines_before_the_header_are_left_out(blank: str) -> None:
    """However many, with or without delimiters; the lines are still counted."""
    found = outcomes("csv", f"{blank}n,text\n1,a\n")
    assert found == [(f"in:{blank.count(chr(10)) + 2}", "a")]


@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [
        ("csv", "n,text\r1,a\r2,b\r", ["a", "b"]),
        ("csv", "n,text\r1,a\r2,b", ["a", "b"]),
        ("tsv", 'n"\ttext\r1\ta\r2\tb\r', ["a", "b"]),
        ("csv", '"n\rm",text\r1,a\r2,"b\rc"\r', ["a", "b\nc"]),
        ("csv", '"n\rm",text\r\n1,a\r\n2,b\rc\r\n', ["a", "b c"]),
        ("csv", "\r\rn,text\r1,a\r\r2,b\r", ["a", "b"]),
        ("csv", "n,text\r1,a\r\n2,b\n3,c", ["a", "b", "c"]),
        ("csv", "n,text\r\n1,a\n2,b\r\n3,c\r", ["a", "b", "c"]),
        ("csv", "n,text\n1,a\r\n2,b\rc\r\n", ["a", "b c"]),
    ],
)
def test_the_line_ends_of_a_table(form: str, content: str, expected: list[str]) -> None:
    """CR, LF and CRLF, also mixed; CR ends lines if it ends the header."""
    found = documents(form, content)
    assert [document.text for document in found] == expected
    streamed = FORMATS[form].read(io.BufferedReader(OneByOne(content.encode())), "in", Fields())  # type: ignore[type-var]
    assert list(streamed) == found


class OneByOne(io.RawIOBase):
    """A stream that gives a byte at a time."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        piece = self._content.read(1)
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize(
    ("form", "pieces"),
    [
        ("csv", (b"n,text\n", b"1,a\n", b"2,b\n")),
        ("csv", (b"n;text\r\n1;a\r\n", b"2;b\r\n")),
        ("csv", (b"n,text\r1,a\r", b"\n2,b\r")),
        ("csv", (b"n,text\n", b"1,a\n2", b",b\n")),
        ("tsv", (b"n\ttext\n1\ta\n", b"2\tb\n")),
        ("jsonl", (b'{"text": "a"}\n', b'{"text": "b"}\n')),
        ("jsonl", (b'[{"text": "a"}, {"text": "b"}]\n',)),
    ],
)
def test_a_record_is_answered_before_the_next_one_arrives(form: str, pieces: tuple[bytes, ...]) -> None:
    """A program that writes a record and waits for its answer is not kept waiting, whatever the line ends."""
    assert first_texts(form, 2, *pieces) == ["a", "b"]


def test_what_is_no_record_is_answered_at_once_too() -> None:
    """A blank line, and one that looks a little like an array."""
    assert first_texts("jsonl", 4, b"\n", b"[1, 2\n", b"[]\n", b'{"text": "a"}\n') == ["", "", "", "a"]


def test_lines_and_records_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too long is an error in its place, and is not kept in memory."""
    for module in (csv_lines, decoding):
        monkeypatch.setattr(module, "LONGEST", 50)
    long = "x" * 60
    assert outcomes("csv", f"n,text\n1,{long}\n2,b\n3,{long}") == [("in:2", FAULT), ("in:3", "b"), ("in:4", FAULT)]
    assert first_texts("csv", 31, b'n,text\n1,"a\n' + b"2,b\n" * 30) == ["", *["b"] * 30]
    assert [str(found.error)[:20] for found in documents("csv", f"{long}\n1\n")] == ["the header of in is "]


def test_a_bad_record_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """If its end does not come within some lines, these are rows."""
    monkeypatch.setattr(csv_lines, "_MOST_LINES", 5)
    assert first_texts("csv", 9, b'n,text\n1,"a" b"\n' + b"2,b\n" * 8) == ["", *["b"] * 8]


def test_bad_quotes_take_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that each look like the start of one long record are not all read again for each of them."""
    monkeypatch.setattr(csv_lines, "_MOST_AGAIN", (0, 0.75))
    assert len(documents("csv", "text\n" + 'a","\n' * 300)) < 10
    assert len(documents("csv", "n,text\n" + '1,"a" b"\n' * 300)) == 300


@pytest.mark.parametrize(
    ("header", "row", "delimiter"),
    [
        ("n;text", "1;a,b", None),
        ("n\ttext", "1\ta,b", None),
        ("n|text", "1|a,b", None),
        ('"n;m","text"', '1,"a,b"', None),
        ('"n\nm";"text"', '1;"a,b"', None),
        ("n~text", "1~a,b", "~"),
        ("text,n;text", "1;a,b", ";"),
    ],
)
def test_the_delimiter_of_csv(header: str, row: str, delimiter: str | None) -> None:
    """Recognised from the header, which must have the field of the text, or named."""
    names = ("text",)
    (found,) = documents("csv", f"{header}\n{row}\n", text=names, delimiter=delimiter)
    assert found.text == "a,b"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "csv", "--delimiter", "ab"], "'ab' is not one character"),
        (["--from", "csv", "--delimiter", ""], "'' is not one character"),
        (["--from", "csv", "--delimiter", '"'], "is not one character that can separate fields"),
        (["--from", "tsv", "--delimiter", ";"], "--delimiter needs --from csv"),
        (["--delimiter", ";"], "--delimiter needs --from csv"),
    ],
)
def test_a_delimiter_that_cannot_be_is_refused(run: Run, arguments: list[str], words: str) -> None:
    """Before anything is read."""
    refused = run("classify", "-m", FIXTURE, *arguments, input="text\na\n")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert words in " ".join(refused.stderr.split())


@pytest.mark.parametrize(("name", "mark"), [("tab", "\t"), (r"\t", "\t"), ("\t", "\t"), ("~", "~")])
def test_a_delimiter_is_named(run: Run, name: str, mark: str) -> None:
    """A tab by its name or escape too; what is merged has commas."""
    content = f"text{mark}n,m\nknead the dough{mark}1\n"
    done = run("classify", "-m", FIXTURE, "--from", "csv", "--delimiter", name, "--merge", input=content)
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["n,m"], row["label"]) == ("1", "baking")
