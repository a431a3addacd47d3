"""``sotag-edge classify`` as a user runs it: a terminal, a pipe, a wrong path, an empty file, Ctrl-C."""

from __future__ import annotations

import errno
import json
import os
import pty
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from sotag_edge.cli.app import app
from tests.conftest import FIXTURE, Run

COMMAND = [sys.executable, "-m", "sotag_edge"]
CLASSIFY = [*COMMAND, "classify", "--model", str(FIXTURE)]


def test_files_are_answered_in_order(run: Run, tmp_path: Path) -> None:
    """Each file is one text, however many lines it has; the rows come in the order of the arguments."""
    (tmp_path / "z.txt").write_text("When do I sow\nthe lettuce seeds\nin the garden soil?\n")
    (tmp_path / "a.txt").write_text("How much yeast in the bread dough?\n")
    done = run("classify", "-m", FIXTURE, "z.txt", "a.txt")
    assert [row.split("\t")[:2] for row in done.stdout.splitlines()] == [["z.txt", "gardening"], ["a.txt", "baking"]]
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pipe_is_answered_line_by_line(run: Run) -> None:
    """Each line of a pipe is one text, an empty line too, and every one has a row."""
    done = run("classify", "-m", FIXTURE, input="sow the seeds in the soil\n\nreef the sail in the wind\n")
    rows = [row.split("\t") for row in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["stdin:1", "stdin:2", "stdin:3"]
    assert (rows[0][1], rows[2][1]) == ("gardening", "sailing")


def test_the_command_gives_what_the_library_gives(run: Run) -> None:
    """The command line is a thin layer: its scores are those of the Python API."""
    from sotag_edge import Classifier

    text = "Which knot holds the anchor?"
    record = json.loads(run("classify", "-m", FIXTURE, "--to", "jsonl", input=text).stdout)
    assert record["scores"] == pytest.approx(dict(Classifier.load(FIXTURE).classify(text).scores), abs=1e-6)


def test_the_threshold_decides_what_is_unknown(run: Run) -> None:
    """The model's own threshold, one of the caller's, or none at all; the score is the same each time."""
    never = run("classify", "-m", FIXTURE, "--best-guess", input="knead the sail\n").stdout.split()
    low, high = (
        run(
            "classify", "-m", FIXTURE, "--threshold", f"{float(never[2]) + step:.4f}", input="knead the sail\n"
        ).stdout.split()
        for step in (-0.01, 0.01)
    )
    assert never[1] != "unknown"
    assert [low[1], high[1]] == [never[1], "unknown"]
    assert low[2] == high[2] == never[2]
    usual, guessed = (run("classify", "-m", FIXTURE, *options, input="Hello!\n") for options in ([], ["--best-guess"]))
    assert usual.stdout.split()[1] == "unknown"
    assert guessed.stdout.split()[1] in ("baking", "gardening", "sailing")


def test_an_empty_file_and_an_empty_pipe(run: Run, tmp_path: Path) -> None:
    """An empty file is a text and has an answer; an empty pipe has no text and no answer."""
    (tmp_path / "empty.txt").touch()
    assert run("classify", "-m", FIXTURE, "empty.txt").stdout.startswith("empty.txt\t")
    done = run("classify", "-m", FIXTURE, input="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_one_failed_input_costs_no_other_its_answer(run: Run, tmp_path: Path) -> None:
    """A missing file keeps its place in the output, is named on stderr, and makes the exit code 1."""
    (tmp_path / "a.txt").write_text("bread dough")
    done = run("classify", "-m", FIXTURE, "--to", "jsonl", "a.txt", "none.txt", "a.txt")
    records = [json.loads(row) for row in done.stdout.splitlines()]
    assert [record.get("label") for record in records] == ["baking", None, "baking"]
    assert records[1] == {"source": "none.txt", "error": "none.txt does not exist"}
    assert done.stderr == "sotag-edge: none.txt does not exist\n"
    assert done.returncode == 1


def test_bytes_that_are_no_text_are_said_once(run: Run) -> None:
    """Invalid UTF-8 is answered all the same, and mentioned once however often it comes."""
    done = subprocess.run(CLASSIFY, input=b"\xff dough\n\xfe sail\nsoil\n", capture_output=True, check=True)
    assert len(done.stdout.splitlines()) == 3
    assert done.stderr.count(b"UTF-8") == 1


def test_a_line_is_answered_before_the_next_is_written() -> None:
    """A program can talk with it: the first answer comes while the pipe is still open."""
    with subprocess.Popen(CLASSIFY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text, label in ((b"bread dough\n", b"baking"), (b"reef the sail\n", b"sailing")):
            process.stdin.write(text)
            process.stdin.flush()
            assert label in process.stdout.readline()
        process.stdin.close()
    assert process.returncode == 0


def test_a_closed_pipe_is_a_quiet_end() -> None:
    """`| head -1` gets its line, and nobody hears of the rest."""
    command = f"yes 'bread dough' | {' '.join(CLASSIFY)} | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}; echo ${{PIPESTATUS[1]}}"], capture_output=True)
    assert done.stdout.startswith(b"stdin:1\tbaking")
    assert done.stdout.endswith(b"\n0\n")
    assert done.stderr == b""


@pytest.mark.parametrize("arguments", ["classify -m {model} {text}", "info {model}", "--help"])
def test_a_full_disk_is_said(arguments: str, tmp_path: Path) -> None:
    """Results that cannot be written are one sentence and exit code 1."""
    (tmp_path / "q.txt").write_text("bread dough")
    with Path("/dev/full").open("wb") as full:
        given = arguments.format(model=FIXTURE, text=tmp_path / "q.txt").split()
        done = subprocess.run([*COMMAND, *given], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == b"sotag-edge: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize(("closed", "code"), [("<&-", 0), (">&-", 0), ("2>&-", 0)])
def test_a_closed_stream_is_no_traceback(closed: str, code: int) -> None:
    """A caller may have closed any of the three."""
    command = f"echo dough | {{ {' '.join(CLASSIFY)} {closed}; }}"
    done = subprocess.run(["bash", "-c", command], capture_output=True)
    assert (done.returncode, done.stderr) == (code, b"")


def test_ctrl_c_ends_without_a_traceback() -> None:
    """Ctrl-C between two lines gives exit code 130 and nothing on stderr."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(CLASSIFY, **pipes) as process:
        process.stdin.write(b"bread dough\n")
        process.stdin.flush()
        assert b"baking" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == b""


def on_a_terminal(command: list[str], stdin: int | None = None) -> tuple[str, int]:
    """What a command shows on a terminal of its own, and its exit code."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs if stdin is None else stdin, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:  # Linux's word for: the other side is closed
                break
            if not read:
                break
            shown += read
    os.close(ours)
    return shown.decode(), process.returncode


def test_a_terminal_gets_a_table(tmp_path: Path) -> None:
    """A person sees columns, a tag and a bar; a file name with an escape sequence cannot touch the terminal."""
    evil = tmp_path / "a\x1b[31mred.txt"
    evil.write_text("bread dough")
    shown, code = on_a_terminal([*CLASSIFY, str(evil)])
    assert code == 0
    assert "Source" in shown
    assert "baking" in shown
    assert "█" in shown
    assert "\x1b[31mred" not in shown


def test_rows_of_a_table_can_be_told_apart(tmp_path: Path) -> None:
    """Texts of one file, or of a deep folder, have different sources also where they are cut; never means no escapes."""
    file = tmp_path / ("deep" * 20) / "questions.txt"
    file.parent.mkdir()
    file.write_text("bread dough\nreef the sail\n")
    shown, _ = on_a_terminal([*CLASSIFY, "--from", "lines", "--color", "never", str(file)])
    assert "questions.txt:1" in shown
    assert "questions.txt:2" in shown
    assert "\x1b" not in shown


def test_nothing_to_classify_on_a_terminal_is_said() -> None:
    """Without a file or a pipe it does not wait in silence for someone to type."""
    shown, code = on_a_terminal(CLASSIFY)
    assert code == 2
    assert "nothing to classify" in shown


@pytest.mark.skipif(find_spec("tensorflow") is not None, reason="the [convert] extra is installed here")
@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["train", "data", "-o", "out"], "convert"),
        (["convert", "model", "-o", "out"], "convert"),
        (["evaluate", "model", "data"], "evaluate"),
    ],
)
def test_the_workstation_commands_name_the_extra(run: Run, arguments: list[str], extra: str) -> None:
    """Without their libraries, train, convert and evaluate name the extra to install, in a command that works today."""
    done = run(*arguments)
    assert done.returncode == 4
    assert f"pip install 'sotag-edge[{extra}]'" in done.stderr


def test_version_and_help(run: Run) -> None:
    """The version, with the runtime's, and the help are printed on stdout, and every command shows an example."""
    assert run("--version").stdout.startswith("sotag-edge ")
    version = run("--version").stdout
    assert "tflite-runtime " in version or "ai-edge-litert " in version
    group: Any = typer.main.get_command(app)
    assert len(group.commands) == 14
    for name, command in group.commands.items():
        assert f"Example: sotag-edge {name}" in command.help


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the output cannot be written: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "cache/x"), "cache/x: Permission denied"),
        (OSError(errno.EMFILE, "Too many open files"), "the system refused: Too many open files"),
        (OSError("no number"), "the system refused: no number"),
    ],
)
def test_a_cause_is_named(error: OSError, sentence: str) -> None:
    """An error of the system is not called one of the output unless it is one."""
    code = f"""
from sotag_edge.cli import process
def fail():
    raise error
error = OSError(*{(*error.args, *([error.filename] if error.filename else []))!r})
process.run(fail)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (1, f"sotag-edge: {sentence}\n")
