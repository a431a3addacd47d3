"""A file of labelled texts -> its parts: records with a text and a label field, fastText's lines, a dump of posts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from sotag_convert.data.fasttext import PREFIX, labelled_lines
from sotag_convert.data.labels import label_set
from sotag_convert.data.reading import Reader
from sotag_convert.data.settings import LABEL_FIELD, SPLIT_FIELD, DataSettings
from sotag_convert.data.texts import PARTS, Parts, Texts
from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.document import Document
from sotag_edge.errors import InputError, UsageError
from sotag_edge.formats import FORMATS, Format
from sotag_edge.sources import READ_ERRORS, STDIN, opened

FASTTEXT, POSTS = "fasttext", "posts-xml"
RECORDS = tuple(name for name, entry in FORMATS.items() if entry.reads and entry.has_records and not entry.has_columns)
READABLE = (*RECORDS, FASTTEXT, POSTS)
"""The formats of labelled texts, by their names in ``--from``."""
_SUFFIXES = {"json": "jsonl", "ndjson": "jsonl", **{name: name for name in (*RECORDS, FASTTEXT)}}
_HEAD = 4096  # bytes
_BEFORE_TEXT = b"\xef\xbb\xbf \t\r\n"


def read_file(path: str, settings: DataSettings, reader: Reader, parts: Parts) -> None:
    """Add the labelled texts of a file, or of standard input, to the parts that they are in.

    Raises ``InputError`` for a record without a label or with another fault, and ``UsageError`` for another format.
    """
    name = format_of(path, settings.input_format)
    if name == FASTTEXT:
        for document in labelled_lines(reader.read(path, input_format=FORMATS["lines"])):
            _add(parts.train, document, "the label")
    elif name == POSTS:
        for document in _tagged(reader.read(path, input_format=FORMATS[POSTS]), reader):
            _add(parts.train, document, "the tags")
    else:
        _read_records(path, FORMATS[name], settings, reader, parts)


def format_of(path: str, name: str | None) -> str:
    """The name of a file's format: ``name``, else by its suffix, else by its first line. Raises ``SotagEdgeError``."""
    names = f"{', '.join(READABLE[:-1])} or {READABLE[-1]}"
    if name is not None and name not in READABLE:
        raise UsageError(f"{name!r} is not a format of texts with labels: use {names}")
    if name is not None:
        return name
    if path == STDIN:
        raise UsageError(f"the format of standard input must be named: --from {names}")
    file = Path(path.removesuffix(".gz")).name.lower()
    suffix = Path(file).suffix[1:]
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if file.endswith("posts.xml"):
        return POSTS
    if _begins_with_label(path):
        return FASTTEXT
    raise InputError(f"the name of {path} does not end with a format of records: name the format, {names}")


def _begins_with_label(path: str) -> bool:
    if not Path(path).is_file():  # what is read from a pipe is gone
        return False
    try:
        with opened(path, io.BytesIO(), force=True) as stream:
            return stream.read(_HEAD).lstrip(_BEFORE_TEXT).startswith(PREFIX.encode())
    except (InputError, *READ_ERRORS):
        return False


def _read_records(path: str, records: Format, settings: DataSettings, reader: Reader, parts: Parts) -> None:
    fields = settings.fields._replace(label=settings.fields.label or LABEL_FIELD)
    separator = settings.label_separator
    for document in reader.read(path, input_format=records, fields=fields):
        texts = parts.part(_part_name(document, settings.split_field))
        _add(texts, document, f"the label field {fields.label!r}", separator)
        if separator or isinstance(document.label, tuple):
            texts.is_multi_label = True


def _add(texts: Texts, document: Document, name: str, separator: str | None = None) -> None:
    """Add a document with its labels; ``name``: what they are called in an error."""
    try:
        labels = label_set(document.label, separator)
    except ValueError as error:
        raise InputError(f"{document.source}: {name} {error}") from error
    texts.add(document.text, labels)


def _part_name(document: Document, split_field: str | None) -> str:
    """The name of the part that a record is in. Raises ``InputError``."""
    record = document.record or {}
    field = SPLIT_FIELD if split_field is None else split_field
    if field not in record:
        if split_field:
            raise InputError(f"{document.source} has no field {field!r} for the split")
        return "train"
    name = str(record[field]).strip().casefold()
    if name not in PARTS:
        raise InputError(
            f"{document.source}: the split field {field!r} is {record[field]!r}, not train, validation or test: correct "
            "it, or name another field (--split-field; an empty name is none)"
        )
    return name


def _tagged(posts: Iterator[Document], reader: Reader) -> Iterator[Document]:
    """The posts that have tags. ``unknown`` is a tag as any other there, and is not read as the mark of off-topic texts."""
    for post in posts:
        tags = tuple(tag for tag in post.label or () if tag.casefold() != UNKNOWN_LABEL)
        if tags:
            yield post._replace(label=tags)
        else:
            reader.skip_untagged(post)
