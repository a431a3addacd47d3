"""Results -> text on a stream, in the forms of ``--to`` and ``--format``.

Every writer writes a result as soon as it is given one, so that a long stream is answered text by text. Sources and records
are the user's text: control characters in them never reach a terminal or break a row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from sotag_edge.errors import UsageError
from sotag_edge.formats.fields import SCHEMA_VERSION, Result, Shape, best, fields, printable, row

if TYPE_CHECKING:
    from rich.console import Console

# What json leaves as it is, and a terminal or a line-by-line reader may take for a command: escaped too.
_NOT_FOR_TERMINALS = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BREAKS = re.compile(r"[\t\r\n]+")  # which TSV has no way to quote
_BAR_WIDTH = 20
_LONG_SOURCE = 40  # of a text in a folder, or in a file of many, whose name nobody knows beforehand
_SOURCE_WIDTH = 12  # of "stdin:999999"; a file's name takes what it needs
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\\\": "\\"}


class OutputForm(str, Enum):
    """The values of ``classify --to``."""

    TABLE = "table"
    TSV = "tsv"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


class Color(str, Enum):
    """The values of ``--color``."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Writer(Protocol):
    """Writes results, one by one, then what ends them."""

    def write(self, result: Result) -> None:
        """Write one result and flush it."""

    def close(self) -> None:
        """Write what comes behind the last one."""


class RowWriter:
    """A row of text a result: separated by tabs (no header, unless the input's own columns are merged in) or as CSV."""

    def __init__(self, stream: TextIO, shape: Shape, *, commas: bool) -> None:
        self._stream, self._shape, self._commas = stream, shape, commas
        self._columns: list[str] | None = None
        self._waiting: list[Result] = []  # for the first record, which names the columns
        if commas:
            import csv

            self._csv = csv.writer(stream, lineterminator="\n")
        self._needs_header = commas or shape.merge
        if self._needs_header and not shape.merge:
            self._begin(list(row(Result(""), shape, reasons=True)))

    def write(self, result: Result) -> None:
        """Write a row, and the header before the first."""
        if self._needs_header and self._columns is None:
            if result.record is None:
                self._waiting.append(result)
                return
            self._begin(list(row(result, self._shape, reasons=True)))
        found = row(result, self._shape, reasons=self._needs_header)
        self._row([found.get(name, "") for name in self._columns or found])

    def close(self) -> None:
        """Write what has waited in vain."""
        if self._waiting:
            self._begin(list(row(Result(""), self._shape, reasons=True)))

    def _begin(self, names: list[str]) -> None:
        self._columns = names
        self._row(names)
        waited, self._waiting = self._waiting, []
        for result in waited:
            self.write(result)

    def _row(self, values: list[Any]) -> None:
        texts = ["" if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]
        if self._commas:
            self._csv.writerow([_one_cell(text) for text in texts])
        else:
            self._stream.write("\t".join(printable(_BREAKS.sub(" ", text)) for text in texts) + "\n")
        self._stream.flush()


def _one_cell(text: str) -> str:
    """A CSV cell: line ends and tabs may stay, quoted; other control characters may not."""
    return "".join(mark if mark in "\n\t" else printable(mark) for mark in text.replace("\r\n", "\n"))


class JsonWriter:
    """One JSON object a line; or, as ``whole``, one object with all results."""

    def __init__(self, stream: TextIO, shape: Shape, *, whole: bool) -> None:
        self._stream, self._shape, self._whole = stream, shape, whole
        self._first = True
        if whole:
            stream.write(f'{{"schema_version": {SCHEMA_VERSION}, "results": [')

    def write(self, result: Result) -> None:
        """Write an object."""
        line = json.dumps(fields(result, self._shape), ensure_ascii=False, default=str)
        line = _NOT_FOR_TERMINALS.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
        before = ("\n" if self._first else ",\n") if self._whole else ""
        self._stream.write(before + line + ("" if self._whole else "\n"))
        self._stream.flush()
        self._first = False

    def close(self) -> None:
        """End the list."""
        if self._whole:
            self._stream.write("\n]}\n")
            self._stream.flush()


