"""A bundle and labelled texts -> an ``Evaluation`` on the device runtime, for ``evaluate`` and the card.

Needs scikit-learn, but no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from sotag_convert.data.dataset import AS_GIVEN, LabelledTexts
from sotag_convert.data.load import load_labelled
from sotag_convert.data.reading import Say
from sotag_convert.data.settings import DataSettings
from sotag_convert.export import device_run
from sotag_convert.learn.calibrate import Logits, members_of
from sotag_convert.report.evaluation import Evaluation, measure_multi, measure_single
from sotag_edge.bundle import Manifest
from sotag_edge.decision import MultiLabel
from sotag_edge.models import find


def evaluate_model(model: str, data: str | Sequence[str], settings: DataSettings, say: Say) -> dict[str, Evaluation]:
    """Measure a model, by folder or name, on labelled data (see ``data.load``): one evaluation per view of the texts.

    ``say`` receives a sentence about texts that were skipped because they are not text. Raises ``SotagEdgeError``.
    """
    folder = find(model)
    return evaluate_bundle(folder, load_labelled(data, Manifest.read(folder).labels, settings, say))


def evaluate_bundle(folder: Path, labelled: LabelledTexts) -> dict[str, Evaluation]:
    """Measure the bundle in ``folder`` on each view of texts with labels of its own; a multi-label model as given only.

    The further texts follow, by their names. Raises ``InputError`` for texts with several labels and a model that gives one,
    ``ModelError`` for a model that fails.
    """
    manifest = Manifest.read(folder)
    off_topic = device_run.run(folder, labelled.off_topic) if labelled.off_topic else None
    evaluations = {}
    for name, texts in _views(labelled, manifest).items():
        run = device_run.run(folder, texts)
        evaluation = _evaluation(run, labelled, manifest)
        evaluations[name] = evaluation if off_topic is None else with_off_topic(evaluation, run.scores, off_topic)
    for further in labelled.further:
        evaluations[further.name] = next(iter(evaluate_bundle(folder, further).values()))
    return evaluations


def with_off_topic(evaluation: Evaluation, scores: Logits, off_topic: device_run.Run) -> Evaluation:
    """With the figures of off-topic texts. ``scores``: of the texts of the evaluation, shape [texts, labels]."""
    best = np.concatenate([scores.max(axis=1), off_topic.scores.max(axis=1)])
    is_on_topic = np.arange(len(best)) < len(scores)
    return replace(
        evaluation,
        off_topic_unknown=1 - float(off_topic.answered.mean()),
        off_topic_auroc=float(roc_auc_score(is_on_topic, best)),
    )


def _views(labelled: LabelledTexts, manifest: Manifest) -> Mapping[str, Sequence[str]]:
    examples = labelled.examples
    if isinstance(manifest.decision, MultiLabel):
        return {AS_GIVEN: examples.texts}
    return labelled.origin.views(examples.texts, [manifest.labels[target] for target in examples.targets])


def _evaluation(run: device_run.Run, labelled: LabelledTexts, manifest: Manifest) -> Evaluation:
    labels, examples = manifest.labels, labelled.examples
    if isinstance(manifest.decision, MultiLabel):
        members = members_of(examples, len(labels))
        return measure_multi(run.scores, run.answers, members, labels, manifest.decision.thresholds, labelled.name)
    return measure_single(run.scores, run.answered, examples.targets, labels, labelled.name)
