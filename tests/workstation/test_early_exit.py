"""The early exit that validation texts choose."""

from __future__ import annotations

import numpy as np
import pytest

from sotag_convert.learn.early_exit import beginning, fit_early_exit
from sotag_edge.decision import EarlyExit

TEXTS = 1000


def scores(best: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Scores of two labels: ``best`` for the label."""
    return np.where(np.arange(2) == label[:, None], best[:, None], 1 - best[:, None])


@pytest.mark.parametrize(
    ("max_tokens", "step", "tokens"), [(384, 16, 96), (64, 4, 16), (64, 16, 16), (32, 16, 16), (400, 16, 96)]
)
def test_a_beginning_is_a_quarter_in_whole_steps(max_tokens: int, step: int, tokens: int) -> None:
    """And one step at least."""
    assert beginning(max_tokens, step) == tokens


def test_the_bound_is_the_lowest_that_costs_no_accuracy() -> None:
    """Of beginnings that differ from their texts below .8 and agree with them above; short texts do not count."""
    best = np.linspace(0.5, 1, TEXTS)
    whole = scores(np.full(TEXTS, 0.9), np.zeros(TEXTS, int))
    first = scores(best, np.where(best < 0.8, 1, 0))
    everywhere = np.ones(TEXTS, bool)
    assert fit_early_exit(first, whole, everywhere, 96) == EarlyExit(96, 0.8)
    assert fit_early_exit(first, whole, best >= 0.8, 96) == EarlyExit(96, 0.5)
    assert fit_early_exit(whole, whole, everywhere, 16) == EarlyExit(16, 0.5)


@pytest.mark.parametrize(("texts", "bound"), [(1, 0.5), (2, 0.96)])
def test_half_a_thousandth_may_be_lost(texts: int, bound: float) -> None:
    """By the scores of the whole: each text that differs loses .7 - .3, and one of a thousand is within the limit."""
    whole = scores(np.full(TEXTS, 0.7), np.zeros(TEXTS, int))
    first = scores(np.full(TEXTS, 0.99), np.zeros(TEXTS, int))
    first[:texts] = [0.05, 0.95]
    assert fit_early_exit(first, whole, np.ones(TEXTS, bool), 96) == EarlyExit(96, bound)


def test_there_is_none_where_it_costs_accuracy_or_texts_are_few() -> None:
    """Beginnings that are certain of another label; and fewer than 200 long texts, which say too little."""
    whole = scores(np.full(TEXTS, 0.9), np.zeros(TEXTS, int))
    assert fit_early_exit(1 - whole, whole, np.ones(TEXTS, bool), 16) == EarlyExit(16, 0.91)
    certain = scores(np.ones(TEXTS), np.ones(TEXTS, int))
    assert fit_early_exit(certain, whole, np.ones(TEXTS, bool), 16) is None
    assert fit_early_exit(whole, whole, np.arange(TEXTS) < 199, 16) is None
    assert fit_early_exit(whole, whole, np.arange(TEXTS) < 200, 16) == EarlyExit(16, 0.5)
