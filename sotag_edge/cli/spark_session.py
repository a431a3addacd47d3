"""A Spark session for a command: Spark's log kept out of the way, and its errors made one sentence each."""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from urllib.request import getproxies

from sotag_edge.errors import InputError, MissingDependencyError, ModelError, SotagEdgeError, UsageError

_JAVA = "install Java 17 or 21 (apt install openjdk-17-jre-headless), or set JAVA_HOME"
_SCHEDULER = "org.apache.spark.scheduler.TaskSchedulerImpl"  # lost executors, and resources that do not come
_PYTHON = "spark.pyspark.python"
_OUR_ERRORS: dict[str, type[SotagEdgeError]] = {
    kind.__name__: kind for kind in (InputError, UsageError, ModelError, MissingDependencyError)
}
_OURS = re.compile(r"sotag_edge\.errors\.(\w+): (.+)")
_FAULTS: tuple[tuple[str, type[SotagEdgeError], str], ...] = (
    (
        r"ModuleNotFoundError: No module named '([\w.]+)'",
        MissingDependencyError,
        "the Python of a worker has no {}: set PYSPARK_PYTHON to a Python that has 'sotag-edge[spark]' there",
    ),
    (
        r'Cannot run program "([^"]+)"',
        MissingDependencyError,
        "a worker has no {}: set PYSPARK_PYTHON to a Python that has 'sotag-edge[spark]' there",
    ),
    (r"\[PYTHON_VERSION_MISMATCH\] (.+)", MissingDependencyError, "{}"),
    (
        "Python worker exited unexpectedly|IOException: Broken pipe",
        SotagEdgeError,
        "Spark: a Python worker was killed or has crashed; a system without free memory does that",
    ),
    (
        r"\[PATH_ALREADY_EXISTS\]|FileAlreadyExistsException",
        UsageError,
        "the output exists already: name another one, or use --mode overwrite (a stopped run leaves one without _SUCCESS)",
    ),
)
_CAUSE = re.compile(r"Caused by: [\w.$]+: (.+)")
_REFUSED = re.compile(r'Exception in thread "main" org\.apache\.spark[\w.$]+: (.+)')
_FAILED = re.compile(r"^[\d/]+ [\d:]+ ERROR \w+: (.+)", re.MULTILINE)
_LOGGED = re.compile(rb"\r?[\d/]+ [\d:]+ (WARN|ERROR) ")
_CALL = re.compile(r"^An error occurred while calling .*\n: [\w.$]+: ")
_CONDITION = re.compile(r"^\s*\[([A-Z_.0-9]+)\]\s*")
_OF_INPUT = ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA", "FAILED_READ_FILE")


@contextmanager
def spark_session(master: str | None, settings: Sequence[tuple[str, str]]) -> Iterator[Any]:
    """A session, which is stopped at the end. An error of Spark within the block is raised as one of ours.

    ``master``: as for ``spark-submit``, or ``sc://...`` for Spark Connect; by default the one of Spark's configuration, else
    this machine. Raises ``MissingDependencyError`` without Java, where it is needed.
    """
    url = master or os.environ.get("SPARK_REMOTE", "")
    remote = url.startswith("sc://")
    if not remote:
        _require_java()
    elif not getproxies():
        _require_server(url)
    logging.disable()  # pyspark logs each error that it raises
    warnings.simplefilter("ignore")
    os.environ.setdefault("PYSPARK_PYTHON", dict(settings).get(_PYTHON, sys.executable))
    with _sentences():
        session = _started(master, settings, remote=remote)
        try:
            yield session
        finally:
            with suppress(Exception):
                session.stop()


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if home and not Path(home, "bin", "java").exists():
        raise MissingDependencyError(f"JAVA_HOME is {home}, which has no Java: {_JAVA}")
    if not home and not shutil.which("java"):
        raise MissingDependencyError(f"Spark needs Java, which is not installed: {_JAVA}")


def _require_server(url: str) -> None:
    """Raise ``SotagEdgeError`` if no Spark Connect server is there: its client would try again for ten minutes."""
    place = urlsplit(url)
    try:
        with socket.create_connection((place.hostname or "", place.port or 15002), timeout=10):
            pass
    except (OSError, ValueError) as error:
        raise SotagEdgeError(f"no Spark Connect server answers at {url}: {error}") from error


