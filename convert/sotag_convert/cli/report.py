"""``--report`` of ``evaluate`` and ``train``: what is written at their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sotag_edge.errors import SotagEdgeError

if TYPE_CHECKING:
    from sotag_convert.progress import Progress
    from sotag_convert.report.evaluate import Measured
    from sotag_convert.training import TrainingReport


def write_evaluation(path: Path, model: str, data: Sequence[str], measured: Mapping[str, Measured]) -> None:
    """Write the report about a model that was measured. Raises ``SotagEdgeError``."""
    from sotag_convert.report.content import evaluation_report
    from sotag_convert.report.page import write_report
    from sotag_edge.models import find

    write_report(evaluation_report(find(model), ", ".join(data), measured), path)


def write_training(path: Path, data: Sequence[str], trained: TrainingReport, progress: Progress) -> None:
    """Write the report about a model that was trained. Raises ``SotagEdgeError``, which says that the model is there."""
    from sotag_convert.report.content import training_report
    from sotag_convert.report.page import write_report

    try:
        with progress.stage("writing the report"):
            write_report(training_report(trained.output, ", ".join(data), trained.summary, trained.measured), path)
    except (SotagEdgeError, OSError) as error:
        raise SotagEdgeError(
            f"the model in {trained.output} is complete, but not its report: {error}; 'evaluate --report' writes one"
        ) from error
