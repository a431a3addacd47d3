"""``sotag-edge classify``."""

from __future__ import annotations

import sys
from typing import Annotated, Optional

import typer

from sotag_edge import readers
from sotag_edge.classifier import Classifier
from sotag_edge.errors import UsageError
from sotag_edge.render.results import OutputFormat, Result, make_writer, printable


def classify(
    paths: Annotated[
        Optional[list[str]],
        typer.Argument(
            help="Files, each one text. Without any, standard input is read, each line one text; so is '-'."
        ),
    ] = None,
    model: Annotated[
        Optional[str],
        typer.Option("--model", "-m", help="A model's folder or name. [default: $SOTAG_EDGE_MODEL, or 'default']"),
    ] = None,
    threshold: Annotated[
        Optional[float],
        typer.Option(
            "--threshold",
            min=0,
            max=1,
            help="Answer 'unknown' where the best score is lower. [default: the model's own]",
        ),
    ] = None,
    best_guess: Annotated[bool, typer.Option("--best-guess", help="Never answer 'unknown'.")] = False,
    to: Annotated[
        Optional[OutputFormat],
        typer.Option("--to", help="The output's form. [default: table on a terminal, tsv elsewhere]"),
    ] = None,
) -> None:
    """Tag texts: one result an input, in order.

    Example: sotag-edge classify question.txt

    Example: cat questions.txt | sotag-edge classify --to jsonl
    """
    if not paths and sys.stdin.isatty():
        raise UsageError("nothing to classify: name one or more files, or pipe texts in, one a line")
    if best_guess and threshold is not None:
        raise UsageError("--best-guess and --threshold contradict each other: give one of them")
    sources = paths or [readers.STDIN]
    classifier = Classifier.load(model, 0.0 if best_guess else threshold)
    form = to or (OutputFormat.TABLE if sys.stdout.isatty() else OutputFormat.TSV)
    writer = make_writer(form, sys.stdout, sources, classifier.labels)
    failed = replaced = False
    for document in readers.read_documents(sources, sys.stdin.buffer):
        if document.replaced and not replaced:
            replaced = True
            _say(f"{document.source} is not all UTF-8; the bytes that are not were replaced (said once)")
        if document.error:
            failed = True
            _say(str(document.error))
            writer.write(Result(document.source, error=str(document.error)))
        else:
            writer.write(Result(document.source, classifier.classify(document.text)))
    if failed:
        raise typer.Exit(1)


def _say(message: str) -> None:
    print(f"sotag-edge: {printable(message)}", file=sys.stderr)
