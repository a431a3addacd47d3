"""Texts with one label each -> the scores of a teacher for each text, from models that were not fitted on it.

The teacher adds up the logits of two linear SVMs: one over the presence of runs of one to three tokens, scaled by their
log-count ratios (NB-SVM), and one over the character n-grams of the tokens, which knows words that are new to the first. Of
2,000 validation questions the first alone is right for 0.920, the second for 0.891, both for 0.924; of 1,387 real titles for
0.888, 0.889 and 0.903.

Source: Wang and Manning, "Baselines and Bigrams", ACL 2012.
"""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.svm import LinearSVC

from sotag_convert.data.downloads import cache_folder
from sotag_convert.learn.corpus import Ragged, counts_of
from sotag_convert.learn.ratios import log_count_ratios
from sotag_edge.errors import InputError

Floats = NDArray[np.float32]
Members = NDArray[np.bool_]

_MOST_CACHED = 8  # files in the cache; one has 20 bytes per text
_LONGEST_RUN = 3  # tokens
_NGRAMS = (3, 4, 5)
_RUN_BITS, _NGRAM_BITS = 22, 20  # of the hashes of many texts, which share so many columns; of few texts, fewer
_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
# The inverse regularization: of the runs 0.003 is as good for long texts and 0.03 for titles; 0.1 is worse for both.
_RUNS_C, _NGRAMS_C = 0.01, 0.3
_TOLERANCE = 0.01
_SMOOTHING = 1.0
_USUAL_LENGTH = 4  # the logarithm of 55 tokens
_CHUNK = 20_000  # texts
_SETTINGS = (
    sklearn.__version__,
    np.__version__,
    *(_LONGEST_RUN, _NGRAMS, _RUN_BITS, _NGRAM_BITS, _RUNS_C, _NGRAMS_C, _TOLERANCE, _SMOOTHING),
)
"""What the scores depend on besides the texts."""


def out_of_fold_scores(
    texts: Ragged,
    tokens: Sequence[str],
    members: Members,
    folds: NDArray[np.int32],
    fitted: Members,
    seed: int,
) -> Floats:
    """The scores of each text from models that were fitted on the texts of the other folds: shape [texts, outputs].

    ``texts``: their types; ``tokens``: of each type; ``members``: which output each text has; ``folds``: of each text, the
    same for all copies of a text; ``fitted``: which texts a model is fitted on. For 180,000 texts it takes ten minutes, so
    the result is kept in the cache, under the hash of all of this.
    """
    digest = hashlib.sha256(f"{_SETTINGS} {seed} ".encode())
    for array in (texts.values, texts.starts, members, folds, fitted):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update("\0".join(tokens).encode("utf-8", errors="surrogatepass"))
    name = f"teacher-{digest.hexdigest()[:32]}.bin"
    scores = _cached(name, members.shape)
    if scores is None:
        scores = _out_of_fold_scores(texts, tokens, members, folds, fitted, seed)
        _keep(name, scores)
    return scores


def _keep(name: str, scores: Floats) -> None:
    """Write the scores whole or not at all, and remove all but the newest ones.

    Where they cannot be written the next run computes them again.
    """
    with suppress(OSError, InputError):
        cache = cache_folder()
        with tempfile.NamedTemporaryFile(dir=cache, suffix=".part", delete=False) as scratch:
            try:
                scratch.write(scores.tobytes())
                scratch.close()
                Path(scratch.name).replace(cache / name)
            finally:
                Path(scratch.name).unlink(missing_ok=True)
        files = sorted(cache.glob("teacher-*.bin"), key=lambda file: file.stat().st_mtime)
        for file in files[:-_MOST_CACHED]:
            file.unlink()


def _cached(name: str, shape: tuple[int, ...]) -> Floats | None:
    """The scores of an earlier run; ``None`` if there are none of this shape that can be read."""
    content = b""
    with suppress(OSError, InputError):
        content = (cache_folder() / name).read_bytes()
    return np.frombuffer(content, np.float32).reshape(shape) if len(content) == 4 * np.prod(shape) else None


def _out_of_fold_scores(
    texts: Ragged,
    tokens: Sequence[str],
    members: Members,
    folds: NDArray[np.int32],
    fitted: Members,
    seed: int,
) -> Floats:
    rows = np.flatnonzero(fitted)
    learned = texts.take(rows)
    bits = _bits(_LONGEST_RUN * len(learned.values), _RUN_BITS)
    of_runs, of_ngrams = runs(learned, bits), _Ngrams(learned, tokens)
    ngrams = of_ngrams.of(learned)
    logits = np.zeros(members.shape, np.float32)
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds[rows] != fold)
        targets = members[rows[inside]]
        first = _LinearModel(of_runs[inside], targets, _RUNS_C, seed, ratios=True)
        second = _LinearModel(ngrams[inside], targets, _NGRAMS_C, seed, ratios=False)
        unseen = np.flatnonzero(folds == fold)
        for start in range(0, len(unseen), _CHUNK):
            part = unseen[start : start + _CHUNK]
            own = texts.take(part)
            logits[part] = first.logits(runs(own, bits)) + second.logits(of_ngrams.of(own))
    return tempered(logits, texts.lengths, members)


def _bits(features: int, most: int) -> int:
    """The bits of the hashes of so many features."""
    return min(most, max(1, features).bit_length() + 1)


