"""A bundle and labelled texts -> how good it is, as a device answers: what ``evaluate`` prints and cards show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from sotag_convert.data.dataset import LabelledTexts
from sotag_convert.data.load import load_labelled
from sotag_convert.export import device_run as device
from sotag_convert.learn.calibrate import Floats, calibration_error, log_loss
from sotag_edge import bundle as bundles

_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.5)


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """How good a model is at one label: shares from 0 to 1, of ``texts`` that have it."""

    label: str
    texts: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``accuracy``: the share of texts whose best score is their label's, with the 95 % Wilson interval.

    ``confusion``: texts by label (rows) and best guess (columns). ``coverage``: pairs of a share of the texts, those of the
    highest scores, and the accuracy on them. ``answered``: the share that is not answered ``unknown``, and its accuracy.
    ``others_unknown``: of texts that have none of the labels, the share answered ``unknown``; ``None`` without such texts.
    """

    texts: int
    accuracy: float
    interval: tuple[float, float]
    log_loss: float
    calibration_error: float
    coverage: tuple[tuple[float, float], ...]
    answered: float
    answered_accuracy: float
    labels: tuple[LabelFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    others_unknown: float | None = None
    on: str = "texts"
    """Which texts: test texts, training texts where there are no others."""

    def to_json(self) -> dict[str, Any]:
        """The fields, rounded."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


def evaluate(model: str, data: str) -> dict[str, Evaluation]:
    """A model, by folder or name, on the test texts of a data set: an evaluation a view. Raises ``SotagEdgeError``."""
    folder = bundles.find(model)
    bundle = bundles.read(folder)
    return evaluate_bundle(folder, bundle.labels, load_labelled(data, bundle.labels))


def evaluate_bundle(folder: Path, labels: Sequence[str], labelled: LabelledTexts) -> dict[str, Evaluation]:
    """The bundle in ``folder``, of these labels, on each view of some labelled texts."""
    texts, targets = labelled.examples.texts, labelled.examples.targets
    runs = {
        name: device.run(folder, view)
        for name, view in labelled.origin.views(texts, [labels[target] for target in targets]).items()
    }
    unknown = 1 - float(numpy.mean(device.run(folder, labelled.off_topic).answered)) if labelled.off_topic else None
    found = {name: measure(run.scores, run.answered, targets, labels) for name, run in runs.items()}
    return {name: replace(evaluation, on=labelled.name, others_unknown=unknown) for name, evaluation in found.items()}


def measure(scores: Floats, answered: Sequence[bool], targets: Sequence[int], labels: Sequence[str]) -> Evaluation:
    """The figures of calibrated scores, shape [texts, labels]; ``answered``: which texts have another answer than
    ``unknown``; ``targets``: the number of each text's label."""
    guesses = scores.argmax(axis=1)
    right = guesses == numpy.asarray(targets)
    numbers = range(len(labels))
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    per_label = precision_recall_fscore_support(targets, guesses, labels=list(numbers), zero_division=0.0)
    by_score = numpy.argsort(-scores.max(axis=1), kind="stable")
    kept = numpy.asarray(answered)
    return Evaluation(
        texts=len(right),
        accuracy=float(right.mean()),
        interval=(float(interval.low), float(interval.high)),
        log_loss=log_loss(scores, targets),
        calibration_error=calibration_error(scores, targets),
        coverage=tuple(
            (share, float(right[by_score[: max(1, round(share * len(right)))]].mean())) for share in _COVERAGES
        ),
        answered=float(kept.mean()),
        answered_accuracy=float(right[kept].mean()) if kept.any() else 0.0,
        labels=tuple(
            LabelFigures(label, int(texts), float(precision), float(recall), float(f1))
            for label, precision, recall, f1, texts in zip(labels, *per_label, strict=True)
        ),
        confusion=tuple(tuple(row) for row in confusion_matrix(targets, guesses, labels=list(numbers)).tolist()),
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, (list, tuple)) else value
