"""Tables on terminals of any width, and in pipes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FIXTURE, ROOT, Run

COMMANDS = [
    ["classify", "--to", "table", "-m", str(FIXTURE), "--text", "bread dough"],
    ["explain", "-m", str(FIXTURE), "--text", "bread dough"],
    ["info", str(FIXTURE)],
    ["models"],
    ["config"],
    ["doctor", "-m", str(FIXTURE)],
]
SHOWN = ["baking", "baking", "gardening", "tiny", "threshold", "NumPy"]


def on_terminal(*arguments: str, columns: int) -> str:
    """What a command prints on a terminal of this width."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "sotag_edge", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, env=environment) as process:
        os.close(theirs)
        printed = b""
        try:
            while chunk := os.read(ours, 4096):
                printed += chunk
        except OSError:  # its other end is closed
            pass
        assert process.wait() == 0
    os.close(ours)
    return printed.decode()


@pytest.mark.parametrize("columns", [0, 1, 10, 40])
@pytest.mark.parametrize(
    ("command", "word"), list(zip(COMMANDS, SHOWN, strict=True)), ids=lambda value: str(value)[:14]
)
def test_a_narrow_terminal_shows_the_values(command: list[str], word: str, columns: int) -> None:
    """Wrapped, but there."""
    printed = on_terminal(*command, columns=columns)
    assert word in "".join(printed.split()) or word in printed


@pytest.mark.parametrize(
    ("command", "word"), list(zip(COMMANDS, SHOWN, strict=True)), ids=lambda value: str(value)[:14]
)
def test_the_width_of_no_terminal_means_nothing_in_a_pipe(run: Run, command: list[str], word: str) -> None:
    """COLUMNS=0, as some programs set it, is no width."""
    for columns in ("0", "10", "80"):
        done = run(*command, env=os.environ | {"COLUMNS": columns})
        assert (done.returncode, word in done.stdout) == (0, True)


def test_a_path_in_a_pipe_stays_whole(run: Run, tmp_path: Path) -> None:
    """A table for grep: neither cut nor wrapped."""
    deep = tmp_path / ("long-" * 40) / "question.txt"
    deep.parent.mkdir()
    deep.write_text("bread dough")
    listed = run("models").stdout.splitlines()
    assert any(line.rstrip().endswith(str(ROOT / "models" / "tiny")) for line in listed)
    tagged = run("classify", "--to", "table", "-m", FIXTURE, deep, tmp_path / "none.txt").stdout
    assert f"{deep}  baking" in tagged
