"""``csv``: comma-separated values with a header. ``tsv.py`` reads by the same rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, TextIO

from sotag_edge.document import Document
from sotag_edge.errors import InputError
from sotag_edge.formats.csv_lines import Lines
from sotag_edge.formats.decoding import LONGEST
from sotag_edge.formats.fields import Layout
from sotag_edge.formats.records import Fields, column_keys, header_fault, record_document
from sotag_edge.formats.rows import RowWriter

_DELIMITERS = ",;\t|"
_NAMED = re.compile("sep=(.)\r?\n")  # the first line that Excel writes and reads
_TOO_LONG = f"a line is longer than {LONGEST // 1024**2} MiB"
_LONGEST_FIELD = 2**31 - 1  # characters; the library's own limit is 128 KB


def read(stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """One document per row after the header. Without ``fields.delimiter``: a comma, unless another one finds the text."""
    return read_rows(stream, name, fields, "CSV", fields.delimiter or _DELIMITERS, strict=True)


def read_rows(
    stream: BinaryIO, name: str, fields: Fields, kind: str, delimiters: str, **dialect: Any
) -> Iterator[Document]:
    """The documents of a table. The first row that is not blank has the names of the fields, and blank lines are left out.

    A row that is not as it should be is a document with an error. The source of a record is the line of its end, that of
    one that cannot be parsed the line of its start. ``kind``: the name of the format in errors; ``delimiters``: the first
    one by which the header has the fields of the text is taken; ``dialect``: the other parameters of ``csv.reader``.
    """
    import csv

    csv.field_size_limit(_LONGEST_FIELD)
    lines = Lines(stream, has_quotes="quoting" not in dialect)
    try:
        header, delimiter = _header(lines, fields, delimiters, dialect)
    except csv.Error as error:
        yield Document(name, error=InputError(f"the header of {name} is not valid {kind}: {error}"))
        return
    fault = header_fault(header, fields) if header else "is empty: it has no header"
    if fault:
        yield Document(name, error=InputError(f"{name} {fault}"))
        return
    keys = column_keys(header)
    rows = csv.reader(lines, delimiter=delimiter, **dialect)
    while True:
        lines.begin()
        try:
            row = next(rows, None)
        except csv.Error as error:
            reason = "a quote is never closed" if lines.end_bad_record(delimiter) else error
            source = f"{name}:{lines.record[0].number}"
            yield Document(source, error=InputError(f"{source} is not valid {kind}: {reason}"))
            continue
        if row is None:
            return
        if row or not lines.are_whole():
            yield _document(f"{name}:{lines.record[-1].number}", keys, row, fields, lines)


def _header(lines: Lines, fields: Fields, delimiters: str, dialect: dict[str, Any]) -> tuple[list[str], str]:
    """The names of the fields and the delimiter; no names if the stream is blank. Raises ``csv.Error``."""
    import csv

    is_blank = True
    while is_blank:
        lines.begin()
        line = next(lines, "end")
        named = _NAMED.match(line) if len(delimiters) > 1 else None
        if named:
            delimiters = named[1]
        is_blank = bool(named) or (not line.strip(_DELIMITERS + " \r\n") and lines.are_whole())
    lines.give_back(0)
    for delimiter in delimiters:
        try:
            header = _parsed(lines, delimiter, dialect)
        except csv.Error:
            header = []
        if set(fields.text) <= set(header):
            return header, delimiter
        lines.give_back(0)
    headers = [(_parsed(lines, delimiters[0], dialect), delimiters[0])]
    for delimiter in delimiters[1:]:  # an error names the fields, so those of the likeliest delimiter
        lines.give_back(0)
        with suppress(csv.Error):
            headers.append((_parsed(lines, delimiter, dialect), delimiter))
    return max(headers, key=lambda header: len(header[0]))


def _parsed(lines: Lines, delimiter: str, dialect: dict[str, Any]) -> list[str]:
    import csv

    lines.begin()
    header = next(csv.reader(lines, delimiter=delimiter, **dialect), [])
    if not lines.are_whole():
        raise csv.Error(_TOO_LONG)
    return header


def _document(source: str, keys: list[str], row: list[str], fields: Fields, lines: Lines) -> Document:
    """The document of a row. One with too few or too many fields keeps those that have a name."""
    record: dict[str, Any] = dict.fromkeys(keys) | dict(zip(keys, row, strict=False))
    replaced = any(line.replaced for line in lines.record)
    if not lines.are_whole():
        fault = f"is not valid: {_TOO_LONG}"
    elif len(row) > len(keys):
        fault = f"has {_count(row)}, more than the {len(keys)} of the header"
    elif len(row) < len(keys):
        fault = f"has {_count(row)}, fewer than the {len(keys)} of the header"
    else:
        return record_document(source, record, fields, replaced)
    return Document(source, error=InputError(f"{source} {fault}"), record=record, replaced=replaced)


def _count(row: list[str]) -> str:
    return "1 field" if len(row) == 1 else f"{len(row)} fields"


class Writer(RowWriter):
    """A header, then one row per result."""

    has_header = True

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        import csv

        self._csv = csv.writer(stream, lineterminator="\n")
        super().__init__(stream, layout)

    def write_row(self, texts: list[str]) -> None:
        """Write the cells, quoted where they must be."""
        self._csv.writerow(texts)
