"""A file or folder -> its documents, by the reader of the device side, so that training and device decode alike."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from sotag_edge.document import Document
from sotag_edge.errors import NotTextError
from sotag_edge.formats import read_documents
from sotag_edge.sources import STDIN

Say = Callable[[str], object]
"""Receives a sentence about the data, such as that texts were skipped because they are not text."""
Tick = Callable[[int], object]
"""Receives the number of texts that were read since the last call."""
_EVERY = 500  # texts


_BINARY = ("skipped because they are not text", "skipped because it is not text")
_REPLACED = ("not UTF-8: their other bytes became U+FFFD", "not UTF-8: its other bytes became U+FFFD")
_UNTAGGED = ("skipped because they have no tags", "skipped because it has no tags")


def say_nothing(_: str) -> None:
    """A ``Say`` for callers that need no sentences."""


class Reader:
    """Reads documents, and counts the texts that it could not read as they are: see ``notes``.

    ``tick``: called now and then while texts are read.
    """

    def __init__(self, tick: Tick | None = None) -> None:
        self._tick = tick
        self._read = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], str] = {}

    def read(self, path: str, *, skip_binary: bool = False, **options: Any) -> Iterator[Document]:
        """The documents of a path, or of standard input; ``options``: those of ``read_documents``.

        Raises the ``InputError`` of an unreadable one; with ``skip_binary`` one that is not text is left out.
        """
        stdin: BinaryIO = sys.stdin.buffer if path == STDIN else io.BytesIO()
        for document in read_documents([path], stdin, **options):
            self._read += 1
            if self._tick and self._read % _EVERY == 0:
                self._tick(_EVERY)
            if document.error:
                if not skip_binary or not isinstance(document.error, NotTextError):
                    raise document.error
                self._count(_BINARY, document)
                continue
            if document.replaced:
                self._count(_REPLACED, document)
            yield document

    def skip_untagged(self, document: Document) -> None:
        """Count a text that is left out because it has no tags."""
        self._count(_UNTAGGED, document)

    def notes(self) -> list[str]:
        """A sentence for each kind of text that was not read as it is, with the first one's name."""
        return [
            f"{number:,} texts were {kind[0]}; the first is {self._first[kind]}"
            if number > 1
            else f"1 text was {kind[1]}: {self._first[kind]}"
            for kind, number in self._counts.items()
        ]

    def _count(self, kind: tuple[str, str], document: Document) -> None:
        self._first.setdefault(kind, document.source)
        self._counts[kind] += 1
