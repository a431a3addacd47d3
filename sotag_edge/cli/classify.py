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
    sources = paths or [readers.STDIN]
    classifier = Classifier.load(model)
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
