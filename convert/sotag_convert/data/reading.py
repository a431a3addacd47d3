"""A file or folder -> its documents, by the reader of the device side, so that training and device decode alike."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from sotag_edge.document import Document
from sotag_edge.errors import NotTextError
from sotag_edge.formats import read_documents


class Reader:
    """Reads documents, and counts the texts that it could not read as they are: see ``notes``."""

    def __init__(self) -> None:
        self._skipped: list[str] = []
        self._replaced: list[str] = []

    def read(self, path: str, *, skip_binary: bool = False, **options: Any) -> Iterator[Document]:
        """The documents of a path; ``options``: those of ``read_documents``.

        Raises the ``InputError`` of an unreadable one; with ``skip_binary`` one that is not text is left out.
        """
        for document in read_documents([path], io.BytesIO(), **options):
            if document.error:
                if not skip_binary or not isinstance(document.error, NotTextError):
                    raise document.error
                self._skipped.append(document.source)
                continue
            if document.replaced:
                self._replaced.append(document.source)
            yield document

    def notes(self) -> list[str]:
        """A sentence for each kind of text that was not read as it is, with the first one's name."""
        kinds = (
            (self._skipped, "skipped because they are not text", "skipped because it is not text"),
            (
                self._replaced,
                "not UTF-8: their other bytes became U+FFFD",
                "not UTF-8: its other bytes became U+FFFD",
            ),
        )
        return [
            f"{len(sources):,} texts were {plural}; the first is {sources[0]}"
            if len(sources) > 1
            else f"1 text was {singular}: {sources[0]}"
            for sources, plural, singular in kinds
            if sources
        ]
