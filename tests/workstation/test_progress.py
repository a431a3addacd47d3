"""The progress of a run: its lines on stderr, its log, the line that moves on a terminal, and what Ctrl-C leaves."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from sotag_convert.cli import live_line, progress
from sotag_convert.cli.progress import RunProgress, run_progress
from sotag_convert.cli.run_log import RunLog
from sotag_convert.cli.screen import LiveScreen
from sotag_edge.errors import UsageError
from tests.conftest import ROOT, Run

if sys.platform != "win32":
    import fcntl
    import pty
    import termios

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d "


def logged(path: Path) -> list[str]:
    """The lines of a log without their times, which each must have."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(re.match(_TIME, line) for line in lines), lines
    return [re.sub(_TIME, "", line) for line in lines]


def a_run(shown: RunProgress) -> None:
    """A run with a stage of each kind."""
    with shown:
        shown.say("405 training texts")
        shown.detail("vocabulary: 120 tokens")
        shown.warn("the tag 'a' has 1 text")
        with shown.stage("cross-validation", 2) as stage:
            for fold in (1, 2):
                with shown.stage(f"fold {fold} of 2", 3) as inner:
                    inner.advance(3, "loss 0.3")
                stage.advance()


def without_seconds(lines: list[str]) -> list[str]:
    return [re.sub(r"\d+\.\d s$", "0 s", line) for line in lines]


STAGES = [
    "cross-validation ...",
    "cross-validation: fold 1 of 2 ...",
    "cross-validation: fold 1 of 2: 0 s",
    "cross-validation: fold 2 of 2 ...",
    "cross-validation: fold 2 of 2: 0 s",
    "cross-validation: 0 s",
]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["405 training texts", "warning: the tag 'a' has 1 text", *STAGES]),
        ({"quiet": True}, ["warning: the tag 'a' has 1 text"]),
        (
            {"verbose": True},
            ["405 training texts", "vocabulary: 120 tokens", "warning: the tag 'a' has 1 text", *STAGES],
        ),
    ],
    ids=["usual", "quiet", "verbose"],
)
def test_lines_where_stderr_is_not_a_terminal(
    options: dict[str, bool], expected: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One at each end of a stage. Quiet leaves warnings only; the log has everything in each case."""
    a_run(RunProgress(RunLog(tmp_path / "run.log"), **options))
    assert without_seconds(capsys.readouterr().err.splitlines()) == expected
    everything = ["405 training texts", "vocabulary: 120 tokens", "warning: the tag 'a' has 1 text", *STAGES]
    assert without_seconds(logged(tmp_path / "run.log")) == everything


def test_a_long_stage_is_mentioned_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With what is known of it; and with --quiet in the log only."""
    monkeypatch.setattr(progress, "_STILL", 0.5)
    for quiet in (False, True):
        log = tmp_path / f"{quiet}.log"
        with (
            RunProgress(RunLog(log), quiet=quiet) as shown,
            shown.stage("training", 4) as stage,
        ):
            stage.advance(note="epoch 1/4")
            time.sleep(1.3)
        assert any(re.fullmatch(r"still training, 1\.\d s, 25%, epoch 1/4", line) for line in logged(log)), logged(log)
        assert ("still training" in capsys.readouterr().err) is not quiet


def test_the_time_left_is_estimated_from_the_second_step_on() -> None:
    """In the first a network is built. The steps of the stage within count as parts of a step."""
    with RunProgress(quiet=True) as shown, shown.stage("cross-validation", 2) as stage:
        start = time.monotonic()
        with shown.stage("fold 1 of 2", 4) as inner:
            inner.advance()
            assert stage.state(start)["left"] is None
            stage._measured = (0.125, start - 10)  # the first step was ten seconds ago
            inner.advance()
            state = stage.state(time.monotonic())
    assert state["fraction"] == 0.25
    assert state["head"] == "cross-validation: fold 1 of 2"
    assert state["left"] == pytest.approx(60, abs=2)  # an eighth took ten seconds, and six are left


def test_a_stage_within_a_stage_has_none() -> None:
    """Two levels are all that a line shows."""
    with (
        RunProgress(quiet=True) as shown,
        shown.stage("a"),
        shown.stage("b"),
        pytest.raises(ValueError, match="the stage 'b' has no stages in it"),
        shown.stage("c"),
    ):
        pass


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyboardInterrupt(), "stopped with Ctrl-C"),
        (SystemExit(143), "terminated by another program"),
        (UsageError("no"), "failed: no"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_log_ends_with_the_reason(error: BaseException, words: str, tmp_path: Path) -> None:
    """And was written to the disk line by line until then."""
    shown = RunProgress(RunLog(tmp_path / "run.log"), quiet=True)
    with pytest.raises(type(error)), shown, shown.stage("training"):
        assert logged(tmp_path / "run.log") == ["training ..."]
        raise error
    assert logged(tmp_path / "run.log") == ["training ...", words]


def test_a_log_is_appended_to(tmp_path: Path) -> None:
    """It begins each run with the command; control characters are made visible."""
    for _ in range(2):
        with run_progress(tmp_path / "run.log", quiet=True, verbose=False) as shown:
            shown.say("a\x1b[31m.txt")
    lines = logged(tmp_path / "run.log")
    assert lines[1::2] == ["a\ufffd[31m.txt"] * 2
    assert all(line.startswith("sotag-edge ") for line in lines[::2])


def test_a_file_that_is_no_log_is_left_alone(tmp_path: Path) -> None:
    """The data of somebody who mixed up the arguments."""
    (tmp_path / "mails.csv").write_text("text,label\n")
    with pytest.raises(UsageError, match=r"mails\.csv is not a log of an earlier run"):
        RunLog(tmp_path / "mails.csv")
    assert (tmp_path / "mails.csv").read_text() == "text,label\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk_does_not_end_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither below the log nor below stderr."""
    with open("/dev/full", "w", encoding="utf-8") as full, monkeypatch.context() as patch:  # noqa: PTH123
        patch.setattr(sys, "stderr", full)
        a_run(RunProgress(RunLog(Path("/dev/full"))))
        assert sys.stderr is not full
        sys.stderr.close()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # the text is still in its buffer


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--log", "none/run.log"], "the log none/run.log cannot be written"),
        (["--log", "."], "the log . cannot be written"),
        (["--quiet", "--verbose"], "--quiet cannot be combined with --verbose"),
    ],
    ids=" ".join,
)
def test_wrong_options_are_refused_at_once(options: list[str], words: str, run: Run, tmp_path: Path) -> None:
    """Before anything is loaded or written."""
    for command in (["train", "texts.csv"], ["convert", "default"]):
        done = run(*command, "-o", "mine", *options)
        assert (done.returncode, words in done.stderr, "TensorFlow" in done.stderr) == (2, True, False), done.stderr
    assert list(tmp_path.iterdir()) == []


