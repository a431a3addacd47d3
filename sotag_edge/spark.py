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
from pyspark.sql import DataFrame, SparkSession
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
from sotag_edge.arrow import Columns, Model, check_is_one, classifier_of, tag_batch
from sotag_edge.bundle import Bundle
from sotag_edge.document import Document
from sotag_edge.errors import MissingDependencyError, UsageError
from sotag_edge.formats import checked, posts_xml
from sotag_edge.formats.decoding import LONGEST, too_long
from sotag_edge.pipeline import results_in_batches

_TEXT = (StringType, CharType, VarcharType, BinaryType, NullType)
_TYPES: dict[pa.DataType, DataType] = {
    pa.string(): StringType(),
    pa.float64(): DoubleType(),
    pa.list_(pa.string()): ArrayType(StringType()),
}

_Work = Callable[[pa.RecordBatch], pa.RecordBatch]


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
    labels = _listed(only)
    classifier = classifier_of(model, threshold, labels)
    columns = Columns.of(classifier, text, html=html, scores=scores, prefix=prefix)
    schema = _schema(dataframe.schema, columns)
    tagged = partial(
        tag_batch,
        text=columns.text,
        model=classifier.bundle,
        threshold=threshold,
        only=labels,
        html=html,
        scores=scores,
        prefix=prefix,
    )
    run = partial(_in_task, __version__, partial(_tag_rows, dataframe.columns, tagged))
    try:
        return dataframe.toDF(*_numbers(len(dataframe.columns))).mapInArrow(run, schema)
    except (PySparkNotImplementedError, ValueError) as error:
        reason = str(error.__context__ or error)  # the former names a type, the latter all types of the schema
        reason = reason.rpartition("] ")[2].rstrip(".")
        raise UsageError(
            f"Spark cannot hand a column to Python ({reason}): cast it to string, or leave it out"
        ) from error


def tag_posts(
    session: SparkSession,
    paths: str | Sequence[str],
    *,
    model: Model = None,
    threshold: float | None = None,
    only: Sequence[str] | None = None,
    scores: bool = False,
    prefix: str = "",
) -> DataFrame:
    """The questions of a Stack Exchange data dump's ``Posts.xml``, or of several: the columns ``id`` (string) and ``tags``
    (array of strings), and then those of ``tag``.

    A file is split at each "<", which in XML begins a tag wherever it is, so that many tasks can read it; each row is parsed
    as ``classify --from posts-xml`` does, and a bad one is an error in its place. Files are UTF-8, and rows within comments
    are read too. Raises what ``tag`` does.
    """
    labels = _listed(only)
    classifier = classifier_of(model, threshold, labels)
    columns = Columns.of(classifier, "value", scores=scores, prefix=prefix)
    schema = StructType(
        [StructField("id", StringType()), StructField("tags", ArrayType(StringType())), *_added(columns)]
    )
    pieces = session.read.option("lineSep", "<").text(paths if isinstance(paths, str) else list(paths))
    tagged = partial(_tag_pieces, columns, classifier.bundle, threshold, labels)
    return pieces.select("value").mapInArrow(partial(_in_task, __version__, tagged), schema)


def _listed(only: Sequence[str] | None) -> list[str] | None:
    if isinstance(only, str):
        return [only]
    return None if only is None else list(only)


def _schema(schema: StructType, columns: Columns) -> StructType:
    """The schema of the tagged rows. Raises ``UsageError`` if these rows cannot be tagged."""
    names = schema.names
    for name in columns.text:
        check_is_one(name, names)
        kind = schema.fields[names.index(name)].dataType
        if not isinstance(kind, _TEXT):
            raise UsageError(f"the column {name!r} has the type {kind.simpleString()}, not text: cast it to string")
    ours = _added(columns)
    known = {name.casefold(): name for name in names}
    for field in ours:
        if theirs := known.get(field.name.casefold()):
            raise UsageError(f"there is a column {theirs!r} already: choose a prefix for ours, such as 'predicted_'")
    return StructType([*schema.fields, *ours])


def _added(columns: Columns) -> list[StructField]:
    return [StructField(field.name, _TYPES[field.type]) for field in columns.added()]


def _in_task(version: str, work: _Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What a task does. ``version``: that of this package on the driver, whose answers could be others."""
    if version != __version__:
        raise MissingDependencyError(
            f"sotag-edge is {__version__} on a worker and {version} on the driver: install the same version"
        )
    return map(work, batches)


def _tag_rows(names: list[str], tagged: _Work, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The tagged batch, whose columns have no names on their way."""
    answered = tagged(batch.rename_columns(names))
    return answered.rename_columns(_numbers(answered.num_columns))


def _numbers(count: int) -> list[str]:
    """Names for columns that Spark cannot misread.

    It looks them up by name, where one with a dot in it would be a field of another. And it goes by their order in what it
    gets back, but of two with the same name it takes the first one's type and the last one's values (4.3).
    """
    return [f"c{number}" for number in range(count)]


def _tag_pieces(
    columns: Columns, bundle: Bundle, threshold: float | None, only: list[str] | None, batch: pa.RecordBatch
) -> pa.RecordBatch:
    """The questions among the pieces of ``Posts.xml``, tagged."""
    questions = [question for piece in _contents(batch.column(0)) if (question := _question(piece))]
    answers = columns.answers(results_in_batches(map(checked, questions), classifier_of(bundle, threshold, only)))
    ids = pa.array([question.id for question in questions], pa.string())
    tags = pa.array([question.label for question in questions], pa.list_(pa.string()))
    return pa.RecordBatch.from_arrays([ids, tags, *answers.columns], ["id", "tags", *answers.schema.names])


def _contents(column: pa.Array) -> list[bytes]:
    contents: list[bytes] = column.cast(pa.large_binary()).to_pylist()
    return contents


def _question(piece: bytes) -> Document | None:
    return too_long("a row") if len(piece) > LONGEST else posts_xml.question(piece, "post", "a row")
