"""The line at the bottom of the terminal that moves while a run works: a program of its own, which ``progress.py`` starts.

A thread cannot draw it: stderr goes nowhere while TensorFlow is imported (network/keras.py), and calls of scikit-learn hold
the interpreter for seconds (measured: 11 s in a vectorizer of 30,000 texts). The program reads a JSON object per line from
standard input, and ends with it, so that the terminal is left clean also when the run is killed. It uses no control
sequence and hides no cursor. Only the standard library is imported, so that it starts at once.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
import unicodedata
from collections.abc import Iterable
from typing import Any, TextIO

_SECONDS = 0.1  # between two pictures
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BAR = 10  # cells
_WIDE_ENOUGH = 60  # columns, for a bar


def clock(seconds: float) -> str:
    """A time as minutes and seconds.

    >>> clock(69.9), clock(3600)
    ('1:09', '1:00:00')
    """
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def picture(state: dict[str, Any], since: float, columns: int) -> str:
    """The line of a state that was sent ``since`` seconds ago, in fewer cells than the terminal has columns.

    >>> state = {"elapsed": 9, "head": "training", "fraction": 0.5, "left": 10, "tail": "epoch 3/6"}
    >>> picture(state, 1.0, 80)
    '⠋ 0:10 training █████░░░░░ 50%, 0:09 left, epoch 3/6'
    >>> picture(state, 1.0, 20)
    '⠋ 0:10 training 50%'
    """
    spinner = _SPINNER[int((state["elapsed"] + since) / _SECONDS) % len(_SPINNER)]
    line = f"{spinner} {clock(state['elapsed'] + since)} {state['head']}"
    if state["fraction"] is not None:
        full = int(state["fraction"] * _BAR)
        bar = f"{'█' * full}{'░' * (_BAR - full)} " if columns >= _WIDE_ENOUGH else ""
        line += f" {bar}{state['fraction']:.0%}"
    if state["left"] is not None and state["left"] - since >= 1:
        line += f", {clock(state['left'] - since)} left"
    if state["tail"]:
        line += f", {state['tail']}"
    return _cut(line, columns - 1)


def _cut(line: str, cells: int) -> str:
    """The part of a line that fits: wide characters take two cells."""
    for place, character in enumerate(line):
        cells -= _cells(character)
        if cells < 0:
            return line[:place]
    return line


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class _Line:
    """The line on the screen."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._cells = stream, 0

    def draw(self, text: str) -> None:
        """Put the text in the place of the last one."""
        cells = sum(map(_cells, text))
        self._stream.write("\r" + text + " " * (self._cells - cells))
        self._stream.flush()
        self._cells = cells

    def clear(self) -> None:
        """Leave an empty line, with the cursor at its start."""
        if self._cells:
            self._stream.write("\r" + " " * self._cells + "\r")
            self._stream.flush()
            self._cells = 0

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self.clear()
        self._stream.write(f"{text}\n")
        self._stream.flush()


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def _read(lines: Iterable[str], messages: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    for line in lines:
        messages.put(_message(line))
    messages.put(None)


def _message(line: str) -> dict[str, Any]:
    try:
        message: dict[str, Any] = json.loads(line)
    except ValueError:  # the run was stopped while it wrote
        return {}
    return message


def show(lines: Iterable[str], stream: TextIO) -> None:
    """Show the messages until they end. ``{"say": text}`` is a line that stays, ``{"state": state}`` the one that moves."""
    messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines, messages), daemon=True).start()
    line, state, received, drawn = _Line(stream), None, 0.0, 0.0
    while True:
        try:
            message = messages.get(timeout=_SECONDS)
        except queue.Empty:
            message = {}
        if message is None:
            break
        now = time.monotonic()
        if "say" in message:
            line.say(message["say"])
            drawn = 0.0
        if "state" in message:
            state, received = message["state"], now
        if state is not None and now - drawn >= _SECONDS:
            line.draw(picture(state, now - received, _columns(stream)))
            drawn = now
    line.clear()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run decides what Ctrl-C ends
    try:
        with (
            open(0, encoding="utf-8") as messages,  # standard input
            open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False) as terminal,
        ):
            show(messages, terminal)
    except OSError:  # the terminal has gone
        os._exit(1)