# The line that moves, on a pseudo-terminal.

# A run of three seconds, of which another thread of Python could use none: sorting holds the interpreter.
_BUSY = """
import sys
from sotag_convert.cli.progress import RunProgress
with RunProgress() as shown:
    print("stdout stays free")
    with shown.stage("sorting " + "\\u6f22" * 30, 2) as stage:
        numbers = list(range(3_000_000)) * 2
        shown.say("a line that stays")
        for _ in range(2):
            sorted(numbers, key=[str(number % 7919) for number in range(3_000_000)].__getitem__)
            stage.advance(note="half done")
"""


class Terminal:
    """A pseudo-terminal with a program on it."""

    def __init__(self, columns: int, command: list[str], **environment: str) -> None:
        self._here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = os.environ | {"TERM": "xterm", "PYTHONPATH": os.pathsep.join(sys.path)} | environment
        self.process = subprocess.Popen(
            command, stdin=there, stdout=subprocess.DEVNULL, stderr=there, env=environment, start_new_session=True
        )
        os.close(there)
        self.shown, self.times = "", [time.monotonic()]

    def read(self, until: str = "") -> None:
        """Read to the end, or until something is shown."""
        content = self.shown.encode()
        while not until or until not in content.decode(errors="ignore"):
            ready, _, _ = select.select([self._here], [], [], 60)
            try:
                part = os.read(self._here, 65536) if ready else b""
            except OSError:  # the last program on it has ended
                part = b""
            if not part:
                assert not until, content
                break
            content += part
            self.times.append(time.monotonic())
        self.shown = content.decode(errors="ignore")

    def rows(self) -> list[str]:
        """What is on the screen at the end: a carriage return lets the next text replace the last."""
        rows = []
        for line in self.shown.replace("\r\n", "\n").split("\n"):
            row = ""
            for text in line.split("\r"):
                row = text + row[len(text) :]
            rows.append(row.rstrip())
        return rows

    def close(self) -> None:
        """End the program."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._here)


@POSIX
@pytest.mark.parametrize("columns", [80, 20])
def test_the_line_moves_while_the_interpreter_is_held(columns: int) -> None:
    """At least every two seconds; nothing is left of it in the end, and no line is longer than the terminal is wide."""
    terminal = Terminal(columns, [sys.executable, "-c", _BUSY])
    try:
        terminal.read()
        assert terminal.process.wait(60) == 0
    finally:
        terminal.close()
    moves = terminal.times[1:]
    assert max(later - earlier for earlier, later in pairwise(moves)) < 2
    assert len({picture for picture in terminal.shown.split("\r") if "sort" in picture}) > 5
    rows = terminal.rows()
    assert rows[0] == "a line that stays"
    assert re.fullmatch("sorting \u6f22{30}: [0-9 mins.]+ s", rows[1])
    assert rows[2:] == [""]
    pictures = [text for text in terminal.shown.split("\r") if text[:1] in live_line._SPINNER and text]
    assert all(sum(map(live_line._cells, text)) < columns for text in pictures)
    assert "\x1b" not in terminal.shown  # no cursor is hidden, so none must be brought back


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=str)
def test_the_terminal_is_left_clean(number: int, tmp_path: Path) -> None:
    """After Ctrl-C, `kill` and `kill -9`, while TensorFlow is loaded; no process is left."""
    texts = tmp_path / "texts.csv"
    texts.write_text("text,label\n" + "hot,a\ncold,b\n" * 20)
    command = [sys.executable, "-m", "sotag_edge", "train", str(texts), "-o", str(tmp_path / "mine")]
    terminal = Terminal(60, [*command, "--log", str(tmp_path / "run.log")])
    try:
        terminal.read("loading TensorFlow")
        assert terminal.times[-1] - terminal.times[0] < 10  # two seconds on a machine that does nothing else
        if number == signal.SIGINT:
            os.killpg(terminal.process.pid, number)
        else:
            terminal.process.send_signal(number)
        terminal.read()
        code = terminal.process.wait(60)
    finally:
        terminal.close()
    assert code == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(number, -number)
    assert "Traceback" not in terminal.shown
    assert terminal.rows() == [""]
    reasons = {signal.SIGINT: ["stopped with Ctrl-C"], signal.SIGTERM: ["terminated by another program"]}
    assert logged(tmp_path / "run.log")[1:] == ["loading TensorFlow ...", *reasons.get(number, [])]


@POSIX
def test_without_a_terminal_that_moves_lines_are_plain() -> None:
    """A dumb terminal, such as the one in Emacs."""
    terminal = Terminal(80, [sys.executable, "-c", _BUSY], TERM="dumb")
    try:
        terminal.read()
    finally:
        terminal.close()
    assert terminal.rows()[0].endswith(" ...")
    assert not any(mark in terminal.shown for mark in live_line._SPINNER)


@POSIX
def test_lines_are_printed_where_the_moving_line_has_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Its process was killed: the run goes on, and says what it has to say."""
    with (tmp_path / "stderr").open("w") as stderr, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        screen = LiveScreen()
    screen._process.kill()
    screen._process.wait()
    screen.say("one")
    screen.say("two")
    screen.close()
    assert capsys.readouterr().err == "one\ntwo\n"


def test_what_is_no_message_is_left_out(tmp_path: Path) -> None:
    """Half a line, which a run that was stopped wrote."""
    lines = ['{"say": "on', json.dumps({"say": "two"})]
    with (tmp_path / "shown").open("w+", encoding="utf-8") as shown:
        live_line.show(lines, shown)
    assert (tmp_path / "shown").read_text(encoding="utf-8") == "two\n"


def test_the_moving_line_imports_only_the_standard_library() -> None:
    """It runs as a file, isolated, so that it starts at once and nothing in the current folder is imported."""
    file = ROOT / "convert" / "sotag_convert" / "cli" / "live_line.py"
    done = subprocess.run([sys.executable, "-I", "-S", file], input="", capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
