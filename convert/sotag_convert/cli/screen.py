"""Where a run's lines appear on stderr: as they are, or above a line that moves (see live_line.py), on a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, TypedDict, cast

from sotag_convert.cli import live_line

_WITHOUT_MOVES = ("dumb", "unknown")  # values of TERM
_SECONDS = 5  # for the program of the moving line to end


class State(TypedDict):
    """What is known of a stage. Times in seconds; ``fraction``: from 0 to 1; ``None`` where it is not known."""

    elapsed: float
    head: str
    fraction: float | None
    left: float | None
    tail: str


class Screen(Protocol):
    """Shows lines. No method raises for an stderr that cannot be written."""

    @property
    def is_live(self) -> bool:
        """Whether the state is on the screen."""

    def say(self, text: str) -> None:
        """Print a line that stays."""

    def show(self, state: State) -> None:
        """Show a state until the next one."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class PlainScreen:
    """Lines on stderr."""

    is_live = False

    def say(self, text: str) -> None:
        """Print a line, or drop it where stderr has no reader."""
        try:
            print(text, file=sys.stderr, flush=True)
        except (OSError, ValueError):
            sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  # open to the end

    def show(self, state: State) -> None:
        """Show nothing: a line cannot be replaced."""

    def close(self) -> None:
        """Do nothing."""


class LiveScreen:
    """Lines above one that moves, drawn by a process of its own. If that ends too early, lines are printed as they are."""

    def __init__(self) -> None:
        with _held_interrupts():  # the process inherits it, and so outlives Ctrl-C until its input ends
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(live_line.__file__))],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=sys.stderr,
                bufsize=0,
            )
        self._input = cast(IO[bytes], self._process.stdin)
        self._plain = PlainScreen()
        self.is_live = True

    def say(self, text: str) -> None:
        """Print a line above the one that moves."""
        if not self._send({"say": text}):
            self._plain.say(text)

    def show(self, state: State) -> None:
        """Show a state from now on."""
        self._send({"state": state})

    def close(self) -> None:
        """Remove the moving line, and wait until it is gone."""
        with suppress(OSError):
            self._input.close()
        self.is_live = False
        try:
            self._process.wait(_SECONDS)
        except subprocess.TimeoutExpired:  # such as a terminal that was stopped with Ctrl-S
            self._process.kill()

    def _send(self, message: dict[str, object]) -> bool:
        if not self.is_live:
            return False
        try:
            self._input.write(json.dumps(message).encode() + b"\n")
        except OSError:
            self.is_live = False
        return self.is_live


def open_screen(screen: Screen) -> Screen:
    """A live screen if stderr is a terminal where a line can move, else the same screen."""
    if screen.is_live or not sys.stderr.isatty() or os.environ.get("TERM") in _WITHOUT_MOVES:
        return screen
    try:
        return LiveScreen()
    except (OSError, ValueError):  # too little memory, too many processes, an stderr without a number
        return screen


@contextmanager
def _held_interrupts() -> Iterator[None]:
    """Hold back Ctrl-C for the block, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
