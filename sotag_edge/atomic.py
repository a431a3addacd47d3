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
_LONGEST_NAME = 80  # characters of the target's name in that of its scratch file; a name has at most 255 bytes


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
    prefix = f".{target.name[:_LONGEST_NAME]}-"
    scratch = target.with_name(f"{prefix}{os.getpid()}{_SUFFIX}")
    # subtle: named before it exists and removed twice, so that a signal at any moment leaves no scratch file.
    try:
        try:
            with _created(scratch, path) as stream:
                _remove_abandoned(target.parent, prefix)
                yield stream
            scratch.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
            scratch.replace(target)
        finally:
            _remove(scratch)
    finally:
        _remove(scratch)


def _created(scratch: Path, path: Path) -> TextIO:
    try:
        scratch.unlink(missing_ok=True)  # of another process that had this number and was killed
        number = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="")


def _remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove the scratch files of runs to the same target that were killed: the processes in their names do not exist."""
    with suppress(OSError):  # a folder that may be written to but not listed
        for name in os.listdir(folder):  # noqa: PTH208  # of names only, in any folder
            process = name.removeprefix(prefix).removesuffix(_SUFFIX)
            if name == f"{prefix}{process}{_SUFFIX}" and process.isdigit() and not _runs(int(process)):
                _remove(folder / name)


def _runs(process: int) -> bool:
    """Whether a process with this number exists; where that cannot be asked, it does."""
    if sys.platform == "win32":  # where the signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's, or no number of a process
        return True
    return True


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
