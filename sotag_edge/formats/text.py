"""``text``: the whole stream is one text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.formats.decoding import decoded
from sotag_edge.formats.records import Fields


def read(stream: BinaryIO, name: str, _: Fields) -> Iterator[Document]:
    """One document."""
    yield decoded(name, stream.read())
