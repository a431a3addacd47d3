"""``arrow``: Arrow IPC, as a file (also called Feather) or as a stream, read batch by batch as it was written."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

import pyarrow as pa

from sotag_edge import column_files
from sotag_edge.column_files import ColumnWriter, CutOff, Sink, checked, small
from sotag_edge.document import Document
from sotag_edge.formats.fields import Layout
from sotag_edge.formats.records import Fields

_FILE = b"ARROW1\0\0"  # the first bytes of a file; a stream follows them, and after it comes the directory


class Reader:
    """An open file or stream."""

    def __init__(self, stream: BinaryIO) -> None:
        buffered: Any = stream if hasattr(stream, "peek") else io.BufferedReader(stream)
        stream = buffered
        if buffered.peek(len(_FILE))[: len(_FILE)] == _FILE:
            if stream.seekable():
                file = pa.ipc.open_file(stream)
                self.schema = file.schema
                self._batches: Iterator[pa.RecordBatch] = map(file.get_batch, range(file.num_record_batches))
                return
            stream.read(len(_FILE))
        reader = pa.ipc.open_stream(stream)
        self.schema = reader.schema
        self._batches = iter(reader)

    def batches(self, names: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows in order, in small batches."""
        for batch in self._batches:
            yield from small(checked(batch if names is None else batch.select(names)))


def sink(stream: BinaryIO, schema: pa.Schema) -> Sink:
    """A sink that writes a file; a stream where it writes to a pipe."""
    options = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=True)
    new = pa.ipc.new_file if stream.seekable() else pa.ipc.new_stream
    target = CutOff(stream)
    writer = new(target, schema, options=options)
    return Sink(writer.write_table, schema, writer.close, target)


def read(stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """One document per row."""
    return column_files.read(Reader, stream, name, "arrow", fields)


class Writer(ColumnWriter):
    """One row per result."""

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        super().__init__(stream, layout, sink)
