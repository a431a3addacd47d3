"""Scores and the true labels of texts -> an ``Evaluation``, of a single-label or a multi-label model. Runs no model.

Needs scikit-learn, but no TensorFlow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from sotag_convert.learn.calibrate import Logits, Members, calibration_error, log_losses
from sotag_edge.decision import MultiLabel, SingleLabel

_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.5)
_RANKS = (1, 3, 5)
_ROUNDS = 1000  # of the bootstrap
_CHUNK = 2**20  # scores
_BINS = 15


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """The figures of one label, as shares from 0 to 1. ``texts``: the number of texts with the label."""

    label: str
    texts: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class ThresholdFigures(LabelFigures):
    """The figures of a label of a multi-label model. ``threshold``: the lowest score that is answered with it."""

    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(ABC):
    """The figures of a model on labelled texts. Shares are from 0 to 1.

    ``interval``: the 95 % interval of the main figure. ``macro_f1``: the mean F1 of the labels that have texts, however
    many. ``answered``: the share not answered ``unknown``. ``off_topic_unknown``: the share of the off-topic texts answered
    ``unknown``, and ``off_topic_auroc`` the probability that one of them has a lower best score than one of the others (the
    area under the ROC curve); ``None`` without such texts. ``on``: the kind of texts, such as "test texts".
    """

    kind: ClassVar[str]
    figure_name: ClassVar[str]
    """The name of the main figure."""
    texts: int
    interval: tuple[float, float]
    macro_f1: float
    log_loss: float
    calibration_error: float
    answered: float
    labels: Sequence[LabelFigures]
    off_topic_unknown: float | None = None
    off_topic_auroc: float | None = None
    on: str = "texts"

    @property
    @abstractmethod
    def figure(self) -> float:
        """The main figure."""

    def to_json(self) -> dict[str, Any]:
        """The kind, and the fields rounded to five digits: those of the labels last."""
        fields: dict[str, Any] = rounded(asdict(self))
        main = self.figure_name.replace("-", "_").lower()
        first = {name: fields.pop(name) for name in ("on", "texts", main, "interval")}
        last: dict[str, Any] = {name: fields.pop(name) for name in ("labels", "confusion") if name in fields}
        return {"kind": self.kind, **first, **fields, **last}


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleLabelEvaluation(Evaluation):
    """The figures of a model that gives each text one label.

    ``accuracy``: the share of texts whose best guess is their label, with a Wilson interval. ``log_loss``: of the label's
    score. ``calibration_error``: of the best score. ``answered_accuracy``: the accuracy on the texts that are not answered
    ``unknown``. ``coverage``: pairs of a share of the texts, those with the highest scores, and the accuracy on them.
    ``confusion``: the number of texts by label (rows) and best guess (columns).
    """

    kind: ClassVar[str] = SingleLabel.kind
    figure_name: ClassVar[str] = "accuracy"
    accuracy: float
    answered_accuracy: float
    coverage: tuple[tuple[float, float], ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def figure(self) -> float:
        """The accuracy."""
        return self.accuracy

    def confusions(self, most: int) -> list[tuple[str, str, int]]:
        """The most frequent errors: label, best guess, and the number of texts."""
        counts = np.array(self.confusion)
        np.fill_diagonal(counts, 0)
        width = counts.shape[1]
        frequent = np.argsort(-counts, axis=None, kind="stable")[:most].tolist()
        places = [divmod(place, width) for place in frequent]
        names = [figures.label for figures in self.labels]
        return [(names[row], names[column], int(counts[row, column])) for row, column in places if counts[row, column]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelEvaluation(Evaluation):
    """The figures of a model that gives a text several labels: those whose scores reach their thresholds.

    ``micro_f1``, ``precision``, ``recall``: of all pairs of text and label; the interval of the first is a bootstrap over
    texts. ``exact``: the share of texts that are answered with exactly their labels. ``precision_at``: pairs of a number and
    the share of the text's labels among so many labels with the best scores; ``recall_at``: how many of the text's labels
    are among them. ``log_loss``: summed over the labels, per text. ``calibration_error``: of all scores.
    """

    kind: ClassVar[str] = MultiLabel.kind
    figure_name: ClassVar[str] = "micro-F1"
    micro_f1: float
    precision: float
    recall: float
    exact: float
    precision_at: tuple[tuple[int, float], ...]
    recall_at: tuple[tuple[int, float], ...]
    labels: Sequence[ThresholdFigures]

    @property
    def figure(self) -> float:
        """The micro-F1."""
        return self.micro_f1


def measure_single(
    scores: Logits, answered: Sequence[bool] | Members, targets: Sequence[int], labels: Sequence[str], on: str = "texts"
) -> SingleLabelEvaluation:
    """The figures of calibrated scores, shape [texts, labels]; ``answered``: which texts have another answer than
    ``unknown``; ``targets``: the number of each text's label."""
    guesses = scores.argmax(axis=1)
    right = guesses == np.asarray(targets)
    numbers = list(range(len(labels)))
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    per_label = precision_recall_fscore_support(targets, guesses, labels=numbers, zero_division=0.0)
    by_score = np.argsort(-scores.max(axis=1), kind="stable")
    kept = np.asarray(answered)
    own = scores[np.arange(len(right)), list(targets), None].astype(np.float64)
    return SingleLabelEvaluation(
        texts=len(right),
        accuracy=float(right.mean()),
        interval=(float(interval.low), float(interval.high)),
        macro_f1=float(per_label[2][per_label[3] > 0].mean()),
        log_loss=float(log_losses(own, np.ones(own.shape, np.bool_), independent=False).mean()),
        calibration_error=calibration_error(scores.astype(np.float64), right),
        coverage=tuple(
            (share, float(right[by_score[: max(1, round(share * len(right)))]].mean())) for share in _COVERAGES
        ),
        answered=float(kept.mean()),
        answered_accuracy=float(right[kept].mean()) if kept.any() else 0.0,
        labels=tuple(
            LabelFigures(label, int(texts), float(precision), float(recall), float(f1))
            for label, precision, recall, f1, texts in zip(labels, *per_label, strict=True)
        ),
        confusion=tuple(tuple(row) for row in confusion_matrix(targets, guesses, labels=numbers).tolist()),
        on=on,
    )


