"""``Document``: one input and its text, or the reason that it has none. ``Result``: the answer to a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sotag_edge.errors import InputError

if TYPE_CHECKING:
    from sotag_edge.decision import Prediction


class Document(NamedTuple):
    """One input.

    ``source``: where it comes from, such as ``file.csv:12``. ``text``: its text, empty with an ``error``. ``id``: the
    identifier that the input itself has. ``label``: the label that the input itself has, in labelled data; a tuple if the
    input has a list of them. ``record``: the record that the text is a field of. ``replaced``: whether bytes that are not
    UTF-8 were replaced by U+FFFD.
    """

    source: str
    text: str = ""
    error: InputError | None = None
    id: str | None = None
    label: str | tuple[str, ...] | None = None
    record: Mapping[str, Any] | None = None
    replaced: bool = False


class Result(NamedTuple):
    """The prediction for a document, or the error in its place. The other fields are the document's."""

    source: str
    prediction: Prediction | None = None
    error: str | None = None
    id: str | None = None
    record: Mapping[str, Any] | None = None
    replaced: bool = False
