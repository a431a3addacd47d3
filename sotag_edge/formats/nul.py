"""``nul``: a NUL ends each text; the last one may lack it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.formats.decoding import decoded
from sotag_edge.formats.records import Fields

_CHUNK = 1 << 16  # bytes


def read(stream: BinaryIO, name: str, _: Fields) -> Iterator[Document]:
    """One document per text, as soon as its NUL is read; its source is ``name:number``."""
    number = 0
    begun: list[bytes] = []  # the pieces of a text whose NUL is not read yet
    read_available = getattr(stream, "read1", stream.read)  # does not wait for a full chunk
    while chunk := read_available(_CHUNK):
        *ends, rest = chunk.split(b"\0")
        for end in ends:
            number += 1
            yield decoded(f"{name}:{number}", b"".join([*begun, end]))
            begun = []
        begun.append(rest)
    if any(begun):
        yield decoded(f"{name}:{number + 1}", b"".join(begun))
