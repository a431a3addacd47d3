"""``sotag-edge explain``."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Literal, Optional

import typer

from sotag_edge.classifier import Classifier
from sotag_edge.cli import settings as options
from sotag_edge.errors import UsageError
from sotag_edge.explain import Explanation
from sotag_edge.explain import explain as explain_text
from sotag_edge.formats import InputForm, read_documents
from sotag_edge.formats.writers import Color


def explain(
    path: Annotated[
        Optional[str], typer.Argument(help="A file with one text; '-' is standard input.", show_default=False)
    ] = None,
    text: Annotated[Optional[str], typer.Option("--text", help="The text itself.")] = None,
    model: options.Model = None,
    to: Annotated[Literal["table", "json"], typer.Option("--to", help="The output's form.")] = "table",
    color: Annotated[
        Color, typer.Option("--color", envvar="SOTAG_EDGE_COLOR", help="Colours in the text.")
    ] = Color.AUTO,
) -> None:
    """Show which words of a text made its tag: what the score loses without each of them.

    Example: sotag-edge explain question.txt

    Example: sotag-edge explain --text "How do I merge two data frames?" --to json
    """
    if (path is None) == (text is None):
        raise UsageError("give one text: a file, '-' for standard input, or --text")
    if text is None:
        document = next(read_documents([path or "-"], sys.stdin.buffer, form=InputForm.TEXT))
        if document.error:
            raise document.error
        text = document.text
    explanation = explain_text(Classifier.load(model), text)
    if to == "json":
        print(json.dumps(_to_json(explanation)))
        return
    from sotag_edge.cli.explanation import print_explanation

    print_explanation(explanation, color)


def _to_json(explanation: Explanation) -> dict[str, object]:
    answer = explanation.prediction
    return {
        "schema_version": 1,
        "label": answer.label,
        "best_guess": answer.best_guess,
        "score": round(answer.score, 6),
        "reason": answer.reason.value if answer.reason else None,
        "tokens": [{"token": found.token, "effect": round(found.effect, 6)} for found in explanation.effects],
    }
