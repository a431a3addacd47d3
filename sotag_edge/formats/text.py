"""``text``: the whole stream is one text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.formats.decoding import LONGEST, decoded, too_long
from sotag_edge.formats.records import Fields


def read(stream: BinaryIO, name: str, _: Fields) -> Iterator[Document]:
    """One document."""
    content = stream.read(LONGEST + 1)
    yield decoded(name, content) if len(content) <= LONGEST else too_long(name)
