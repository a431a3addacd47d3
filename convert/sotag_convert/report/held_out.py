"""Scores of texts that a model was not fitted on, such as those of a cross-validation -> an ``Evaluation``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sotag_convert.data.dataset import VALIDATION_TEXTS
from sotag_convert.learn.calibrate import Floats, Members, calibrated, label_thresholds
from sotag_convert.learn.cross_validation import Chosen
from sotag_convert.report.evaluation import Evaluation, measure_multi, measure_single
from sotag_edge.decision import Decision, MultiLabel

_PARTS = 3


def held_out_evaluation(chosen: Chosen, labels: Sequence[str], folds: int) -> Evaluation | None:
    """The figures of the validation texts of a run, or of the ``folds`` of its cross-validation, as far as it got."""
    if chosen.held_out is None:
        return None
    on = VALIDATION_TEXTS
    if folds:
        done = chosen.figures["folds"]
        on = f"texts in {folds}-fold cross-validation" if done == folds else f"texts of {done} of {folds} folds"
    return evaluate_held_out(*chosen.held_out, labels, chosen.decision, on)


def evaluate_held_out(
    scores: Floats, members: Members, labels: Sequence[str], decision: Decision, on: str
) -> Evaluation:
    """The evaluation of ``scores`` and ``members`` of shape [texts, outputs], with a decision that was fitted on them.

    Each text of a multi-label model is answered with thresholds that were fitted on two thirds of the texts without it: with
    its own, the figures of few texts would be several points too high. ``on``: as in ``Evaluation``.
    """
    count = len(labels)
    scores, members = calibrated(scores, decision)[:, :count], members[:, :count]
    if not isinstance(decision, MultiLabel):
        answered = scores.max(axis=1) >= decision.threshold
        return measure_single(scores, answered, members.argmax(axis=1).tolist(), labels, on)
    answers = np.zeros(scores.shape, np.bool_)
    part_of = np.arange(len(scores)) % _PARTS
    for part in range(_PARTS):
        own, others = part_of == part, part_of != part
        if own.any() and others.any():
            answers[own] = scores[own] >= np.array(label_thresholds(scores[others], members[others]))
    return measure_multi(scores, answers, members, labels, decision.thresholds, on)
