"""Records: a text that is one or more fields of a record, with an identifier and a label in others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sotag_edge.document import Document
from sotag_edge.errors import InputError

_MOST_NAMES = 20  # in an error
_SUFFIX = "\0"  # in the key of a repeated column; no name of a column has it


class Fields(NamedTuple):
    """The names of a record's fields: ``text`` (several are joined by a line end), its ``id`` and its ``label``.

    ``delimiter``: the character between the fields of CSV; ``None`` recognises it.
    """

    text: Sequence[str] = ("text",)
    id: str | None = None
    label: str | None = None
    delimiter: str | None = None

    def roles(self) -> dict[str, str]:
        """Each field by its name, with the role that it has, for errors."""
        roles = dict.fromkeys(self.text, "text")
        for field, role in ((self.id, "identifier"), (self.label, "label")):
            if field is not None:
                roles.setdefault(field, role)
        return roles


class Number(str):
    """A number of a JSON record, as it is written there: 1e400 and 10,000 digits are not those of a float or an int."""

    __slots__ = ()


def record_document(source: str, record: Mapping[str, Any], fields: Fields, replaced: bool) -> Document:
    """The document of a record. A text must be a string; a null is no identifier and no label; a label may be a list."""
    for field, role in fields.roles().items():
        if field not in record:
            error = InputError(f"{source} has {_lacking(field, role, record)}")
            return Document(source, error=error, record=record)
        if fault := _fault(record[field], role):
            error = InputError(f"{source}: the field {field!r} is {fault}")
            return Document(source, error=error, record=record)
    text = "\n".join(record[field] for field in fields.text)
    identifier = _optional(record.get(fields.id) if fields.id is not None else None)
    label = _label(record.get(fields.label) if fields.label is not None else None)
    return Document(source, text, id=identifier, label=label, record=record, replaced=replaced)


def header_fault(header: Sequence[str], fields: Fields) -> str | None:
    """Why the header of a table does not do for these fields, in words that follow the table's name; ``None`` if it does.

    >>> header_fault(["text", "tag", "tag"], Fields(label="tag"))
    "has the field 'tag' twice in its header"
    """
    counts = Counter(header)
    for field, role in fields.roles().items():
        if not counts[field]:
            return f"has {_lacking(field, role, header)}"
        if counts[field] > 1:
            return f"has the field {field!r} twice in its header"
    return None


def column_keys(header: Iterable[str]) -> list[str]:
    """The keys of a table's columns in its records: their names, with a suffix if a column before has the same name.

    >>> [column_name(key) for key in column_keys(["tag", "tag"])]
    ['tag', 'tag']
    """
    counts: Counter[str] = Counter()
    keys = []
    for name in header:
        counts[name] += 1
        keys.append(name if counts[name] == 1 else f"{name}{_SUFFIX}{counts[name]}")
    return keys


def column_name(key: str) -> str:
    """The name of the column that has this key."""
    return key.partition(_SUFFIX)[0]


def distinct_names(record: Mapping[str, Any]) -> dict[str, Any]:
    """A table's record with a name of its own for each column, as JSON needs it.

    >>> distinct_names(dict(zip(column_keys(["tag", "tag", "tag_2"]), "abc")))
    {'tag': 'a', 'tag_2_': 'b', 'tag_2': 'c'}
    """
    named: dict[str, Any] = {}
    for key, value in record.items():
        name = key.replace(_SUFFIX, "_")
        while name != key and (name in record or name in named):
            name += "_"
        named[name] = value
    return named


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


def intact(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents; one whose record has bytes that are not UTF-8 gets an error: written again, it would be changed."""
    for document in documents:
        if document.record is not None and (
            document.replaced or any("\N{REPLACEMENT CHARACTER}" in name for name in document.record)
        ):
            error = InputError(
                f"{document.source} has bytes that are not UTF-8, which --merge would change: convert the file "
                "(iconv -f WINDOWS-1252 -t UTF-8)"
            )
            yield Document(document.source, error=error, id=document.id)
        else:
            yield document


def _lacking(field: str, role: str, names: Collection[str]) -> str:
    listed = ", ".join(repr(column_name(name)) for name in list(names)[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"no field {field!r} for the {role}; its fields are: {listed or 'none'}{more}"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = ((Number, "a number"), (str, "a string"), (bool, "a boolean"), (dict, "an object"), (list, "a list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "a number")


def _fault(value: object, role: str) -> str | None:
    """Why a value does not do for its role, in words that follow "is"; ``None`` if it does."""
    if type(value) is str:  # nearly always
        return None
    kind = _kind(value)
    if role == "label" and isinstance(value, list):
        bad = next((inner for inner in map(_kind, value) if inner in ("null", "a list", "an object")), None)
        return f"a list with {bad} in it, not of labels" if bad else None
    if kind != "a string" and (role == "text" or kind in ("a list", "an object")):
        return f"{kind}, not a text"
    return None


def _optional(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _label(value: Any) -> str | tuple[str, ...] | None:
    return tuple(str(_optional(entry)) for entry in value) if isinstance(value, list) else _optional(value)
