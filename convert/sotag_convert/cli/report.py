"""``--report`` of ``evaluate`` and ``train``: what is written at their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sotag_edge.errors import SotagEdgeError
from sotag_edge.sources import STDIN

if TYPE_CHECKING:
    from sotag_convert.progress import Progress
    from sotag_convert.report.evaluate import Measured
    from sotag_convert.training import TrainingReport


def write_evaluation(path: Path, model: str, data: Sequence[str], measured: Mapping[str, Measured]) -> None:
    """Write the report about a model that was measured. Raises ``SotagEdgeError``."""
    from sotag_convert.report.content import evaluation_report
    from sotag_convert.report.page import write_report
    from sotag_edge.models import find

    write_report(evaluation_report(find(model), _names(data), measured), path)


def write_training(path: Path, data: Sequence[str], trained: TrainingReport, progress: Progress) -> None:
    """Write the report about a model that was trained. ``data``: with the texts that it was measured on.

    Raises ``SotagEdgeError``, which says that the model is there.
    """
    from sotag_convert.report.content import training_report
    from sotag_convert.report.page import write_report

    try:
        with progress.stage("writing the report"):
            write_report(training_report(trained.output, _names(data), trained.summary, trained.measured), path)
    except (SotagEdgeError, OSError) as error:
        raise SotagEdgeError(
            f"the model in {trained.output} is complete, but not its report: {error}; 'evaluate --report' writes one"
        ) from error


def _names(data: Sequence[str]) -> str:
    """The names of files, folders and public data sets: a report is passed on, and the user's folders are private.

    >>> _names(["/home/mia/mails.csv", "-"])
    'mails.csv, standard input'
    """
    return ", ".join("standard input" if source == STDIN else Path(source).resolve().name for source in data)
