"""Texts -> a linear model of their features, which is better than a small network where there are few texts per label.

The features are those of ``sotag_edge.features``, with one difference: here the character n-grams of every token have
columns of their own, so that words which share n-grams share evidence. ``table`` adds those of a known token to its row.

A text's scores are linear in its features, divided by their norm: sum(weight * value) / sqrt(sum((idf * value) ** 2)) +
bias, over the features of the text, where value is 1 + log(count); an n-gram of two tokens is two features. Without the
norm 0.6 to 3 points of accuracy are lost (measured on six data sets), and in this form both sums can be added up by rows.
One label against the rest, with a squared hinge loss (LinearSVC).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import SGDClassifier
from sklearn.svm import LinearSVC

from sotag_convert.learn.corpus import Ragged, counts_of
from sotag_convert.learn.presets import USUAL_LINEAR, LinearSettings
from sotag_edge.features import FIRST_FACTOR, SECOND_FACTOR, Features, ngram_hashes
from sotag_edge.vocabulary import UNKNOWN_ID

Floats = NDArray[np.float32]

# The weight of the square of an unknown token's idf in the norm. Of 0.1, 0.25 and 1 the best: small talk gained 3 points of
# accuracy; with 1 questions whose words are mostly unknown lose their calibration.
_UNKNOWN = 0.25
# The weight of a label's texts: how many times more the others are, to this power. Measured with 0, 0.15, 0.3, 0.5 and 1:
# package descriptions of 33 sections gain 2 points of accuracy and of macro-F1, small talk 1, even labels nothing. Texts
# with several labels lose 0.2 points of micro-F1.
_BALANCE = 0.3
_MANY_TEXTS = 50_000
# Of 2,000 texts and more the n-grams of common tokens gain nothing (0.890 instead of 0.888 of 6,400 questions), and are half
# of the memory; of 400 texts they do.
_COMMON, _FEW_TEXTS = 100, 2000
_MANY_PRODUCTS = 2_000_000_000  # non-zero features times labels; LinearSVC takes about 10 minutes for as many
_THREADS, _SMALLEST = 2, 1e-12


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """The features of texts. The columns: known tokens by id, pairs of tokens, character n-grams.

    ``values``: 1 + log(count) of each feature in each text, shape [texts, columns]; that of an n-gram is the sum over the
    tokens which have it. ``tokens``, ``pairs``: the squares of the same for each type and each pair, for the norm.
    ``ngrams_of_types``: how often each type has each n-gram; ``ids_of_types``: the id of each type below ``ids``, one hot;
    ``hashes``: of the pairs and n-grams, in the order of their columns; ``settings``: how a model of them is fitted.
    """

    values: sparse.csr_matrix
    tokens: sparse.csr_matrix
    pairs: sparse.csr_matrix
    ngrams_of_types: sparse.csr_matrix
    ids_of_types: sparse.csr_matrix
    hashes: NDArray[np.uint32]
    settings: LinearSettings

    @property
    def ids(self) -> int:
        """The number of ids."""
        return int(self.ids_of_types.shape[1])

    @property
    def weights(self) -> Floats:
        """How much each column counts beside the others."""
        columns = np.ones(self.values.shape[1], np.float32)
        columns[self.ids + self.pairs.shape[1] :] = self.settings.ngram_weight
        return columns

    @property
    def ngrams_of_ids(self) -> sparse.csr_matrix:
        """How often each id's token has each n-gram, shape [ids, n-grams]."""
        known = self.ids_of_types.T.tolil()
        known[UNKNOWN_ID] = 0  # the n-grams of unknown tokens have rows of their own
        return known.tocsr() @ self.ngrams_of_types

    def norms(self, squares: Floats) -> Floats:
        """The norm of each text; ``squares``: of the idf of each column."""
        ids, ngrams = self.ids, self.ids + self.pairs.shape[1]
        of_types = self.ids_of_types @ squares[:ids] + self.ngrams_of_types @ squares[ngrams:]
        norms: Floats = np.sqrt(np.maximum(self.tokens @ of_types + self.pairs @ squares[ids:ngrams], _SMALLEST))
        return norms

    def take(self, rows: NDArray[np.int64]) -> FeatureCounts:
        """The features of these texts."""
        return replace(self, values=self.values[rows], tokens=self.tokens[rows], pairs=self.pairs[rows])


