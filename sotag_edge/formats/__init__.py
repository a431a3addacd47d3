"""Files and streams -> documents, lazily, one at a time. Decides nothing about tags and prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.errors import InputError
from sotag_edge.formats.forms import Fields, InputForm, read
from sotag_edge.sources import READ_ERRORS, STDIN, Folders, expand, opened

__all__ = ["STDIN", "Document", "Fields", "Folders", "InputForm", "read_documents", "without_markup"]

_NO_FOLDERS = Folders()
_TEXT_FIELD = Fields()


def read_documents(
    paths: Iterable[str],
    stdin: BinaryIO,
    *,
    form: InputForm | None = None,
    fields: Fields = _TEXT_FIELD,
    folders: Folders = _NO_FOLDERS,
    html: bool = False,
) -> Iterator[Document]:
    """The documents of each path in order, ``-`` being standard input; one that cannot be read gives one with the error.

    ``form``: how each is cut into texts; where it is ``None``, a file is one text and each line of standard input is one.
    ``html``: markup is taken out of each text.
    """
    for path in expand(paths, folders):
        for document in _read_source(path, stdin, form, fields):
            yield without_markup(document) if html else document


def without_markup(document: Document) -> Document:
    """The document with the text that is in its markup."""
    from sotag_edge.markup import strip_markup

    return document._replace(text=strip_markup(document.text))


def _read_source(path: str, stdin: BinaryIO, form: InputForm | None, fields: Fields) -> Iterator[Document]:
    name = "stdin" if path == STDIN else path
    usual = InputForm.LINES if path == STDIN else InputForm.TEXT
    try:
        with opened(path, stdin) as stream:
            yield from read(form or usual, stream, name, fields)
    except InputError as error:
        yield Document(name, error=error)
    except READ_ERRORS as error:
        yield Document(name, error=InputError(f"{name} cannot be read to its end: {error}"))
