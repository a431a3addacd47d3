"""Results -> text on a stream: tab-separated, JSON lines, or a table for people.

Every writer writes one row a result as soon as it is given one, so that a long stream is answered line by line.
Sources are the user's text: control characters in them never reach a terminal or break a row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from sotag_edge.classifier import Prediction

# What json leaves as it is, and a terminal or a line-by-line reader may take for a command: escaped too.
_NOT_FOR_TERMINALS = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BAR_WIDTH = 20
_SOURCE_WIDTH = 12  # of "stdin:999999"; a file's name takes what it needs


class OutputFormat(str, Enum):
    """The forms of ``classify --to``."""

    TABLE = "table"
    TSV = "tsv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one input: its prediction, or the error in its place."""

    source: str
    prediction: Prediction | None = None
    error: str | None = None


class Writer(Protocol):
    """Writes results, one by one."""

    def write(self, result: Result) -> None:
        """Write one result and flush it."""


class TsvWriter:
    """``source``, ``label``, ``score``, separated by tabs, no header; a failed input has an empty label and score."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, result: Result) -> None:
        """Write a row."""
        answer = result.prediction
        label, score = (answer.label, f"{answer.score:.4f}") if answer else ("", "")
        self._stream.write(f"{printable(result.source)}\t{printable(label)}\t{score}\n")
        self._stream.flush()


class JsonlWriter:
    """One JSON object a line: ``source``, ``label``, ``score``, ``scores``.

    An ``unknown`` one also has a ``reason``; a failed input has ``source`` and ``error``.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, result: Result) -> None:
        """Write a row."""
        answer = result.prediction
        record: dict[str, object] = {"source": result.source}
        if answer:
            scores = {label: round(score, 6) for label, score in answer.scores.items()}
            record |= {"label": answer.label, "score": round(answer.score, 6), "scores": scores}
            if answer.reason:
                record["reason"] = answer.reason.value
        else:
            record["error"] = result.error
        line = json.dumps(record, ensure_ascii=False)
        self._stream.write(_NOT_FOR_TERMINALS.sub(lambda found: f"\\u{ord(found[0]):04x}", line) + "\n")
        self._stream.flush()


class TableWriter:
    """A table that grows row by row: source, tag, a bar for the score. Widths are fixed by what is known beforehand."""

    def __init__(self, stream: TextIO, sources: Iterable[str], labels: Sequence[str]) -> None:
        from rich.console import Console

        self._console = Console(file=stream, markup=False, highlight=False)
        self._labels = max([len("unknown"), *(len(printable(label)) for label in labels)])
        room = max(_SOURCE_WIDTH, self._console.width - self._labels - _BAR_WIDTH - len("  0.00  ") - 4)
        self._sources = min(room, max([_SOURCE_WIDTH, *(len(printable(source)) for source in sources)]))
        self._row(("Source", "bold"), ("Tag", "bold"), ("Score", "bold"))

    def write(self, result: Result) -> None:
        """Write a row."""
        answer = result.prediction
        if answer is None:
            self._row((printable(result.source), ""), ("failed", "red"), ("", ""))
            return
        full = round(answer.score * _BAR_WIDTH)
        bar = "█" * full + "░" * (_BAR_WIDTH - full)
        reason, style = (f"  {answer.reason.value}", "yellow") if answer.reason else ("", "green")
        score = (f"{bar} {answer.score:.2f}{reason}", "")
        self._row((printable(result.source), ""), (printable(answer.label), style), score)

    def _row(self, source: tuple[str, str], label: tuple[str, str], score: tuple[str, str]) -> None:
        from rich.text import Text

        cells = [Text(text, style=style, no_wrap=True, overflow="ellipsis") for text, style in (source, label, score)]
        cells[0].truncate(self._sources, overflow="ellipsis", pad=True)
        cells[1].truncate(self._labels, overflow="ellipsis", pad=True)
        self._console.print(Text("  ").join(cells), soft_wrap=True)


def make_writer(kind: OutputFormat, stream: TextIO, sources: Iterable[str], labels: Sequence[str]) -> Writer:
    """The writer of a format. ``sources`` are the ones known beforehand, for the table's width."""
    if kind is OutputFormat.TABLE:
        return TableWriter(stream, sources, labels)
    return TsvWriter(stream) if kind is OutputFormat.TSV else JsonlWriter(stream)


def printable(text: str) -> str:
    r"""Text with every control, surrogate or format character replaced by U+FFFD, so that it stays on its own row.

    >>> printable("a\tb\x1b[31m") == "a\ufffdb\ufffd[31m"
    True
    """
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