def count_features(
    texts: Ragged,
    tokens: Sequence[str],
    ids_of_types: NDArray[np.int32],
    ids: int,
    settings: LinearSettings = USUAL_LINEAR,
) -> FeatureCounts:
    """The features of texts. ``texts``: their types; ``tokens``: of each type; ``ids_of_types``: its id below ``ids``."""
    types = _damped(counts_of(texts, len(tokens)))
    known = sparse.csr_matrix(
        (np.ones(len(tokens), np.float32), (np.arange(len(tokens)), ids_of_types)), (len(tokens), ids)
    )
    pairs, pair_keys = _pairs(texts, ids_of_types)
    ngrams, ngram_keys = _ngrams(tokens, types if len(texts) > _FEW_TEXTS else None)
    values = sparse.hstack([types @ known, pairs, types @ ngrams], "csr", np.float32)
    hashes = np.concatenate([pair_keys, ngram_keys])
    return FeatureCounts(values, types.power(2), pairs.power(2), ngrams, known, hashes, settings)


def _damped(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """1 + log(count). With 1 for any count up to 3 points are lost where texts are long and few."""
    counts.data = 1 + np.log(counts.data)
    return counts


def _pairs(texts: Ragged, ids_of_types: NDArray[np.int32]) -> tuple[sparse.csr_matrix, NDArray[np.uint32]]:
    """Which pairs of neighbouring known tokens each text has, and their hashes."""
    ids, owners = ids_of_types[texts.values].astype(np.uint32), texts.owners()
    # A border between texts looks like an unknown token.
    apart = np.insert(ids, texts.starts[1:-1], np.uint32(UNKNOWN_ID))
    places = np.insert(owners, texts.starts[1:-1], 0)
    known = (apart[:-1] > UNKNOWN_ID) & (apart[1:] > UNKNOWN_ID)
    keys, columns = np.unique(pair_hashes(apart), return_inverse=True)
    rows = places[:-1][known]
    counts = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(texts), len(keys)))
    counts.sum_duplicates()
    counts = _damped(counts)
    if len(texts) > _MANY_TEXTS:  # a pair of a single text is of no use to another one
        often = counts.getnnz(axis=0) > 1
        counts, keys = counts[:, np.flatnonzero(often)], keys[often]
    return counts, keys


