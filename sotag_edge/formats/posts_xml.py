"""``posts-xml``: the questions of a Stack Exchange data dump's ``Posts.xml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.errors import InputError
from sotag_edge.formats.decoding import chunks_of, decode, ended_pieces, too_long
from sotag_edge.formats.records import Fields

_ROW = re.compile(rb"row[\s/>]")
_IS_QUESTION = re.compile(rb"""\sPostTypeId\s*=\s*["']\s*1\s*["']""")
_END = re.compile(rb"/posts\s*>|posts\s*/>")
_UNREAD = {b"!--": b"-->", b"![CDATA[": b"]]>"}
_ENCODING = re.compile(rb"""\?xml[^>]*\sencoding\s*=\s*["']([^"']+)["']""")
# Characters that XML does not have, as themselves and as references; real dumps have them.
_NO_CHARACTER = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]+)|([0-9]+));")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_TAG = re.compile(r"[^<>|\s]+")  # of <c#><linq>, or of |c#|linq| in dumps since 2024


def read(stream: BinaryIO, name: str, _: Fields) -> Iterator[Document]:
    """One document per question: its title and its body without markup, with the post's id, and its tags as labels.

    Each row is parsed by itself, so that a bad one is an error in its place, and one that is no question costs nothing. In
    XML a "<" begins a tag wherever it is, so the rows are found by it.
    """
    questions, encoding, tag = 0, "utf-8", b""
    end_of_unread: bytes | None = None  # within a comment or CDATA
    for piece, _ended in ended_pieces(chunks_of(stream), b"<"):
        if piece is None:
            yield too_long(f"{name}: a row")
            continue
        if end_of_unread is None:
            end_of_unread = next((end for begin, end in _UNREAD.items() if piece.startswith(begin)), None)
        if end_of_unread is not None:
            end_of_unread = None if end_of_unread in piece else end_of_unread
            continue
        if piece.strip() and not piece.startswith((b"!", b"?")):
            tag = piece
        if declared := _ENCODING.match(piece):
            encoding = _codec(declared[1])
        if document := question(piece, name, f"{name}, question {questions + 1}", encoding):
            questions += 1
            yield document
    if not _END.match(tag):
        yield Document(name, error=InputError(f"{name} is not a complete Posts.xml: it does not end with </posts>"))
    elif not questions:
        yield Document(name, error=InputError(f"{name} has no questions: no row has the PostTypeId 1"))


def question(piece: bytes, name: str, place: str, encoding: str = "utf-8") -> Document | None:
    """The document of what a file has between two "<"; ``None`` if it is no question.

    ``name``: the file; ``place``: what the row is called if it has no id. Every piece can be read by itself.
    """
    if not (_ROW.match(piece) and _IS_QUESTION.search(piece)):
        return None
    from xml.etree import ElementTree

    from sotag_edge.markup import strip_markup

    content = piece[: piece.rfind(b">") + 1]
    try:
        text, replaced = decode(content) if encoding == "utf-8" else (content.decode(encoding), False)
        text = _REFERENCE.sub(_character, _NO_CHARACTER.sub(_REPLACEMENT, text))
        # One tag has no room for entities that grow without bound.
        row = ElementTree.fromstring(f"<{text}" if text.endswith("/>") else f"<{text}</row>")  # noqa: S314
    except (ElementTree.ParseError, ValueError) as error:  # the latter: another encoding than the declared one
        return Document(place, error=InputError(f"{place} is not valid XML: {error}"))
    if row.get("PostTypeId", "").strip() != "1":  # it was in another attribute
        return None
    text = f"{row.get('Title', '')}\n{strip_markup(row.get('Body', ''))}"
    number = row.get("Id")
    tags = tuple(_TAG.findall(row.get("Tags", "")))
    return Document(f"{name}:{number}" if number else place, text, id=number, label=tags, replaced=replaced)


def _character(reference: re.Match[str]) -> str:
    """The reference, or U+FFFD in place of one that no character has."""
    digits = (reference[1] or reference[2]).lstrip("0")
    number = int(digits or "0", 16 if reference[1] else 10) if len(digits) < 8 else 0
    valid = (
        number in (9, 10, 13) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000
    )
    return reference[0] if valid else _REPLACEMENT


def _codec(name: bytes) -> str:
    """The encoding that a file declares. UTF-16 is UTF-8 by now, and one that is not known is read as if it were."""
    declared = name.decode("ascii", errors="replace").lower()
    try:
        b"x".decode(declared)  # an empty one is not looked up
    except (LookupError, ValueError):
        return "utf-8"
    return "utf-8" if declared.startswith(("utf", "ucs")) else declared
