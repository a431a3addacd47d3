"""The formats of texts and of results: one file and one line in ``FORMATS`` per format.

The module of a format is named after it. A format that can be read has ``read(stream, name, fields)``, which yields
documents; one that can be written has a class ``Writer(stream, layout)``. A module is loaded when its format is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO, Protocol, TextIO

from sotag_edge.document import Document, Result
from sotag_edge.errors import InputError, NotTextError
from sotag_edge.formats.decoding import decoded, fault_of, is_surely_text
from sotag_edge.formats.fields import Layout
from sotag_edge.formats.records import Fields
from sotag_edge.sources import READ_ERRORS, STDIN, Folders, expand, opened, opened_as_bytes, plain_content
from sotag_edge.streams import before_each_read

__all__ = ["FORMATS", "Fields", "Format", "Layout", "Writer", "checked", "read_documents", "without_markup"]


class Writer(Protocol):
    """Writes results to a stream. The caller flushes it.

    Sources and records are the user's text: control characters in them never reach a terminal or break a row.
    """

    def write(self, result: Result) -> None:
        """Write one result."""

    def close(self) -> None:
        """Write the end of the output."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its name in ``--from`` and ``--to``.

    ``reads``, ``writes``: the directions that it has. ``has_records``: its texts are fields of records; ``is_table``: all
    of which have the same fields. ``can_merge``: its writer can add the answer to the record that a text comes from.
    ``has_ids``: its texts have identifiers of their own. ``removes_markup``: its reader does, so ``--html`` must not.
    ``suffixes``: of a format whose files have Arrow columns, which it needs pyarrow for; they are bytes, not text.
    """

    name: str
    reads: bool = False
    writes: bool = False
    has_records: bool = False
    is_table: bool = False
    can_merge: bool = False
    has_ids: bool = False
    removes_markup: bool = False
    suffixes: tuple[str, ...] = ()

    @property
    def has_columns(self) -> bool:
        """Whether its files have Arrow columns."""
        return bool(self.suffixes)

    def read(self, stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
        """The documents of a stream, lazily. A text that cannot be read is a document with an error; reading goes on."""
        documents: Iterator[Document] = self._module().read(stream, name, fields)
        return documents

    def writer(self, stream: TextIO, layout: Layout) -> Writer:
        """A writer to a stream. It may write a header at once."""
        writer: Writer = self._module().Writer(stream, layout)
        return writer

    def merges(self, records: Format | None) -> bool:
        """Whether this format can merge answers into the records of another one."""
        if not self.can_merge or records is None or records.has_columns:  # which have values of many types
            return False
        return records.has_records and (records.is_table or not self.is_table)

    def _module(self) -> Any:
        return import_module(f"{__name__}.{self.name.replace('-', '_')}")


def _columns(name: str, suffixes: tuple[str, ...]) -> Format:
    return Format(name, reads=True, writes=True, has_records=True, is_table=True, suffixes=suffixes)


FORMATS = {
    entry.name: entry
    for entry in (
        Format("text", reads=True),
        Format("lines", reads=True),
        Format("nul", reads=True),
        Format("table", writes=True),
        Format("tsv", reads=True, writes=True, has_records=True, is_table=True, can_merge=True),
        Format("csv", reads=True, writes=True, has_records=True, is_table=True, can_merge=True),
        Format("json", writes=True, can_merge=True),
        Format("jsonl", reads=True, writes=True, has_records=True, can_merge=True),
        Format("posts-xml", reads=True, has_ids=True, removes_markup=True),
        _columns("parquet", (".parquet", ".pq")),
        _columns("arrow", (".arrow", ".feather", ".ipc")),
    )
}


_NO_FOLDERS = Folders()
_TEXT_FIELD = Fields()


def read_documents(
    paths: Iterable[str],
    stdin: BinaryIO,
    *,
    input_format: Format | None = None,
    fields: Fields = _TEXT_FIELD,
    folders: Folders = _NO_FOLDERS,
    html: bool = False,
    force: bool = False,
    before_read: Callable[[], None] | None = None,
) -> Iterator[Document]:
    """The documents of each path in order, lazily; ``-`` is standard input. A path that cannot be read gives an error.

    ``input_format``: how each stream is split into texts; by default a file is one text and each line of standard input is
    one. ``html``: remove markup from each text. An input that is binary has a ``NotTextError``; ``force`` reads it as text.
    ``before_read`` is called before each read from the system, which may have to wait.
    """
    if before_read:
        stdin = before_each_read(stdin, before_read)
    for path in expand(paths, folders):
        if isinstance(path, Document):
            yield path
            continue
        chosen = input_format or FORMATS["lines" if path == STDIN else "text"]
        has_markup = html and not chosen.removes_markup
        for document in _read_source(path, stdin, chosen, fields, force, before_read):
            ready = document if force else checked(document)
            yield without_markup(ready) if has_markup else ready


def checked(document: Document) -> Document:
    """The document; with an error in place of its text if it is binary."""
    if is_surely_text(document.text) or document.error or not (fault := fault_of(document.text)):
        return document
    error = NotTextError(f"{document.source} {fault}")
    return Document(document.source, error=error, id=document.id, record=document.record)


def without_markup(document: Document) -> Document:
    """The document with the markup removed from its text."""
    from sotag_edge.markup import strip_markup

    return document._replace(text=strip_markup(document.text))


def _read_source(
    path: str,
    stdin: BinaryIO,
    input_format: Format,
    fields: Fields,
    force: bool,
    before_read: Callable[[], None] | None,
) -> Iterator[Document]:
    name = "stdin" if path == STDIN else path
    if before_read:
        before_read()
    if input_format.has_columns:
        try:
            with opened_as_bytes(path, stdin) as stream:
                yield from input_format.read(stream, name, fields)
        except InputError as error:
            yield Document(name, error=error)
        return
    content = plain_content(path) if input_format.name == "text" else None
    if content is not None:
        yield decoded(name, content)
        return
    try:
        with opened(path, stdin, force=force, before_read=before_read) as stream:
            yield from input_format.read(stream, name, fields)
    except InputError as error:
        yield Document(name, error=error)
    except READ_ERRORS as error:
        yield Document(name, error=InputError(f"{name} cannot be read to its end: {error}"))
