"""The tables at the end of ``train`` and ``convert``, said line by line: on stderr and in the log."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table

from sotag_convert.export.parity import Parity
from sotag_convert.progress import Progress
from sotag_edge.terminal import make_console, printable


def print_parity(output: Path, parity: Parity, progress: Progress) -> None:
    """Print where a model was written, and how it compares with the Keras network on the device runtime."""
    table = Table(title=printable(str(output)), title_justify="left", show_header=False)
    table.add_row("bytes on the device", f"{parity.bytes:,}")
    table.add_row("texts compared", f"{parity.texts:,}")
    table.add_row("same tag as Keras", f"{parity.agreement:.2%}")
    table.add_row("largest difference of a score", f"{parity.largest_difference:.5f}")
    if parity.accuracy is not None:
        table.add_row("accuracy, Keras", f"{parity.keras_accuracy:.4f}")
        table.add_row("accuracy, this model", f"{parity.accuracy:.4f}")
    _say(table, progress)


def _say(table: RenderableType, progress: Progress) -> None:
    console = make_console(sys.stderr)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        progress.say(line)
