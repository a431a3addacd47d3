"""Progress of a long run, on stderr: the number of texts, texts per second, and the time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_T = TypeVar("_T")


def counted(items: Iterable[_T], texts: Callable[[_T], int] = lambda _: 1) -> Iterator[_T]:
    """The items themselves, counted on stderr as they pass. ``texts``: the number of texts in an item."""
    console = Console(file=sys.stderr, markup=False, highlight=False)
    columns = (
        SpinnerColumn(),
        MofNCompleteColumn(),
        TextColumn("texts, {task.fields[rate]} per second"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None, rate="-")
        for item in items:
            yield item
            speed = progress.tasks[0].speed
            progress.update(task, advance=texts(item), rate=f"{speed:,.0f}" if speed else "-")
