"""Texts -> the scores of a bag-of-words teacher, and the log-count ratios of their tokens: what the network starts from.

The teacher is NB-SVM (Wang and Manning, "Baselines and Bigrams", ACL 2012) with a logistic loss: a linear model over
1- to 3-grams, weighted by Naive-Bayes log-count ratios. It is better than a small LSTM on its own, but megabytes large;
the network learns from its scores of texts that it did not see (out of fold). It is never shipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

Floats = NDArray[numpy.float32]

_LENGTHS = (1, 2, 3)
_FOLDS = 5
# Added to every count. Less makes the teacher trust rare words too much: at 0.3 its log loss out of fold was 0.279, at 1
# 0.263, and a network that learned from it got 0.257 in place of 0.250.
_SMOOTHING = 1.0
_INVERSE_REGULARIZATION = 0.2  # of 0.1, 0.2, 0.3, 1 and 3 the lowest validation loss on the Stack Overflow texts


def out_of_fold_scores(
    texts: Sequence[Sequence[str]],
    numbers: NDArray[numpy.int64],
    labels: int,
    groups: NDArray[numpy.int64],
    lessons: NDArray[numpy.bool_],
    seed: int,
) -> Floats | None:
    """The score of each label for each tokenized text, from a teacher that saw no text of its group. Rows sum to 1.

    ``numbers``: the number of each text's label, of ``labels``. ``groups``: 0, 1, 2 ...; the copies of a text, one behind
    another, are a group. ``lessons``: which texts the teacher may learn from; it scores them all. ``None`` where there is
    too little to learn from: a label with a single group, or no n-gram seen twice.
    """
    of_group = numbers[numpy.unique(groups, return_index=True)[1]]
    folds = min(_FOLDS, int(numpy.bincount(of_group, minlength=labels).min()))
    try:
        counts = _ngram_counts(texts, lessons)
    except ValueError:  # scikit-learn's word for an empty vocabulary
        return None
    if folds < 2:
        return None
    scores = numpy.zeros((len(texts), labels), numpy.float32)
    for _, left_out in StratifiedKFold(folds, shuffle=True, random_state=seed).split(of_group, of_group):
        unseen = numpy.isin(groups, left_out)
        seen = ~unseen & lessons
        scores[unseen] = _nb_svm_scores(counts[seen], numbers[seen], counts[unseen], labels)
    return scores


def _ngram_counts(texts: Sequence[Sequence[str]], lessons: NDArray[numpy.bool_]) -> sparse.csr_matrix:
    """Which n-grams that two or more lessons have are in each tokenized text: shape [texts, n-grams], 0 or 1."""
    vectorizer = CountVectorizer(analyzer=_ngrams, binary=True, min_df=2, dtype=numpy.float32)
    vectorizer.fit(text for text, lesson in zip(texts, lessons, strict=True) if lesson)
    counts: sparse.csr_matrix = vectorizer.transform(texts)
    return counts


def _ngrams(tokens: Sequence[str]) -> list[str]:
    return [" ".join(tokens[start : start + n]) for n in _LENGTHS for start in range(len(tokens) - n + 1)]


def _nb_svm_scores(
    counts: sparse.csr_matrix, targets: NDArray[numpy.int64], unseen: sparse.csr_matrix, labels: int
) -> Floats:
    ratios = log_count_ratios(counts, targets, labels, _SMOOTHING)
    odds = []
    for label in range(labels):
        weights = sparse.diags(ratios[:, label])
        model = LogisticRegression(C=_INVERSE_REGULARIZATION, solver="liblinear")
        odds.append(model.fit(counts @ weights, targets == label).predict_proba(unseen @ weights)[:, 1])
    scores = numpy.stack(odds, axis=1)
    normalized: Floats = (scores / scores.sum(axis=1, keepdims=True)).astype(numpy.float32)
    return normalized


def log_count_ratios(counts: sparse.csr_matrix, targets: NDArray[numpy.int64], labels: int, smoothing: float) -> Floats:
    """How much each feature speaks for each label: log of its share among the label's texts over that among the others.

    ``counts``: shape [texts, features]; ``smoothing`` is added to each sum. Gives shape [features, labels], near 0 where a
    feature says nothing.
    """
    columns = []
    for label in range(labels):
        of_label = numpy.asarray(counts[targets == label].sum(axis=0)).ravel() + smoothing
        of_others = numpy.asarray(counts[targets != label].sum(axis=0)).ravel() + smoothing
        columns.append(numpy.log((of_label / of_label.sum()) / (of_others / of_others.sum())))
    ratios: Floats = numpy.stack(columns, axis=1).astype(numpy.float32)
    return ratios


def presence(features: Sequence[Sequence[int]], rows: int) -> sparse.csr_matrix:
    """Which of ``rows`` features are in each text, given as numbers: shape [texts, rows], 0 or 1."""
    texts = numpy.repeat(numpy.arange(len(features)), [len(text) for text in features])
    columns = numpy.concatenate([numpy.asarray(text) for text in features])
    counts = sparse.csr_matrix((numpy.ones(len(columns), numpy.float32), (texts, columns)), (len(features), rows))
    counts.data[:] = 1
    return counts


def narrow(sets: Floats, columns: int) -> Floats:
    """Sets of ratios, shape [sets, features, labels], in at most ``columns`` columns in place of the labels.

    Themselves where they fit, else along the strongest directions of the last set, the same for all.
    """
    if sets.shape[2] <= columns:
        return sets
    directions = TruncatedSVD(columns, random_state=0).fit(sets[-1]).components_
    narrowed: Floats = (sets @ directions.T).astype(numpy.float32)
    return narrowed
