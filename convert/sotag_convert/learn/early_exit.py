"""Scores of the beginnings of texts and of whole texts -> the early exit of a network that reads in pieces.

Works on scores only, and imports no TensorFlow.
"""

from __future__ import annotations

import numpy as np

from sotag_convert.learn.calibrate import Floats, Members
from sotag_edge.decision import EarlyExit

_PART = 4  # a beginning has a quarter of the tokens that the network reads
_BOUNDS = tuple(round(0.5 + 0.01 * number, 2) for number in range(50))
_MOST_LOST = 0.0005  # of the texts
_ENOUGH = 200  # texts that may stop


def beginning(max_tokens: int, step: int) -> int:
    """The number of tokens of a beginning: whole steps."""
    return step * max(1, round(max_tokens / _PART / step))


def fit_early_exit(first: Floats, whole: Floats, is_longer: Members, tokens: int) -> EarlyExit | None:
    """The lowest score at which texts may stop without a loss worth mentioning; ``None`` if no score is so high.

    ``first``: the calibrated scores of each text's first ``tokens`` tokens, shape [texts, labels]; ``whole``: of the text;
    ``is_longer``: whether a text has enough tokens to stop. A text whose beginning has another best label than the whole
    loses the difference of the two labels' scores for the whole. That is the accuracy that it loses on average, and it
    varies less than a count of the few texts that change from right to wrong.
    """
    if is_longer.sum() < _ENOUGH:
        return None
    of_first = whole[np.arange(len(whole)), first.argmax(axis=1)]
    losses = np.where(is_longer, whole.max(axis=1) - of_first, 0)
    for bound in _BOUNDS:
        if losses[first.max(axis=1) >= bound].sum() <= _MOST_LOST * len(whole):
            return EarlyExit(tokens, bound)
    return None
