"""Paths, folders, lists of paths and standard input -> open streams, one at a time, in order."""

from __future__ import annotations

import fnmatch
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sotag_edge.document import Document
from sotag_edge.errors import InputError, UsageError
from sotag_edge.streams import text_stream

STDIN = "-"


class Folders(NamedTuple):
    """Whether the files in folders are read, and which: those whose name matches ``glob``."""

    recursive: bool = False
    glob: str = "*"


def expand(paths: Iterable[str], folders: Folders) -> Iterator[str | Document]:
    """Each path, a folder replaced by the files in it, sorted by name, before those of the folders in it.

    Hidden files and folders are left out. A folder without a file to read gives an error in its place; one that cannot be
    read stays, so that reading it gives the error.
    """
    for path in paths:
        if folders.recursive and path != STDIN and os.path.isdir(path):  # noqa: PTH112  # Path's may raise
            files = _files_in(path, folders.glob)
            first = next(files, None)
            if first is None:
                which = "" if folders.glob == "*" else f" whose name matches {folders.glob!r}"
                yield Document(path, error=InputError(f"the folder {path} has no file{which}"))
                continue
            yield first
            yield from files
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
    """The paths listed in a file or in standard input: one per line, or each ended by a NUL (as by ``find -print0``).

    Raises ``UsageError`` if it cannot be read, ``InputError`` if it names no file.
    """
    try:
        content = stdin.read() if listing == STDIN else Path(listing).read_bytes()
    except OSError as error:
        raise UsageError(f"the list of files {listing} cannot be read: {error.strerror}") from error
    paths = [os.fsdecode(path) for path in (content.split(b"\0") if nul else content.splitlines()) if path]
    if not paths:
        raise InputError(f"the list of files {'in standard input' if listing == STDIN else listing} names no file")
    return paths


@contextmanager
def opened(path: str, stdin: BinaryIO, *, force: bool = False) -> Iterator[BinaryIO]:
    """The text of a path, or of standard input, as ``text_stream`` gives it; ``force`` is its parameter.

    Raises ``InputError`` if it cannot be opened, ``NotTextError`` if it is not text.
    """
    with ExitStack() as stack:
        try:
            stream = stdin if path == STDIN else stack.enter_context(Path(path).open("rb"))
            text = text_stream(stream, "standard input" if path == STDIN else path, force=force)
        except IsADirectoryError as error:
            raise InputError(f"{path} is a directory: --recursive reads the files in it") from error
        except FileNotFoundError as error:
            hint = "; to tag it as a text, use --text" if " " in path else ""
            raise InputError(f"{path} does not exist{hint}") from error
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:  # a NUL in the name
            raise InputError(f"{path!r} cannot be read: {error}") from error
        yield text


READ_ERRORS = (OSError, EOFError, zlib.error)
"""The errors of reading an open stream: a failing disk, a truncated or damaged gzip stream."""
