"""What ``sotag-edge spark`` reads and writes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # the alias that everybody reads
from pyspark.sql.types import StringType, StructField, StructType

from sotag_edge.errors import UsageError
from sotag_edge.spark import tag, tag_posts

_MALFORMED = "_corrupt_record"  # Spark's name for it
_CSV = {"header": True, "quote": '"', "escape": '"'}
_SCHEME = re.compile(r"[a-zA-Z][\w+.-]*:")


def refuse_overlap(inputs: Sequence[str], output: str) -> None:
    """Raise ``UsageError`` if the output is an input, is in one or has one in it."""
    target = _normal(output)
    for path in inputs:
        source = _normal(path)
        if target == source or fnmatchcase(target, source):
            raise UsageError(f"{output} is an input: name another output")
        if target.startswith(source + "/"):
            raise UsageError(f"{output} is in the input {path}: it would be read with it the next time")
        if source.startswith(target + "/"):
            raise UsageError(f"the input {path} is in {output}: name another output")


def _normal(path: str) -> str:
    path = re.sub("^file:(//)?", "", path)
    return path.rstrip("/") if _SCHEME.match(path) else os.path.realpath(path)


def read(
    session: SparkSession,
    inputs: Sequence[str],
    input_format: str,
    text: tuple[str, ...],
    *,
    html: bool,
    options: dict[str, Any],
) -> DataFrame:
    """The tagged rows of the inputs."""
    if input_format == "posts-xml":
        return tag_posts(session, inputs, **options)
    rows = _rows(session, list(inputs), input_format)
    malformed = F.col(_MALFORMED).isNotNull()
    has_malformed = input_format != "parquet" and _MALFORMED in rows.columns
    if input_format == "csv":
        for name in {*text} & {*rows.columns}:  # Spark reads an empty field as null
            rows = rows.withColumn(name, F.when(malformed, None).otherwise(F.coalesce(_column(name), F.lit(""))))
    tagged = tag(rows, text, html=html, **options)
    if has_malformed:
        name = f"{options['prefix']}error"
        fault = F.when(malformed, F.lit(f"the row is not valid {input_format.upper()}")).otherwise(_column(name))
        tagged = tagged.withColumn(name, fault)
    return tagged


def _rows(session: SparkSession, inputs: list[str], input_format: str) -> DataFrame:
    if input_format == "parquet":
        return session.read.parquet(*inputs)
    reader = session.read.options(mode="PERMISSIVE", columnNameOfCorruptRecord=_MALFORMED)
    if input_format == "json":
        return reader.json(inputs)
    reader = reader.options(**_CSV, multiLine=True, enforceSchema=False)
    header = reader.csv(inputs).schema
    return reader.schema(StructType([*header.fields, StructField(_MALFORMED, StringType())])).csv(inputs)


def _column(name: str) -> Any:
    return F.col("`" + name.replace("`", "``") + "`")


class Counts(NamedTuple):
    """The numbers of rows that were written, and one of the errors."""

    rows: int
    unknown: int
    errors: int
    example: str | None


def write(tagged: DataFrame, output: str, output_format: str, mode: str, prefix: str) -> Counts:
    """Write the rows, by Spark's commit protocol, and count them as they pass."""
    observation = Observation("sotag-edge")
    counted = tagged.observe(
        observation,
        F.count(F.lit(1)).alias("rows"),
        F.count(_column(f"{prefix}reason")).alias("unknown"),
        F.count(_column(f"{prefix}error")).alias("errors"),
        F.min(_column(f"{prefix}error")).alias("example"),
    )
    if output_format == "csv":
        counted = _without_arrays(counted)
    writer = counted.write.mode("errorifexists" if mode == "error" else mode)
    if output_format == "csv":
        writer.options(**_CSV, ignoreLeadingWhiteSpace=False, ignoreTrailingWhiteSpace=False).csv(output)
    else:
        writer.format(output_format).save(output)
    return Counts(**observation.get)


def _without_arrays(rows: DataFrame) -> DataFrame:
    """The arrays of strings as JSON, because CSV has none."""
    arrays = [name for name, kind in rows.dtypes if kind == "array<string>"]
    return rows.withColumns({name: F.to_json(_column(name)) for name in arrays}) if arrays else rows
