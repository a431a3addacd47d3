"""Texts -> a linear model of their features, which is better than a small network where there are few texts per label.

The features are those of ``sotag_edge.features``, with one difference: here the character n-grams of every token have columns
of their own, so that words which share n-grams share evidence. ``LinearModel.table`` adds those of a known token to its row.

A text's scores are linear in its features, divided by their norm: sum(weight) / sqrt(sum(idf ** 2)) + bias, over the features
of the text, a feature of two tokens twice. Without the norm 0.6 to 3 points of accuracy are lost (measured on six data sets),
and in this form both sums can be added up by rows. One label against the rest, with a squared hinge loss (LinearSVC).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import SGDClassifier
from sklearn.svm import LinearSVC

from sotag_convert.learn.corpus import Ragged, counts_of, presence
from sotag_edge.features import Features, pair_hashes, token_hashes
from sotag_edge.vocabulary import UNKNOWN_ID

Floats = NDArray[np.float32]

# Of 0.2, 0.3 and 0.5 the best on titles, questions and package descriptions; with 1 the n-grams outweigh the words of a long
# text, which costs 2 to 7 points.
_NGRAM_WEIGHT = 0.3
_INVERSE_REGULARIZATION = 0.7  # 0.5, 1 and 2 are within half a point
_MANY_TEXTS = 50_000
# Of 2,000 texts and more the n-grams of common tokens gain nothing (0.890 instead of 0.888 of 6,400 questions), and are half
# of the memory; of 400 texts they do.
_COMMON, _FEW_TEXTS = 100, 2000
_MANY_PRODUCTS = 2_000_000_000  # non-zero features times labels; LinearSVC takes about 10 minutes for as many
_THREADS = 2
_SMALLEST = 1e-12


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """How often each text has each feature. The columns: known tokens by id, pairs of tokens, character n-grams.

    ``counts``: shape [texts, columns]; ``hashes``: of the pairs and n-grams, in the order of their columns; ``pairs``: how
    many are pairs; ``ngrams_of_ids``: how often each id's token has each n-gram, shape [ids, n-grams].
    """

    counts: sparse.csr_matrix
    ids: int
    hashes: NDArray[np.uint32]
    pairs: int
    ngrams_of_ids: sparse.csr_matrix

    @property
    def weights(self) -> Floats:
        """How much each column counts beside the others."""
        columns = np.ones(self.counts.shape[1], np.float32)
        columns[self.ids + self.pairs :] = _NGRAM_WEIGHT
        return columns


def count_features(texts: Ragged, tokens: Sequence[str], ids_of_types: NDArray[np.int32], ids: int) -> FeatureCounts:
    """The features of texts. ``texts``: their types; ``tokens``: of each type; ``ids_of_types``: its id below ``ids``."""
    types = presence(texts, len(tokens))
    known = sparse.csr_matrix(
        (
            (ids_of_types > UNKNOWN_ID).astype(np.float32),
            (np.arange(len(tokens)), ids_of_types),
        ),
        (len(tokens), ids),
    )
    pairs, pair_keys = _pairs(texts, ids_of_types)
    ngrams, ngram_keys = _ngrams(tokens, types if len(texts) > _FEW_TEXTS else None)
    counts = sparse.hstack([types @ known, pairs, types @ ngrams], "csr", np.float32)
    return FeatureCounts(counts, ids, np.concatenate([pair_keys, ngram_keys]), len(pair_keys), known.T.tocsr() @ ngrams)


def _pairs(texts: Ragged, ids_of_types: NDArray[np.int32]) -> tuple[sparse.csr_matrix, NDArray[np.uint32]]:
    """Which pairs of neighbouring known tokens each text has, and their hashes."""
    ids, owners = ids_of_types[texts.values].astype(np.uint32), texts.owners()
    # A border between texts looks like an unknown token.
    apart = np.insert(ids, texts.starts[1:-1], np.uint32(UNKNOWN_ID))
    places = np.insert(owners, texts.starts[1:-1], 0)
    known = (apart[:-1] > UNKNOWN_ID) & (apart[1:] > UNKNOWN_ID)
    keys, columns = np.unique(pair_hashes(np, apart), return_inverse=True)
    rows = places[:-1][known]
    counts = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(texts), len(keys)))
    counts.data[:] = 1
    if len(texts) > _MANY_TEXTS:  # a pair of a single text is of no use to another one
        often = counts.getnnz(axis=0) > 1
        counts, keys = counts[:, np.flatnonzero(often)], keys[often]
    return counts, keys


def _ngrams(tokens: Sequence[str], types: sparse.csr_matrix | None) -> tuple[sparse.csr_matrix, NDArray[np.uint32]]:
    """How often each token has each n-gram, and their hashes; ``types``: leaves out tokens that many of these texts have."""
    rare = np.arange(len(tokens)) if types is None else np.flatnonzero(types.getnnz(axis=0) <= _COMMON)
    hashes = [np.array(token_hashes(tokens[number]), np.uint32) for number in rare.tolist()]
    rows = np.repeat(rare, [len(entry) for entry in hashes])
    keys, columns = np.unique(np.concatenate([np.zeros(0, np.uint32), *hashes]), return_inverse=True)
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(tokens), len(keys))), keys


class LinearModel(NamedTuple):
    """``weights``: shape [columns, outputs]; ``squares``: the square of each column's idf; ``bias``: shape [outputs]."""

    weights: Floats
    squares: Floats
    bias: Floats

    def logits(self, counts: sparse.csr_matrix) -> Floats:
        """The distance of each text from the plane of each output, shape [texts, outputs]; above 0 speaks for it."""
        norms = np.sqrt(np.maximum(counts @ self.squares, _SMALLEST))
        logits: Floats = ((counts @ self.weights) / norms[:, None] + self.bias).astype(np.float32)
        return logits