def runs(texts: Ragged, bits: int) -> sparse.csr_matrix:
    """Which runs of one to three tokens each text has, by hashes of their types: shape [texts, 2**bits], 0 or 1."""
    types, owners = texts.values.astype(np.uint32) + np.uint32(1), texts.owners()
    hashes = np.zeros(len(types), np.uint32)
    rows, columns = [], []
    for before in range(_LONGEST_RUN):
        count = max(0, len(types) - before)
        hashes = hashes[:count] ^ (types[before:] * np.uint32(_FACTORS[before]))
        within = owners[before:] == owners[:count]
        mixed = (hashes ^ (hashes >> np.uint32(15))) * np.uint32(_FACTORS[1])
        rows.append(owners[:count][within].astype(np.int32))
        columns.append((mixed >> np.uint32(32 - bits))[within].astype(np.int32))
    row, column = np.concatenate(rows), np.concatenate(columns)
    matrix = sparse.csr_matrix((np.ones(len(row), np.float32), (row, column)), (len(texts), 1 << bits))
    matrix.data[:] = 1
    return matrix


class _Ngrams:
    """The character n-grams of texts: their TF-IDF, each row with norm 1. ``learned``: the texts that the idf is of."""

    def __init__(self, learned: Ragged, tokens: Sequence[str]) -> None:
        hashes = [_ngrams(token) for token in tokens]
        bits = _bits(sum(map(len, hashes)), _NGRAM_BITS)
        owners = np.repeat(np.arange(len(tokens)), [len(of_token) for of_token in hashes])
        columns = np.array([value >> (32 - bits) for of_token in hashes for value in sorted(of_token)], np.int32)
        shape = (len(tokens), 1 << bits)
        self._of_types = sparse.csr_matrix((np.ones(len(owners), np.float32), (owners, columns)), shape)
        self._of_types.data[:] = 1
        frequency = self._counts(learned).getnnz(axis=0)
        self._idf = (np.log((1 + len(learned)) / (1 + frequency)) + 1).astype(np.float32)

    def of(self, texts: Ragged) -> sparse.csr_matrix:
        """Shape [texts, columns]."""
        counts = self._counts(texts)
        counts.data = (1 + np.log(counts.data)) * self._idf[counts.indices]
        norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
        counts.data /= np.repeat(np.maximum(norms, 1e-9), np.diff(counts.indptr)).astype(np.float32)
        return counts

    def _counts(self, texts: Ragged) -> sparse.csr_matrix:
        """How often each text has each n-gram; that a token is there many times counts little."""
        types = counts_of(texts, self._of_types.shape[0])
        types.data = 1 + np.log(types.data)
        return (types @ self._of_types).tocsr()


def _ngrams(token: str) -> set[int]:
    """The hashes of a token's n-grams, its borders included."""
    word = f"<{token}>".encode("utf-8", errors="surrogatepass")
    return {
        zlib.crc32(word[start : start + length])
        for length in _NGRAMS
        for start in range(max(1, len(word) - length + 1))
    }


class _LinearModel:
    """Linear SVMs, one output against the rest; ``ratios``: each column is scaled by its log-count ratio for the output."""

    def __init__(self, features: sparse.csr_matrix, members: Members, c: float, seed: int, *, ratios: bool) -> None:
        outputs = range(members.shape[1])
        fits = [_fit(features, members[:, output], c, seed, ratios=ratios) for output in outputs]
        self._weights = np.stack([weights for weights, _ in fits], axis=1)
        self._bias = np.array([bias for _, bias in fits], np.float32)

    def logits(self, features: sparse.csr_matrix) -> Floats:
        """Shape [texts, outputs]."""
        logits: Floats = features @ self._weights + self._bias
        return logits


def _fit(features: sparse.csr_matrix, positive: Members, c: float, seed: int, *, ratios: bool) -> tuple[Floats, float]:
    if positive.all() or not positive.any():
        return np.zeros(features.shape[1], np.float32), 1.0 if positive.any() else -1.0
    scale = np.ones(features.shape[1], np.float32)
    scaled = features
    if ratios:
        scale = log_count_ratios(features, positive[:, None], _SMOOTHING)[:, 0]
        scaled = features.copy()
        scaled.data = scale[features.indices]
    classifier = LinearSVC(C=c, random_state=seed, tol=_TOLERANCE).fit(scaled, positive)
    return (classifier.coef_[0] * scale).astype(np.float32), float(classifier.intercept_[0])


def tempered(logits: Floats, lengths: NDArray[np.int64], members: Members) -> Floats:
    """The softmax of logits times a factor that depends on the length of the text: of long ones the SVMs are too certain.

    The best temperature of an NB-SVM is 0.9 for texts of 12 tokens, and 2.6 for those of 320. ``members``: what the scores
    are fitted to, shape [texts, outputs].
    """
    logs = np.log(np.maximum(lengths, 1)) - _USUAL_LENGTH

    def scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
        factors = np.exp(values[0] + values[1] * logs + values[2] * logs**2)
        result: NDArray[np.float64] = logits * factors[:, None]
        return result

    def loss(values: NDArray[np.float64]) -> float:
        return float(-log_softmax(scaled(values), axis=1)[members].mean())

    values = minimize(loss, np.array([0.5, -0.1, 0.0]), method="Nelder-Mead", options={"maxiter": 60}).x
    scores: Floats = softmax(scaled(values), axis=1).astype(np.float32)
    return scores
