"""A Spark session for a command: Spark's log kept out of the way, and its errors made one sentence each."""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

from sotag_edge.errors import InputError, MissingDependencyError, ModelError, SotagEdgeError, UsageError

_JAVA = "install Java 17 or 21 (apt install openjdk-17-jre-headless), or set JAVA_HOME"
_SCHEDULER = "org.apache.spark.scheduler.TaskSchedulerImpl"  # lost executors, and resources that do not come
_PYTHON = "spark.pyspark.python"
_OUR_ERRORS: dict[str, type[SotagEdgeError]] = {
    kind.__name__: kind for kind in (InputError, UsageError, ModelError, MissingDependencyError)
}
_OURS = re.compile(r"sotag_edge\.errors\.(\w+): (.+)")
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
_NO_PYTHON = re.compile(r'Cannot run program "([^"]+)"')
_VERSIONS = re.compile(r"\[PYTHON_VERSION_MISMATCH\] (.+)")
_CAUSE = re.compile(r"Caused by: [\w.$]+: (.+)")
_EXISTS = re.compile(r"\[PATH_ALREADY_EXISTS\]|already exists")
_CONDITION = re.compile(r"^\s*\[([A-Z_.0-9]+)\]\s*")
_OF_INPUT = ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA", "FAILED_READ_FILE")


@contextmanager
def spark_session(master: str | None, settings: Sequence[tuple[str, str]]) -> Iterator[Any]:
    """A session, which is stopped at the end. An error of Spark within the block is raised as one of ours.

    ``master``: as for ``spark-submit``, or ``sc://...`` for Spark Connect; by default the one of Spark's configuration, else
    this machine. Raises ``MissingDependencyError`` without Java, where it is needed.
    """
    remote = (master or os.environ.get("SPARK_REMOTE", "")).startswith("sc://")
    if not remote:
        _require_java()
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


def _started(master: str | None, settings: Sequence[tuple[str, str]], *, remote: bool) -> Any:
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
        except PySparkException as error:
            if error.getCondition() != "JAVA_GATEWAY_EXITED":
                raise
            raise MissingDependencyError(f"Spark cannot start Java ({output.fault()}): {_JAVA}") from error
        if "spark.log.level" not in dict(settings):
            session.sparkContext.setLogLevel("OFF")  # failures are raised
            log4j = session.sparkContext._jvm.org.apache.logging.log4j
            log4j.core.config.Configurator.setLevel(_SCHEDULER, log4j.Level.WARN)
        output.release()
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
        Thread(target=self._pass_on, args=(os.fdopen(reading, "rb", buffering=0),), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        os.dup2(self._usual, 2)

    def release(self) -> None:
        """Pass on what is written from now on."""
        self._released = True

    def fault(self) -> str:
        """The last line that was held back, which says why Java has ended."""
        self._held.seek(0)
        lines = self._held.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it says nothing")

    def _pass_on(self, stream: BinaryIO) -> None:
        while content := stream.read(1 << 16):
            if self._released:
                os.write(self._usual, content)
            else:
                self._held.write(content)


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
    if fault := _NO_MODULE.search(message):
        package = "sotag-edge" if fault[1].startswith("sotag_edge") else fault[1]
        return MissingDependencyError(
            f"the Python of a worker has no {package}: set PYSPARK_PYTHON to a Python that has 'sotag-edge[spark]' there"
        )
    if fault := _NO_PYTHON.search(message):
        return MissingDependencyError(
            f"a worker has no {fault[1]}: set PYSPARK_PYTHON to a Python that has 'sotag-edge[spark]' there"
        )
    if fault := _VERSIONS.search(message):
        return MissingDependencyError(fault[1].strip())
    if _EXISTS.search(message):
        return UsageError(
            "the output exists already: name another one, or replace it with --mode overwrite (one without the file "
            "_SUCCESS is what a stopped run left)"
        )
    condition = _CONDITION.match(message)
    causes = _CAUSE.findall(message)
    line = next(iter((causes[-1] if causes else message).strip().splitlines()), "")
    sentence = _CONDITION.sub("", line).partition(" SQLSTATE:")[0].strip()
    kind = InputError if condition and condition[1].startswith(_OF_INPUT) else SotagEdgeError
    return kind(f"Spark: {sentence}")