def pair_hashes(ids: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The hash of each pair of neighbouring known tokens, as ``features.pair_hash`` computes it."""
    first, second = ids[:-1], ids[1:]
    known = (first > UNKNOWN_ID) & (second > UNKNOWN_ID)
    hashes: NDArray[np.uint32] = (first * np.uint32(FIRST_FACTOR) ^ second * np.uint32(SECOND_FACTOR))[known]
    return hashes


def _ngrams(tokens: Sequence[str], types: sparse.csr_matrix | None) -> tuple[sparse.csr_matrix, NDArray[np.uint32]]:
    """How often each token has each n-gram, and their hashes; ``types``: leaves out tokens that many of these texts have."""
    rare = np.arange(len(tokens)) if types is None else np.flatnonzero(types.getnnz(axis=0) <= _COMMON)
    hashes = [np.array(ngram_hashes(tokens[number]), np.uint32) for number in rare.tolist()]
    rows = np.repeat(rare, [len(entry) for entry in hashes])
    keys, columns = np.unique(np.concatenate([np.zeros(0, np.uint32), *hashes]), return_inverse=True)
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(tokens), len(keys))), keys


class LinearModel(NamedTuple):
    """``weights``: shape [columns, outputs]; ``squares``: the square of each column's idf; ``bias``: shape [outputs]."""

    weights: Floats
    squares: Floats
    bias: Floats

    def logits(self, features: FeatureCounts) -> Floats:
        """The distance of each text from the plane of each output, shape [texts, outputs]; above 0 speaks for it."""
        logits: Floats = features.values @ self.weights / features.norms(self.squares)[:, None] + self.bias
        return logits.astype(np.float32)


def inverse_regularization(texts: int) -> float:
    """The C of the linear SVM for so many texts: more regularization of many.

    Measured with 0.5, 0.7, 1 and 2 on sets of 50 to 9,000 texts: of 50, 2 is best by 1.5 points; of 9,000, 0.5 by half a
    point.

    >>> [round(inverse_regularization(texts), 1) for texts in (50, 500, 5000, 50000)]
    [2.0, 1.3, 0.8, 0.5]
    """
    return float(np.clip(2 * (100 / max(texts, 1)) ** 0.25, 0.5, 2))


def fit_linear(
    features: FeatureCounts, rows: NDArray[np.int64], targets: NDArray[np.bool_], seed: int, *, off_topic: bool
) -> LinearModel:
    """Fit on some rows of the features. ``targets``: which outputs each of them has, shape [rows, outputs].

    ``off_topic``: the last output is that of off-topic texts. These do not change the other outputs: few texts of a label
    and many off-topic ones would (measured: 2 points for small talk). An output that none of the texts has gets a score
    below 0 for every text.
    """
    fitted = features.take(rows)
    labelled = ~targets[:, -1] if off_topic else np.ones(len(rows), bool)
    frequency = fitted.values[labelled].getnnz(axis=0)
    idf = (np.log((1 + labelled.sum()) / (1 + frequency)) + 1) * (frequency > 0) * features.weights
    squares = (idf**2).astype(np.float32)
    # An unknown token says nothing about the labels, but that a text has many says that it may be off-topic.
    squares[UNKNOWN_ID], idf[UNKNOWN_ID] = _UNKNOWN * (np.log(1 + labelled.sum()) + 1) ** 2, 0
    scaled = (sparse.diags(1 / fitted.norms(squares)) @ fitted.values @ sparse.diags(idf)).tocsr()
    of_labels = scaled[labelled] if off_topic else scaled
    balance = _BALANCE if (targets.sum(axis=1) <= 1).all() else 0.0
    outputs = targets.shape[1]
    many = scaled.nnz * outputs > _MANY_PRODUCTS
    weights, bias = np.zeros((scaled.shape[1], outputs), np.float32), np.zeros(outputs, np.float32)

    def fit(output: int) -> None:
        is_label = not off_topic or output < outputs - 1
        texts = of_labels if is_label else scaled
        positive = targets[labelled, output] if is_label else targets[:, output]
        if not positive.any() or positive.all():
            bias[output] = 1.0 if positive.any() else -1.0
            return
        classifier = _classifier(texts.shape[0], features.settings, seed, many=many)
        # There may be more off-topic texts than others, or fewer; they get the same weight.
        power = balance if is_label else 1.0
        classifier.set_params(class_weight={True: float((~positive).sum() / positive.sum()) ** power, False: 1.0})
        classifier.fit(texts, positive)
        weights[:, output] = classifier.coef_[0] * idf
        bias[output] = classifier.intercept_[0]

    # subtle: the fits of liblinear share one random generator, so that two at once would differ from run to run.
    with ThreadPoolExecutor(_THREADS if many else 1) as threads:
        list(threads.map(fit, range(outputs)))
    return LinearModel(weights, squares, bias)


def _classifier(texts: int, settings: LinearSettings, seed: int, *, many: bool) -> LinearSVC | SGDClassifier:
    strength = inverse_regularization(texts) * settings.strength
    if many:
        return SGDClassifier("modified_huber", alpha=1 / (strength * texts), max_iter=5, tol=None, random_state=seed)
    return LinearSVC(C=strength, random_state=seed)


def out_of_fold_logits(
    features: FeatureCounts,
    targets: NDArray[np.bool_],
    folds: NDArray[np.int32],
    fitted: NDArray[np.bool_],
    seed: int,
    *,
    off_topic: bool,
) -> Floats:
    """The logits of each text from a model that was fitted on the texts of the other folds: shape [texts, outputs].

    ``folds``: of each text, the same for all copies of a text; ``fitted``: which texts a model is fitted on.
    """
    logits = np.zeros(targets.shape, np.float32)
    for fold in np.unique(folds):
        unseen = folds == fold
        rows = np.flatnonzero(~unseen & fitted)
        model = fit_linear(features, rows, targets[rows], seed, off_topic=off_topic)
        logits[unseen] = model.logits(features.take(np.flatnonzero(unseen)))
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

    def logits(self, rows: Ragged, counts: Ragged) -> Floats:
        """The logits of texts, shape [texts, outputs]. ``rows``, ``counts``: of their features, as the device finds them."""
        damped = (1 + np.log(counts.values)).astype(np.float32)
        values = sparse.csr_matrix((damped, rows.values, rows.starts), (len(rows), len(self.rows)))
        norms = np.sqrt(np.maximum(values.power(2) @ self.rows[:, -1], _SMALLEST))
        logits: Floats = values @ self.rows[:, :-1] / norms[:, None] + self.bias
        return logits


def table(model: LinearModel, features: FeatureCounts, most: int) -> LinearTable:
    """The rows of all ids, and of the ``most`` pairs and n-grams that move the scores of the training texts most.

    That of 160,000 pairs and n-grams 3,000 to 10,000 are enough was measured: 0 to 0.5 points less.
    """
    ids = features.ids
    ngrams, parts = ids + features.pairs.shape[1], (model.weights, model.squares[:, None])
    of_ids = np.hstack([part[:ids] + features.ngrams_of_ids @ part[ngrams:] for part in parts])
    effect = features.values.getnnz(axis=0) * np.maximum(model.weights.max(axis=1), -model.weights.min(axis=1))
    kept = np.argsort(-effect[ids:], kind="stable")[:most]
    kept = kept[model.squares[ids + kept] > 0]  # a feature with weights of 0 is still part of the norm
    hashes, first = np.unique(features.hashes[kept], return_index=True)  # a pair and an n-gram may have the same hash
    rows = np.concatenate([of_ids, np.hstack([part[ids + kept[first]] for part in parts])]).astype(np.float32)
    return LinearTable(rows, hashes, model.bias, ranks=first)
