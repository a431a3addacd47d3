"""``sotag-edge spark``."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any, Literal, Optional

import typer

from sotag_edge.cli import options
from sotag_edge.cli.extra import require_extra
from sotag_edge.cli.labels import labels_from
from sotag_edge.cli.loading import loading_numpy
from sotag_edge.cli.process import warn
from sotag_edge.errors import UsageError

_INPUT = "Input"
_OUTPUT = "Output"
_RUN = "Run"

Inputs = Annotated[
    list[str],
    typer.Argument(help="Files, folders or patterns, on whatever Spark reads from.", rich_help_panel=_INPUT),
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

    with spark_session(master, settings) as session:
        tagged = read(session, inputs, input_format, tuple(text or ["text"]), html=html, options=chosen)
        started = time.monotonic()
        counts = write(tagged, output, to or ("parquet" if input_format == "posts-xml" else input_format), mode, prefix)
        seconds = time.monotonic() - started
    _report(counts, seconds)
    if counts["errors"]:
        raise SystemExit(1)


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


def _report(counts: dict[str, int], seconds: float) -> None:
    rows = counts["rows"]
    speed = rows / seconds if seconds else 0
    warn(f"{rows:,} rows, {counts['unknown']:,} unknown, {counts['errors']:,} errors; {speed:,.0f} rows per second")
    sys.stderr.flush()
