"""What a report page says: ``Report``, made from a bundle and what was measured. Draws nothing (see page.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as calendar_date
from pathlib import Path

from sotag_convert.report.details import Details, details_of
from sotag_convert.report.evaluate import Measured
from sotag_convert.report.evaluation import Evaluation, SingleLabelEvaluation
from sotag_convert.report.history import History, baseline_of, history_of
from sotag_convert.report.summary import OF_TRAINING_TEXTS, Summary, measured_cautions
from sotag_edge.bundle import Manifest, device_bytes


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a page.

    ``data``: the names of the texts that were measured, without the user's folders; ``views``: the figures by view, of which
    the first one is shown in detail; ``references``: what the main figure is compared with, by name; ``notes``: what the
    figures do not show; ``training_texts``: the number by label, where it is known.
    """

    folder: Path
    data: str
    date: str
    manifest: Manifest
    bytes: int
    history: History
    views: Mapping[str, Evaluation]
    details: Details | None
    references: Mapping[str, float]
    notes: Sequence[str] = ()
    training_texts: Mapping[str, int] | None = None

    @property
    def name(self) -> str:
        """The name of the model: that of its folder."""
        return self.folder.resolve().name

    @property
    def evaluation(self) -> Evaluation | None:
        """The figures of the first view."""
        return next(iter(self.views.values()), None)


def evaluation_report(folder: Path, data: str, measured: Mapping[str, Measured]) -> Report:
    """The report about the bundle in ``folder``, measured on labelled texts. Raises ``ModelError`` if it fails."""
    report = _report(folder, data, {view: entry.evaluation for view, entry in measured.items()}, measured)
    view, first = next(iter(measured.items()))
    baseline = baseline_of(folder, view, first.evaluation)
    seen = [OF_TRAINING_TEXTS] if first.are_training_texts else []
    return replace(
        report,
        references=_with_linear(baseline, report.references),
        notes=(*seen, *measured_cautions(first.evaluation)),
    )


def training_report(folder: Path, data: str, summary: Summary, measured: Mapping[str, Measured]) -> Report:
    """The report about a model that was just trained. ``measured``: the published model's answers, by view; without, the
    figures are those of the summary. Raises ``ModelError`` if it fails."""
    views = {view: entry.evaluation for view, entry in measured.items()}
    if not views and summary.evaluation is not None:
        views = {summary.evaluation.on: summary.evaluation}
    report = _report(folder, data, views, measured)
    return replace(
        report,
        references=_with_linear(summary.baseline, report.references),
        notes=tuple(summary.cautions()),
        training_texts=dict(summary.texts_per_tag),
    )


def _report(folder: Path, data: str, views: Mapping[str, Evaluation], measured: Mapping[str, Measured]) -> Report:
    first = next(iter(measured.values()), None)
    evaluation = next(iter(views.values()), None)
    return Report(
        folder,
        data,
        calendar_date.today().isoformat(),
        Manifest.read(folder),
        device_bytes(folder),
        history_of(folder),
        views,
        details_of(first, folder) if first else None,
        {} if evaluation is None else {"most frequent tag": most_frequent_tag(evaluation)},
    )


def _with_linear(baseline: float | None, references: Mapping[str, float]) -> dict[str, float]:
    linear = {} if baseline is None else {"linear model of TF-IDF": baseline}
    return linear | dict(references)


def most_frequent_tag(evaluation: Evaluation) -> float:
    """The main figure of a model that answers every text with the most frequent tag."""
    counts = [label.texts for label in evaluation.labels]
    if isinstance(evaluation, SingleLabelEvaluation):
        return max(counts) / evaluation.texts
    return 2 * max(counts) / (evaluation.texts + sum(counts))
