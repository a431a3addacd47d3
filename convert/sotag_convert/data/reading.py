"""A file or folder -> its documents, by the reader of the device side, so that training and device decode alike."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from sotag_edge.document import Document
from sotag_edge.formats import read_documents


def read(path: str, **options: Any) -> Iterator[Document]:
    """The documents of a path; ``options``: those of ``read_documents``. Raises the ``InputError`` of an unreadable one."""
    for document in read_documents([path], io.BytesIO(), **options):
        if document.error:
            raise document.error
        yield document
