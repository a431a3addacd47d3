"""Progress of a training run, and the table at the end of ``train`` and ``convert``, both on stderr."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from sotag_convert.export.parity import Parity
from sotag_edge.terminal import make_console, printable


class TrainingProgress:
    """A ``Progress``: a live bar on a terminal, elsewhere a line per epoch. Use it as a context manager."""

    def __init__(self) -> None:
        self._console = make_console(sys.stderr)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=10),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, visible=False)

    def __enter__(self) -> TrainingProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """Print a line above the bar. Without a reader it is dropped: that must not cost anybody a training run."""
        with suppress(OSError):
            self._console.print(printable(text), soft_wrap=True)

    def begin(self, batches: int) -> None:
        """Start the bar for a run of this many batches, all epochs together."""
        self._bar.update(self._task, total=batches, completed=0, visible=True)

    def advance(self, description: str) -> None:
        """Count one batch as done."""
        self._bar.update(self._task, advance=1, description=description)

    def end(self) -> None:
        """Hide the bar at the end of a run, maybe before its last batch."""
        self._bar.update(self._task, visible=False)


def print_parity(output: Path, parity: Parity) -> None:
    """Print where a model was written, and how it compares with the Keras network on the device runtime."""
    table = Table(title=printable(str(output)), title_justify="left", show_header=False)
    table.add_row("bytes on the device", f"{parity.bytes:,}")
    table.add_row("texts compared", f"{parity.texts:,}")
    table.add_row("same tag as Keras", f"{parity.agreement:.2%}")
    table.add_row("largest difference of a score", f"{parity.largest_difference:.5f}")
    if parity.accuracy is not None:
        table.add_row("accuracy, Keras", f"{parity.keras_accuracy:.4f}")
        table.add_row("accuracy, this model", f"{parity.accuracy:.4f}")
    with suppress(OSError):
        make_console(sys.stderr).print(table)