def measure_multi(
    scores: Logits,
    answers: Members,
    members: Members,
    labels: Sequence[str],
    thresholds: Sequence[float],
    on: str = "texts",
) -> MultiLabelEvaluation:
    """The figures of calibrated scores; ``answers``: the labels that each text is answered with, ``members``: those that it
    has, all of shape [texts, labels]. ``thresholds``: of each label."""
    right = answers & members
    by_text = np.stack([right.sum(axis=1), answers.sum(axis=1), members.sum(axis=1)], axis=1)
    by_label = np.stack([right.sum(axis=0), answers.sum(axis=0), members.sum(axis=0)], axis=1)
    precision, recall, f1 = (shares.tolist() for shares in _shares(by_label))
    micro_precision, micro_recall, micro_f1 = _shares(by_text.sum(axis=0))
    ranks = [rank for rank in _RANKS if rank <= len(labels)]
    hits = _hits(scores, members, ranks)
    loss, error = _cell_figures(scores, members)
    return MultiLabelEvaluation(
        texts=len(scores),
        micro_f1=float(micro_f1),
        interval=_bootstrap(by_text),
        precision=float(micro_precision),
        recall=float(micro_recall),
        macro_f1=float(np.mean([value for value, texts in zip(f1, by_label[:, 2], strict=True) if texts])),
        exact=float((answers == members).all(axis=1).mean()),
        precision_at=tuple((rank, float(hits[rank].mean() / rank)) for rank in ranks),
        recall_at=tuple((rank, float((hits[rank] / np.maximum(by_text[:, 2], 1)).mean())) for rank in ranks),
        log_loss=loss,
        calibration_error=error,
        answered=float((by_text[:, 1] > 0).mean()),
        labels=tuple(map(ThresholdFigures, labels, by_label[:, 2].tolist(), precision, recall, f1, thresholds)),
        on=on,
    )


def _shares(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall and F1; ``counts``: right, answered and true ones, in the last axis. 0 where there are none.

    >>> [float(share) for share in _shares(np.array([3, 4, 6]))]
    [0.75, 0.5, 0.6]
    """
    right, answered, true = np.moveaxis(counts, -1, 0)
    return (
        right / np.maximum(answered, 1),
        right / np.maximum(true, 1),
        2 * right / np.maximum(answered + true, 1),
    )


def _bootstrap(by_text: NDArray[np.int64]) -> tuple[float, float]:
    """The 95 % interval of the micro-F1 under drawing the texts again; ``by_text``: as for ``_shares``, of each text.

    Texts with the same counts are drawn together, so that many texts take no longer.
    """
    kinds, numbers = np.unique(by_text, axis=0, return_counts=True)
    draws = np.random.default_rng(0).multinomial(len(by_text), numbers / len(by_text), size=_ROUNDS)
    low, high = np.quantile(_shares(draws @ kinds)[2], [0.025, 0.975])
    return float(low), float(high)


def _hits(scores: Logits, members: Members, ranks: Sequence[int]) -> dict[int, NDArray[np.int64]]:
    """For each rank and text, how many of the labels with the best scores up to this rank the text has."""
    hits = {rank: np.zeros(len(scores), np.int64) for rank in ranks}
    for part in _chunks(scores):
        best = np.argsort(-scores[part], axis=1, kind="stable")[:, : max(ranks)]
        found = np.take_along_axis(members[part], best, axis=1)
        for rank in ranks:
            hits[rank][part] = found[:, :rank].sum(axis=1)
    return hits


def _cell_figures(scores: Logits, members: Members) -> tuple[float, float]:
    """The log loss per text, and the expected calibration error over all pairs of text and label in 15 bins."""
    loss = 0.0
    gaps = np.zeros(_BINS)
    for part in _chunks(scores):
        cells, own = scores[part].astype(np.float64), members[part]
        loss += float(log_losses(cells, own, independent=True).sum())
        bins = np.minimum((cells * _BINS).astype(np.int64), _BINS - 1)
        gaps += np.bincount(bins.ravel(), (own - cells).ravel(), _BINS)
    return loss / len(scores), float(np.abs(gaps).sum() / scores.size)


def _chunks(scores: Logits) -> Iterator[slice]:
    """Parts of the texts with about a million scores each: figures of all at once would take several times their memory."""
    step = max(1, _CHUNK // scores.shape[1])
    return (slice(start, start + step) for start in range(0, len(scores), step))


def rounded(value: Any) -> Any:
    """The value with its numbers, and those in it, rounded to five digits."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {name: rounded(entry) for name, entry in value.items()}
    return [rounded(entry) for entry in value] if isinstance(value, (list, tuple)) else value
