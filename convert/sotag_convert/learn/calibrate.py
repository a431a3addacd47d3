"""Scores of texts that a model was not fitted on -> the mix of its parts and its thresholds; its losses.

Works on scores only, and imports no TensorFlow. ``members`` says which outputs each text has, shape [texts, outputs]:
exactly one in single-label data. Few texts cannot spoil what is fitted: it is drawn toward a usual value, as if that came
from some further texts.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax, logit, softmax

from sotag_convert.data.dataset import Examples
from sotag_edge.decision import Decision, MultiLabel, SingleLabel

Floats = NDArray[np.float64]
Logits = NDArray[np.float32] | NDArray[np.float64]
Members = NDArray[np.bool_]

_UNKNOWN_SHARE = 0.03  # of the validation texts, all of which have a label, may be answered "unknown"
_OFF_TOPIC_SHARE = _UNKNOWN_SHARE / 2  # of them the off-topic output is the largest
_UNKNOWN_OFF_TOPIC = 0.77  # of the off-topic validation texts; with 0.8, 15 % of real titles were unanswered
_MOST_UNKNOWN = 0.15  # of the validation texts with a label
_OFF_TOPIC_PRIOR = 0.02
_BINS = 15
_TINY = 1e-12
_USUAL_SHARE, _USUAL_SCALE = 0.3, 4.0
_USUAL_TEXTS = 20  # as many validation texts count as much as what is usual
_THRESHOLD_TEXTS = 60
_LABEL_TEXTS = 20


def members_of(examples: Examples, labels: int) -> Members:
    """Which labels each text has, shape [texts, labels]."""
    members = np.zeros((len(examples), labels), bool)
    rows = np.repeat(np.arange(len(examples)), [len(numbers) for numbers in examples.label_sets])
    members[rows, [label for numbers in examples.label_sets for label in numbers]] = True
    return members


class Mix(NamedTuple):
    """How the logits of a network and of a linear branch are added up: ``share`` times the first, ``scale`` times the
    second, and ``offset``, which multi-label scores need. ``off_topic`` is added to the off-topic output, if there is one.
    """

    share: float
    scale: float
    offset: float
    independent: bool
    off_topic: float = 0.0

    def logits(self, network: Logits | None, linear: Logits | None) -> Floats:
        """The logits of the whole, shape [texts, outputs]; a part that is ``None`` is not there."""
        parts = [factor * part for factor, part in ((self.share, network), (self.scale, linear)) if part is not None]
        total: Floats = np.add.reduce(parts, dtype=np.float64) + self.offset
        total[:, -1] += self.off_topic
        return total

    def scores(self, network: Logits | None, linear: Logits | None) -> Floats:
        """The scores of the whole."""
        logits = self.logits(network, linear)
        scores: Floats = expit(logits) if self.independent else softmax(logits, axis=1)
        return scores


def usual_mix(independent: bool, *, linear: bool) -> Mix:
    """The mix without texts to fit it on. ``linear``: whether there is a linear branch; a network without stays as it is."""
    return Mix(_USUAL_SHARE, _USUAL_SCALE, 0.0, independent) if linear else Mix(1.0, 0.0, 0.0, independent)


def fit_mix(
    network: Logits | None,
    linear: Logits | None,
    members: Members,
    *,
    independent: bool,
    off_topic: tuple[Logits | None, Logits | None] | None = None,
) -> Mix:
    """The mix with the lowest log loss on these texts. Its parts are 0 or more: a part that does not help is left out.

    ``members``: shape [texts, labels]. With one output more the last one is off-topic: it takes no part in the loss. It is
    fitted to ``off_topic``, the logits of off-topic texts, if there are some. Otherwise that of a linear branch is moved to
    be the largest for 1.5 % of these texts, which are all on-topic; a network by itself has learned how often it is (moved,
    it raised the log loss of its labels from 0.27 to 0.31).
    """
    labels = members.shape[1]
    usual = usual_mix(independent, linear=linear is not None)

    def loss(values: NDArray[np.float64]) -> float:
        mix = Mix(values[0], values[1], values[2], independent)
        logits = mix.logits(network, linear)[:, :labels]
        if independent:
            losses = np.logaddexp(0, np.where(members, -logits, logits)).sum(axis=1)
        else:
            losses = -log_softmax(logits, axis=1)[members]
        distance = (values[0] - usual.share) ** 2 + (values[1] - usual.scale) ** 2 / _USUAL_SCALE**2
        return float(losses.mean() + distance * _USUAL_TEXTS / len(losses) / 4)

    bounds = [
        (0, 4) if network is not None else (0, 0),
        (0, 40) if linear is not None else (0, 0),
        (-20, 20) if independent else (0, 0),
    ]
    start = np.array([min(usual.share, bounds[0][1]), usual.scale, 0.0])
    share, scale, offset = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    mix = Mix(float(share), float(scale), float(offset), independent)
    logits = mix.logits(network, linear)
    if logits.shape[1] == labels:
        return mix
    if off_topic is not None:
        return mix._replace(off_topic=_off_topic_offset(logits, members, mix.logits(*off_topic)))
    if linear is None:
        return mix
    lead = logits[:, labels] - logits[:, :labels].max(axis=1)
    return mix._replace(off_topic=-float(np.quantile(lead, 1 - _OFF_TOPIC_SHARE)))


def _off_topic_offset(logits: Floats, members: Members, off_topic: Floats) -> float:
    """What is added to the off-topic output for the lowest log loss, if one text in fifty is off-topic.

    ``logits``: of texts with a label, shape [texts, outputs]; ``off_topic``: of texts without. They are drawn from no one
    place, so their numbers say nothing about how often a model will see an off-topic text.
    """

    def loss(offset: float) -> float:
        moved = np.zeros(logits.shape[1])
        moved[-1] = offset
        labelled = -log_softmax(logits + moved, axis=1)[:, :-1][members]
        others = -log_softmax(off_topic + moved, axis=1)[:, -1]
        return float((1 - _OFF_TOPIC_PRIOR) * labelled.mean() + _OFF_TOPIC_PRIOR * others.mean())

    return float(minimize_scalar(loss, bounds=(-20, 20), method="bounded").x)


def network_logits(scores: NDArray[np.float32], *, independent: bool) -> Floats:
    """The logits of a network's scores, up to a number per text."""
    inside = np.clip(scores.astype(np.float64), _TINY, 1 - 1e-7 if independent else 1)
    logits: Floats = logit(inside) if independent else np.log(inside)
    return logits


