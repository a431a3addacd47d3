"""``sotag-edge evaluate``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sotag_convert.cli import options
from sotag_convert.cli.report import write_evaluation
from sotag_convert.data.public import PUBLIC
from sotag_convert.data.settings import DataSettings
from sotag_edge.bundle import MANIFEST
from sotag_edge.cli.extra import require_extra
from sotag_edge.cli.options import FactsFormat, model_names
from sotag_edge.errors import UsageError
from sotag_edge.models import is_name

_Data = Annotated[
    list[str],
    typer.Argument(
        metavar="[other] {data}...",
        help="A second model to compare with, by folder or name, if data follows (write data of this name ./name); "
        f"then the data. {options.DATA_HELP}",
        rich_help_panel=options.DATA,
    ),
]


@options.expanded(options.labelled_settings)
def evaluate(
    model: Annotated[str, typer.Argument(autocompletion=model_names, help="The folder or name of a model.")],
    data: _Data,
    settings: DataSettings,
    to: FactsFormat = "table",
    report: options.Report = None,
) -> None:
    """Measure a model on labelled texts, with the TFLite runtime of this machine, or compare two models on them.

    Example: sotag-edge evaluate default stackoverflow

    Example: sotag-edge evaluate models/mails test-mails.csv

    Example: sotag-edge evaluate models/questions test.csv --label-separator ,

    Example: sotag-edge evaluate models/mails test-mails.csv --report report.html

    Example: sotag-edge evaluate models/mails models/mails-new test-mails.csv
    """
    comparing = len(data) > 1 and _is_model(data[0])
    if len(data) == 1 and _is_only_a_model(data[0]):
        raise UsageError(f"{data[0]!r} is a model: name the data to compare them on")
    if comparing and report is not None:
        raise UsageError(f"--report is about one model: leave it out, or {data[0]}")
    require_extra("evaluate")
    if comparing:
        _compare(model, data[0], data[1:], settings, to)
        return
    if report is not None:
        require_extra("report")
    from sotag_convert.report.evaluate import measure_model
    from sotag_convert.report.summary import OF_TRAINING_TEXTS
    from sotag_edge.cli.process import warn

    measured = measure_model(model, data, settings, warn)
    if any(entry.are_training_texts for entry in measured.values()):
        warn(OF_TRAINING_TEXTS)
    if report is not None:
        write_evaluation(report, model, data, measured)
    evaluations = {view: entry.evaluation for view, entry in measured.items()}
    if to == "json":
        print(json.dumps({view: evaluation.to_json() for view, evaluation in evaluations.items()}, indent=2))
        return
    from sotag_convert.cli.tables import print_evaluations

    print_evaluations(evaluations)


def _is_model(argument: str) -> bool:
    """Whether an argument names a model that exists: a name is one of a model, never a folder of the current directory."""
    return argument in model_names() if is_name(argument) else (Path(argument) / MANIFEST).is_file()


def _is_only_a_model(argument: str) -> bool:
    """Whether an argument names a model, and no data."""
    return _is_model(argument) and argument not in PUBLIC and not (is_name(argument) and Path(argument).exists())


def _compare(model: str, other: str, data: Sequence[str], settings: DataSettings, to: str) -> None:
    from sotag_convert.report.compare_models import compare_models
    from sotag_edge.cli.process import warn

    compared = compare_models(model, other, data, settings, warn)
    if to == "json":
        print(json.dumps(compared.to_json(), indent=2))
        return
    from sotag_convert.cli.comparison_table import print_comparison

    print_comparison(compared)
