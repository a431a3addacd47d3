"""A bundle and labelled texts -> ``Measured``: what the device runtime answered, and its figures.

Needs scikit-learn, but no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from sotag_convert.data.checks import cleaned
from sotag_convert.data.dataset import AS_GIVEN, Dataset, Examples, LabelledTexts
from sotag_convert.data.load import load_labelled
from sotag_convert.data.reading import Say
from sotag_convert.data.settings import DataSettings
from sotag_convert.export import device_run
from sotag_convert.learn.calibrate import Logits, members_of
from sotag_convert.report.evaluation import Evaluation, measure_multi, measure_single
from sotag_edge.bundle import Manifest
from sotag_edge.decision import MultiLabel
from sotag_edge.errors import InputError
from sotag_edge.models import find


@dataclass(frozen=True, slots=True)
class Measured:
    """A view of labelled texts, what a model answered on it, and the figures of the answers.

    ``texts``: as the model read them, in the order of ``examples``, whose own texts may be those of another view. ``run``:
    their scores and answers. ``are_training_texts``: whether the model is known to be trained on just these texts.
    """

    texts: Sequence[str]
    examples: Examples
    run: device_run.Run
    evaluation: Evaluation
    are_training_texts: bool = False


def measure_model(model: str, data: str | Sequence[str], settings: DataSettings, say: Say) -> dict[str, Measured]:
    """Measure a model, by folder or name, on labelled data (see ``data.load``): one entry per view of the texts.

    ``say`` receives a sentence about texts that were skipped because they are not text. Raises ``SotagEdgeError``.
    """
    folder = find(model)
    manifest = Manifest.read(folder)
    labelled = load_labelled(data, manifest.labels, settings, say)
    measured = measure_bundle(folder, labelled)
    if not _are_training_texts(labelled, manifest):
        return measured
    further = {texts.name for texts in labelled.further}
    return {view: replace(entry, are_training_texts=view not in further) for view, entry in measured.items()}


def _are_training_texts(labelled: LabelledTexts, manifest: Manifest) -> bool:
    """Whether the hash of the texts is that of the training texts. If not, they may still be some of these, or more."""
    same = Dataset("", manifest.labels, labelled.examples, None, labelled.off_topic)
    with suppress(InputError):  # a label has no texts: they are not all of them
        return cleaned(same).sha256() == manifest.training_data.get("sha256")
    return False


def evaluate_bundle(folder: Path, labelled: LabelledTexts) -> dict[str, Evaluation]:
    """The figures only, as ``measure_bundle`` measures them."""
    return {view: measured.evaluation for view, measured in measure_bundle(folder, labelled).items()}


def measure_bundle(folder: Path, labelled: LabelledTexts) -> dict[str, Measured]:
    """Measure the bundle in ``folder`` on each view of texts with labels of its own; a multi-label model as given only.

    The further texts follow, by their names. Raises ``InputError`` for texts with several labels and a model that gives one,
    ``ModelError`` for a model that fails.
    """
    manifest = Manifest.read(folder)
    off_topic = device_run.run(folder, labelled.off_topic) if labelled.off_topic else None
    views = {}
    for name, texts in _views(labelled, manifest).items():
        run = device_run.run(folder, texts)
        evaluation = _evaluation(run, labelled, manifest)
        if off_topic is not None:
            evaluation = with_off_topic(evaluation, run.scores, off_topic)
        views[name] = Measured(texts, labelled.examples, run, evaluation)
    for further in labelled.further:
        views[further.name] = next(iter(measure_bundle(folder, further).values()))
    return views


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
