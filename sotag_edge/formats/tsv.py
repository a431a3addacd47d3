"""``tsv``: tab-separated values without quotes, as text/tab-separated-values is registered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.document import Document, Result
from sotag_edge.formats.fields import Layout
from sotag_edge.formats.records import Fields
from sotag_edge.formats.rows import RowWriter, safe

_NO_QUOTES = 3  # csv.QUOTE_NONE; the library is loaded when it is used
_BREAKS = re.compile(r"[\t\r\n]+")


def read(stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """One document per row after the header."""
    from sotag_edge.formats.csv import read_rows

    return read_rows(stream, name, fields, "TSV", "\t", quoting=_NO_QUOTES)


class Writer(RowWriter):
    """One row per result; a header only if the input's own columns are merged in. A tab or line end becomes a space."""

    has_header = False

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        super().__init__(stream, layout)
        is_usual = not (layout.top or layout.scores or layout.merge or layout.ids or layout.multi_label)
        labels = (*layout.labels, UNKNOWN_LABEL) if is_usual else ()
        self._cells = {label: _BREAKS.sub(" ", safe(label)) for label in labels}

    def write(self, result: Result) -> None:
        """Write a row. The usual one, of three cells, takes a seventh of the time of the others."""
        answer = result.prediction
        if self._cells and answer is not None and result.source.isprintable():
            self._stream.write(f"{result.source}\t{self._cells[answer.label]}\t{answer.score:.4f}\n")
        else:
            super().write(result)

    def write_row(self, texts: list[str]) -> None:
        """Write the cells."""
        self._stream.write("\t".join(_BREAKS.sub(" ", text) for text in texts) + "\n")
