"""Bytes -> text, by one rule for all formats, and whether it is text at all; and the longest text that is read.

Texts are UTF-8 without a byte order mark; other bytes become U+FFFD.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.errors import InputError

LONGEST = 16 * 1024**2  # bytes; a question of 100,000 is rare, and a gzip bomb has gigabytes
_CHUNK = 1 << 16  # bytes
_HEAD = 8192  # characters; no model reads more than their tokens
_NUL = "\0"
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_CONTROLS = re.compile("[\0-\x07\x0e-\x1a\x1c-\x1f\x7f]")  # not those of white space, of colours and of overstriking
_FEWEST = 4  # characters that are no text; a few are an accident
_MOST_CONTROLS = 0.1  # of the characters; in 8 KB of programs, pictures and archives 0.2 to 0.9
_MOST_REPLACED = 0.3  # of the characters; Latin-1 in any western language has fewer, random bytes 0.4


def decoded(source: str, content: bytes) -> Document:
    """The document of a text's bytes.

    >>> decoded("a.txt", b"caf\\xe9").replaced
    True
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return Document(source, content.decode())  # nearly always
    except UnicodeDecodeError:
        return Document(source, content.decode(errors="replace"), replaced=True)


def decode(content: bytes) -> tuple[str, bool]:
    """The text, and whether bytes that are not UTF-8 were replaced. A byte order mark stays."""
    try:
        return content.decode("utf-8"), False
    except UnicodeDecodeError:
        return content.decode("utf-8", errors="replace"), True


def is_surely_text(text: str) -> bool:
    """Whether a string has no sign of what is not text. Nearly every text has none."""
    return _NUL not in text and _REPLACED not in text


def fault_of(text: str) -> str | None:
    """Why a string that was decoded is not text, in words that follow its name; ``None`` for text.

    >>> fault_of("Why?"), fault_of("W\\0h\\0y\\0?\\0")
    (None, 'is not text in UTF-8 but UTF-16 without its mark: convert it (iconv -f UTF-16LE -t UTF-8)')
    """
    head = text[:_HEAD]
    if is_surely_text(head):
        return None
    controls = len(_CONTROLS.findall(head))
    bad = controls + head.count(_REPLACED)
    if bad < _FEWEST:
        return None
    for order, encoding in ((head[1::2], "UTF-16LE"), (head[::2], "UTF-16BE")):
        if order.count(_NUL) > 0.7 * len(order):
            return f"is not text in UTF-8 but UTF-16 without its mark: convert it (iconv -f {encoding} -t UTF-8)"
    if controls > _MOST_CONTROLS * len(head):
        return "is not text: it has control characters, as pictures, archives and programs do"
    if bad > _MOST_REPLACED * len(head):
        return "is not text in UTF-8: convert it, if it is text in another encoding (iconv -f WINDOWS-1251 -t UTF-8)"
    return None


def too_long(source: str) -> Document:
    """The document of a text that is longer than ``LONGEST``."""
    return Document(source, error=InputError(f"{source} is longer than {LONGEST // 1024**2} MiB, the longest text"))


def bounded_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a stream with their ends, each as soon as it ends; ``None`` for one that is longer than ``LONGEST``."""
    while line := stream.readline(LONGEST + 1):
        if len(line) <= LONGEST:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST)
        yield None


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of a stream as they arrive."""
    read_available = getattr(stream, "read1", stream.read)  # does not wait for a full chunk
    return iter(lambda: read_available(_CHUNK), b"")


def ended_pieces(chunks: Iterable[bytes], end: bytes) -> Iterator[tuple[bytes | None, bool]]:
    """The pieces of a stream between single bytes, each as soon as its end is read; the last one may be empty.

    Each is its content, ``None`` if it is longer than ``LONGEST``, and whether it has its end.
    """
    begun: list[bytes] = []  # the parts of a piece whose end is not read yet
    length = 0
    for chunk in chunks:
        *parts, rest = chunk.split(end)
        for part in parts:
            length += len(part)
            yield (b"".join([*begun, part]) if length <= LONGEST else None), True
            begun, length = [], 0
        length += len(rest)
        if length <= LONGEST:
            begun.append(rest)
        else:
            begun = []
    yield (b"".join(begun) if length <= LONGEST else None), False
