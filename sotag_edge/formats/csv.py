"""``csv``: comma-separated values with a header. ``tsv.py`` reads by the same rules."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

from sotag_edge.document import Document
from sotag_edge.errors import InputError
from sotag_edge.formats.decoding import decode
from sotag_edge.formats.fields import Layout
from sotag_edge.formats.records import Fields, record_document
from sotag_edge.formats.rows import RowWriter
from sotag_edge.terminal import printable

_LONE_RETURN = re.compile(r"\r(?!\n)")
_SURPLUS: Any = object()  # the key of the values that have no field in the header
_LONGEST_FIELD = 2**31 - 1  # characters; the library's own limit is 128 KB


def read(stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """One document per row after the header."""
    return read_rows(stream, name, fields, "CSV", strict=True)


def read_rows(stream: BinaryIO, name: str, fields: Fields, kind: str, **dialect: Any) -> Iterator[Document]:
    """The documents of a table. The first row has the names of the fields; the source of a record is the line of its end.

    ``kind``: the name of the format in errors; ``dialect``: the parameters of ``csv.reader``.
    """
    import csv

    csv.field_size_limit(_LONGEST_FIELD)
    lines = _Lines(stream)
    rows: csv.DictReader[Any] = csv.DictReader(lines, restkey=_SURPLUS, **dialect)
    repeated = [field for field, count in Counter(rows.fieldnames or ()).items() if count > 1]
    if repeated:
        yield Document(name, error=InputError(f"{name} has the field {repeated[0]!r} twice in its header"))
        return
    while True:
        lines.replaced = False
        start = rows.line_num + 1
        try:
            record = next(rows, None)
        except csv.Error as error:
            source = f"{name}:{start}"
            yield Document(source, error=InputError(f"{source} is not valid {kind}: {error}"))
            continue
        if record is None:
            return
        source = f"{name}:{rows.line_num}"
        if _SURPLUS in record:
            del record[_SURPLUS]
            too_many = InputError(f"{source} has more fields than the header")
            yield Document(source, error=too_many, record=record, replaced=lines.replaced)
        else:
            yield record_document(source, record, fields, lines.replaced)


class _Lines:
    """The decoded lines of a stream. ``replaced``: whether bytes were replaced since it was last set to ``False``."""

    def __init__(self, stream: BinaryIO) -> None:
        self.replaced = False
        self._lines = enumerate(stream)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = next(self._lines)
        text, replaced = decode(line.removeprefix(codecs.BOM_UTF8) if number == 0 else line)
        self.replaced = self.replaced or replaced
        # The library stops at a NUL before Python 3.11, and always at a lone carriage return.
        return _LONE_RETURN.sub(" ", text.replace("\0", "\N{REPLACEMENT CHARACTER}"))


class Writer(RowWriter):
    """A header, then one row per result."""

    has_header = True

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        import csv

        self._csv = csv.writer(stream, lineterminator="\n")
        super().__init__(stream, layout)

    def write_row(self, texts: list[str]) -> None:
        """Write the cells, quoted where they must be."""
        self._csv.writerow([_cell(text) for text in texts])


def _cell(text: str) -> str:
    """A cell: line ends and tabs stay, quoted; other control characters are replaced."""
    return "".join(mark if mark in "\n\t" else printable(mark) for mark in text.replace("\r\n", "\n"))
