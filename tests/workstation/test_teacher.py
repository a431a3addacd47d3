"""The bag-of-words teacher: it scores no text that it was trained on; and the log-count ratios."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sotag_convert.learn import teacher


def scores_of(
    texts: list[list[str]], labels: NDArray[np.int64], groups: NDArray[np.int64], for_teacher: NDArray[np.bool_] | None
) -> teacher.Floats:
    everything = np.ones(len(texts), bool)
    count = int(labels.max()) + 1
    scores = teacher.out_of_fold_scores(
        texts, labels, count, groups, everything if for_teacher is None else for_teacher, seed=1
    )
    assert scores is not None
    return scores


def test_no_text_is_scored_by_a_teacher_that_was_trained_on_it() -> None:
    """40 texts of random labels, each twice. Out of fold the labels cannot be guessed; a teacher that was trained on the
    text, or on its copy, is right about all of them."""
    groups = np.repeat(np.arange(40), 2)
    texts = [[f"oven{group}", f"dough{group}", f"bread{group}"] for group in groups.tolist()]
    labels = np.random.default_rng(0).permutation(40)[groups] % 2
    scores = scores_of(texts, labels, groups, None)
    assert (scores.argmax(axis=1) == labels).mean() < 0.7
    copies_apart = scores_of(texts, labels, np.arange(80), None)
    assert (copies_apart.argmax(axis=1) == labels).mean() > 0.8  # so the groups make the difference


def test_the_teacher_is_trained_on_its_own_texts_only() -> None:
    """Copies that are not for the teacher are scored by it, and change none of its scores."""
    texts = [["oven", "dough"], ["boat", "sail"]] * 10
    labels = np.array([0, 1] * 10)
    alone = scores_of(texts, labels, np.arange(20), None)
    # A copy of each text that says the opposite: trained on, it would leave nothing to tell the labels apart by.
    doubled = [tokens for pair in (texts[0], texts[1]) for tokens in (pair, texts[1] if pair is texts[0] else texts[0])]
    copies = scores_of(doubled * 10, np.repeat(labels, 2), np.repeat(np.arange(20), 2), np.array([True, False] * 20))
    np.testing.assert_allclose(copies[::2], alone, atol=1e-6)
    assert (copies[1::2].argmax(axis=1) != np.repeat(labels, 2)[1::2]).all()


def test_an_n_gram_of_one_text_is_no_feature() -> None:
    """Counted are n-grams that two of the teacher's texts have, up to three tokens long; copies not for it do not count."""
    texts = [["a", "b", "c", "d"], ["a", "b", "c", "d"], ["e"], ["e"]]
    counts = teacher._ngram_counts(texts, np.array([True, True, True, False]))
    assert counts.shape == (4, 9)  # a b c d, ab bc cd, abc bcd
    assert counts.toarray().sum(axis=1).tolist() == [9, 9, 0, 0]


def test_every_fold_has_its_own_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five teachers, each trained on four fifths of the groups; fewer where the smallest label has fewer groups."""
    sizes: list[tuple[int, int]] = []
    fit = teacher._nb_svm_scores

    def recorded(counts, labels, unseen, label_count):
        sizes.append((counts.shape[0], unseen.shape[0]))
        return fit(counts, labels, unseen, label_count)

    monkeypatch.setattr(teacher, "_nb_svm_scores", recorded)
    texts = [["oven", "dough"], ["boat", "sail"]] * 10
    scores_of(texts, np.array([0, 1] * 10), np.arange(20), None)
    assert sizes == [(16, 4)] * 5
    sizes.clear()
    scores_of(texts[:6], np.array([0, 1] * 3), np.arange(6), None)
    assert sizes == [(4, 2)] * 3


def test_scores_are_shares() -> None:
    """Each row sums to 1 and the label of a clear text is the best, for three labels too."""
    texts = [["oven", "dough"], ["boat", "sail"], ["rose", "soil"]] * 6
    labels = np.array([0, 1, 2] * 6)
    scores = scores_of(texts, labels, np.arange(18), None)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert (scores.argmax(axis=1) == labels).all()


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        ([["a"], ["a"], ["a"]], [0, 0, 1]),
        ([["a"], ["b"], ["c"], ["d"]], [0, 0, 1, 1]),
        ([[], [], [], []], [0, 0, 1, 1]),
    ],
)
def test_too_little_to_learn_from_gives_no_scores(texts: list[list[str]], labels: list[int]) -> None:
    """A label with one group, or no n-gram that two texts have."""
    everything = np.ones(len(texts), bool)
    assert teacher.out_of_fold_scores(texts, np.array(labels), 2, np.arange(len(texts)), everything, seed=1) is None


def test_log_count_ratios_of_known_counts() -> None:
    """The log of a feature's share in the label's texts over its share in all others, after smoothing."""
    counts = teacher.presence([[0, 0, 1], [0], [1, 2], [2]], rows=3)
    ratios = teacher.log_count_ratios(counts, np.array([0, 0, 1, -1]), 2, smoothing=0.5)
    # Label 0: counts 2, 1, 0 against 0, 1, 2. Label 1: counts 0, 1, 1 against 2, 1, 1. The off-topic text is in the others.
    expected = [
        [np.log((2.5 / 4.5) / (0.5 / 4.5)), np.log((0.5 / 3.5) / (2.5 / 5.5))],
        [0, np.log((1.5 / 3.5) / (1.5 / 5.5))],
        [np.log((0.5 / 4.5) / (2.5 / 4.5)), np.log((1.5 / 3.5) / (1.5 / 5.5))],
    ]
    np.testing.assert_allclose(ratios, expected, rtol=1e-6, atol=1e-7)


def test_many_labels_fit_into_few_channels() -> None:
    """Ratios of more labels than channels are projected on the same directions in every set; others stay as they are."""
    sets = np.random.default_rng(1).normal(size=(3, 40, 20)).astype(np.float32)
    narrowed = teacher.narrow(sets, 8)
    assert narrowed.shape == (3, 40, 8)
    np.testing.assert_allclose(teacher.narrow(sets[[0, 0, 2]], 8)[0], narrowed[0], atol=1e-5)
    assert teacher.narrow(sets, 20) is sets


def test_the_directions_are_the_strongest_of_the_last_set() -> None:
    """Ratios of rank one keep their whole length in a single channel, if the last set has that direction."""
    direction = np.array([3.0, 4.0, 0.0], np.float32) / 5
    last = np.outer(np.arange(1, 6), direction).astype(np.float32)
    other = np.tile(np.array([4.0, -3.0, 0.0], np.float32), (5, 1))
    narrowed = teacher.narrow(np.stack([other, last]), 1)
    np.testing.assert_allclose(abs(narrowed[1][:, 0]), np.arange(1, 6), rtol=1e-5)
    np.testing.assert_allclose(narrowed[0], 0, atol=1e-5)