def _started(master: str | None, settings: Sequence[tuple[str, str]], *, remote: bool) -> Any:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("sotag-edge")
    if master:
        builder = builder.remote(master) if remote else builder.master(master)
    if not remote:
        builder = builder.config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
    for name, value in settings:
        builder = builder.config(name, value)
    if remote:
        return builder.getOrCreate()
    with _Output() as output:
        try:
            session = builder.getOrCreate()
        except (PySparkException, Py4JError) as error:
            fault = output.fault() or _ours(str(error))
            raise type(fault)(f"{fault} (--master {master})" if master else str(fault)) from error
        has_level = "spark.log.level" in dict(settings)
        if not has_level:
            session.sparkContext.setLogLevel("OFF")  # failures are raised
            log4j = session.sparkContext._jvm.org.apache.logging.log4j
            log4j.core.config.Configurator.setLevel(_SCHEDULER, log4j.Level.WARN)
        output.release(whole=has_level)
    return session


class _Output:
    """Standard error, as a context in which Java is started: held back, and passed on from ``release`` to the end.

    Java and Spark say a dozen things at their start, and some of them whatever is configured.
    """

    def __enter__(self) -> _Output:
        self._usual = os.dup(2)
        self._held = tempfile.TemporaryFile()  # closed with the process
        self._released = False
        reading, writing = os.pipe()
        os.dup2(writing, 2)
        os.close(writing)
        self._reader = Thread(target=self._pass_on, args=(os.fdopen(reading, "rb", buffering=0),), daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.dup2(self._usual, 2)

    def release(self, *, whole: bool) -> None:
        """Pass on Spark's log and its progress from now on; ``whole``: also what Python workers write."""
        self._whole = whole
        self._released = True

    def fault(self) -> SotagEdgeError | None:
        """What was held back, if it says why there is no session."""
        os.dup2(self._usual, 2)  # so that what is held back has an end, if Java has ended
        self._reader.join(timeout=2)
        self._held.seek(0)
        said = self._held.read().decode(errors="replace")
        if refused := _REFUSED.search(said):
            return UsageError(f"Spark: {refused[1].strip()}")
        if failed := _FAILED.findall(said):
            return SotagEdgeError(f"Spark: {failed[-1].strip()}")
        if lines := [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("WARNING: ")]:
            return MissingDependencyError(f"Spark cannot start Java ({'; '.join(lines[:2])}): {_JAVA}")
        return None

    def _pass_on(self, stream: BinaryIO) -> None:
        rest = b""
        while content := stream.read(1 << 16):
            if not self._released:
                self._held.write(content)
                continue
            *lines, rest = (rest + content).split(b"\n")
            for line in lines:
                if self._whole or _LOGGED.match(line):
                    os.write(self._usual, line + b"\n")
            if rest.startswith(b"\r"):  # the progress of a stage, whose line has no end
                os.write(self._usual, rest)
                rest = b""


@contextmanager
def _sentences() -> Iterator[None]:
    """Turns an error of Spark into one of ours."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise _ours(str(error)) from error


def _ours(message: str) -> SotagEdgeError:
    """The error for what Spark says, of which there may be pages."""
    if fault := _OURS.search(message):
        return _OUR_ERRORS.get(fault[1], SotagEdgeError)(f"on a worker: {fault[2].strip()}")
    for pattern, kind, sentence in _FAULTS:
        if fault := re.search(pattern, message):
            return kind(sentence.format(*fault.groups()))
    condition = _CONDITION.match(message)
    causes = _CAUSE.findall(message)
    message = _CALL.sub("", message)
    line = next(iter((causes[-1] if causes else message).strip().splitlines()), "")
    sentence = _CONDITION.sub("", line).partition(" SQLSTATE:")[0].strip()
    is_input = condition is not None and condition[1].startswith(_OF_INPUT)
    return (InputError if is_input else SotagEdgeError)(f"Spark: {sentence}")
