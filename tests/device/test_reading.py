"""Files and streams -> documents."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge.document import Document
from sotag_edge.formats import FORMATS, Fields, read_documents
from sotag_edge.sources import Folders, paths_from


def documents(form: str, content: bytes, fields: Fields | None = None) -> list[Document]:
    return list(FORMATS[form].read(io.BytesIO(content), "in", fields or Fields()))


def texts(form: str, content: bytes, fields: Fields | None = None) -> list[str]:
    found = documents(form, content, fields)
    assert not any(document.error for document in found), found
    return [document.text for document in found]


@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [
        ("text", b"", [""]),
        ("text", b"\xef\xbb\xbftitle\n\nbody\n", ["title\n\nbody\n"]),
        ("lines", b"", []),
        ("lines", b"\n", [""]),
        ("lines", b"a\nb", ["a", "b"]),
        ("lines", b"a\n\n\nb\n", ["a", "", "", "b"]),
        ("lines", b"\xef\xbb\xbfa\r\nb\r\n", ["a", "b"]),
        ("lines", "one\u2028line\x85here\n".encode(), ["one\u2028line\x85here"]),
        ("nul", b"", []),
        ("nul", b"a\nb\0\0c", ["a\nb", "", "c"]),
        ("nul", b"a\0b\0", ["a", "b"]),
        ("jsonl", b'{"text": "a"}\n{"text": ""}\r\n{"text": "7"}', ["a", "", "7"]),
        ("csv", b'\xef\xbb\xbftext,n\r\na,1\r\n"b, ""c""\nd",2\r\n', ["a", 'b, "c"\nd']),
        ("csv", b"n,text\n1,\n", [""]),
        ("csv", b"text\na\0b\n", ["a\ufffdb"]),
        ("csv", b"text\na\rb\nc\n", ["a b", "c"]),
        ("tsv", b'text\tn\n"a\t1\n', ['"a']),
    ],
)
def test_a_stream_is_cut_by_its_form(form: str, content: bytes, expected: list[str]) -> None:
    """Each form gives its texts: line ends, byte order marks, quotes and empty texts as they should be."""
    assert texts(form, content) == expected


def test_fields_are_joined_and_the_identifier_is_kept() -> None:
    """--field given twice joins the two by a line end; --id names the text; the whole record stays with it."""
    (found,) = documents("csv", b"k,title,body\n9,Bread,is flat\n", Fields(("title", "body"), "k"))
    assert (found.source, found.text, found.id) == ("in:2", "Bread\nis flat", "9")
    assert found.record == {"k": "9", "title": "Bread", "body": "is flat"}


@pytest.mark.parametrize(
    ("form", "content", "words"),
    [
        ("jsonl", b"{", "not valid JSON"),
        ("jsonl", b"[1]", "not a JSON object"),
        ("jsonl", b'{"txt": "a"}', "no field 'text' for the text; its fields are: 'txt'"),
        ("jsonl", b'{"text": ["a"]}', "not a text"),
        ("jsonl", b"[" * 100_000, "not valid JSON"),
        ("csv", b"a,b\n1,2\n", "no field 'text'"),
        ("csv", b"text\na,b\n", "has 2 fields, more than the 1 of the header"),
        ("csv", b"text,text\na,b\n", "has the field 'text' twice"),
        ("csv", b'text\n"never closed\n', "in:2 is not valid CSV"),
        ("posts-xml", b"<?xml version='1.0' encoding='foo'?><posts/>", "no questions"),
        ("posts-xml", b"<posts><row", "not a complete Posts.xml"),
    ],
)
def test_what_cannot_be_read_is_said_and_the_rest_is_read(form: str, content: bytes, words: str) -> None:
    """A record that is not as it should be is a document with an error; where records go on, so does the reading."""
    good = {"jsonl": b'\n{"text": "good"}', "csv": b"", "posts-xml": b""}[form]
    found = documents(form, content + good)
    assert words in str(found[0].error)
    assert [document.text for document in found[1:]] == (["good"] if good else [])


def test_a_record_is_called_by_its_line() -> None:
    """Also behind one of several lines, and an empty line."""
    found = documents("csv", b'text\n"a\nb"\n\nc\n')
    assert [(document.source, document.text) for document in found] == [("in:3", "a\nb"), ("in:5", "c")]


def test_an_identifier_may_be_missing() -> None:
    """A null is no identifier, and a missing field is told apart from the text's."""
    found = documents("jsonl", b'{"text": "a", "k": null}\n{"text": "b"}\n', Fields(("text",), "k"))
    assert found[0].id is None
    assert "no field 'k'" in str(found[1].error)
    assert "identifier" in str(found[1].error)