class FormatWriter:
    """A text of the user's own, with the fields in braces: ``{label}\\t{score:.3f}\\t{source}``."""

    def __init__(self, stream: TextIO, template: str) -> None:
        """Raises ``UsageError`` for a field that there is not, or a format that its value does not have."""
        self._stream = stream
        from string import Formatter

        self._template = re.sub(r"\\[tn\\]", lambda found: _ESCAPES[found[0]], template)
        try:
            names = {name for _, name, _, _ in Formatter().parse(self._template) if name is not None}
            unknown = names - set(self._values(Result("")))
            if unknown:
                raise UsageError(
                    f"--format has no field {min(unknown)!r}; it has {', '.join(self._values(Result('')))}"
                )
            self._template.format(**self._values(Result("")))
        except (ValueError, IndexError, KeyError) as error:
            raise UsageError(f"--format {template!r} is not a format: {error}") from error

    def write(self, result: Result) -> None:
        """Write the template, filled in, and a line end. Raises ``UsageError`` where only a value shows that it is wrong."""
        try:
            line = self._template.format(**self._values(result))
        except (ValueError, IndexError, KeyError) as error:
            raise UsageError(f"--format {self._template!r} is not a format: {error}") from error
        self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing more to write."""

    @staticmethod
    def _values(result: Result) -> dict[str, str | float]:
        answer = result.prediction
        return {
            "source": printable(result.source),
            "id": printable(result.id or ""),
            "label": printable(answer.label) if answer else "",
            "best_guess": printable(answer.best_guess) if answer else "",
            "score": answer.score if answer else 0.0,
            "reason": answer.reason.value if answer and answer.reason else "",
            "error": printable(result.error or ""),
        }


def make_console(stream: TextIO, color: Color) -> Console:
    """A rich console that prints text as it is. NO_COLOR is obeyed, unless the user asked for colours always."""
    from rich.console import Console

    always = color is Color.ALWAYS

    class QuietConsole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would exit with 1; what the commands do is in cli/__init__.py

    console = QuietConsole(
        file=stream,
        markup=False,
        highlight=False,
        force_terminal=always or None,
        color_system="standard" if always else None if color is Color.NEVER else "auto",
    )
    console.no_color = console.no_color and not always
    return console


class TableWriter:
    """A table that grows row by row: source, tag, a bar for the score. Widths are fixed by what is known beforehand."""

    def __init__(self, stream: TextIO, shape: Shape, sources: Iterable[str] | None, color: Color) -> None:
        self._console = make_console(stream, color)
        self._shape = shape
        self._labels = max([len("unknown"), *(len(printable(label)) for label in shape.labels)])
        room = max(_SOURCE_WIDTH, self._console.width - self._labels - _BAR_WIDTH - len("  0.00  ") - 4)
        known = [_LONG_SOURCE] if sources is None else [len(printable(source)) for source in sources]
        self._sources = min(room, max([_SOURCE_WIDTH, *known]))
        self._row(("Source", "bold"), ("Tag", "bold"), ("Score", "bold"))

    def write(self, result: Result) -> None:
        """Write a row; the best labels, where they are asked for, below it."""
        answer = result.prediction
        source = printable(result.source if result.id is None else f"{result.source} {result.id}")
        if len(source) > self._sources:  # its end tells texts apart
            source = "…" + source[1 - self._sources :]
        if answer is None:
            self._row((source, ""), ("failed", "red"), ("", ""))
            return
        reason, style = (f"  {answer.reason.value}", "yellow") if answer.reason else ("", "green")
        self._row((source, ""), (printable(answer.label), style), (_bar(answer.score) + reason, ""))
        count = len(self._shape.labels) if self._shape.scores else self._shape.top
        for label, score in best(answer, count):
            self._row(("", ""), (printable(label), "dim"), (_bar(score), "dim"))

    def close(self) -> None:
        """Nothing more to write."""

    def _row(self, source: tuple[str, str], label: tuple[str, str], score: tuple[str, str]) -> None:
        from rich.text import Text

        cells = [Text(text, style=style, no_wrap=True, overflow="ellipsis") for text, style in (source, label, score)]
        cells[0].truncate(self._sources, overflow="ellipsis", pad=True)
        cells[1].truncate(self._labels, overflow="ellipsis", pad=True)
        self._console.print(Text("  ").join(cells), soft_wrap=True)


def _bar(score: float) -> str:
    full = round(score * _BAR_WIDTH)
    return "█" * full + "░" * (_BAR_WIDTH - full) + f" {score:.2f}"


def make_writer(form: OutputForm, stream: TextIO, shape: Shape, sources: Iterable[str] | None, color: Color) -> Writer:
    """The writer of a form. ``sources``: those of all results, for the table's width; ``None`` where nobody knows them."""
    makers: Mapping[OutputForm, Callable[[], Writer]] = {
        OutputForm.TABLE: lambda: TableWriter(stream, shape, sources, color),
        OutputForm.TSV: lambda: RowWriter(stream, shape, commas=False),
        OutputForm.CSV: lambda: RowWriter(stream, shape, commas=True),
        OutputForm.JSON: lambda: JsonWriter(stream, shape, whole=True),
        OutputForm.JSONL: lambda: JsonWriter(stream, shape, whole=False),
    }
    return makers[form]()
