"""``sotag-edge spark``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from sotag_edge.cli import options
from sotag_edge.cli.extra import require_extra
from sotag_edge.cli.labels import labels_from
from sotag_edge.cli.loading import loading_numpy
from sotag_edge.cli.process import warn
from sotag_edge.errors import UsageError

if TYPE_CHECKING:
    from sotag_edge.cli.spark_files import Counts

_INPUT = "Input"
_OUTPUT = "Output"
_RUN = "Run"

Inputs = Annotated[
    Optional[list[str]],
    typer.Argument(
        show_default=False, help="Files, folders or patterns, on whatever Spark reads from.", rich_help_panel=_INPUT
    ),
]
OutputFolder = Annotated[
    str, typer.Argument(help="A folder for the results, which Spark makes.", rich_help_panel=_OUTPUT)
]
TextColumns = Annotated[
    Optional[list[str]],
    typer.Option(
        "--text",
        help="The column with the text. Can be repeated: the texts are joined. [default: text]",
        rich_help_panel=_INPUT,
    ),
]
InputFormat = Annotated[
    Literal["parquet", "json", "csv", "posts-xml"],
    typer.Option("--format", help="The format of the input; json is one object per line.", rich_help_panel=_INPUT),
]
OutputFormat = Annotated[
    Optional[Literal["parquet", "json", "csv"]],
    typer.Option(
        "--to",
        help="The format of the output. [default: that of the input; parquet for posts-xml]",
        rich_help_panel=_OUTPUT,
    ),
]
Scores = Annotated[
    bool, typer.Option("--scores", help="Add a column for the score of every label.", rich_help_panel=_OUTPUT)
]
Prefix = Annotated[
    str, typer.Option("--prefix", help="What the names of the new columns begin with.", rich_help_panel=_OUTPUT)
]
Mode = Annotated[
    Literal["error", "overwrite"],
    typer.Option("--mode", help="What happens if the output exists.", rich_help_panel=_OUTPUT),
]
Master = Annotated[
    Optional[str],
    typer.Option(
        "--master",
        help="local[4], spark://host:7077, yarn, k8s://..., or sc://host:15002 for Spark Connect. "
        "[default: Spark's configuration, else local[*]]",
        rich_help_panel=_RUN,
    ),
]
Settings = Annotated[
    Optional[list[str]],
    typer.Option("--conf", metavar="KEY=VALUE", help="A setting of Spark. Can be repeated.", rich_help_panel=_RUN),
]


def spark(
    inputs: Inputs,
    output: OutputFolder,
    text: TextColumns = None,
    input_format: InputFormat = "parquet",
    html: options.Html = False,
    model: options.Model = None,
    threshold: options.Threshold = None,
    best_guess: options.BestGuess = False,
    only: options.Only = None,
    to: OutputFormat = None,
    mode: Mode = "error",
    scores: Scores = False,
    prefix: Prefix = "",
    master: Master = None,
    conf: Settings = None,
) -> None:
    """Tag texts with Apache Spark: every row of the input, with the answer in columns at its end. See docs/spark.md.

    Rows that cannot be tagged have an error in their place, and make the exit code 1.

    Example: sotag-edge spark posts/*.parquet tagged --text title --text body

    Example: sotag-edge spark s3a://dump/Posts.xml s3a://dump/tagged --format posts-xml --master spark://host:7077
    """
    require_extra("spark")
    _refuse_contradictions(text, input_format, html=html, best_guess=best_guess, threshold=threshold)
    from sotag_edge.cli.spark_files import read, refuse_overlap, write

    if not inputs:
        raise UsageError(f"{output} is the only path: name the inputs, and after them the output")
    refuse_overlap(inputs, output)
    settings = [_setting(entry) for entry in conf or ()]
    chosen: dict[str, Any] = {
        "threshold": 0.0 if best_guess else threshold,
        "only": labels_from(only, model),
        "scores": scores,
        "prefix": prefix,
    }
    with loading_numpy():
        from sotag_edge.arrow import classifier_of

        chosen["model"] = classifier_of(model, chosen["threshold"], chosen["only"]).bundle
    from sotag_edge.cli.spark_session import spark_session

    if sys.stderr.isatty():
        warn("starting Spark, which takes some seconds")
    with _without_remains(output), spark_session(master, settings) as session:
        tagged = read(session, inputs, input_format, tuple(text or ["text"]), html=html, options=chosen)
        started = time.monotonic()
        form = to or ("parquet" if input_format == "posts-xml" else input_format)
        counts = write(tagged, output, form, mode, prefix)
    _report(counts, time.monotonic() - started)
    if counts.errors:
        raise SystemExit(1)


@contextmanager
def _without_remains(output: str) -> Iterator[None]:
    """Remove the empty folder that Spark leaves on this machine when it is stopped: the next run would refuse it."""
    if os.path.exists(output):  # noqa: PTH110  # it may be the address of another file system
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):  # it has something in it, or is not there
            os.rmdir(output)  # noqa: PTH106


def _refuse_contradictions(
    text: list[str] | None, input_format: str, *, html: bool, best_guess: bool, threshold: float | None
) -> None:
    if best_guess and threshold is not None:
        raise UsageError("--best-guess cannot be combined with --threshold")
    if input_format == "posts-xml" and text:
        raise UsageError("--format posts-xml cannot be combined with --text: its texts are titles and bodies")
    if input_format == "posts-xml" and html:
        raise UsageError("--format posts-xml cannot be combined with --html: it removes markup always")


def _setting(entry: str) -> tuple[str, str]:
    name, equals, value = entry.partition("=")
    if not (name and equals):
        raise UsageError(f"invalid value {entry!r} for --conf (allowed: KEY=VALUE)")
    return name, value


def _report(counts: Counts, seconds: float) -> None:
    speed = counts.rows / seconds if seconds else 0
    warn(f"{counts.rows:,} rows, {counts.unknown:,} unknown, {counts.errors:,} errors; {speed:,.0f} rows per second")
    if counts.errors:
        warn(f"one of the errors: {counts.example}")
    sys.stderr.flush()
