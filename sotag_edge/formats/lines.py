"""``lines``: each line is a text, an empty line too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.formats.decoding import bounded_lines, decoded, too_long
from sotag_edge.formats.records import Fields


def read(stream: BinaryIO, name: str, _: Fields) -> Iterator[Document]:
    """One document per line, as soon as the line ends; its source is ``name:line``."""
    for number, line in enumerate(bounded_lines(stream), start=1):
        source = f"{name}:{number}"
        if line is None:
            yield too_long(source)
            continue
        yield decoded(source, line.removesuffix(b"\n").removesuffix(b"\r"))
