"""``table``: results for a person at a terminal, a row at a time: source, tag, and a bar for the score."""

from __future__ import annotations

from typing import TextIO

from rich.text import Text

from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.document import Result
from sotag_edge.formats.fields import Layout, best, named
from sotag_edge.terminal import make_console, printable

_BAR_WIDTH = 20  # columns, as the next ones
_LONG_SOURCE = 40  # for sources that are not known beforehand
_SOURCE_WIDTH = 12  # fits "stdin:999999"

Cell = tuple[str, str]
"""A text and its style."""


class Writer:
    """A table that grows row by row. The widths are fixed by what is known before the first row."""

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        self._console = make_console(stream, layout.color)
        self._layout = layout
        self._labels = max(len(printable(label)) for label in (UNKNOWN_LABEL, *layout.labels))
        room = max(_SOURCE_WIDTH, self._console.width - self._labels - _BAR_WIDTH - len("  0.00  ") - 4)
        lengths = [_LONG_SOURCE] if layout.sources is None else [len(printable(source)) for source in layout.sources]
        self._cut = stream.isatty()  # in a pipe a path stays whole
        self._sources = min(room, max([_SOURCE_WIDTH, *lengths]))
        self._row(("Source", "bold"), ("Tag", "bold"), ("Score", "bold"))

    def write(self, result: Result) -> None:
        """Write a row, and below it the best labels if they are asked for."""
        answer = result.prediction
        source = printable(result.source if result.id is None else f"{result.source} {result.id}")
        if self._cut and len(source) > self._sources:  # the end distinguishes the texts of a file or a folder
            source = "…" + source[1 - self._sources :]
        if answer is None:
            self._row((source, ""), ("failed", "red"), ("", ""))
            return
        reason, style = (f"  {answer.reason.value}", "yellow") if answer.reason else ("", "green")
        self._row((source, ""), (printable(named(answer, self._layout)), style), (_bar(answer.score) + reason, ""))
        count = len(self._layout.labels) if self._layout.scores else self._layout.top
        for label, score in best(answer, count):
            self._row(("", ""), (printable(label), "dim"), (_bar(score), "dim"))

    def close(self) -> None:
        """Nothing follows the last row."""

    def _row(self, source: Cell, label: Cell, score: Cell) -> None:
        cells = [Text(text, style=style, no_wrap=True, overflow="ellipsis") for text, style in (source, label, score)]
        # Several labels may be wider than their column; they are the answer, so they are never cut.
        columns = ((self._sources, self._cut), (self._labels, self._cut and not self._layout.multi_label))
        for cell, (width, cut) in zip(cells, columns, strict=False):
            cell.truncate(width if cut else max(width, cell.cell_len), overflow="ellipsis", pad=True)
        self._console.print(Text("  ").join(cells), soft_wrap=True)


def _bar(score: float) -> str:
    full = round(score * _BAR_WIDTH)
    return "█" * full + "░" * (_BAR_WIDTH - full) + f" {score:.2f}"
