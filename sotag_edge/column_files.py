"""What ``parquet`` and ``arrow`` share: rows of Arrow columns -> documents, and results -> columns.

``tables.py`` tags such files with all of their columns; here they are an input or an output beside the formats of text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, Protocol, TextIO

import pyarrow as pa

from sotag_edge.arrow import Columns
from sotag_edge.document import Document, Result
from sotag_edge.errors import InputError, UsageError
from sotag_edge.formats.fields import Layout
from sotag_edge.formats.records import Fields

_ROWS, _BYTES = 1000, 8 * 1024**2  # of a batch, at most
_WRITTEN = 64 * 1024**2, 1 << 20  # bytes and rows that are written at a time; a reader needs them in memory
_RESULTS = 10_000  # at a time
_BYTES_OF = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}
_LISTS = (
    (pa.types.is_list, pa.list_),
    (pa.types.is_large_list, pa.large_list),
    (pa.types.is_list_view, pa.list_view),
    (pa.types.is_large_list_view, pa.large_list_view),
)


class Reader(Protocol):
    """An open file of columns."""

    schema: pa.Schema

    def batches(self, names: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows in order, all columns or some of them."""


class Sink(AbstractContextManager["Sink"]):
    """Batches -> a file, in large groups: a context, at whose end the file is complete."""

    def __init__(self, write: Callable[[pa.Table], None], schema: pa.Schema, close: Callable[[], None]) -> None:
        self._write, self._schema, self._close = write, schema, close
        self._waiting: list[pa.RecordBatch] = []
        self._bytes = self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Write a batch, or keep it until there are enough."""
        self._waiting.append(batch)
        self._bytes += batch.nbytes
        self._rows += batch.num_rows
        if self._bytes >= _WRITTEN[0] or self._rows >= _WRITTEN[1]:
            self._flush()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
        self._close()

    def _flush(self) -> None:
        if self._waiting:
            self._write(pa.Table.from_batches(self._waiting, self._schema))
        self._waiting, self._bytes, self._rows = [], 0, 0


class ColumnWriter:
    """Results -> the columns ``source``, ``id`` if there are any, and those of ``Columns``."""

    def __init__(self, stream: TextIO, layout: Layout, sink: Callable[[BinaryIO, pa.Schema], Sink]) -> None:
        self._columns = Columns((), layout.labels, layout.multi_label, scores=layout.scores)
        self._own = [pa.field(name, pa.string()) for name in (("source", "id") if layout.ids else ("source",))]
        self._schema = pa.schema([*self._own, *self._columns.added()])
        self._sink = sink(stream.buffer, self._schema)
        self._results: list[Result] = []

    def write(self, result: Result) -> None:
        """Write one result."""
        self._results.append(result._replace(error=result.error and printed(result.error)))
        if len(self._results) == _RESULTS:
            self._flush()

    def close(self) -> None:
        """Write the end of the file."""
        with self._sink:
            self._flush()

    def _flush(self) -> None:
        answers = self._columns.answers(self._results)
        own = {
            "source": [printed(result.source) for result in self._results],
            "id": [result.id and printed(result.id) for result in self._results],
        }
        arrays = [pa.array(own[field.name], field.type) for field in self._own]
        self._sink.write(pa.RecordBatch.from_arrays([*arrays, *answers.columns], schema=self._schema))
        self._results = []


def printed(value: str) -> str:
    """A path or an identifier as UTF-8: what is not, as escapes."""
    return value.encode("utf-8", errors="backslashreplace").decode()


def read(
    open_reader: Callable[[BinaryIO], Reader], stream: BinaryIO, name: str, kind: str, fields: Fields
) -> Iterator[Document]:
    """The documents of a file, ``name:row`` from 1. One that cannot be read, or not to its end, is a document with an error.

    ``kind``: the name of its format.
    """
    try:
        with readable(name, kind):
            yield from _documents(open_reader(stream), name, fields)
    except InputError as error:
        yield Document(name, error=error)


def _documents(reader: Reader, name: str, fields: Fields) -> Iterator[Document]:
    columns = Columns(tuple(fields.text), ())
    columns.check(reader.schema)
    if fields.id is not None and reader.schema.names.count(fields.id) != 1:
        raise UsageError(f"there is no column {fields.id!r} for the identifier, or several")
    needed = list(dict.fromkeys([*fields.text, *([] if fields.id is None else [fields.id])]))
    first = 1
    for batch in reader.batches(needed):
        found = columns.documents(batch, name, first)
        first += batch.num_rows
        if fields.id is None:
            yield from found
            continue
        for document, identifier in zip(found, batch.column(fields.id), strict=True):
            value = identifier.as_py()
            yield document._replace(id=None if value is None else str(value))


def checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch. Raises ``ArrowInvalid`` if its parts contradict each other, as in a damaged file.

    subtle: pyarrow takes offsets, indices and counts as they are, and crashes where they lead. Bytes that are not UTF-8 are
    no such fault: they are an error in their row.
    """
    batch.validate()
    for column in batch.columns:
        as_bytes = _as_bytes(column.type)
        (column if as_bytes == column.type else column.view(as_bytes)).validate(full=True)
    return batch


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    """The type with bytes in place of all strings in it, which has the same buffers."""
    types, as_bytes = pa.types, _BYTES_OF.get(kind, kind)
    if isinstance(kind, pa.BaseExtensionType):
        as_bytes = _as_bytes(kind.storage_type)
    elif types.is_dictionary(kind):
        as_bytes = pa.dictionary(kind.index_type, _as_bytes(kind.value_type), kind.ordered)
    elif types.is_struct(kind):
        as_bytes = pa.struct([field.with_type(_as_bytes(field.type)) for field in kind])
    elif types.is_map(kind):
        as_bytes = pa.map_(_as_bytes(kind.key_type), _as_bytes(kind.item_type), kind.keys_sorted)
    elif types.is_fixed_size_list(kind):
        as_bytes = pa.list_(_as_bytes(kind.value_type), kind.list_size)
    else:
        made = next((made for is_list, made in _LISTS if is_list(kind)), None)
        as_bytes = made(_as_bytes(kind.value_type)) if made else as_bytes
    return as_bytes


def small(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in pieces that are small enough to be handed on."""
    rows = rows_of(batch.num_rows, batch.nbytes)
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def rows_of(rows: int, size: int) -> int:
    """The rows of a small batch, of so many with this size in bytes.

    >>> rows_of(1_000_000, 100_000_000), rows_of(10, 1_000_000_000)
    (1000, 1)
    """
    return max(1, min(_ROWS, _BYTES * rows // max(size, 1)))


@contextmanager
def readable(name: str, kind: str) -> Iterator[None]:
    """Turns what pyarrow raises for a file into ``InputError``."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, IndexError) as error:  # the last two: damaged names
        raise InputError(f"{name} cannot be read as {kind}: {(str(error) or repr(error)).splitlines()[0]}") from error
    except UsageError as error:  # of its columns
        raise InputError(f"{name}: {error}") from error
