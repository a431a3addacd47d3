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
    """Of beginnings that are wrong below .8 and right above, texts that the whole gets right all."""
    best = np.linspace(0.5, 1, TEXTS)
    labels = np.zeros(TEXTS, int)
    first = scores(best, np.where(best < 0.8, 1, 0))
    members = np.arange(2) == labels[:, None]
    found = fit_early_exit(first, scores(np.full(TEXTS, 0.9), labels), np.ones(TEXTS, bool), members, 96)
    assert found == EarlyExit(96, 0.8)


def test_texts_that_gain_count_against_those_that_lose() -> None:
    """Where beginnings are right as often as whole texts, every score is enough; short texts do not count."""
    random = np.random.default_rng(1)
    members = np.arange(2) == random.integers(0, 2, TEXTS)[:, None]
    same = scores(random.uniform(0.5, 1, TEXTS), random.integers(0, 2, TEXTS))
    assert fit_early_exit(same, same, np.ones(TEXTS, bool), members, 16) == EarlyExit(16, 0.5)
    short = np.arange(TEXTS) < 700
    wrong = np.where(short[:, None], ~members, members).astype(float)
    assert fit_early_exit(wrong, members.astype(float), ~short, members, 16) == EarlyExit(16, 0.5)


def test_there_is_none_where_it_costs_accuracy_or_texts_are_few() -> None:
    """Beginnings that are certain and wrong; and fewer than 200 long texts, which say too little."""
    members = np.arange(2) == np.zeros((TEXTS, 1))
    wrong, right = (~members).astype(float), members.astype(float)
    assert fit_early_exit(wrong, right, np.ones(TEXTS, bool), members, 16) is None
    assert fit_early_exit(right, right, np.arange(TEXTS) < 199, members, 16) is None
    assert fit_early_exit(right, right, np.arange(TEXTS) < 200, members, 16) == EarlyExit(16, 0.5)
