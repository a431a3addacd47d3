"""``sotag-edge evaluate``."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer

from sotag_convert.cli.extra import require_convert_extra


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's folder or name.")],
    data: Annotated[
        str,
        typer.Argument(
            help="A folder with test/<tag>/*.txt or <tag>/*.txt, one text a file (in unknown/ those of none of the tags); "
            "or 'stackoverflow'."
        ),
    ],
    to: Annotated[Literal["table", "json"], typer.Option("--to", help="The output's form.")] = "table",
) -> None:
    """Measure a model on labelled texts, on this machine's TFLite runtime.

    Example: sotag-edge evaluate default stackoverflow
    """
    require_convert_extra()
    from sotag_convert.cli.evaluation import print_evaluations
    from sotag_convert.report.evaluate import evaluate as evaluate_model

    figures = {view: evaluation.to_json() for view, evaluation in evaluate_model(model, data).items()}
    if to == "json":
        print(json.dumps(figures, indent=2))
    else:
        print_evaluations(figures)
