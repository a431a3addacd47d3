"""Paths, folders, lists of paths and standard input -> open streams, one at a time, in order."""

from __future__ import annotations

import fnmatch
import io
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sotag_edge.errors import InputError, UsageError

STDIN = "-"
_GZIP = b"\x1f\x8b"


class Folders(NamedTuple):
    """Whether the files in folders are read, and which: those whose name matches ``glob``."""

    recursive: bool = False
    glob: str = "*"


def expand(paths: Iterable[str], folders: Folders) -> Iterator[str]:
    """Each path, a folder replaced by the files in it, sorted by name, before those of the folders in it.

    Hidden files and folders are left out. A folder that cannot be read stays, so that reading it gives the error.
    """
    for path in paths:
        if folders.recursive and path != STDIN and os.path.isdir(path):  # noqa: PTH112  # Path's may raise
            yield from _files_in(path, folders.glob)
        else:
            yield path


def _files_in(folder: str, glob: str) -> Iterator[str]:
    failed: list[OSError] = []
    for place, names, files in os.walk(folder, onerror=failed.append):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for file in sorted(files):
            path = Path(place) / file
            if not file.startswith(".") and fnmatch.fnmatch(file, glob) and not path.is_fifo():
                yield str(path)
    for error in failed:
        yield str(error.filename)


def paths_from(listing: str, stdin: BinaryIO, *, nul: bool) -> list[str]:
    """The paths listed in a file or in standard input: one per line, or each ended by a NUL (as by ``find -print0``)."""
    try:
        content = stdin.read() if listing == STDIN else Path(listing).read_bytes()
    except OSError as error:
        raise UsageError(f"the list of files {listing} cannot be read: {error.strerror}") from error
    return [os.fsdecode(path) for path in (content.split(b"\0") if nul else content.splitlines()) if path]


@contextmanager
def opened(path: str, stdin: BinaryIO) -> Iterator[BinaryIO]:
    """The stream of a path, or standard input; gzip is decompressed. Raises ``InputError`` if it cannot be opened."""
    with ExitStack() as stack:
        try:
            stream: BinaryIO = stdin if path == STDIN else stack.enter_context(Path(path).open("rb"))
            peekable = stream if hasattr(stream, "peek") else io.BufferedReader(stream)  # type: ignore[type-var]
            is_gzip = peekable.peek(2)[:2] == _GZIP
        except IsADirectoryError as error:
            raise InputError(f"{path} is a directory: --recursive reads the files in it") from error
        except FileNotFoundError as error:
            raise InputError(f"{path} does not exist") from error
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:  # a NUL in the name
            raise InputError(f"{path!r} cannot be read: {error}") from error
        if is_gzip:
            import gzip

            yield stack.enter_context(gzip.GzipFile(fileobj=peekable))  # type: ignore[misc]
        else:
            yield peekable


READ_ERRORS = (OSError, EOFError, zlib.error)
"""The errors of reading an open stream: a failing disk, a truncated or damaged gzip stream."""
