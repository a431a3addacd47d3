"""Records: a text that is one or more fields of a record, with an identifier and a label in others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sotag_edge.document import Document
from sotag_edge.errors import InputError


class Fields(NamedTuple):
    """The names of a record's fields: ``text`` (several are joined by a line end), its ``id`` and its ``label``."""

    text: Sequence[str] = ("text",)
    id: str | None = None
    label: str | None = None


def record_document(source: str, record: Mapping[str, Any], fields: Fields, replaced: bool) -> Document:
    """The document of a record. A null is an empty text, and no identifier or label."""
    roles = dict.fromkeys(fields.text, "text")
    for field, role in ((fields.id, "identifier"), (fields.label, "label")):
        if field is not None:
            roles.setdefault(field, role)
    for field, role in roles.items():
        if field not in record:
            names = ", ".join(map(repr, record)) or "none"
            error = InputError(f"{source} has no field {field!r} for the {role}; its fields are: {names}")
            return Document(source, error=error, record=record)
        if isinstance(record[field], (dict, list)):
            return Document(source, error=InputError(f"{source}: the field {field!r} is not a text"), record=record)
    text = "\n".join("" if record[field] is None else str(record[field]) for field in fields.text)
    identifier, label = (_optional(record, field) for field in (fields.id, fields.label))
    return Document(source, text, id=identifier, label=label, record=record, replaced=replaced)


def one_table(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents; one whose record has other fields than the first record gets an error, for a table has one header."""
    header: list[str] | None = None
    for document in documents:
        if document.record is not None:
            header = header or list(document.record)
            if list(document.record) != header:
                error = InputError(
                    f"{document.source} has other fields than the first record, and a table has one header: "
                    "write JSON Lines instead"
                )
                yield Document(document.source, error=error, id=document.id)
                continue
        yield document


def _optional(record: Mapping[str, Any], field: str | None) -> str | None:
    value = None if field is None else record[field]
    return None if value is None else str(value)
