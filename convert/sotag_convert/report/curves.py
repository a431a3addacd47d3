"""Scores and the true labels of texts -> the points of the report's curves. Runs no model and draws nothing.

Of many scores, such as those of 100,000 texts and 1,000 labels, only counts are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from sotag_convert.learn.calibrate import Logits, Members

_BINS = 15  # those of the calibration error
_THRESHOLDS = 50
_POINTS = 100  # of the curve of coverage
_SHORTEST = 8  # tokens: the first class of lengths ends here, and each further one at twice as many
_FEW = 10  # texts, whose figure would be chance
_CHUNK = 2**20  # scores


@dataclass(frozen=True, slots=True)
class Bin:
    """Scores from ``low`` to below ``high``: how many, their mean, and the share of them whose label is right."""

    low: float
    high: float
    count: int
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """The texts with the highest scores: their share of all texts, the lowest of their scores, and their accuracy."""

    coverage: float
    score: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class ThresholdPoint:
    """The figures of all pairs of text and label if one threshold decided for every label."""

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class LengthClass:
    """The texts with ``low`` to ``high`` tokens: how many, and the main figure of them, an accuracy with its interval.

    ``high`` is ``None`` for the texts that are longer than what the model reads.
    """

    low: int
    high: int | None
    texts: int
    figure: float
    interval: tuple[float, float] | None


def calibration_bins(scores: Logits, right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """The bins of the calibration error that have scores. ``scores``, ``right``: of the same shape."""
    counts, sums, hits = _counted(scores, right, _BINS)
    return tuple(
        Bin(number / _BINS, (number + 1) / _BINS, int(count), float(total / count), float(hit / count))
        for number, (count, total, hit) in enumerate(zip(counts, sums, hits, strict=True))
        if count
    )


def coverage_curve(best: Logits, right: NDArray[np.bool_]) -> tuple[CoveragePoint, ...]:
    """The accuracy on the texts with the highest scores, for up to 100 shares of the texts. ``best``: the best scores.

    Texts with the same score are answered together, or none of them.
    """
    order = np.argsort(-best, kind="stable")
    hits, falling = np.cumsum(right[order]), best[order]
    last_of_score = np.append(np.flatnonzero(np.diff(falling)), len(best) - 1) + 1
    shares = np.linspace(0, len(best), min(len(best), _POINTS) + 1).astype(np.int64)[1:]
    ends = np.unique(last_of_score[np.searchsorted(last_of_score, shares)])
    return tuple(
        CoveragePoint(float(end / len(best)), float(falling[end - 1]), float(hits[end - 1] / end))
        for end in ends.tolist()
    )


def threshold_curve(scores: Logits, members: Members) -> tuple[ThresholdPoint, ...]:
    """Precision, recall and F1 for the thresholds 0.02, 0.04 and so on, as far as a score reaches them."""
    counts, _, hits = _counted(scores, members, _THRESHOLDS)
    answered, right = np.cumsum(counts[::-1])[::-1], np.cumsum(hits[::-1])[::-1]
    true = max(1.0, float(members.sum()))
    return tuple(
        ThresholdPoint(
            number / _THRESHOLDS,
            float(right[number] / answered[number]),
            float(right[number] / true),
            float(2 * right[number] / (answered[number] + true)),
        )
        for number in range(1, _THRESHOLDS)
        if answered[number]
    )


def accuracy_by_length(lengths: Sequence[int], right: NDArray[np.bool_], max_tokens: int) -> tuple[LengthClass, ...]:
    """The accuracy by the number of tokens; a text of more than ``max_tokens`` has any larger number."""
    classes = []
    for low, high, chosen in _classes(lengths, max_tokens):
        texts, hits = int(chosen.sum()), int(right[chosen].sum())
        interval = binomtest(hits, texts).proportion_ci(method="wilson")
        classes.append(LengthClass(low, high, texts, hits / texts, (float(interval.low), float(interval.high))))
    return tuple(classes)


def f1_by_length(
    lengths: Sequence[int], answers: Members, members: Members, max_tokens: int
) -> tuple[LengthClass, ...]:
    """The micro-F1 by the number of tokens, as ``accuracy_by_length``."""
    return tuple(
        LengthClass(low, high, int(chosen.sum()), _f1(answers[chosen], members[chosen]), None)
        for low, high, chosen in _classes(lengths, max_tokens)
    )


def _f1(answers: Members, members: Members) -> float:
    return float(2 * (answers & members).sum() / max(1, answers.sum() + members.sum()))


def _classes(lengths: Sequence[int], max_tokens: int) -> list[tuple[int, int | None, NDArray[np.bool_]]]:
    """The classes of lengths: the bounds, and whether each text is in it. One with few texts is joined with the next.

    >>> [(low, high) for low, high, _ in _classes([*[7] * 10, 9, *[20] * 12, 33], 32)]
    [(0, 8), (9, None)]
    """
    sizes = np.minimum(lengths, max_tokens + 1)
    powers = range(max(1, max_tokens // _SHORTEST).bit_length())
    ends = [end for end in (_SHORTEST * 2**power for power in powers) if end < max_tokens] + [
        max_tokens,
        max_tokens + 1,
    ]
    kept: list[int] = []
    seen = 0
    for end in ends:
        through = int((sizes <= end).sum())
        if through - seen >= _FEW:
            kept.append(end)
            seen = through
    if seen < len(sizes):  # the last ones are few
        kept[-1:] = [next(end for end in ends if end >= sizes.max())]
    lows = [0, *(end + 1 for end in kept)]
    return [
        (low, None if end > max_tokens else end, (sizes >= low) & (sizes <= end))
        for low, end in zip(lows, kept, strict=False)
    ]


def _counted(scores: Logits, right: NDArray[np.bool_], bins: int) -> tuple[NDArray[np.float64], ...]:
    """In each bin: the number of scores, their sum, and the number of right ones."""
    counts, sums, hits = (np.zeros(bins) for _ in range(3))
    flat, flags = scores.reshape(-1), right.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        part = flat[start : start + _CHUNK].astype(np.float64)
        places = np.minimum((part * bins).astype(np.int64), bins - 1)
        counts += np.bincount(places, minlength=bins)
        sums += np.bincount(places, part, bins)
        hits += np.bincount(places, flags[start : start + _CHUNK], bins)
    return counts, sums, hits
