"""A bundle and labelled texts -> ``Evaluation``: its accuracy on the device runtime, for ``evaluate`` and the card.

Needs scikit-learn, but no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from sotag_convert.data.dataset import LabelledTexts
from sotag_convert.data.load import Say, load_labelled
from sotag_convert.export import device_run
from sotag_convert.learn.calibrate import Floats, calibration_error, log_losses
from sotag_edge.bundle import Manifest
from sotag_edge.formats import Fields
from sotag_edge.models import find

_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.5)


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """The figures of one label, as shares from 0 to 1. ``texts``: the number of texts with the label."""

    label: str
    texts: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of a model on labelled texts. Shares are from 0 to 1.

    ``accuracy``: the share of texts whose best guess is their label; ``interval``: its 95 % Wilson interval.
    ``confusion``: the number of texts by label (rows) and best guess (columns). ``coverage``: pairs of a share of the
    texts, those with the highest scores, and the accuracy on them. ``answered``: the share not answered ``unknown``;
    ``answered_accuracy``: the accuracy on those. ``off_topic_unknown``: the share of the off-topic texts answered
    ``unknown``; ``None`` without such texts. ``on``: the kind of texts, such as "test texts".
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
    off_topic_unknown: float | None = None
    on: str = "texts"

    def to_json(self) -> dict[str, Any]:
        """The fields, rounded to five digits."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


def evaluate_model(
    model: str, data: str, fields: Fields | None, input_format: str | None, say: Say
) -> dict[str, Evaluation]:
    """Measure a model, by folder or name, on labelled data (see ``data.load``): one evaluation per view of the texts.

    ``say`` receives a sentence about texts that were skipped because they are not text. Raises ``SotagEdgeError``.
    """
    folder = find(model)
    labels = Manifest.read(folder).labels
    return evaluate_bundle(folder, labels, load_labelled(data, labels, fields, input_format, say))


def evaluate_bundle(folder: Path, labels: Sequence[str], labelled: LabelledTexts) -> dict[str, Evaluation]:
    """Measure the bundle in ``folder``, which has these labels, on each view of labelled texts."""
    examples = labelled.examples
    views = labelled.origin.views(examples.texts, [labels[target] for target in examples.targets])
    unknown = None
    if labelled.off_topic:
        unknown = 1 - float(np.mean(device_run.run(folder, labelled.off_topic).answered))
    evaluations = {}
    for name, texts in views.items():
        run = device_run.run(folder, texts)
        evaluation = measure(run.scores, run.answered, examples.targets, labels)
        evaluations[name] = replace(evaluation, on=labelled.name, off_topic_unknown=unknown)
    return evaluations


def measure(scores: Floats, answered: Sequence[bool], targets: Sequence[int], labels: Sequence[str]) -> Evaluation:
    """The figures of calibrated scores, shape [texts, labels]; ``answered``: which texts have another answer than
    ``unknown``; ``targets``: the number of each text's label."""
    guesses = scores.argmax(axis=1)
    right = guesses == np.asarray(targets)
    members = np.eye(len(labels), dtype=bool)[list(targets)]
    numbers = range(len(labels))
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    per_label = precision_recall_fscore_support(targets, guesses, labels=list(numbers), zero_division=0.0)
    by_score = np.argsort(-scores.max(axis=1), kind="stable")
    kept = np.asarray(answered)
    return Evaluation(
        texts=len(right),
        accuracy=float(right.mean()),
        interval=(float(interval.low), float(interval.high)),
        log_loss=float(log_losses(scores, members, independent=False).mean()),
        calibration_error=calibration_error(scores, right),
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
