"""The Keras layers of our own that the networks are built from. They compute; none of them is specific to a data set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sotag_convert.network.keras import tf, tf_keras
from sotag_edge.vocabulary import PADDING_ID

BIGRAM_FACTOR = 8191  # a prime; factor * vocabulary stays below 2**31 for a vocabulary of up to 262,000
_SMALLEST = 1e-6  # the square of a norm
_LONG_ROW = 8  # columns; a scale takes two bytes


class _Layer(tf_keras.layers.Layer):  # type: ignore[misc]  # tf_keras has no types
    """A layer that TensorFlow calls as it is. By default it first writes a copy of its source into the folder for temporary
    files, where a killed process would leave it."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.call: Any = tf.autograph.experimental.do_not_convert(self.call)


class BigramBuckets(_Layer):
    """Ids -> the hash bucket of each token with the next one, as ``ConvLstmNetwork.features`` computes them."""

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self._buckets = buckets

    def call(self, ids: Any) -> Any:
        following = tf.pad(ids[:, 1:], [[0, 0], [0, 1]], constant_values=PADDING_ID)
        return tf.math.floormod(ids * BIGRAM_FACTOR + following, self._buckets)


class WithPrevious(_Layer):
    """Ids, shape [batch, time] -> the same with padding before each text, shape [batch, 1 + time]."""

    def call(self, ids: Any) -> Any:
        return tf.pad(ids, [[0, 0], [1, 0]], constant_values=PADDING_ID)


class PreviousBuckets(_Layer):
    """Ids, each text with the id before it, shape [batch, 1 + time] -> the hash bucket of each token with the previous one,
    as ``StepLstmNetwork.features`` computes them; that of padding is 0, which no other token has."""

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self._buckets = buckets

    def call(self, ids: Any) -> Any:
        before, current = ids[:, :-1], ids[:, 1:]
        hashed = tf.math.floormod(before * BIGRAM_FACTOR + current, self._buckets - 1) + 1
        return hashed * tf.minimum(current, 1)


class Steps(_Layer):
    """Features of tokens, shape [batch, time, channels] -> of each ``step`` tokens in a row the maximum and the sum, divided
    by the root of ``step``: shape [batch, steps, 2 * channels]. Zeros are added up to a multiple of ``step``."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def call(self, features: Any) -> Any:
        padded = tf.pad(features, [[0, 0], [0, -tf.shape(features)[1] % self._step], [0, 0]])
        return _pooled(tf.reshape(padded, (tf.shape(features)[0], -1, self._step, features.shape[2])), self._step)


class StepsOfOne(_Layer):
    """The same for one text of whole steps, without the dimension of the batch: with it a dense layer has nine operators
    more, to compute shapes."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def call(self, features: Any) -> Any:
        return _pooled(tf.reshape(features, (-1, self._step, features.shape[2])), self._step)


def _pooled(steps: Any, step: int) -> Any:
    """Shape [..., step, channels] -> [..., 2 * channels]."""
    return tf.concat([tf.reduce_max(steps, axis=-2), tf.reduce_sum(steps, axis=-2) * step**-0.5], axis=-1)


class Batch(_Layer):
    """Values of one text -> the same with the dimension of the batch."""

    def call(self, values: Any) -> Any:
        return tf.expand_dims(values, 0)


class ZeroPadding(_Layer):
    """Features, ids -> the features, zero where the id is padding: the input of the convolution after an unpadded text."""

    def call(self, inputs: Any) -> Any:
        features, ids = inputs
        return features * tf.cast(ids != PADDING_ID, features.dtype)[:, :, None]


class MaskedMaximum(_Layer):
    """Steps, ids -> the maximum over the steps that begin within the text."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self._stride = stride

    def call(self, inputs: Any) -> Any:
        steps, ids = inputs
        within = (ids != PADDING_ID)[:, :: self._stride]
        return tf.reduce_max(tf.where(within[:, :, None], steps, steps.dtype.min), axis=1)


class Maximum(_Layer):
    """Steps -> their maximum over time."""

    def call(self, steps: Any) -> Any:
        return tf.reduce_max(steps, axis=1)


class HigherMaximum(_Layer):
    """Steps, a maximum -> the higher one of it and the steps' maximum over time."""

    def call(self, inputs: Any) -> Any:
        steps, before = inputs
        return tf.maximum(tf.reduce_max(steps, axis=1), before)


