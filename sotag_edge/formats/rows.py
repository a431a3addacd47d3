"""Rows of text: what the writers of ``csv`` and ``tsv`` share."""

from __future__ import annotations

import json
from typing import Any, ClassVar, TextIO

from sotag_edge.document import Result
from sotag_edge.formats.fields import Layout, row
from sotag_edge.formats.records import column_name


class RowWriter:
    """One row per result, perhaps after a header. With ``merge`` the first record decides the columns."""

    has_header: ClassVar[bool]
    """Whether there is a header even if the input's own columns are not merged in."""

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        self._stream, self._layout = stream, layout
        self._columns: list[str] | None = None
        self._waiting: list[Result] = []  # results before the first record
        if self.has_header and not layout.merge:
            self._start(Result(""))

    def write(self, result: Result) -> None:
        """Write a row and flush it."""
        if self._columns is None and self._layout.merge:
            if result.record is None:
                self._waiting.append(result)
                return
            self._start(result)
        values = row(result, self._layout, reasons=self._columns is not None)
        self._write([values.get(name, "") for name in self._columns or values])

    def close(self) -> None:
        """Write the results that no record followed."""
        if self._waiting:
            self._start(Result(""))

    def write_row(self, texts: list[str]) -> None:
        """Write the cells of one row."""
        raise NotImplementedError

    def _start(self, first: Result) -> None:
        self._columns = list(row(first, self._layout, reasons=True))
        self._write([column_name(key) for key in self._columns])
        waiting, self._waiting = self._waiting, []
        for result in waiting:
            self.write(result)

    def _write(self, values: list[Any]) -> None:
        self.write_row(
            ["" if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]
        )
        self._stream.flush()
