"""What a long run reports, and to whom: the ``Progress`` protocol, and one that shows nothing.

Knows no terminal: see cli/progress.py. Whoever calls ``train`` from Python may pass a ``Progress`` of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


def in_words(figures: Mapping[str, float]) -> str:
    """Figures in a line.

    >>> in_words({"learning_rate": 0.003, "vocabulary": 5000})
    'learning rate 0.003, vocabulary 5,000'
    """
    return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in figures.items())


class Stage(Protocol):
    """A part of a run that has begun."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count ``n`` steps as done. ``note``: what is known now, such as the loss; the last one stays."""


class Progress(Protocol):
    """Receives the progress of a run. Every method may be called in any stage, from the thread that began it."""

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def detail(self, text: str) -> None:
        """Show a line that only some want to see."""

    def warn(self, text: str) -> None:
        """Show a line that also those see who asked for quiet: the result may be worth less than expected."""

    def stage(self, name: str, steps: int | None = None) -> AbstractContextManager[Stage]:
        """Begin a stage, which ends with its ``with`` block, maybe before its last step.

        ``name``: such as "reading the texts"; ``steps``: how many ``advance`` will count, ``None`` if nobody knows. A stage
        may have stages in it, such as "fold 2 of 3"; those have none.
        """


class SilentStage:
    """A ``Stage`` that shows nothing."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Ignore the steps."""


class SilentProgress:
    """A ``Progress`` that shows nothing."""

    def say(self, text: str) -> None:
        """Ignore the line."""

    def detail(self, text: str) -> None:
        """Ignore the line."""

    def warn(self, text: str) -> None:
        """Ignore the line."""

    @contextmanager
    def stage(self, name: str, steps: int | None = None) -> Iterator[Stage]:
        """Ignore the stage."""
        del name, steps
        yield SilentStage()
