"""``parquet``: Apache Parquet, read row group by row group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from sotag_edge import column_files
from sotag_edge.column_files import ColumnWriter, CutOff, Sink, checked, compact, rows_of
from sotag_edge.document import Document
from sotag_edge.errors import InputError
from sotag_edge.formats.fields import Layout
from sotag_edge.formats.records import Fields

_BUFFER = 1 << 20  # bytes per column; without it a column of a row group is read at once


class Reader:
    """An open file. ``codec``: the compression of its columns."""

    def __init__(self, stream: BinaryIO) -> None:
        if not stream.seekable():
            raise InputError("Parquet has its directory at its end, and a pipe cannot be read from there: name a file")
        self._file = pq.ParquetFile(stream, buffer_size=_BUFFER, page_checksum_verification=True)
        self.schema: pa.Schema = self._file.schema_arrow

    @property
    def codec(self) -> str:
        """The compression of the first column, to be asked for after a batch was read.

        subtle: reading reports what is damaged, but pyarrow 26 ends the process if it is first met here.
        """
        facts = self._file.metadata
        has_columns = facts.num_row_groups and facts.num_columns
        return str(facts.row_group(0).column(0).compression).lower() if has_columns else "snappy"

    def batches(self, names: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows in order, in small batches."""
        for number in range(self._file.metadata.num_row_groups):
            group = self._file.metadata.row_group(number)
            rows = rows_of(group.num_rows, group.total_byte_size)
            batches = self._file.iter_batches(rows, row_groups=[number], columns=names, use_threads=False)
            for batch in map(checked, batches):  # each has a copy of all values of a dictionary
                yield pa.RecordBatch.from_arrays([compact(column) for column in batch.columns], schema=batch.schema)


def sink(stream: BinaryIO, schema: pa.Schema, codec: str = "snappy") -> Sink:
    """A sink that writes Parquet."""
    compression = "none" if codec == "uncompressed" else codec
    target = CutOff(stream)
    writer = pq.ParquetWriter(target, schema, compression=compression, write_page_checksum=True)
    return Sink(writer.write_table, schema, writer.close, target)


def read(stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """One document per row."""
    return column_files.read(Reader, stream, name, "parquet", fields)


class Writer(ColumnWriter):
    """One row per result."""

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        super().__init__(stream, layout, sink)
