"""Arrow record batches -> the same batches with the columns of the answers. Needs pyarrow: the extra ``arrow``.

Every engine that can hand over record batches runs ``tag_batch``: pandas, Polars and DuckDB in their own process, Dask, Ray
Data and Spark (``spark.py``) in their workers. A row that cannot be tagged has an error in its place and never ends the job.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from sotag_edge import models
from sotag_edge.bundle import Bundle, bundle_digest
from sotag_edge.classifier import Classifier
from sotag_edge.document import Document, Result
from sotag_edge.errors import InputError, ModelError, NotTextError, UsageError
from sotag_edge.formats.decoding import LONGEST, fault_of, is_surely_text
from sotag_edge.markup import strip_markup
from sotag_edge.pipeline import results_in_batches

Model = str | os.PathLike[str] | Bundle | None

_ROWS = 1000  # whose texts are Python strings at a time
_MOST_LISTED = 20  # names in an error
_LOADING = Lock()  # of several threads that need a classifier, one loads it


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a batch that are read, and those that are added.

    ``text``: the columns of the text; several are joined by a line end. ``labels``: those that may be answered.
    ``multi_label``: whether a text may have several. ``html``: markup is removed. ``scores``: a column for the score of each
    label. ``prefix``: what the names of our columns begin with. ``force``: texts that look binary are tagged.
    """

    text: tuple[str, ...]
    labels: tuple[str, ...]
    multi_label: bool = False
    html: bool = False
    scores: bool = False
    prefix: str = ""
    force: bool = False

    @classmethod
    def of(cls, classifier: Classifier, text: str | Sequence[str], **options: Any) -> Columns:
        """The columns for a classifier. Raises ``UsageError`` if no column of the text is named."""
        names = (text,) if isinstance(text, str) else tuple(text)
        if not names:
            raise UsageError("name at least one column with the text")
        return cls(names, classifier.answerable, classifier.is_multi_label, **options)

    def added(self) -> list[pa.Field]:
        """Our columns: ``label`` (``labels`` of a multi-label model), ``score``, ``reason``, ``error``, then the scores."""
        answer = pa.field("labels", pa.list_(pa.string())) if self.multi_label else pa.field("label", pa.string())
        fields = [
            answer,
            pa.field("score", pa.float64()),
            pa.field("reason", pa.string()),
            pa.field("error", pa.string()),
        ]
        if self.scores:
            fields += [pa.field(f"score_{label}", pa.float64()) for label in self.labels]
        return [field.with_name(self.prefix + field.name) for field in fields]

    def check(self, schema: pa.Schema) -> None:
        """Raise ``UsageError`` unless batches with this schema have the columns of the text."""
        for name in self.text:
            check_is_one(name, schema.names)
            kind = schema.field(name).type
            if not _is_text(kind):
                raise UsageError(f"the column {name!r} has the type {kind}, not text: cast it to string")

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """The schema of the tagged batches; metadata stay. Raises ``UsageError`` if the batches cannot be tagged."""
        self.check(schema)
        for ours in self.added():
            if ours.name in schema.names:
                raise UsageError(
                    f"there is a column {ours.name!r} already: give ours a prefix, such as 'predicted_' (prefix, --prefix)"
                )
            schema = schema.append(ours)
        return schema

    def documents(self, batch: pa.RecordBatch, source: str | None = None, first: int = 1) -> Iterator[Document]:
        """The text of each row, or why it has none.

        ``source``: the file of the batch, for errors that are shown elsewhere; ``first``: the number of its first row.
        """
        columns = [batch.column(name) for name in self.text]
        for start in range(0, batch.num_rows, _ROWS):
            rows = zip(*(_texts(column.slice(start, _ROWS)) for column in columns), strict=True)
            for number, values in enumerate(rows, first + start):
                yield self._document("" if source is None else f"{source}:{number}", values)

    def _document(self, source: str, values: tuple[str | _Fault, ...]) -> Document:
        place = f"{source}: " if source else ""
        texts = []
        for name, value in zip(self.text, values, strict=True):
            if isinstance(value, _Fault):
                return Document(source, error=InputError(f"{place}the column {name!r} {value.reason}"))
            texts.append(value)
        text = "\n".join(texts)
        if not (self.force or is_surely_text(text)) and (fault := fault_of(text)):
            return Document(source, error=NotTextError(f"{place}the text {fault}"))
        return Document(source, strip_markup(text) if self.html else text)

    def answers(self, results: Iterable[Result]) -> pa.RecordBatch:
        """Our columns for these results."""
        labels: list[Any] = []
        numbers: list[list[float | None]] = [[] for _ in range(1 + (len(self.labels) if self.scores else 0))]
        reasons: list[str | None] = []
        errors: list[str | None] = []
        for result in results:
            answer = result.prediction
            errors.append(result.error)
            reasons.append(answer.reason.value if answer and answer.reason else None)
            labels.append(answer and (answer.labels if self.multi_label else answer.label))
            row = [answer.score, *(answer.scores.values() if self.scores else ())] if answer else [None] * len(numbers)
            for column, score in zip(numbers, row, strict=True):
                column.append(score)
        fields = self.added()
        values = [labels, numbers[0], reasons, errors, *numbers[1:]]
        arrays = [pa.array(column, field.type) for column, field in zip(values, fields, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def tag_batch(
    batch: pa.RecordBatch,
    text: str | Sequence[str] = "text",
    *,
    model: Model = None,
    threshold: float | None = None,
    only: Sequence[str] | None = None,
    html: bool = False,
    scores: bool = False,
    prefix: str = "",
) -> pa.RecordBatch:
    """The batch, with the answer to the text of each row in columns at its end.

    | column | type | null |
    |---|---|---|
    | ``label`` | string: a label of the model, or ``unknown`` | in a row with an error |
    | ``labels``, of a multi-label model instead | list of strings, best first; empty for ``unknown`` | as above |
    | ``score`` | double, from 0 to 1: that of the label, or of the best one | as above |
    | ``reason`` | string: why the answer is ``unknown`` | for all other answers |
    | ``error`` | string: why the row has no answer | in a row with an answer |
    | ``score_...``, with ``scores`` | double: the score of each label | in a row with an error |

    ``text``: the column of the text, or several, which are joined by a line end. Its type is string, large_string,
    string_view, binary, large_binary, binary_view, fixed_size_binary or null, or a dictionary of these. A text that is null,
    not UTF-8, longer than 16 MiB or no text at all is an error in its row. ``model``: a name, a path, or a ``Bundle``, which
    can be pickled and sent to other machines. Each process loads it once, found by the hash of its bundle. ``threshold``,
    ``only``: those of ``Classifier``. ``html``: remove markup. ``prefix``: what the names of our columns begin with.

    Scores are those of ``Classifier.classify``, to the bit. Several threads may call this at once. Raises ``UsageError`` if
    there is no such column, it is not text, or one of ours exists already; and what ``Classifier.load`` raises.
    """
    if not isinstance(batch, pa.RecordBatch):
        raise UsageError(
            f"tag_batch takes a pyarrow.RecordBatch, not a {type(batch).__name__}: hand over those of a table one by one "
            "(Table.to_batches), or see docs/recipes"
        )
    classifier = classifier_of(model, threshold, only)
    columns = Columns.of(classifier, text, html=html, scores=scores, prefix=prefix)
    schema = columns.schema(batch.schema)
    answers = columns.answers(results_in_batches(columns.documents(batch), classifier))
    return pa.RecordBatch.from_arrays([*batch.columns, *answers.columns], schema=schema)


def tagged_schema(
    schema: pa.Schema,
    text: str | Sequence[str] = "text",
    *,
    model: Model = None,
    only: Sequence[str] | None = None,
    scores: bool = False,
    prefix: str = "",
) -> pa.Schema:
    """The schema of what ``tag_batch`` makes of batches with this schema, for engines that ask for it before they run.

    Raises what ``tag_batch`` does.
    """
    classifier = classifier_of(model, None, only)
    return Columns.of(classifier, text, scores=scores, prefix=prefix).schema(schema)


def classifier_of(model: Model = None, threshold: float | None = None, only: Sequence[str] | None = None) -> Classifier:
    """The classifier of this process for a model, loaded once. Raises what ``Classifier.load`` does."""
    if isinstance(only, str):
        only = [only]
    labels = None if only is None else tuple(only)
    if isinstance(model, Bundle):
        found = _Found(model.digest, model)
    else:
        folder = models.find(model)
        found = _Found(bundle_digest(folder), folder)
    with _LOADING:
        return _loaded(found, threshold, labels)


def check_is_one(name: str, names: Sequence[str]) -> None:
    """Raise ``UsageError`` unless there is one column of this name for the text."""
    count = names.count(name)
    if count != 1:
        listed = ", ".join(map(repr, names[:_MOST_LISTED])) or "none"
        more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
        fault = f"are {count} columns" if count else "is no column"
        raise UsageError(f"there {fault} {name!r} for the text; the columns are: {listed}{more}")


@dataclass(frozen=True, slots=True)
class _Found:
    """A bundle, equal to each other one with the same digest."""

    digest: str
    bundle: Bundle | Path = field(compare=False)


@lru_cache(maxsize=8)
def _loaded(found: _Found, threshold: float | None, only: tuple[str, ...] | None) -> Classifier:
    if isinstance(found.bundle, Bundle):
        return Classifier(found.bundle, threshold, only)
    classifier = Classifier.load(found.bundle, threshold, only)
    if classifier.bundle.digest != found.digest:
        raise ModelError(f"{found.bundle} was changed while it was read: try again")
    return classifier


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a value is not a text, in words that follow its column."""

    reason: str


_NULL = _Fault("is null, not a text")
_NOT_UTF8 = _Fault("is not valid UTF-8")
_TOO_LONG = _Fault(f"is longer than {LONGEST // 1024**2} MiB, the longest text")


def _is_text(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _is_text(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    types = pa.types
    strings = (types.is_string, types.is_large_string, types.is_string_view, types.is_null)
    contents = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(is_kind(kind) for is_kind in (*strings, *contents))


def _texts(column: pa.Array) -> Iterable[str | _Fault]:
    """The text of each value, or its fault."""
    if isinstance(column.type, pa.BaseExtensionType):
        return _texts(column.storage)
    if pa.types.is_dictionary(column.type):
        return _of_dictionary(column)
    if pa.types.is_null(column.type):
        return (_NULL for _ in range(len(column)))
    kind = column.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if is_text and column.nbytes <= LONGEST:
        try:
            return [_NULL if value is None else value for value in column.to_pylist()]
        except UnicodeDecodeError:  # pyarrow does not check what it is given
            pass
    return map(_text, column)


def _of_dictionary(column: pa.DictionaryArray) -> Iterator[str | _Fault]:
    """The same for a dictionary, of which only the values that occur are read, each once: it may be larger than a batch."""
    known: dict[int | None, str | _Fault] = {None: _NULL}
    for place in column.indices.to_pylist():
        if place not in known:
            [known[place]] = _texts(column.dictionary.slice(place, 1))
        yield known[place]


def _text(value: Any) -> str | _Fault:
    """The text of a single value, of which nothing is copied before its length is known."""
    content = value.as_buffer()
    if content is None:
        return _NULL
    if content.size > LONGEST:
        return _TOO_LONG
    try:
        return str(content.to_pybytes(), "utf-8")
    except UnicodeDecodeError:
        return _NOT_UTF8