def fit(scores: Floats, members: Members, *, independent: bool, off_topic: Floats | None = None) -> Decision:
    """The thresholds from the scores of texts with a label, shape [texts, outputs]; ``members``: shape [texts, labels].

    ``off_topic``: the scores of off-topic texts, if there are some. The temperature is 1: the mix has calibrated the logits.
    """
    labels = members.shape[1]
    if independent:
        return MultiLabel(1.0, label_thresholds(scores, members))
    best = scores[:, :labels].max(axis=1)
    if off_topic is None:
        return SingleLabel(threshold=threshold(best, labels))
    return SingleLabel(threshold=off_topic_threshold(best, off_topic[:, :labels].max(axis=1), labels))


def threshold(best: Floats, labels: int) -> float:
    """The score that 3 % of the texts are below. ``best``: the best score of each text.

    Few texts say little about it: 12 texts once gave a threshold of 0.9, which four of five texts did not reach. So it is
    drawn toward what is usual for so many labels.
    """
    usual = min(0.4, 1.5 / labels)
    share = len(best) / (len(best) + _THRESHOLD_TEXTS)
    measured = float(np.quantile(best, _UNKNOWN_SHARE)) if len(best) else usual
    # Rounded down, so that a text exactly at the threshold is still answered.
    return math.floor((share * measured + (1 - share) * min(usual, measured)) * 1000) / 1000