def test_a_dump_of_posts_gives_its_questions() -> None:
    """Title and body without markup, with the post's id; answers are left out."""
    rows = (
        '<row Id="4" PostTypeId="1" Title="Reef?" Body="&lt;p&gt;the &lt;code&gt;a &amp;lt; b&lt;/code&gt;&lt;/p&gt;" />'
        '<row Id="5" PostTypeId="2" Body="no" />'
    )
    (found,) = documents("posts-xml", f"<posts>\n{rows}\n</posts>".encode())
    assert (found.source, found.id, found.text) == ("in:4", "4", "Reef?\nthe a < b")


def test_a_dump_of_posts_is_read_as_a_stream() -> None:
    """The first question is given out when little more than it has been read."""

    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            self.taken += 1
            assert self.taken < 50, "it reads on and on"
            start = b"<posts>" if self.taken == 1 else b""
            return start + b'<row Id="1" PostTypeId="1" Title="t" Body="b"/>' * 100

    assert next(FORMATS["posts-xml"].read(Endless(), "in", Fields())).text == "t\nb"  # type: ignore[arg-type]


def test_bytes_that_are_not_utf8_are_replaced_and_marked() -> None:
    """The text is kept as far as it can be read, and the document says that it was mended."""
    assert documents("lines", b"caf\xe9\nok\n") == [
        Document("in:1", "caf\ufffd", replaced=True),
        Document("in:2", "ok"),
    ]


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072, 200_000])
@pytest.mark.parametrize("last", [b"", b"\0"])
def test_a_text_longer_than_a_chunk_is_whole(size: int, last: bytes) -> None:
    """Texts between NULs are whole however the stream comes in pieces, before, at and after the edge of a chunk."""
    long = (b"0123456789" * (size // 10 + 1))[:size]
    found = texts("nul", b"first\0" + long + b"\0" + long[::-1] + b"\0short" + last)
    assert found == ["first", long.decode(), long[::-1].decode(), "short"]


def test_a_text_that_comes_in_pieces_is_whole() -> None:
    """A pipe gives what it has: one text may take many reads, and one read may have many texts."""

    class Pieces(io.RawIOBase):
        pieces = iter([b"ab", b"c\0d", b"e", b"f\0\0g", b"h"])

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            piece = next(self.pieces, b"")
            buffer[: len(piece)] = piece
            return len(piece)

    stream = io.BufferedReader(Pieces())
    assert [document.text for document in FORMATS["nul"].read(stream, "in", Fields())] == ["abc", "def", "", "gh"]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("lines", b"caf\xe9\nok\nna\xefve\nok\n"),
        ("nul", b"caf\xe9\0ok\0na\xefve\0ok\0"),
        ("csv", b"text\ncaf\xe9\nok\nna\xefve\nok\n"),
        ("tsv", b"text\ncaf\xe9\nok\nna\xefve\nok\n"),
        ("jsonl", b'{"text": "caf\xe9"}\n{"text": "ok"}\n{"text": "na\xefve"}\n{"text": "ok"}\n'),
    ],
)
def test_only_the_text_with_replaced_bytes_is_marked(form: str, content: bytes) -> None:
    """The mark belongs to its own text, not to those after it."""
    assert [document.replaced for document in documents(form, content)] == [True, False, True, False]


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_json_has_no_nan(constant: str) -> None:
    """Python reads these words as numbers; JSON does not have them."""
    bad, good = documents("jsonl", f'{{"text": "a", "n": {constant}}}\n{{"text": "b"}}\n'.encode())
    assert f"in:1 is not valid JSON: {constant}" in str(bad.error)
    assert good.text == "b"


def test_a_label_comes_with_its_text() -> None:
    """Labelled records have it in a field, which is named in the error if it is missing."""
    found = documents("csv", b"tag,text\nx,one\n,two\n", Fields(label="tag"))
    assert [(document.label, document.text) for document in found] == [("x", "one"), ("", "two")]
    (missing,) = documents("jsonl", b'{"text": "a"}\n', Fields(label="tag"))
    assert "no field 'tag' for the label" in str(missing.error)
    (null,) = documents("jsonl", b'{"text": "a", "tag": null}\n', Fields(label="tag"))
    assert (null.label, null.error) == (None, None)


