"""What the tests of records share: reading and merging without a process."""

from __future__ import annotations

import io
from typing import Any

from sotag_edge import Prediction
from sotag_edge.document import Document, Result
from sotag_edge.formats import FORMATS, Fields, Layout

ANSWER = Prediction("baking", 0.75, {"baking": 0.75})
FAULT = "an error"


def documents(form: str, content: str | bytes, **fields: Any) -> list[Document]:
    content = content.encode() if isinstance(content, str) else content
    return list(FORMATS[form].read(io.BytesIO(content), "in", Fields(**fields)))


def outcomes(form: str, content: str | bytes, **fields: Any) -> list[tuple[str, str]]:
    """The source and the text of each document, or ``FAULT`` in its place."""
    return [
        (document.source, FAULT if document.error else document.text) for document in documents(form, content, **fields)
    ]


def merged(output: str, found: list[Document]) -> str:
    stream = io.StringIO()
    writer = FORMATS[output].writer(stream, Layout(("baking",), merge=True))
    for document in found:
        error = None if document.error is None else str(document.error)
        writer.write(Result(document.source, None if error else ANSWER, error, record=document.record))
    writer.close()
    return stream.getvalue()
