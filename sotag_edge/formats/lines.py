"""``lines``: each line is a text, an empty line too."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.formats.decoding import decode
from sotag_edge.formats.records import Fields


def read(stream: BinaryIO, name: str, _: Fields) -> Iterator[Document]:
    """One document per line, as soon as the line ends; its source is ``name:line``."""
    for number, line in enumerate(stream, start=1):
        content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        text, replaced = decode(content.removesuffix(b"\n").removesuffix(b"\r"))
        yield Document(f"{name}:{number}", text, replaced=replaced)
