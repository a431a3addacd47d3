"""A file of records, such as ``questions.csv`` -> texts with their labels: a text field and a label field per record."""

from __future__ import annotations

from pathlib import Path

from sotag_convert.data.reading import Reader
from sotag_edge.errors import InputError, UsageError
from sotag_edge.formats import FORMATS, Fields, Format

LABEL_FIELD = "label"
_FORMATS = [name for name, entry in FORMATS.items() if entry.reads and entry.has_records]


def read_records(path: str, fields: Fields | None, input_format: str | None, reader: Reader) -> list[tuple[str, str]]:
    """The text and the label of each record.

    ``fields``: by default ``text`` and ``label``. ``input_format``: the name of the format, by default that of the file's
    suffix. Raises ``InputError`` for a record without a label, and ``UsageError`` for a format without records.
    """
    fields = fields or Fields()
    fields = fields._replace(label=fields.label or LABEL_FIELD)
    pairs = []
    for document in reader.read(path, input_format=_format(path, input_format), fields=fields):
        if document.label is None or not document.label.strip():
            raise InputError(f"{document.source}: the label field {fields.label!r} is empty")
        pairs.append((document.text, document.label))
    return pairs


def _format(path: str, name: str | None) -> Format:
    names = f"{', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"
    if name is not None and name not in _FORMATS:
        raise UsageError(f"{name!r} is not a format of records with labels: use {names}")
    chosen = name or Path(path.removesuffix(".gz")).suffix[1:].lower()
    if chosen not in _FORMATS:
        raise InputError(f"the name of {path} does not end with a format of records: name the format, {names}")
    return FORMATS[chosen]
