"""Output streams: standard output, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from sotag_edge.errors import UsageError

_SUFFIX = ".part"


@contextmanager
def output_stream(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a stream to ``path``: the file is replaced when the block ends, and left alone if it raises.

    A replaced file keeps its mode. Raises ``UsageError`` if the path is a directory or cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    if path.is_dir():
        raise UsageError(f"{path} is a directory: name a file")
    if path.exists() and not path.is_file():  # a pipe or a device, which cannot be replaced
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
        return
    target = Path(os.path.realpath(path))  # replaces the file that a link points to, not the link
    scratch = target.with_name(f".{target.name}-{os.getpid()}{_SUFFIX}")
    # subtle: named before it exists and removed twice, so that a signal at any moment leaves no scratch file.
    try:
        try:
            with _created(scratch, path) as stream:
                _remove_abandoned(target)
                yield stream
            scratch.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
    finally:
        scratch.unlink(missing_ok=True)


def _created(scratch: Path, path: Path) -> TextIO:
    try:
        scratch.unlink(missing_ok=True)  # of another process that had this number and was killed
        number = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    _try_to_lock(number)
    return os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="")


def _remove_abandoned(target: Path) -> None:
    """Remove the scratch files of runs to the same target that were killed: nobody holds their lock."""
    prefix = f".{target.name}-"
    for name in os.listdir(target.parent):  # noqa: PTH208  # of names only, in any folder
        if name.startswith(prefix) and name.endswith(_SUFFIX) and name[len(prefix) : -len(_SUFFIX)].isdigit():
            with suppress(OSError):
                number = os.open(target.parent / name, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0))
                try:
                    if _try_to_lock(number):
                        (target.parent / name).unlink()
                finally:
                    os.close(number)


def _try_to_lock(number: int) -> bool:
    """Lock an open file until it is closed, or its process ends. ``False`` if another process has it locked."""
    try:
        import fcntl
    except ImportError:  # Windows does not remove open files anyway
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
