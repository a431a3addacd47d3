"""Progress of a run on stderr and in its log: a line that moves on a terminal, elsewhere a line at each end of a stage."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from sotag_convert.cli.run_log import RunLog
from sotag_convert.cli.screen import PlainScreen, Screen, State, open_screen
from sotag_edge.errors import SotagEdgeError, UsageError
from sotag_edge.terminal import printable

_SECONDS = 0.1  # between two states that are sent to the screen
_STILL = 30  # seconds between the lines of a long stage


class RunStage:
    """A stage of a ``RunProgress``, and how much of it is done."""

    def __init__(self, progress: RunProgress, name: str, steps: int | None) -> None:
        self.name, self._progress, self._steps = name, progress, steps
        self.note, self.inner, self.start = "", None, time.monotonic()  # type: str, RunStage | None, float
        self._done = 0
        self._measured: tuple[float, float] | None = None  # fraction and time of the first step
        self._end: float | None = None  # when it will end, as estimated with the last step

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count ``n`` steps as done."""
        self._done += n
        self.note = note or self.note
        self._progress.advanced()

    @property
    def fraction(self) -> float | None:
        """The share that is done, with that of the stage within."""
        inner = self.inner.fraction if self.inner else None
        if not self._steps:
            return inner
        return min(1.0, (self._done + (inner or 0)) / self._steps)

    def estimate(self, now: float) -> None:
        """Estimate the end, after a step. The first step only starts the watch: a network is built in it."""
        fraction = self.fraction
        if fraction is None:
            return
        if self._measured is None or fraction < self._measured[0]:  # another stage within began
            self._measured, self._end = (fraction, now), None
        elif fraction > self._measured[0]:
            speed = (fraction - self._measured[0]) / max(now - self._measured[1], 1e-6)
            self._end = now + (1 - fraction) / speed

    def state(self, now: float) -> State:
        """What the screen shows of it."""
        names = [self.name, *([self.inner.name] if self.inner else [])]
        return {
            "elapsed": now - self.start,
            "head": printable(": ".join(names)),
            "fraction": self.fraction,
            "left": None if self._end is None else max(0.0, self._end - now),
            "tail": printable(self.inner.note if self.inner else self.note),
        }


class RunProgress:
    """A ``Progress`` of a command. Use it as a context manager.

    ``quiet``: only warnings; ``verbose``: details, too. The log has everything. Without a reader of stderr its lines are
    dropped: that must not cost anybody a training run.
    """

    def __init__(self, log: RunLog | None = None, *, quiet: bool = False, verbose: bool = False) -> None:
        self._log, self._quiet, self._verbose = log, quiet, verbose
        self._screen: Screen = PlainScreen()
        self._stage: RunStage | None = None
        self._lock = threading.RLock()
        self._start = self._sent = self._said = time.monotonic()
        self._ended = threading.Event()

    def __enter__(self) -> RunProgress:
        threading.Thread(target=self._remind, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._screen.close()
        if self._log:
            if error is not None:
                self._log.write(_reason(error))
            self._log.close()

    def say(self, text: str) -> None:
        """Print a line, and write it to the log."""
        self._show(text, on_screen=not self._quiet)

    def detail(self, text: str) -> None:
        """Print a line if the user wants details, and write it to the log."""
        self._show(text, on_screen=self._verbose)

    def warn(self, text: str) -> None:
        """Print a line also where the user wants quiet, and write it to the log."""
        self._show(f"warning: {text}", on_screen=True)

    @contextmanager
    def stage(self, name: str, steps: int | None = None) -> Iterator[RunStage]:
        """Begin a stage, or one within it."""
        stage, outer = RunStage(self, name, steps), self._stage
        title = f"{outer.name}: {name}" if outer else name
        if outer and outer.inner:
            raise ValueError(f"the stage {outer.inner.name!r} has no stages in it")
        with self._lock:
            if outer:
                outer.inner = stage
            else:
                self._stage = stage
                if not self._quiet:
                    self._screen = open_screen(self._screen)
        self._show(f"{title} ...", on_screen=not self._quiet and not self._screen.is_live)
        self._send()
        try:
            yield stage
        finally:
            with self._lock:
                if outer:
                    outer.inner = None
                else:
                    self._stage = None
            self._send()
        seconds = _duration(time.monotonic() - stage.start)
        self._show(f"{title}: {seconds}", on_screen=not self._quiet and not (outer and self._screen.is_live))

    def advanced(self) -> None:
        """Show a step of a stage, unless another was shown just now."""
        now = time.monotonic()
        with self._lock:
            if self._stage:
                self._stage.estimate(now)
        if now - self._sent >= _SECONDS:
            self._send()

    def _send(self) -> None:
        with self._lock:
            self._sent = time.monotonic()
            self._screen.show(self._state(self._sent))

    def _state(self, now: float) -> State:
        """The state of the stage, or the time of the whole run between two stages."""
        if self._stage:
            return self._stage.state(now)
        return {"elapsed": now - self._start, "head": "", "fraction": None, "left": None, "tail": ""}

    def _show(self, text: str, on_screen: bool) -> None:
        with self._lock:
            self._said = time.monotonic()
            if on_screen:
                self._screen.say(printable(text))
            if self._log:
                self._log.write(text)

    def _remind(self) -> None:
        """Where nothing moves, say now and then that the run goes on."""
        while not self._ended.wait(1):
            with self._lock:
                now = time.monotonic()
                if self._stage is None or now - self._said < _STILL:
                    continue
                state = self._stage.state(now)
                self._show(_still(state), on_screen=not self._quiet and not self._screen.is_live)


def run_progress(log: Path | None, quiet: bool, verbose: bool) -> RunProgress:
    """The progress that the options ask for. Raises ``UsageError``, also if the log cannot be written."""
    if quiet and verbose:
        raise UsageError("--quiet cannot be combined with --verbose")
    if log is None:
        return RunProgress(quiet=quiet, verbose=verbose)
    from sotag_edge import __version__

    run_log = RunLog(log)
    run_log.write(f"sotag-edge {__version__}: {shlex.join(sys.argv[1:])}")
    return RunProgress(run_log, quiet=quiet, verbose=verbose)


def _still(state: State) -> str:
    text = f"still {state['head']}, {_duration(state['elapsed'])}"
    if state["fraction"] is not None:
        text += f", {state['fraction']:.0%}"
    if state["left"] is not None:
        text += f", {_duration(state['left'])} left"
    return text + (f", {state['tail']}" if state["tail"] else "")


def _duration(seconds: float) -> str:
    """A time in words.

    >>> _duration(3.21), _duration(42.4), _duration(125)
    ('3.2 s', '42 s', '2 min 5 s')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _reason(error: BaseException) -> str:
    """Why a run ended early, for the log."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped with Ctrl-C"
    if isinstance(error, SystemExit):
        return "terminated by another program"
    return f"failed: {error if isinstance(error, SotagEdgeError) else repr(error)}"
