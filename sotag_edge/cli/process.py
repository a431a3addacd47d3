"""The process of the command line: its streams, its signals, and its end."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sotag_edge.errors import INTERRUPTED, TERMINATED, SotagEdgeError

_OF_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE, errno.EBADF, errno.ENXIO)


def run(app: Callable[[], Any]) -> None:
    """Run the command line and end the process with its exit code."""
    _prepare_streams()
    for name in ("SIGTERM", "SIGHUP"):  # the latter: the terminal was closed
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is not signal.SIG_IGN:
            # An exception, so that scratch files are removed.
            signal.signal(number, lambda caught, _: sys.exit(TERMINATED - signal.SIGTERM + caught))
    code: Any = 0
    try:
        app()
    except SystemExit as end:
        code = end.code
    except OSError as error:
        warn(_cause(error))
        code = 1
    _end(code if isinstance(code, int) else int(code is not None))


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turns an error into one sentence on stderr and the exit code of the process."""
    try:
        yield
    except SotagEdgeError as error:
        warn(str(error))
        raise SystemExit(error.exit_code) from error
    except KeyboardInterrupt as interrupt:
        raise SystemExit(INTERRUPTED) from interrupt
    except BrokenPipeError as closed:  # the reader of standard output has gone (`| head`)
        _discard_output()
        raise SystemExit(0) from closed


def _cause(error: OSError) -> str:
    """What failed: the file if there is one, else the output, where writing fails with an error of its own."""
    reason = error.strerror or str(error)
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {reason}"
    return f"the output cannot be written: {reason}" if error.errno in _OF_OUTPUT else f"the system refused: {reason}"


def _discard_output() -> None:
    """Send the rest of standard output nowhere, after its reader has gone: Python flushes the buffer at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn(message: str) -> None:
    """Print a message on stderr, after the results so far.

    Without a reader it is dropped, because that must not cost anybody an answer.
    """
    from sotag_edge.terminal import printable

    with suppress(OSError, ValueError):  # reported where results are written; the latter: it is closed
        sys.stdout.flush()
    try:
        print(f"sotag-edge: {printable(message)}", file=sys.stderr)
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  # open to the end


def _prepare_streams() -> None:
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the caller closed it
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # open to the end
    for stream in (sys.stdout, sys.stderr):
        # Tags and sources are UTF-8 in every locale, and a name that is not text must not stop the rest.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _end(code: int) -> None:
    """End the process without Python's own clean-up, which took a seventh of a short run (18 of 124 ms)."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.flush()
            except OSError:
                code = code or 1
    if "tensorflow" in sys.modules:  # it has files to remove
        sys.exit(code)
    os._exit(code)
