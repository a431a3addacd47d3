"""Spark DataFrames -> the same DataFrames with the columns of the answers. Needs pyspark: the extra ``spark``.

The work is that of ``arrow.py``, by ``mapInArrow``. The bundle travels within the function that Spark sends to its workers,
so no file system is shared; one of more than 1 MB is broadcast by Spark, as every such function is. A worker needs this
package in the same version, pyarrow and a TFLite runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import pyarrow as pa
from pyspark.errors import PySparkNotImplementedError
from pyspark.sql import DataFrame
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    CharType,
    DataType,
    DoubleType,
    NullType,
    StringType,
    StructField,
    StructType,
    VarcharType,
)

from sotag_edge import __version__
from sotag_edge.arrow import Columns, Model, classifier_of, tag_batch
from sotag_edge.errors import MissingDependencyError, UsageError

_TEXT = (StringType, CharType, VarcharType, BinaryType, NullType)
_TYPES: dict[pa.DataType, DataType] = {
    pa.string(): StringType(),
    pa.float64(): DoubleType(),
    pa.list_(pa.string()): ArrayType(StringType()),
}
_MOST_LISTED = 20  # names in an error


def tag(
    dataframe: DataFrame,
    text: str | Sequence[str] = "text",
    *,
    model: Model = None,
    threshold: float | None = None,
    only: Sequence[str] | None = None,
    html: bool = False,
    scores: bool = False,
    prefix: str = "",
) -> DataFrame:
    """The DataFrame, with the answer to the text of each row in columns at its end; nothing is run before an action.

    The columns are those of ``arrow.tag_batch``, and so are the parameters: ``label`` (``labels``, an array of strings, of a
    multi-label model), ``score`` (double), ``reason``, ``error`` and, with ``scores``, a ``score_...`` for each label. The
    columns of the text have the type string, char, varchar or binary. A row that cannot be tagged has an error in its place
    and never fails the job. Other columns, their types and their metadata stay as they are.

    Works with classic sessions and with Spark Connect. The model is loaded, and everything checked, here and now: raises
    ``UsageError`` if there is no such column, it is not text, or one of ours exists already (in any case: Spark's names do
    not differ by it); and what ``Classifier.load`` raises.
    """
    labels = [only] if isinstance(only, str) else only and list(only)
    classifier = classifier_of(model, threshold, labels)
    columns = Columns.of(classifier, text, html=html, scores=scores, prefix=prefix)
    schema = _schema(dataframe.schema, columns)
    work = partial(
        tag_batch,
        text=columns.text,
        model=classifier.bundle,
        threshold=threshold,
        only=labels,
        html=html,
        scores=scores,
        prefix=prefix,
    )
    run = partial(_tagged, __version__, dataframe.columns, work)
    try:
        return dataframe.toDF(*_numbers(len(dataframe.columns))).mapInArrow(run, schema)
    except (PySparkNotImplementedError, ValueError) as error:
        reason = str(error.__context__ or error)  # the former names a type, the latter all types of the schema
        reason = reason.rpartition("] ")[2].rstrip(".")
        raise UsageError(
            f"Spark cannot hand a column to Python ({reason}): cast it to string, or leave it out"
        ) from error


def _schema(schema: StructType, columns: Columns) -> StructType:
    """The schema of the tagged rows. Raises ``UsageError`` if these rows cannot be tagged."""
    names = schema.names
    for name in columns.text:
        count = names.count(name)
        if count != 1:
            fault = f"{count} columns" if count else "no column"
            listed = ", ".join(map(repr, names[:_MOST_LISTED])) or "none"
            more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
            raise UsageError(f"there is {fault} {name!r} for the text; the columns are: {listed}{more}")
        kind = schema.fields[names.index(name)].dataType
        if not isinstance(kind, _TEXT):
            raise UsageError(f"the column {name!r} has the type {kind.simpleString()}, not text: cast it to string")
    ours = [StructField(field.name, _TYPES[field.type]) for field in columns.added()]
    known = {name.casefold(): name for name in names}
    for field in ours:
        if theirs := known.get(field.name.casefold()):
            raise UsageError(f"there is a column {theirs!r} already: choose a prefix for ours, such as 'predicted_'")
    return StructType([*schema.fields, *ours])


def _tagged(
    version: str,
    names: list[str],
    work: Callable[[pa.RecordBatch], pa.RecordBatch],
    batches: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """What a task does. ``version``: that of the package on the driver, whose bundle need not be ours."""
    if version != __version__:
        raise MissingDependencyError(
            f"sotag-edge is {__version__} on a worker and {version} on the driver: install the same version"
        )
    for batch in batches:
        tagged = work(batch.rename_columns(names))
        yield tagged.rename_columns(_numbers(tagged.num_columns))


def _numbers(count: int) -> list[str]:
    """Names for columns that Spark cannot misread.

    It looks them up by name, where one with a dot in it would be a field of another. And it goes by their order in what it
    gets back, but of two with the same name it takes the first one's type and the last one's values (4.3).
    """
    return [f"c{number}" for number in range(count)]
