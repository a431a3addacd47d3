"""``tsv``: tab-separated values without quotes, as text/tab-separated-values is registered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.formats.records import Fields
from sotag_edge.formats.rows import RowWriter

_NO_QUOTES = 3  # csv.QUOTE_NONE; the library is loaded when it is used
_BREAKS = re.compile(r"[\t\r\n]+")


def read(stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """One document per row after the header."""
    from sotag_edge.formats.csv import read_rows

    return read_rows(stream, name, fields, "TSV", "\t", quoting=_NO_QUOTES)


class Writer(RowWriter):
    """One row per result; a header only if the input's own columns are merged in. A tab or line end becomes a space."""

    has_header = False

    def write_row(self, texts: list[str]) -> None:
        """Write the cells."""
        self._stream.write("\t".join(_BREAKS.sub(" ", text) for text in texts) + "\n")
