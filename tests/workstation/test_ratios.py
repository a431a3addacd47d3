"""The log-count ratios that embeddings start from."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sotag_convert.learn.ratios import log_count_ratios, narrow


def test_log_count_ratios_of_known_counts() -> None:
    """The log of a feature's share in the label's texts over its share in all others, after smoothing."""
    counts = sparse.csr_matrix([[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1]])
    members = np.array([[True, False], [True, False], [False, True], [False, False]])
    ratios = log_count_ratios(counts, members, smoothing=0.5)
    # Label 0: counts 2, 1, 0 against 0, 1, 2. Label 1: counts 0, 1, 1 against 2, 1, 1. The off-topic text is in the others.
    expected = [
        [np.log((2.5 / 4.5) / (0.5 / 4.5)), np.log((0.5 / 3.5) / (2.5 / 5.5))],
        [0, np.log((1.5 / 3.5) / (1.5 / 5.5))],
        [np.log((0.5 / 4.5) / (2.5 / 4.5)), np.log((1.5 / 3.5) / (1.5 / 5.5))],
    ]
    np.testing.assert_allclose(ratios, expected, rtol=1e-6, atol=1e-7)


def test_a_text_of_several_labels_counts_for_each() -> None:
    """And for no label's others."""
    ratios = log_count_ratios(np.array([[1, 0], [0, 1]]), np.array([[True, True], [False, True]]), smoothing=1)
    np.testing.assert_allclose(ratios[:, 0], [np.log((2 / 3) / (1 / 3)), np.log((1 / 3) / (2 / 3))], rtol=1e-6)
    np.testing.assert_allclose(ratios[:, 1], 0, atol=1e-7)


def test_a_label_without_texts_has_finite_ratios() -> None:
    """It may be in another fold."""
    ratios = log_count_ratios(np.array([[3, 1]]), np.array([[True, False]]), smoothing=0.3)
    assert np.isfinite(ratios).all()


def test_many_labels_fit_into_few_channels() -> None:
    """Ratios of more labels than channels are projected on the same directions in every set; others stay as they are."""
    sets = np.random.default_rng(1).normal(size=(3, 40, 20)).astype(np.float32)
    narrowed = narrow(sets, 8)
    assert narrowed.shape == (3, 40, 8)
    np.testing.assert_allclose(narrow(sets[[0, 0, 2]], 8)[0], narrowed[0], atol=1e-5)
    assert narrow(sets, 20) is sets
    assert narrow(np.zeros((2, 5, 9), np.float32), 3).shape == (2, 5, 3)


def test_the_directions_are_the_strongest_of_the_last_set() -> None:
    """Ratios of rank one keep their whole length in a single channel, if the last set has that direction."""
    direction = np.array([3.0, 4.0, 0.0], np.float32) / 5
    last = np.outer(np.arange(1, 6), direction).astype(np.float32)
    other = np.tile(np.array([4.0, -3.0, 0.0], np.float32), (5, 1))
    narrowed = narrow(np.stack([other, last]), 1)
    np.testing.assert_allclose(abs(narrowed[1][:, 0]), np.arange(1, 6), rtol=1e-5)
    np.testing.assert_allclose(narrowed[0], 0, atol=1e-5)
