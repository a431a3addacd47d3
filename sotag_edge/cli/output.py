"""Where results go: standard output, or a file that is written whole or not at all."""

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
    """Standard output; or a stream whose content takes the place of ``path`` when the block ends well, and else is gone."""
    if path is None:
        yield sys.stdout
        return
    import tempfile

    try:
        number, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    scratch = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
        if path.is_dir():
            raise UsageError(f"{path} is a directory: name a file")
        scratch.chmod(0o666 & ~_umask())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
