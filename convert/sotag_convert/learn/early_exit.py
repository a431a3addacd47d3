"""Scores of the beginnings of texts and of whole texts -> the early exit of a network that reads in pieces.

Works on scores only, and imports no TensorFlow.
"""

from __future__ import annotations

import numpy as np

from sotag_convert.learn.calibrate import Floats, Members
from sotag_edge.decision import EarlyExit

_PART = 4  # a beginning has a quarter of the tokens that the network reads
_BOUNDS = tuple(round(0.5 + 0.01 * number, 2) for number in range(50))
_MOST_LOST = 0.001  # of the texts
_ENOUGH = 200  # texts with more tokens than a beginning


def beginning(max_tokens: int, step: int) -> int:
    """The number of tokens of a beginning: whole steps."""
    return step * max(1, round(max_tokens / _PART / step))


def fit_early_exit(first: Floats, whole: Floats, is_longer: Members, members: Members, tokens: int) -> EarlyExit | None:
    """The lowest score at which texts that stop there lose no accuracy worth mentioning; ``None`` if no score is so high.

    ``first``: the calibrated scores of each text's first ``tokens`` tokens, shape [texts, labels]; ``whole``: of the text;
    ``is_longer``: whether a text has more tokens; ``members``: its label.
    """
    rows = np.arange(len(members))
    right_first, right_whole = (members[rows, scores.argmax(axis=1)] for scores in (first, whole))
    if is_longer.sum() < _ENOUGH:
        return None
    best = first.max(axis=1)
    for bound in _BOUNDS:
        stopped = is_longer & (best >= bound)
        if (right_whole[stopped].sum() - right_first[stopped].sum()) <= _MOST_LOST * len(members):
            return EarlyExit(tokens, bound)
    return None
