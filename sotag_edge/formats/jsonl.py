"""``jsonl``: JSON Lines, one object per line. The same object per result is an element of ``json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO, NoReturn, TextIO

from sotag_edge.document import Document, Result
from sotag_edge.errors import InputError
from sotag_edge.formats import lines
from sotag_edge.formats.fields import Layout, json_fields
from sotag_edge.formats.records import Fields, record_document

# Characters that json leaves as they are and that a terminal or a reader of lines may take for a command.
_NOT_FOR_TERMINALS = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def read(stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """One document per line that is not empty. A line that is not a JSON object is a document with an error."""
    for line in lines.read(stream, name, fields):
        if not line.text.strip():
            continue
        try:
            record = json.loads(line.text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            yield Document(line.source, error=InputError(f"{line.source} is not valid JSON: {error}"))
            continue
        if isinstance(record, dict):
            yield record_document(line.source, record, fields, line.replaced)
        else:
            not_an_object = InputError(f'{line.source} is not a JSON object, such as {{"text": ...}}')
            yield Document(line.source, error=not_an_object)


class Writer:
    """One object per line."""

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        self._stream, self._layout = stream, layout

    def write(self, result: Result) -> None:
        """Write an object and flush it."""
        self._stream.write(json_object(result, self._layout) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing follows the last object."""


def json_object(result: Result, layout: Layout) -> str:
    """The JSON object of a result, on one line and safe to print on a terminal."""
    text = json.dumps(json_fields(result, layout), ensure_ascii=False, default=str)
    return _NOT_FOR_TERMINALS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