class Int8Embedding(_Layer):
    """An embedding whose table is int8, with one scale per row, or per column where rows are short. For export only.

    One scale per row, because the rows of frequent tokens are small and their errors add up over a text: with one scale per
    column, one text in a hundred had a score off by 0.04 in the tiny model of release 0.1.0; with one per row, by 0.007.

    Written out as gather, cast and multiply, so that the table is small in the file while every other weight keeps its
    own precision, and so that all runtimes and processors compute the same (measured: to 8e-6; with the converter's own
    int8 LSTM only to 0.007).

    ``folded``: one scale per column, whatever their number, left to the next layer, which multiplies its weights by
    ``column_scale``. That takes four bytes a row and three operators less; in a network that reads in steps one text in a
    hundred has a score off by 0.013 with it, and by 0.005 with one scale per row.
    """

    def __init__(self, table: NDArray[np.float32], *, folded: bool = False) -> None:
        super().__init__()
        by_row = table.shape[1] >= _LONG_ROW and not folded
        scale = _scale(table, axis=1 if by_row else 0)
        self._rows = tf.constant(scale, tf.float32) if by_row else None
        self._columns = None if by_row or folded else tf.constant(scale, tf.float32)
        self._table = tf.constant(np.rint(table / scale).astype(np.int8))
        self.column_scale = scale[0] if folded else np.ones(table.shape[1], np.float32)

    def call(self, ids: Any) -> Any:
        values = tf.cast(tf.gather(self._table, ids), tf.float32)
        if self._rows is not None:
            return values * tf.gather(self._rows, ids)
        return values if self._columns is None else values * self._columns


class Int8Rows(_Layer):
    """The table of the linear branch in int8, with one scale per row; the last column, of the squares, stays a float.

    For export only. Measured on seven sets of texts: in int8 the accuracy is that of floats, in 4 bits 0.3 points lower.
    """

    def __init__(self, table: NDArray[np.float32]) -> None:
        super().__init__()
        weights, squares = table[:, :-1], table[:, -1:]
        scale = _scale(weights, axis=1)
        self._floats = tf.constant(np.concatenate([scale, squares], axis=1), tf.float32)
        self._table = tf.constant(np.rint(weights / scale).astype(np.int8))

    def call(self, rows: Any) -> Any:
        floats = tf.gather(self._floats, rows)
        weights = tf.cast(tf.gather(self._table, rows), tf.float32) * floats[:, :, :1]
        return tf.concat([weights, floats[:, :, 1:]], axis=2)


def _scale(table: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """What a number of an int8 table is multiplied by, one per row (axis 1) or column (axis 0)."""
    scale: NDArray[np.float32] = np.maximum(abs(table).max(axis=axis, keepdims=True), 1e-12) / 127
    return scale


class LinearLogits(_Layer):
    """Rows of weights, the last column squares, shape [batch, features, outputs + 1], and their counts, shape [batch,
    features] -> logits: the sums, divided by the norm. Rows of padding are 0."""

    def call(self, inputs: Any) -> Any:
        rows, counts = inputs
        values = 1 + tf.math.log(tf.maximum(tf.cast(counts, tf.float32), 1))[:, :, None]
        weights = tf.reduce_sum(rows[:, :, :-1] * values, axis=1)
        squares = tf.reduce_sum(rows[:, :, -1:] * values * values, axis=1)
        return weights * tf.math.rsqrt(tf.maximum(squares, _SMALLEST))


class RatioEmbedding(_Layer):
    """Ids, the number of each text's set of ratios -> an embedding with that set's ratios added to its first channels.

    For training only. ``ratios``: shape [sets, rows, channels]; ``merged`` puts the last set into the table.
    """

    def __init__(self, name: str, rows: int, columns: int, ratios: NDArray[np.float32]) -> None:
        super().__init__(name=name)
        channels = ratios.shape[2]
        self._rows = rows
        self._ratios = tf.constant(np.pad(ratios, [(0, 0), (0, 0), (0, columns - channels)]))
        fresh = tf.random.uniform((rows, columns), -0.05, 0.05)
        start = fresh * tf.cast(tf.range(columns) >= channels, tf.float32)
        self.table = self.add_weight("table", (rows, columns), initializer=lambda *_, **__: start)

    def call(self, inputs: Any) -> Any:
        ids, sets = inputs
        ratios = tf.reshape(self._ratios, (-1, self._ratios.shape[2]))
        return tf.gather(self.table, ids) + tf.gather(ratios, ids + sets[:, None] * self._rows)

    def merged(self) -> list[NDArray[np.float32]]:
        """The weights of the plain embedding that computes the same with the last set of ratios."""
        return [self.table.numpy() + self._ratios[-1].numpy()]