def test_what_is_no_file_is_passed_over_in_a_folder(tmp_path: Path) -> None:
    """Reading a named pipe without a writer would wait for ever."""
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "q.txt").write_text("a question")
    found = read_documents([str(tmp_path)], io.BytesIO(), folders=Folders(recursive=True))
    assert [document.text for document in found] == ["a question"]


def test_a_file_is_a_text_and_a_line_of_stdin_is_one(tmp_path: Path) -> None:
    """Without a form, as people expect it; what cannot be read keeps its place among the others."""
    (tmp_path / "q.txt").write_text("two\nlines")
    paths = [str(tmp_path / "none"), str(tmp_path / "q.txt"), str(tmp_path), "a\0b", "-"]
    found = list(read_documents(paths, io.BytesIO(b"a line\nanother\n")))
    assert [document.source for document in found] == [*paths[:4], "stdin:1", "stdin:2"]
    assert [document.text for document in found if not document.error] == ["two\nlines", "a line", "another"]
    assert "does not exist" in str(found[0].error)
    assert "--recursive" in str(found[2].error)


def test_folders_are_read_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    """--recursive takes all files below, by name; --glob those that match."""
    for name in ("b/2.txt", "b/.hidden.txt", "a.txt", ".git/x.txt", "b/c/3.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    def found(glob: str) -> list[str]:
        folders = Folders(recursive=True, glob=glob)
        return [document.text for document in read_documents([str(tmp_path)], io.BytesIO(), folders=folders)]

    assert found("*") == ["a.txt", "b/2.txt", "b/c/3.md"]
    assert found("*.md") == ["b/c/3.md"]


def test_gzip_is_read_as_what_is_in_it(tmp_path: Path) -> None:
    """By its content, not its name; a cut one gives what can be read and an error."""
    whole = gzip.compress(b"one\ntwo\n" * 5000)
    (tmp_path / "q").write_bytes(whole)
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    assert len(list(read_documents([str(tmp_path / "q")], io.BytesIO(), input_format=FORMATS["lines"]))) == 10_000
    assert [document.text for document in read_documents(["-"], io.BytesIO(gzip.compress(b"a\nb\n")))] == ["a", "b"]
    *_, last = read_documents([str(tmp_path / "cut")], io.BytesIO(), input_format=FORMATS["lines"])
    assert "cannot be read to its end" in str(last.error)


@pytest.mark.parametrize(("content", "nul"), [(b"a\n\nb c\n", False), (b"a\0b c\0", True)])
def test_a_list_of_paths(content: bytes, nul: bool) -> None:
    """One path a line, or each before a NUL; spaces belong to the name."""
    assert list(paths_from("-", io.BytesIO(content), nul=nul)) == ["a", "b c"]


@given(
    form=st.sampled_from(
        [name for name, form in FORMATS.items() if form.reads and name != "posts-xml" and not form.has_columns]
    ),
    content=st.binary(),
)
def test_any_bytes_can_be_read(form: str, content: bytes) -> None:
    """Any bytes at all, as any form, give documents; what is wrong is on them, and nothing is raised."""
    found = documents(form, content)
    assert all(document.error is None or not document.text for document in found)
    if form == "lines":
        assert len(found) == content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


@given(st.binary().map(lambda content: b"<posts>" + content))
def test_any_dump_can_be_read(content: bytes) -> None:
    """A damaged dump ends in an error."""
    assert documents("posts-xml", content)[-1].error


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_survive_json(written: list[str]) -> None:
    """What a program writes as JSON lines is read as it was, one document each."""
    content = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in written)
    assert texts("jsonl", content.encode()) == written


def posts(*rows: str) -> list[Document]:
    """The documents of a dump with these rows."""
    return documents("posts-xml", ("<?xml version='1.0'?>\n<posts>\n" + "\n".join(rows) + "\n</posts>\n").encode())


def test_the_tags_of_a_post_are_its_labels() -> None:
    """In both spellings; a question without tags has none."""
    found = posts(
        '<row Id="1" PostTypeId="1" Title="one" Tags="&lt;c#&gt;&lt;.net-2.0&gt;&lt;c++&gt;" />',
        '<row Id="2" PostTypeId="1" Title="two" Tags="|c#|.net-2.0|c++|" />',
        '<row Id="3" PostTypeId="1" Title="three" Tags="" />',
        '<row Id="4" PostTypeId="1" Title="four" />',
    )
    tags = ("c#", ".net-2.0", "c++")
    assert [document.label for document in found] == [tags, tags, (), ()]


