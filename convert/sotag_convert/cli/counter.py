"""A line on the terminal that moves while texts are read."""

from __future__ import annotations

import sys

from rich.status import Status

from sotag_edge.terminal import make_console


class Counter:
    """Counts on stderr, if that is a terminal; nothing stays. Use it as a context manager."""

    def __init__(self, description: str) -> None:
        self._description = description
        self._number = 0
        self._status = Status(description, console=make_console(sys.stderr))

    def __enter__(self) -> Counter:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def count(self, number: int) -> None:
        """Count so many further texts."""
        self._number += number
        self._status.update(f"{self._description}: {self._number:,} texts")
