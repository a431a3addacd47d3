"""Text on a terminal: what is safe to print, and the one way to make a rich console. rich is loaded when it is used."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# Control characters, line separators, marks that change the direction of writing, surrogates.
_NOT_PRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

_NARROWEST = 40  # columns, as the next ones
_USUAL_WIDTH = 80
_WIDEST = 10_000  # more takes rich seconds


class Color(str, Enum):
    """When to use colours: the values of ``--color``."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def printable(text: str) -> str:
    r"""Text for one row of a terminal: each character that a terminal may take for a command becomes U+FFFD.

    >>> printable("a\tb\x1b[31m") == "a\ufffdb\ufffd[31m"
    True
    """
    return _NOT_PRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def printable_lines(text: str) -> str:
    r"""The same for text of several lines, with its tabs; every line ends with a newline.

    >>> printable_lines("a\r\nb\tc\x00") == "a\nb\tc\ufffd"
    True
    """
    return re.sub(r"[^\t\n]+", lambda run: printable(run[0]), re.sub(r"\r\n?", "\n", text))


def make_console(stream: TextIO | None = None, color: Color = Color.AUTO) -> Console:
    """A console that prints text as it is, on standard output by default. ``ALWAYS`` overrides ``NO_COLOR``.

    It is as wide as the terminal, but never so narrow that rich would print nothing; elsewhere lines are not cut.
    """
    from rich.console import Console

    always = color is Color.ALWAYS

    class QuietConsole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would exit with 1; cli/app.py ends the process quietly

    console = QuietConsole(
        file=stream or sys.stdout,
        markup=False,
        highlight=False,
        force_terminal=always or None,
        color_system="standard" if always else None if color is Color.NEVER else "auto",
    )
    console.no_color = console.no_color and not always
    on_terminal = getattr(console.file, "isatty", bool)()
    console.width = max(_NARROWEST, console.width or _USUAL_WIDTH) if on_terminal else _WIDEST
    return console


def print_rows(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table on standard output. Cells wrap rather than lose text."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in header:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    make_console().print(table)


def _cell(value: object) -> Text:
    from rich.text import Text

    return Text(printable(f"{value:,}" if isinstance(value, int) else str(value)))
