"""Paths, folders, lists of paths and standard input -> open streams, one at a time, in order."""

from __future__ import annotations

import codecs
import fnmatch
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sotag_edge.document import Document
from sotag_edge.errors import InputError, UsageError
from sotag_edge.streams import before_each_read, begins_as_text, text_stream

STDIN = "-"
_SMALL = 1 << 16  # bytes


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
    # subtle: not os.walk, which calls itself for each level before Python 3.12.
    remaining, failed = [folder], []
    while remaining:
        place = remaining.pop()
        try:
            with os.scandir(place) as listed:
                entries = sorted((entry for entry in listed if not entry.name.startswith(".")), key=lambda e: e.name)
        except OSError:
            failed.append(place)
            continue
        for entry in entries:
            if fnmatch.fnmatch(entry.name, glob) and _is_readable(entry):
                yield entry.path
        remaining.extend(entry.path for entry in reversed(entries) if entry.is_dir(follow_symlinks=False))
    yield from failed


def _is_readable(entry: os.DirEntry[str]) -> bool:
    """Whether it is no folder and no pipe, which would wait. A broken link is, so that reading it gives the error."""
    try:
        return entry.is_file() or not (entry.is_dir() or Path(entry.path).is_fifo())
    except OSError:  # a link to itself
        return True


def paths_from(listing: str, stdin: BinaryIO, *, nul: bool) -> list[str]:
    """The paths listed in a file or in standard input: one per line, or each ended by a NUL (as by ``find -print0``).

    Raises ``UsageError`` if it cannot be read, ``InputError`` if it names no file.
    """
    try:
        content = stdin.read() if listing == STDIN else Path(listing).read_bytes()
    except OSError as error:
        raise UsageError(f"the list of files {listing} cannot be read: {error.strerror}") from error
    if not nul:
        content = text_stream(io.BytesIO(content), listing, force=True).read().removeprefix(codecs.BOM_UTF8)
    paths = [os.fsdecode(path) for path in (content.split(b"\0") if nul else content.splitlines()) if path]
    if not paths:
        raise InputError(f"the list of files {'in standard input' if listing == STDIN else listing} names no file")
    return paths


def plain_content(path: str) -> bytes | None:
    """The bytes of a small file of text; ``None`` for any other input, which ``opened`` reads, or says why it cannot.

    It takes a third of the time of ``opened``, for a folder of thousands of files.
    """
    try:
        if path == STDIN or not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  # Path's takes 2 us more
            return None
        with io.FileIO(path) as file:
            content = file.read(_SMALL)
            is_whole = len(content) < _SMALL and not file.read(1)
    except (OSError, ValueError):
        return None
    return content if is_whole and begins_as_text(content) else None


@contextmanager
def opened(
    path: str, stdin: BinaryIO, *, force: bool = False, before_read: Callable[[], None] | None = None
) -> Iterator[BinaryIO]:
    """The text of a path, or of standard input, as ``text_stream`` gives it; ``force`` is its parameter.

    ``before_read`` is called before each read of a path; standard input has its own.
    Raises ``InputError`` if it cannot be opened, ``NotTextError`` if it is not text.
    """
    with opened_as_bytes(path, stdin) as content:
        stream = before_each_read(content, before_read) if before_read and path != STDIN else content
        try:
            text = text_stream(stream, "standard input" if path == STDIN else path, force=force)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        yield text


@contextmanager
def opened_as_bytes(path: str, stdin: BinaryIO) -> Iterator[BinaryIO]:
    """A path, or standard input, as it is. Raises ``InputError`` if it cannot be opened."""
    with ExitStack() as stack:
        try:
            stream = stdin if path == STDIN else stack.enter_context(Path(path).open("rb"))
        except IsADirectoryError as error:
            raise InputError(f"{path} is a directory: --recursive reads the files in it") from error
        except FileNotFoundError as error:
            hint = "; to tag it as a text, use --text" if " " in path else ""
            raise InputError(f"{path} does not exist{hint}") from error
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:  # a NUL in the name
            raise InputError(f"{path!r} cannot be read: {error}") from error
        yield stream


READ_ERRORS = (OSError, EOFError, zlib.error)
"""The errors of reading an open stream: a failing disk, a truncated or damaged gzip stream."""