def test_a_bad_row_costs_no_other_one() -> None:
    """Characters that XML does not have, in an answer or a question, a number without end, a row that is no XML."""
    found = posts(
        '<row Id="1" PostTypeId="1" Title="one" Body="a &#x0E; b &#14; c &#xD800; d\x0b e &#x41;" />',
        '<row Id="2" PostTypeId="2" Body="&#x0E; \x01 &broken" Title=PostTypeId="1" />',
        f'<row Id="3" PostTypeId="1" Title="three" Body="&amp;#{"9" * 5000}; &#{"9" * 5000}; end" />',
        '<row Id="4" PostTypeId="1" Title="four" Body=unquoted />',
        '<row Id="5" PostTypeId="2" Body="see PostTypeId=\'1\'" />',
        "<row\n  Id='6'\n  PostTypeId='1'\n  Title='six &lt;T&gt; a > b'\n></row>",
    )
    assert [document.id for document in found] == ["1", "3", None, "6"]
    assert found[0].text == "one\na \ufffd b \ufffd c \ufffd d\ufffd e A"
    assert found[1].text == "three\n\ufffd \ufffd end"
    assert "question 3 is not valid XML" in str(found[2].error)
    assert found[3].text == "six <T> a > b\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<posts></posts>", "has no questions"),
        ("<posts/>", "has no questions"),
        ('<posts><row Id="1" PostTypeId="2" Body="a" /></posts><!-- end -->', "has no questions"),
        ("", "is not a complete Posts.xml"),
        ("no XML", "is not a complete Posts.xml"),
    ],
)
def test_a_dump_without_questions_is_an_error(content: str, words: str) -> None:
    """Rather than silence."""
    (document,) = documents("posts-xml", content.encode())
    assert words in str(document.error)


def test_a_dump_that_is_cut_gives_its_questions() -> None:
    """And then the error."""
    first, last = documents("posts-xml", b'<posts>\n<row Id="1" PostTypeId="1" Title="one" />\n<row Id="2" PostT')
    assert (first.text, "not a complete" in str(last.error)) == ("one\n", True)


def test_a_dump_in_another_encoding() -> None:
    """The declared one; one that does not exist is read as UTF-8."""
    for encoding, title in (("iso-8859-1", "Größe"), ("foo", "Größe"), ("utf-16", "Größe")):
        row = f'<row Id="1" PostTypeId="1" Title="{title}" />'
        content = f"<?xml version='1.0' encoding='{encoding}'?><posts>{row}</posts>"
        (document,) = documents("posts-xml", content.encode("iso-8859-1" if encoding[0] == "i" else "utf-8"))
        assert document.text.strip() == title


def test_folders_without_files(tmp_path: Path) -> None:
    """An empty folder, one with hidden files only, and a pattern without a match are each an error in their place."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.md").write_text("bread dough")
    (tmp_path / "empty" / ".hidden.md").write_text("no")
    paths = [str(tmp_path / name) for name in ("empty", "full")]
    empty, full = read_documents(paths, io.BytesIO(), folders=Folders(recursive=True))
    assert "empty has no file" in str(empty.error)
    assert full.text == "bread dough"
    found = list(read_documents(paths, io.BytesIO(), folders=Folders(recursive=True, glob="*.txt")))
    assert ["name matches '*.txt'" in str(document.error) for document in found] == [True, True]


def test_rows_in_comments_are_no_rows() -> None:
    """Nor are those in CDATA."""
    row = '<row Id="1" PostTypeId="1" Title="one" />'
    (found,) = posts(f"<!-- {row} -->", f"<![CDATA[{row}]]>", row)
    assert found.id == "1"


def test_a_deep_folder_is_read(tmp_path: Path) -> None:
    """Deeper than Python calls itself."""
    folder = tmp_path
    for _ in range(1200):
        folder /= "d"
        if len(str(folder)) > 3500:  # of 4,096 characters that a path may have
            break
        folder.mkdir()
    (folder.parent / "a.txt").write_text("bread dough")
    try:
        (found,) = read_documents([str(tmp_path)], io.BytesIO(), folders=Folders(recursive=True))
        assert found.text == "bread dough"
    finally:  # pytest could not remove it
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_list_of_files_from_windows(tmp_path: Path, encoding: str) -> None:
    """With a byte order mark, as PowerShell writes it."""
    (tmp_path / "list").write_bytes("a.txt\r\nbü.txt\r\n".encode(encoding))
    assert paths_from(str(tmp_path / "list"), io.BytesIO(), nul=False) == ["a.txt", "bü.txt"]
