"""``json``: one JSON document with all results."""

from __future__ import annotations

from typing import TextIO

from sotag_edge.document import Result
from sotag_edge.formats.fields import SCHEMA_VERSION, Layout
from sotag_edge.formats.jsonl import json_object


class Writer:
    """``{"schema_version": 1, "results": [...]}``, with one object per result, each on its own line."""

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        self._stream, self._layout = stream, layout
        self._separator = "\n"
        stream.write(f'{{"schema_version": {SCHEMA_VERSION}, "results": [')

    def write(self, result: Result) -> None:
        """Write an object."""
        self._stream.write(self._separator + json_object(result, self._layout))
        self._separator = ",\n"

    def close(self) -> None:
        """End the list."""
        self._stream.write("\n]}\n")
