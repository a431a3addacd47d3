"""A stream of bytes -> documents, cut by one of several forms; lazily: a text is given out before the next one comes.

Text is UTF-8: a byte order mark is taken off, and bytes that are not UTF-8 become U+FFFD, marked on the document.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, BinaryIO, NamedTuple

from sotag_edge.document import Document
from sotag_edge.errors import InputError

_CHUNK = 1 << 16
_LONE_RETURN = re.compile(r"\r(?!\n)")
_SURPLUS: Any = object()  # the key of what a row has more than the first one names
_NO_QUOTES = 3  # csv.QUOTE_NONE; the module is loaded where it is used
_LONGEST_FIELD = 2**31 - 1  # of a CSV field; the library's own limit is 128 KB


class InputForm(str, Enum):
    """How a stream is cut into texts: the values of ``--from``."""

    TEXT = "text"
    LINES = "lines"
    NUL = "nul"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    POSTS_XML = "posts-xml"


RECORDS = (InputForm.JSONL, InputForm.CSV, InputForm.TSV)
"""The forms whose texts are fields of a record."""


class Fields(NamedTuple):
    """Which fields of a record are its text, joined by a line end, and which one is its identifier."""

    text: Sequence[str] = ("text",)
    id: str | None = None


def read(form: InputForm, stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """The documents of a stream. What cannot be read is a document with an error; the rest is read where it can be."""
    readers: Mapping[InputForm, Callable[[], Iterator[Document]]] = {
        InputForm.TEXT: lambda: iter([_decoded(name, stream.read())]),
        InputForm.LINES: lambda: _read_lines(stream, name),
        InputForm.NUL: lambda: _read_nul(stream, name),
        InputForm.JSONL: lambda: _read_jsonl(stream, name, fields),
        InputForm.CSV: lambda: _read_csv(stream, name, fields),
        InputForm.TSV: lambda: _read_csv(stream, name, fields, delimiter="\t", quoting=_NO_QUOTES),
        InputForm.POSTS_XML: lambda: _read_posts(stream, name),
    }
    return readers[form]()


def _decoded(source: str, content: bytes) -> Document:
    text, replaced = _decode(content.removeprefix(codecs.BOM_UTF8))
    return Document(source, text, replaced=replaced)


def _decode(content: bytes) -> tuple[str, bool]:
    try:
        return content.decode("utf-8"), False
    except UnicodeDecodeError:
        return content.decode("utf-8", errors="replace"), True


def _read_lines(stream: BinaryIO, name: str) -> Iterator[Document]:
    """Each line is a text, also an empty one."""
    for number, line in enumerate(stream, start=1):
        content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        text, replaced = _decode(content.removesuffix(b"\n").removesuffix(b"\r"))
        yield Document(f"{name}:{number}", text, replaced=replaced)


def _read_nul(stream: BinaryIO, name: str) -> Iterator[Document]:
    """What stands before each NUL is a text, and what stands behind the last one, if anything does."""
    number = 0
    begun: list[bytes] = []
    read_some = getattr(stream, "read1", stream.read)  # what is there, without waiting for more
    while chunk := read_some(_CHUNK):
        *ends, rest = chunk.split(b"\0")
        for end in ends:
            number += 1
            yield _decoded(f"{name}:{number}", b"".join([*begun, end]))
            begun = []
        begun.append(rest)
    if any(begun):
        yield _decoded(f"{name}:{number + 1}", b"".join(begun))


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _read_jsonl(stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """Each line that is not empty is an object, whose fields make the text."""
    for line in _read_lines(stream, name):
        if not line.text.strip():
            continue
        try:
            record = json.loads(line.text, parse_constant=_no_json)
        except (ValueError, RecursionError) as error:
            yield Document(line.source, error=InputError(f"{line.source} is not valid JSON: {error}"))
            continue
        if isinstance(record, dict):
            yield _document(line.source, record, fields, line.replaced)
        else:
            yield Document(
                line.source, error=InputError(f'{line.source} is not a JSON object, such as {{"text": ...}}')
            )


def _read_csv(stream: BinaryIO, name: str, fields: Fields, **layout: Any) -> Iterator[Document]:
    """The first row has the fields' names, each further one a record, called by the line that it ends on.

    Tab-separated values have no quotes, as they are registered (text/tab-separated-values).
    """
    import csv

    csv.field_size_limit(_LONGEST_FIELD)
    replaced = False

    def lines() -> Iterator[str]:
        nonlocal replaced
        for number, line in enumerate(stream):
            text, not_utf8 = _decode(line.removeprefix(codecs.BOM_UTF8) if number == 0 else line)
            replaced = replaced or not_utf8
            # The library before Python 3.11 stops at a NUL, and every one at a lone carriage return.
            yield _LONE_RETURN.sub(" ", text.replace("\0", "\N{REPLACEMENT CHARACTER}"))

    rows: csv.DictReader[Any] = csv.DictReader(lines(), restkey=_SURPLUS, strict=not layout, **layout)
    twice = [field for field, count in Counter(rows.fieldnames or ()).items() if count > 1]
    if twice:
        yield Document(name, error=InputError(f"{name} names the field {twice[0]!r} twice in its first row"))
        return
    while True:
        replaced = False
        begin = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            source = f"{name}:{begin}"
            yield Document(source, error=InputError(f"{source} is not valid {'TSV' if layout else 'CSV'}: {error}"))
            continue
        if row is None:
            return
        source = f"{name}:{rows.line_num}"
        if _SURPLUS in row:
            del row[_SURPLUS]
            too_many = InputError(f"{source} has more fields than the first row names")
            yield Document(source, error=too_many, record=row, replaced=replaced)
        else:
            yield _document(source, row, fields, replaced)


def _document(source: str, record: Mapping[str, Any], fields: Fields, replaced: bool) -> Document:
    """The document of a record; its fields' texts are joined by a line end, a null is an empty text."""
    wanted = dict.fromkeys(fields.text, "the text's with --field")
    if fields.id is not None:
        wanted.setdefault(fields.id, "the identifier's with --id")
    for field, mend in wanted.items():
        if field not in record:
            known = ", ".join(map(repr, record)) or "none"
            error = InputError(f"{source} has no field {field!r}, its fields are: {known}; name {mend}")
            return Document(source, error=error, record=record)
        if isinstance(record[field], (dict, list)):
            return Document(source, error=InputError(f"{source}: the field {field!r} is not a text"), record=record)
    text = "\n".join("" if record[field] is None else str(record[field]) for field in fields.text)
    found = None if fields.id is None else record[fields.id]
    identifier = None if found is None else str(found)
    return Document(source, text, id=identifier, record=record, replaced=replaced)


def _read_posts(stream: BinaryIO, name: str) -> Iterator[Document]:
    """The questions of a Stack Exchange dump's ``Posts.xml``: title and body, without markup, with the post's id."""
    from xml.etree import ElementTree

    from sotag_edge.markup import strip_markup

    try:
        # Expat itself refuses entities that grow without bound (since 2.4.1, 2021).
        events = ElementTree.iterparse(stream, events=("start", "end"))  # noqa: S314
        _, root = next(events)
        for event, element in events:
            if event == "end" and element.tag == "row":
                if element.get("PostTypeId") == "1":
                    text = f"{element.get('Title', '')}\n{strip_markup(element.get('Body', ''))}"
                    yield Document(f"{name}:{element.get('Id')}", text, id=element.get("Id"))
                root.clear()  # what was read is not kept
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # the others are of an odd encoding
        yield Document(name, error=InputError(f"{name} is not a whole Posts.xml: {error}"))