def off_topic_threshold(best: Floats, off_topic: Floats, labels: int) -> float:
    """The score that 77 % of the off-topic texts are below, but at most 15 % of the others; 0.5 or more, below which the
    off-topic output may be the largest. Drawn toward ``threshold`` if there are few off-topic texts.

    ``best``, ``off_topic``: the best score of each text with a label and of each one without.
    """
    usual = threshold(best, labels)
    share = len(off_topic) / (len(off_topic) + _THRESHOLD_TEXTS)
    measured = max(0.5, float(np.quantile(off_topic, _UNKNOWN_OFF_TOPIC)))
    measured = max(usual, min(measured, float(np.quantile(best, _MOST_UNKNOWN))))
    return math.floor((share * measured + (1 - share) * usual) * 1000) / 1000


def label_thresholds(scores: Floats, members: Members) -> tuple[float, ...]:
    """For each label of multi-label data the threshold with the best F1, drawn toward the best one for all labels together.

    ``scores``: calibrated, shape [texts, labels].
    """
    pooled = _best_threshold(scores.ravel(), members.ravel())
    thresholds = []
    for label in range(scores.shape[1]):
        texts = int(members[:, label].sum())
        own = _best_threshold(scores[:, label], members[:, label]) if texts else pooled
        share = texts / (texts + _LABEL_TEXTS)
        thresholds.append(math.floor((share * own + (1 - share) * pooled) * 1000) / 1000)
    return tuple(thresholds)


def _best_threshold(scores: Floats, members: Members) -> float:
    """The threshold with the best F1, midway between two scores."""
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(members[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + members.sum())
    last = int(f1.argmax())
    above = scores[order[last]]
    below = scores[order[last + 1]] if last + 1 < len(order) else above
    return float((above + below) / 2)


def calibrated(scores: Floats, settings: Decision) -> Floats:
    """The network's scores as the device calibrates them, shape [texts, outputs]."""
    return scores if settings.temperature == 1 else np.array([settings.calibrated(row) for row in scores.tolist()])


def log_losses(scores: Floats, members: Members, *, independent: bool) -> Floats:
    """The log loss of each text, shape [texts]; finite where the score of its label is 0.

    Of several labels, the sum over all of them.
    """
    if independent:
        right = np.where(members, scores, 1 - scores)
        losses: Floats = -np.log(np.maximum(right, _TINY)).sum(axis=1)
    else:
        losses = -np.log(np.maximum(scores[:, : members.shape[1]][members], _TINY))
    return losses


def accuracy(scores: Floats, members: Members, *, independent: bool) -> float:
    """The share of texts whose best score is that of their label; of multi-label data the micro-F1 at a score of 0.5."""
    if independent:
        return right_share(scores >= 0.5, members, independent=True)
    best = scores[:, : members.shape[1]].argmax(axis=1)
    return float(members[np.arange(len(scores)), best].mean())


def right_share(answers: Members, members: Members, *, independent: bool) -> float:
    """The share of texts whose answer is their label; of multi-label data the micro-F1. ``answers`` has a text's labels."""
    if independent:
        return float(2 * (answers & members).sum() / max(1, answers.sum() + members.sum()))
    return float((answers & members).any(axis=1).mean())


def calibration_error(scores: Floats, right: NDArray[np.bool_]) -> float:
    """The expected calibration error: the mean distance between score and accuracy, over 15 bins of the best score.

    ``right``: whether each text's best score is that of its label. Source: Naeini et al., "Obtaining Well Calibrated
    Probabilities Using Bayesian Binning", AAAI 2015.
    """
    best = scores.max(axis=1)
    bins = np.minimum((best * _BINS).astype(int), _BINS - 1)
    gaps = [abs((right[bins == number] - best[bins == number]).sum()) for number in range(_BINS)]
    return float(sum(gaps) / len(scores))
