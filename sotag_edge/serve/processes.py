"""Several processes that answer on one socket. One that ends is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from sotag_edge.child_process import start_process
from sotag_edge.errors import SotagEdgeError
from sotag_edge.serve.front import LOG
from sotag_edge.serve.metrics import forget
from sotag_edge.serve.options import Options
from sotag_edge.serve.server import ENDING, answer

_SHORT = 5.0  # seconds; a process that ends sooner would do so again
_LAST_SECONDS = 35.0  # more than a process gives its last requests


def answer_in_processes(listener: socket.socket, options: Options, jobs: int, folder: Path) -> None:
    """Answer in ``jobs`` processes until SIGTERM or SIGINT; then end them, each with its requests answered.

    ``folder``: as for ``Metrics``. Raises ``SotagEdgeError`` if a process ends at once.
    """
    started: dict[BaseProcess, float] = {}
    reader, writer = os.pipe()
    usual = {number: signal.signal(number, lambda *_: os.write(writer, b"!")) for number in ENDING}
    try:
        for _ in range(jobs):
            started[start_process(_answer, (listener, options, folder))] = time.monotonic()
        while reader not in wait([reader, *(process.sentinel for process in started)]):
            for process in [process for process in started if not process.is_alive()]:
                forget(folder, process.pid or 0)
                if time.monotonic() - started.pop(process) < _SHORT:
                    raise SotagEdgeError(f"a process of the server ended at once, with {_end_of(process)}")
                LOG.warning("a process of the server ended with %s, and is replaced", _end_of(process))
                started[start_process(_answer, (listener, options, folder))] = time.monotonic()
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        listener.close()
        for process in started:
            process.terminate()
        end = time.monotonic() + _LAST_SECONDS
        for process in started:
            process.join(max(0.0, end - time.monotonic()))
            process.kill()
            process.join()


def _end_of(process: BaseProcess) -> str:
    code = process.exitcode or 0
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _answer(listener: socket.socket, options: Options, folder: Path) -> None:
    """The work of a process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer(listener, options, folder)
    except SotagEdgeError as error:
        LOG.error("%s", error)
        sys.exit(error.exit_code)


def _end_with_parent() -> None:
    """End when the first process has ended without a word, such as by a SIGKILL: else the port would stay in use."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
