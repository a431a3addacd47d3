"""Child processes of a command: started safely, with the usual signals."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

from sotag_edge.errors import SotagEdgeError

_SAFE_PATH = "PYTHONSAFEPATH"
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def start_process(work: Callable[..., None], arguments: tuple[Any, ...]) -> BaseProcess:
    """Start a process that does ``work(*arguments)``. SIGTERM and SIGHUP end it; Ctrl-C is handled by the main process.

    Raises ``SotagEdgeError`` if the system starts no further process.
    """
    process = multiprocessing.Process(target=_begin, args=(work, arguments), daemon=True)
    try:
        with _signals_blocked(), _safe_path():
            process.start()
    except OSError as error:
        raise SotagEdgeError(f"a worker process cannot be started ({error.strerror}): use fewer jobs") from error
    return process


def _begin(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    work(*arguments)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Signals wait: a process that is just being started would handle one as if it were the main process."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _safe_path() -> Iterator[None]:
    """A process that is not forked imports nothing from the current directory (from Python 3.11 on)."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before