def fit_linear(features: FeatureCounts, rows: NDArray[np.int64], targets: NDArray[np.bool_], seed: int) -> LinearModel:
    """Fit on some rows of the features. ``targets``: which outputs each of them has, shape [rows, outputs].

    An output that none of the texts has gets a score below 0 for every text.
    """
    counts = features.counts[rows]
    frequency = counts.getnnz(axis=0)
    idf = (np.log((1 + len(rows)) / (1 + frequency)) + 1) * (frequency > 0) * features.weights
    squares = (idf**2).astype(np.float32)
    norms = np.sqrt(np.maximum(counts @ squares, _SMALLEST))
    scaled = (sparse.diags(1 / norms) @ counts @ sparse.diags(idf)).tocsr()

    def fit(output: int) -> tuple[Floats, float]:
        positive = targets[:, output]
        if not positive.any() or positive.all():
            return np.zeros(scaled.shape[1], np.float32), 1.0 if positive.any() else -1.0
        classifier = _classifier(scaled.nnz * targets.shape[1], len(rows), seed).fit(scaled, positive)
        return (classifier.coef_[0] * idf).astype(np.float32), float(classifier.intercept_[0])

    with ThreadPoolExecutor(_THREADS) as threads:  # liblinear releases Python's lock
        fitted = list(threads.map(fit, range(targets.shape[1])))
    weights = np.stack([weights for weights, _ in fitted], axis=1)
    return LinearModel(weights, squares, np.array([bias for _, bias in fitted], np.float32))


def _classifier(products: int, texts: int, seed: int) -> LinearSVC | SGDClassifier:
    if products > _MANY_PRODUCTS:
        alpha = 1 / (_INVERSE_REGULARIZATION * texts)
        return SGDClassifier("modified_huber", alpha=alpha, max_iter=5, tol=None, random_state=seed)
    return LinearSVC(C=_INVERSE_REGULARIZATION, random_state=seed)


def out_of_fold_logits(
    features: FeatureCounts,
    targets: NDArray[np.bool_],
    folds: NDArray[np.int32],
    fitted: NDArray[np.bool_],
    seed: int,
) -> Floats:
    """The logits of each text from a model that was fitted on the texts of the other folds: shape [texts, outputs].

    ``folds``: of each text, the same for all copies of a text; ``fitted``: which texts a model is fitted on.
    """
    logits = np.zeros(targets.shape, np.float32)
    for fold in np.unique(folds):
        unseen = folds == fold
        rows = np.flatnonzero(~unseen & fitted)
        logits[unseen] = fit_linear(features, rows, targets[rows], seed).logits(features.counts[unseen])
    return logits


class LinearTable(NamedTuple):
    """A linear model as the device reads it: ``rows``, shape [ids + hashes, outputs + 1], the last column the squares of the
    idf; ``hashes`` in ascending order; ``bias``. ``ranks``: of the hashes, the lowest for the one that is of most use."""

    rows: Floats
    hashes: NDArray[np.uint32]
    bias: Floats
    ranks: NDArray[np.int64]

    def most_useful(self, most: int) -> LinearTable:
        """The table with the rows of ``most`` hashes, or of all if there are no more."""
        kept = np.sort(np.argsort(self.ranks)[:most])
        ids = len(self.rows) - len(self.hashes)
        rows = np.concatenate([self.rows[:ids], self.rows[ids + kept]])
        return LinearTable(rows, self.hashes[kept], self.bias, self.ranks[kept])

    def features(self) -> Features:
        """The features of the device."""
        return Features(self.content(), len(self.rows) - len(self.hashes))

    def content(self) -> bytes:
        """The content of ``features.bin``."""
        return self.hashes.astype("<u4").tobytes()

    def logits(self, rows: Ragged) -> Floats:
        """The logits of texts, shape [texts, outputs]. ``rows``: of their features, as the device finds them."""
        sums = counts_of(rows, len(self.rows)) @ self.rows
        logits: Floats = sums[:, :-1] / np.sqrt(np.maximum(sums[:, -1:], _SMALLEST)) + self.bias
        return logits


def table(model: LinearModel, features: FeatureCounts, most: int) -> LinearTable:
    """The rows of all ids, and of the ``most`` pairs and n-grams that move the scores of the training texts most.

    That of 160,000 pairs and n-grams 3,000 to 10,000 are enough was measured: 0 to 0.5 points less.
    """
    ids = features.ids
    whole = np.column_stack([model.weights, model.squares])
    of_ids = whole[:ids] + features.ngrams_of_ids @ whole[ids + features.pairs :]
    frequency = features.counts.getnnz(axis=0)[ids:]
    effect = frequency * abs(model.weights[ids:]).max(axis=1)
    kept = np.argsort(-effect, kind="stable")[: min(most, int((effect > 0).sum()))]
    hashes, first = np.unique(features.hashes[kept], return_index=True)  # a pair and an n-gram may have the same hash
    rows = np.concatenate([of_ids, whole[ids + kept[first]]]).astype(np.float32)
    return LinearTable(rows, hashes, model.bias, ranks=first)
