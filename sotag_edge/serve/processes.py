"""Several processes that answer on one socket. One that ends is replaced."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from sotag_edge.child_process import start_process
from sotag_edge.errors import SotagEdgeError
from sotag_edge.serve.front import LOG
from sotag_edge.serve.metrics import forget
from sotag_edge.serve.options import Options
from sotag_edge.serve.server import ENDING, answer

_SHORT = 5.0  # seconds; a process that ends sooner may do so again
_MOST_SHORT = 5  # of them in a row


def answer_in_processes(
    listener: socket.socket, options: Options, ready: Callable[[], object], jobs: int, folder: Path
) -> None:
    """Answer in ``jobs`` processes until SIGTERM or SIGINT; then end them, each with its requests answered.

    ``ready``, ``folder``: as for ``answer``. Raises ``SotagEdgeError`` if processes end at once, again and again.
    """
    started: dict[BaseProcess, float] = {}
    reader, writer = os.pipe()
    usual = {number: signal.signal(number, lambda *_: os.write(writer, b"!")) for number in ENDING}
    try:
        for _ in range(jobs):
            started[start_process(_answer, (listener, options, folder))] = time.monotonic()
        ready()
        short = 0
        while reader not in wait([reader, *(process.sentinel for process in started)]):
            for process in [process for process in started if not process.is_alive()]:
                forget(folder, process.pid or 0)
                short = short + 1 if time.monotonic() - started.pop(process) < _SHORT else 0
                if short == _MOST_SHORT:
                    raise SotagEdgeError(f"the processes of the server end at once, with {_end_of(process)}")
                LOG.warning("a process of the server ended with %s, and is replaced", _end_of(process))
                started[start_process(_answer, (listener, options, folder))] = time.monotonic()
    finally:
        listener.close()
        for process in started:
            process.terminate()
        for process in started:
            process.join()
        for number, handler in usual.items():  # not before: a second SIGTERM would end this process with 143
            signal.signal(number, handler)


def _end_of(process: BaseProcess) -> str:
    code = process.exitcode or 0
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _answer(listener: socket.socket, options: Options, folder: Path) -> None:
    """The work of a process."""
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    try:
        answer(listener, options, _nothing_to_say, folder)
    except SotagEdgeError as error:
        LOG.error("%s", error)
        sys.exit(error.exit_code)


def _nothing_to_say() -> None:
    """The first process says that the server is ready."""


def _end_with_parent(folder: Path) -> None:
    """End when the first process has ended without a word, such as by a SIGKILL: else the port would stay in use, and the
    folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        shutil.rmtree(folder, ignore_errors=True)
        os.kill(os.getpid(), signal.SIGTERM)
