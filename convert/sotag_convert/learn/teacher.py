"""Tokenized texts -> the scores of a bag-of-words teacher, and the log-count ratios that embeddings start from.

The teacher is NB-SVM (Wang and Manning, "Baselines and Bigrams", ACL 2012) with a logistic loss: a linear model of
1- to 3-grams, weighted by Naive-Bayes log-count ratios. It is better than a small LSTM on its own, but takes megabytes;
the network is trained on its out-of-fold scores (distillation). The teacher is never shipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

Floats = NDArray[np.float32]

_LENGTHS = (1, 2, 3)
_FOLDS = 5
# Added to every count. Less makes the teacher trust rare words too much: at 0.3 its log loss out of fold was 0.279, at 1
# 0.263, and a network trained on its scores reached 0.257 instead of 0.250.
_SMOOTHING = 1.0
_INVERSE_REGULARIZATION = 0.2  # of 0.1, 0.2, 0.3, 1 and 3 the lowest validation loss on the Stack Overflow texts


def out_of_fold_scores(
    texts: Sequence[Sequence[str]],
    labels: NDArray[np.int64],
    label_count: int,
    groups: NDArray[np.int64],
    for_teacher: NDArray[np.bool_],
    seed: int,
) -> Floats | None:
    """The score of each label for each tokenized text, from a teacher that was trained on no text of its group.

    ``labels``: the number of each text's label, below ``label_count``. ``groups``: 0, 1, 2 ...; the copies of a text follow
    each other and are one group. ``for_teacher``: which texts the teacher is trained on; it scores them all. Returns shape
    [texts, labels], each row of sum 1, or ``None`` if there is too little to learn from: a label with a single group, or no
    n-gram that two texts have.
    """
    label_of_group = labels[np.unique(groups, return_index=True)[1]]
    folds = min(_FOLDS, int(np.bincount(label_of_group, minlength=label_count).min()))
    try:
        counts = _ngram_counts(texts, for_teacher)
    except ValueError:  # how scikit-learn reports an empty vocabulary
        return None
    if folds < 2:
        return None
    scores = np.zeros((len(texts), label_count), np.float32)
    for _, held_out in StratifiedKFold(folds, shuffle=True, random_state=seed).split(label_of_group, label_of_group):
        unseen = np.isin(groups, held_out)
        seen = ~unseen & for_teacher
        scores[unseen] = _nb_svm_scores(counts[seen], labels[seen], counts[unseen], label_count)
    return scores


def _ngram_counts(texts: Sequence[Sequence[str]], for_teacher: NDArray[np.bool_]) -> sparse.csr_matrix:
    """Which n-grams of the teacher's texts are in each text: shape [texts, n-grams], 0 or 1.

    N-grams of a single text are left out: they cannot help with another one.
    """
    vectorizer = CountVectorizer(analyzer=_ngrams, binary=True, min_df=2, dtype=np.float32)
    vectorizer.fit(text for text, is_for_teacher in zip(texts, for_teacher, strict=True) if is_for_teacher)
    counts: sparse.csr_matrix = vectorizer.transform(texts)
    return counts


def _ngrams(tokens: Sequence[str]) -> list[str]:
    return [" ".join(tokens[start : start + n]) for n in _LENGTHS for start in range(len(tokens) - n + 1)]


def _nb_svm_scores(
    counts: sparse.csr_matrix, labels: NDArray[np.int64], unseen: sparse.csr_matrix, label_count: int
) -> Floats:
    ratios = log_count_ratios(counts, labels, label_count, _SMOOTHING)
    odds = []
    for label in range(label_count):
        weights = sparse.diags(ratios[:, label])
        model = LogisticRegression(C=_INVERSE_REGULARIZATION, solver="liblinear")
        odds.append(model.fit(counts @ weights, labels == label).predict_proba(unseen @ weights)[:, 1])
    scores = np.stack(odds, axis=1)
    normalized: Floats = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalized


def log_count_ratios(
    counts: sparse.csr_matrix, labels: NDArray[np.int64], label_count: int, smoothing: float
) -> Floats:
    """How much each feature speaks for each label: log of its share in the label's texts over its share in the others.

    ``counts``: shape [texts, features]; ``labels``: the number of each text's label, -1 for off-topic texts, which are
    among the others of every label; ``smoothing`` is added to each sum. Returns shape [features, labels]; a feature that
    is as frequent in both has 0.

    >>> log_count_ratios(np.array([[3, 1], [1, 3]]), np.array([0, 1]), 2, smoothing=1).astype(float).round(2).tolist()
    [[0.69, -0.69], [-0.69, 0.69]]
    """
    columns = []
    for label in range(label_count):
        in_label = np.asarray(counts[labels == label].sum(axis=0)).ravel() + smoothing
        in_others = np.asarray(counts[labels != label].sum(axis=0)).ravel() + smoothing
        columns.append(np.log((in_label / in_label.sum()) / (in_others / in_others.sum())))
    ratios: Floats = np.stack(columns, axis=1).astype(np.float32)
    return ratios


def presence(features: Sequence[Sequence[int]], rows: int) -> sparse.csr_matrix:
    """Which of ``rows`` features each text has, from the numbers of its features: shape [texts, rows], 0 or 1."""
    texts = np.repeat(np.arange(len(features)), [len(text) for text in features])
    columns = np.concatenate([np.asarray(text) for text in features])
    counts = sparse.csr_matrix((np.ones(len(columns), np.float32), (texts, columns)), (len(features), rows))
    counts.data[:] = 1
    return counts


def narrow(sets: Floats, columns: int) -> Floats:
    """Sets of ratios, shape [sets, features, labels], in at most ``columns`` columns instead of a column per label.

    Sets with few labels stay as they are. Others are projected on the strongest directions of the last set, the same
    directions for every set.
    """
    if sets.shape[2] <= columns:
        return sets
    directions = TruncatedSVD(columns, random_state=0).fit(sets[-1]).components_
    narrowed: Floats = (sets @ directions.T).astype(np.float32)
    return narrowed
