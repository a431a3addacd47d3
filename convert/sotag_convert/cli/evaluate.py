"""``sotag-edge evaluate``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from sotag_convert.cli import options
from sotag_convert.cli.report import write_evaluation
from sotag_convert.data.settings import DataSettings
from sotag_edge.cli.extra import require_extra
from sotag_edge.cli.options import FactsFormat, model_names


@options.expanded(options.labelled_settings)
def evaluate(
    model: Annotated[str, typer.Argument(autocompletion=model_names, help="The folder or name of a model.")],
    data: options.Data,
    settings: DataSettings,
    to: FactsFormat = "table",
    report: options.Report = None,
) -> None:
    """Measure a model on labelled texts, with the TFLite runtime of this machine.

    Example: sotag-edge evaluate default stackoverflow

    Example: sotag-edge evaluate models/mails test-mails.csv

    Example: sotag-edge evaluate models/questions test.csv --label-separator ,

    Example: sotag-edge evaluate models/mails test-mails.csv --report report.html
    """
    require_extra("evaluate")
    if report is not None:
        require_extra("report")
    from sotag_convert.report.evaluate import measure_model
    from sotag_edge.cli.process import warn

    measured = measure_model(model, data, settings, warn)
    if report is not None:
        write_evaluation(report, model, data, measured)
    evaluations = {view: entry.evaluation for view, entry in measured.items()}
    if to == "json":
        print(json.dumps({view: evaluation.to_json() for view, evaluation in evaluations.items()}, indent=2))
        return
    from sotag_convert.cli.tables import print_evaluations

    print_evaluations(evaluations)
