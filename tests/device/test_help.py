"""`--help`: groups, the terminal's width, colours."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress

import pytest

from tests.conftest import Run

COMMAND = [sys.executable, "-m", "sotag_edge", "classify", "--help"]


def on_a_terminal(columns: int, **environment: str) -> str:
    """The help on a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        COMMAND, stdin=theirs, stdout=theirs, stderr=theirs, env=inherited | {"TERM": "xterm"} | environment
    ) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # Linux's answer after the other side is closed
            while True:
                shown += os.read(ours, 65536)
    os.close(ours)
    assert process.returncode == 0
    return shown.decode().replace("\r\n", "\n")


def test_options_are_in_groups(run: Run) -> None:
    """Each option once, in its group; the input first, then the model, the output and the run."""
    text = run("classify", "--help").stdout
    groups = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert groups == ["Input", "Model and decision", "Output", "Run", "Options"]
    options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", text.split("\nInput:\n")[1], re.MULTILINE)
    assert len(options) == len(set(options)) == 28
    for group, first in (("Input", "--from"), ("Model and decision", "--model"), ("Output", "--to"), ("Run", "--jobs")):
        assert re.search(r"--[\w-]+", text.split(f"\n{group}:\n")[1])[0] == first
    assert "\x1b" not in text


@pytest.mark.parametrize("columns", [60, 118])
def test_help_is_as_wide_as_the_terminal(columns: int) -> None:
    """Lines wrap at its width, and use it."""
    lines = re.sub(r"\x1b\[[\d;]*m", "", on_a_terminal(columns)).split("\n")
    texts = [line for line in lines if "|" not in line and "Example" not in line]
    assert columns - 25 < max(map(len, texts)) <= columns


def test_colour_is_for_terminals() -> None:
    """Headings and options are coloured there, unless NO_COLOR is set."""
    assert "\x1b[1mInput" in on_a_terminal(80)
    assert "\x1b" not in on_a_terminal(80, NO_COLOR="1")
