"""Files and streams -> documents, lazily, one at a time. Decides nothing about tags and prints nothing.

Text is UTF-8; a byte order mark is taken off and bytes that are not UTF-8 become U+FFFD, marked on the document.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sotag_edge.errors import InputError

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Document:
    """One input: where it is from, and its text or the reason that it has none."""

    source: str
    text: str = ""
    error: InputError | None = None
    replaced: bool = False
    """Whether bytes that were not UTF-8 were replaced."""


def read_documents(paths: Iterable[str], stdin: BinaryIO) -> Iterator[Document]:
    """Each file is a document; ``-`` is standard input, of which each line is one."""
    for path in paths:
        if path == STDIN:
            yield from read_lines(stdin)
        else:
            yield read_file(path)


def read_file(path: str) -> Document:
    """A whole file as one document; one that cannot be read gives a document with the error."""
    try:
        content = Path(path).read_bytes()
    except IsADirectoryError:
        return Document(path, error=InputError(f"{path} is a directory; name the files in it, such as {path}/*.txt"))
    except FileNotFoundError:
        return Document(path, error=InputError(f"{path} does not exist"))
    except OSError as error:
        return Document(path, error=InputError(f"{path} cannot be read: {error.strerror}"))
    except ValueError as error:  # a NUL in the name
        return Document(path, error=InputError(f"{path!r} cannot be read: {error}"))
    return _decoded(path, content)


def read_lines(stream: BinaryIO, name: str = "stdin") -> Iterator[Document]:
    """Each line is a document, also an empty one; a line is given out before the next one is waited for."""
    for number, line in enumerate(stream, start=1):
        yield _decoded(f"{name}:{number}", line.removesuffix(b"\n").removesuffix(b"\r"))


def _decoded(source: str, content: bytes) -> Document:
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return Document(source, content.decode("utf-8"))
    except UnicodeDecodeError:
        return Document(source, content.decode("utf-8", errors="replace"), replaced=True)
