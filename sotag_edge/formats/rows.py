"""Rows of text: what the writers of ``csv`` and ``tsv`` share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, TextIO

from sotag_edge.document import Result
from sotag_edge.formats.fields import Layout, row
from sotag_edge.formats.records import column_name
from sotag_edge.terminal import printable

_KEPT = re.compile("(\r\n|[\n\t])")


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
        """Write a row."""
        if self._columns is None and self._layout.merge:
            if result.record is None:
                self._waiting.append(result)
                return
            self._start(result)
        values = row(result, self._layout, reasons=self._columns is not None)
        self._write({name: values.get(name, "") for name in self._columns or values}, result)

    def close(self) -> None:
        """Write the results that no record followed."""
        if self._waiting:
            self._start(Result(""))

    def write_row(self, texts: list[str]) -> None:
        """Write the cells of one row."""
        raise NotImplementedError

    def _start(self, first: Result) -> None:
        self._columns = list(row(first, self._layout, reasons=True))
        self._write({key: column_name(key) for key in self._columns}, first)
        waiting, self._waiting = self._waiting, []
        for result in waiting:
            self.write(result)

    def _write(self, values: Mapping[str, Any], result: Result) -> None:
        """Write the cells. Those of the user's record stay as they are, but for control characters on a terminal."""
        theirs = (result.record or {}) if self._layout.merge and not self._stream.isatty() else {}
        texts = ((name, _text(value)) for name, value in values.items())
        self.write_row([text if name in theirs else safe(text) for name, text in texts])


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def safe(text: str) -> str:
    """A cell: line ends and tabs stay, a lone carriage return becomes a space, other control characters are replaced."""
    return "".join(part if _KEPT.match(part) else printable(part.replace("\r", " ")) for part in _KEPT.split(text))
