"""``nul``: a NUL ends each text; the last one may lack it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.formats.decoding import chunks_of, decoded, ended_pieces, too_long
from sotag_edge.formats.records import Fields


def read(stream: BinaryIO, name: str, _: Fields) -> Iterator[Document]:
    """One document per text, as soon as its NUL is read; its source is ``name:number``."""
    for number, (content, ended) in enumerate(ended_pieces(chunks_of(stream), b"\0"), start=1):
        source = f"{name}:{number}"
        if content is None:
            yield too_long(source)
        elif ended or content:
            yield decoded(source, content)
