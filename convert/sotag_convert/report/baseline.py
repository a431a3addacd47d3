"""What a linear model of scikit-learn reaches on the same texts: the figure that a trained network is compared with.

It takes megabytes and is thrown away. Its tokens are those of the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sotag_convert.data.dataset import Examples
from sotag_edge.tokenizer import TokenizerMode, tokenize

_MANY_TEXTS = 200_000
_MUCH_WORK = 20_000_000  # texts times labels, for the exact losses
_MOST_WORK = 50_000_000  # texts times labels; minutes
_MOST_WEIGHTS = 2**26  # 512 MB
_MOST_BUCKETS = 2**20
_EPOCHS = 5  # of stochastic gradient descent, which sees enough texts in these
_INVERSE_REGULARIZATION = 10.0  # with 1 few probabilities reach 0.5


def is_affordable(texts: int, labels: int) -> bool:
    """Whether the baseline takes little time beside the training: up to 200,000 texts, fewer with over 250 labels.

    >>> is_affordable(200_000, 250), is_affordable(200_001, 2), is_affordable(60_000, 1000)
    (True, False, False)
    """
    return texts <= _MANY_TEXTS and texts * labels <= _MOST_WORK


def baseline_accuracy(
    train: Examples, test: Examples, mode: TokenizerMode = TokenizerMode.CODE, *, multi_label: bool = False
) -> float:
    """The accuracy on ``test`` of a linear model that was trained on ``train``, from 0 to 1.

    The features are sublinear TF-IDF of words and pairs of words, the model is a ``LinearSVC``. For multi-label texts the
    model is a logistic regression per label, and the figure is the micro-F1 of the labels with a probability of at least
    0.5. With over 200,000 texts, or many texts and labels, features are hashed and the same losses are minimized by
    stochastic gradient descent, which takes memory and time in proportion.
    """
    right, possible = _outcome(train, test, mode, multi_label)
    return right / possible if possible else 0.0


def cross_validated_baseline(
    examples: Examples, fold_of: Sequence[int], mode: TokenizerMode = TokenizerMode.CODE, *, multi_label: bool = False
) -> float:
    """The figure of ``baseline_accuracy`` where each text is tagged by a model of the other folds' texts.

    ``fold_of``: the fold of each text.
    """
    folds = np.asarray(fold_of)
    right, possible = 0, 0
    for fold in np.unique(folds):
        seen, unseen = (examples.take(np.flatnonzero(part).tolist()) for part in (folds != fold, folds == fold))
        more_right, more_possible = _outcome(seen, unseen, mode, multi_label)
        right, possible = right + more_right, possible + more_possible
    return right / possible if possible else 0.0


def _outcome(train: Examples, test: Examples, mode: TokenizerMode, multi_label: bool) -> tuple[int, int]:
    """The numerator and the denominator of the accuracy or the micro-F1, which add up over several sets of texts."""
    numbers = sorted({label for labels in train.label_sets + test.label_sets for label in labels})
    is_big = len(train) > _MANY_TEXTS or len(train) * len(numbers) > _MUCH_WORK
    features = _features(train, test, len(numbers), mode, is_big)
    if not multi_label:
        targets, expected = np.asarray(train.targets), np.asarray(test.targets)
        return int((_guesses(*features, targets, is_big) == expected).sum()), len(expected)
    right, guessed = 0, 0
    true = sum(map(len, test.label_sets))
    for number in numbers:
        targets, expected = (
            np.array([number in labels for labels in part.label_sets], dtype=np.bool_) for part in (train, test)
        )
        guesses = _has_label(*features, targets, is_big)
        right += int((guesses & expected).sum())
        guessed += int(guesses.sum())
    return 2 * right, true + guessed


def _features(
    train: Examples, test: Examples, labels: int, mode: TokenizerMode, is_big: bool
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    words: dict[str, Any] = {
        "tokenizer": partial(tokenize, mode=mode),
        "token_pattern": None,
        "lowercase": False,
        "ngram_range": (1, 2),
        "dtype": np.float32,
    }
    if is_big:
        hashing = HashingVectorizer(**words, n_features=buckets(labels), norm=None, alternate_sign=False)
        vectorizer: Any = make_pipeline(hashing, TfidfTransformer(sublinear_tf=True))
    else:
        vectorizer = TfidfVectorizer(**words, sublinear_tf=True)
    try:
        return vectorizer.fit_transform(train.texts), vectorizer.transform(test.texts)
    except ValueError:  # how scikit-learn reports texts without any word
        return sparse.csr_matrix((len(train), 1)), sparse.csr_matrix((len(test), 1))


def buckets(labels: int) -> int:
    """The number of hashed features: a power of two, with bounded weights for all labels together.

    >>> buckets(4), buckets(1000)
    (1048576, 65536)
    """
    return int(min(_MOST_BUCKETS, 2 ** int(np.log2(_MOST_WEIGHTS / labels))))


def _guesses(
    seen: sparse.csr_matrix, unseen: sparse.csr_matrix, targets: NDArray[np.int64], is_big: bool
) -> NDArray[np.int64]:
    """The best label of each unseen text."""
    if len(np.unique(targets)) < 2:  # which scikit-learn refuses
        return np.full(unseen.shape[0], targets[0])
    model = SGDClassifier(loss="hinge", max_iter=_EPOCHS, tol=None, random_state=0) if is_big else LinearSVC()
    guesses: NDArray[np.int64] = model.fit(seen, targets).predict(unseen)
    return guesses


def _has_label(
    seen: sparse.csr_matrix, unseen: sparse.csr_matrix, targets: NDArray[np.bool_], is_big: bool
) -> NDArray[np.bool_]:
    """Which of the unseen texts have a label."""
    if targets.all() or not targets.any():
        return np.full(unseen.shape[0], targets[0])
    if is_big:
        model: Any = SGDClassifier(loss="log_loss", max_iter=_EPOCHS, tol=None, random_state=0)
    else:
        model = LogisticRegression(C=_INVERSE_REGULARIZATION, solver="liblinear")
    guesses: NDArray[np.bool_] = model.fit(seen, targets).predict(unseen)
    return guesses
