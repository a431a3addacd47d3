"""Bytes -> text, by one rule for all formats: UTF-8 without a byte order mark; other bytes become U+FFFD."""

from __future__ import annotations

import codecs

from sotag_edge.document import Document


def decoded(source: str, content: bytes) -> Document:
    """The document of a text's bytes.

    >>> decoded("a.txt", b"caf\\xe9").replaced
    True
    """
    text, replaced = decode(content.removeprefix(codecs.BOM_UTF8))
    return Document(source, text, replaced=replaced)


def decode(content: bytes) -> tuple[str, bool]:
    """The text, and whether bytes that are not UTF-8 were replaced. A byte order mark stays."""
    try:
        return content.decode("utf-8"), False
    except UnicodeDecodeError:
        return content.decode("utf-8", errors="replace"), True
