"""The choice of a vocabulary: frequent tokens, and those that say most about a label."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.feature_selection import chi2

from sotag_convert.learn.corpus import Ragged, Types
from sotag_convert.learn.vocabulary import chi_squared, choose_vocabulary
from sotag_edge.vocabulary import Vocabulary


def choose(texts: list[list[str]], labels: list[int], size: int, whole: list[bool] | None = None, *, informative: bool):
    types = Types()
    numbers = Ragged.of([types.of(text) for text in texts])
    kept = np.ones(len(texts), bool) if whole is None else np.array(whole)
    return choose_vocabulary(
        types.tokens, numbers, kept, np.eye(max(labels) + 1, dtype=bool)[labels], size, informative=informative
    )


def test_the_informative_vocabulary_has_rare_tokens_of_one_label() -> None:
    """Half of a small vocabulary is for tokens that say most about the label, however rare; half is for frequent ones."""
    texts = [[*(f"word{n}" for n in range(40)), "boat" if n % 2 else "oven"] for n in range(20)]
    labels = [n % 2 for n in range(20)]
    informative = choose(texts, labels, 14, informative=True)
    assert len(informative) == 14
    assert {"boat", "oven"} <= set(informative.tokens)
    assert len({token for token in informative.tokens if token.startswith("word")}) == 10
    frequent = choose(texts, labels, 14, informative=False)
    assert frequent.tokens == Vocabulary.learn(texts, 14).tokens
    assert "boat" not in frequent.tokens


def test_the_informative_vocabulary_counts_whole_texts_only() -> None:
    """A token says no more about the label because it is in many segments of one text."""
    texts = [["common", "boat"], ["common", "oven"], *[["boat", "start"]] * 9]
    vocabulary = choose(texts, [0, 1, *[0] * 9], 5, [True, True, *[False] * 9], informative=True)
    assert vocabulary.tokens[2:] == ("boat", "oven", "common")


def test_a_vocabulary_that_holds_all_tokens_has_them_by_frequency() -> None:
    """Damaged tokens are left out."""
    vocabulary = choose([["b", "a", "a", "\ufffd"], ["b", "a"]], [0, 1], 50, informative=True)
    assert vocabulary.tokens[2:] == ("a", "b")


def test_the_statistic_is_that_of_scikit_learn() -> None:
    """Of texts with one label each; of several labels per text it is the sum over them."""
    random = np.random.default_rng(1)
    counts = sparse.csr_matrix(random.integers(0, 3, (30, 6)))
    labels = random.integers(0, 3, 30)
    np.testing.assert_allclose(chi_squared(counts, np.eye(3, dtype=bool)[labels]), chi2(counts, labels)[0])
    both = np.ones((30, 2), bool)
    np.testing.assert_allclose(chi_squared(counts, both), 0, atol=1e-9)
