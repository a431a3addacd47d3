"""Output streams: standard output, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from sotag_edge.errors import UsageError


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
    import tempfile

    target = Path(os.path.realpath(path))  # replaces the file that a link points to, not the link
    try:
        number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    scratch = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
        scratch.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
