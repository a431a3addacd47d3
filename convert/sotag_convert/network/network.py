"""Settings -> Keras LSTM: the graph that is trained, and the graph of the same weights that is exported.

Both compute the same function. The training graph takes padded batches, id 0 behind each text, and masks what is padding;
the export graph takes one text at its own length, without a mask, for the fused LSTM kernel knows none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy
from numpy.typing import NDArray

from sotag_convert.network.keras import tensorflow, tf_keras
from sotag_edge.errors import ModelError
from sotag_edge.vocabulary import PADDING_ID

layers = tf_keras.layers

Scores = NDArray[numpy.float32]
"""Shape [texts, labels]; each row sums to 1."""

Embed = Callable[[str, int, int], Any]
"""Name, rows, columns -> an embedding layer."""

_LONG_ROW = 8  # columns; a scale takes two bytes
_BIGRAM_FACTOR = 8191  # a prime; factor * vocabulary stays below 2**31 for a vocabulary of up to 262,000


@dataclass(frozen=True, slots=True)
class SeedNetwork:
    """The blog post's network as it was published: a fixed window, padded behind the text, and no mask.

    Source: E. Arize, "Introduction to LSTMs", which reports 0.6405 on the Stack Overflow test texts.
    """

    labels: int
    vocabulary: int
    length: int = 100
    embedding: int = 16
    units: int = 32
    recurrent_dropout: float = 0.2
    dropout: float = 0.3

    def ratio_tables(self) -> dict[str, tuple[int, int]]:
        """No embedding of this network starts from log-count ratios."""
        return {}

    def features(self, _: Sequence[int]) -> dict[str, list[int]]:
        """What a text looks up in those embeddings: nothing."""
        return {}

    def graph(self, ids: Any, embed: Embed, *, training: bool) -> Any:
        """The scores of ids of shape [batch, length]."""
        x = embed("tokens", self.vocabulary, self.embedding)(ids)
        # The recurrent dropout has no weights and no effect on inference, but it would prevent the fused kernel.
        x = layers.LSTM(self.units, recurrent_dropout=self.recurrent_dropout if training else 0.0, name="lstm")(x)
        x = layers.Dropout(self.dropout)(x)
        return layers.Dense(self.labels, activation="softmax", name="scores")(x)


@dataclass(frozen=True, slots=True)
class ConvLstmNetwork:
    """Our own: embeddings of tokens and hashed bigrams, a convolution with stride, an LSTM, the maximum over time.

    The convolution gives a step ``kernel`` tokens of context and leaves the LSTM a ``stride``-th of the steps, which is
    where the time goes. A text is read at its own length. ``ratios``: the channels of each embedding that log-count
    ratios are added to while it is trained (see teacher.py); the bigrams have no others.
    """

    labels: int
    vocabulary: int
    embedding: int = 16
    ratios: int = 4
    buckets: int = 23000
    filters: int = 48
    kernel: int = 12
    stride: int = 8
    units: int = 48
    spatial_dropout: float = 0.3
    dropout: float = 0.5
    length: None = None

    def ratio_tables(self) -> dict[str, tuple[int, int]]:
        """The rows of each embedding that starts from log-count ratios, and its channels for them."""
        return {"tokens": (self.vocabulary, self.ratios), "bigrams": (self.buckets, self.ratios)}

    def features(self, ids: Sequence[int]) -> dict[str, list[int]]:
        """The rows of each embedding table that a text's ids look up, by the table's name."""
        following = [*ids[1:], PADDING_ID]
        buckets = [(one * _BIGRAM_FACTOR + two) % self.buckets for one, two in zip(ids, following, strict=True)]
        return {"tokens": list(ids), "bigrams": buckets}

    def graph(self, ids: Any, embed: Embed, *, training: bool) -> Any:
        """The scores of ids of shape [batch, time]; time may vary."""
        tokens = embed("tokens", self.vocabulary, self.embedding)(ids)
        bigrams = embed("bigrams", self.buckets, self.ratios)(_BigramBuckets(self.buckets)(ids))
        x = layers.Concatenate()([tokens, bigrams])
        if training:
            x = _ZeroPadding()([x, ids])
            x = layers.SpatialDropout1D(self.spatial_dropout)(x)
        # subtle: a constant number of zero steps in front and behind, not padding="same", whose windows would shift with
        # the length of the padded batch. This way there are ceil(time / stride) windows and each token is in one.
        x = layers.ZeroPadding1D((self.kernel - self.stride, self.stride - 1))(x)
        x = layers.Conv1D(self.filters, self.kernel, strides=self.stride, activation="relu", name="convolution")(x)
        x = layers.LSTM(self.units, return_sequences=True, name="lstm")(x)
        # The LSTM runs forward, so padding behind a text cannot reach the steps before it: the maximum alone needs a mask.
        x = _MaskedMaximum(self.stride)([x, ids]) if training else _Maximum()(x)
        x = layers.Dropout(self.dropout)(x)
        return layers.Dense(self.labels, activation="softmax", name="scores")(x)


NetworkSettings = SeedNetwork | ConvLstmNetwork
_KINDS: dict[str, type[NetworkSettings]] = {"seed": SeedNetwork, "conv-lstm": ConvLstmNetwork}


class _BigramBuckets(tf_keras.layers.Layer):  # type: ignore[misc]  # tf_keras has no types
    """Ids -> the hash bucket of each token with the one behind it, as ``ConvLstmNetwork.features`` computes them."""

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self._buckets = buckets

    def call(self, ids: Any) -> Any:
        following = tensorflow.pad(ids[:, 1:], [[0, 0], [0, 1]], constant_values=PADDING_ID)
        return tensorflow.math.floormod(ids * _BIGRAM_FACTOR + following, self._buckets)


class _ZeroPadding(tf_keras.layers.Layer):  # type: ignore[misc]
    """Features, ids -> the features, zero where the id is padding: what the convolution sees behind a lone text."""

    def call(self, inputs: Any) -> Any:
        features, ids = inputs
        return features * tensorflow.cast(ids != PADDING_ID, features.dtype)[:, :, None]


class _MaskedMaximum(tf_keras.layers.Layer):  # type: ignore[misc]
    """Steps, ids -> the maximum over the steps that begin within the text."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self._stride = stride

    def call(self, inputs: Any) -> Any:
        steps, ids = inputs
        within = (ids != PADDING_ID)[:, :: self._stride]
        return tensorflow.reduce_max(tensorflow.where(within[:, :, None], steps, steps.dtype.min), axis=1)


class _Maximum(tf_keras.layers.Layer):  # type: ignore[misc]
    """Steps -> their maximum over time."""

    def call(self, steps: Any) -> Any:
        return tensorflow.reduce_max(steps, axis=1)


class _Int8Embedding(tf_keras.layers.Layer):  # type: ignore[misc]
    """An embedding whose table is int8, with a scale a row, or a column where rows are too short to bear one: export only.

    A scale a row, because the rows of frequent tokens are small and their errors add up over a text: with a scale a column
    one text in a hundred had a score off by 0.04 in the tiny model, so by 0.007.

    Written out as gather, cast and multiply, so that the table is small in the file while every other weight keeps its
    own precision, and so that all runtimes and processors compute the same (measured: to 8e-6; with the converter's own
    int8 LSTM only to 0.007).
    """

    def __init__(self, table: NDArray[numpy.float32]) -> None:
        super().__init__()
        self._by_row = table.shape[1] >= _LONG_ROW
        scale = numpy.maximum(abs(table).max(axis=1 if self._by_row else 0, keepdims=True), 1e-12) / 127
        self._scale = tensorflow.constant(scale, tensorflow.float32)
        self._table = tensorflow.constant(numpy.rint(table / scale).astype(numpy.int8))

    def call(self, ids: Any) -> Any:
        scale = tensorflow.gather(self._scale, ids) if self._by_row else self._scale
        return tensorflow.cast(tensorflow.gather(self._table, ids), tensorflow.float32) * scale


class _RatioEmbedding(tf_keras.layers.Layer):  # type: ignore[misc]
    """Ids, the number of each text's set of ratios -> an embedding with that set's ratios added to its first channels.

    For fitting only. ``ratios``: shape [sets, rows, channels]; the last set is what ``merged`` puts into the table.
    """

    def __init__(self, name: str, rows: int, columns: int, ratios: NDArray[numpy.float32]) -> None:
        super().__init__(name=name)
        channels = ratios.shape[2]
        self._rows = rows
        self._ratios = tensorflow.constant(numpy.pad(ratios, [(0, 0), (0, 0), (0, columns - channels)]))
        fresh = tensorflow.random.uniform((rows, columns), -0.05, 0.05)
        start = fresh * tensorflow.cast(tensorflow.range(columns) >= channels, tensorflow.float32)
        self.table = self.add_weight("table", (rows, columns), initializer=lambda *_, **__: start)

    def call(self, inputs: Any) -> Any:
        ids, sets = inputs
        ratios = tensorflow.reshape(self._ratios, (-1, self._ratios.shape[2]))
        return tensorflow.gather(self.table, ids) + tensorflow.gather(ratios, ids + sets[:, None] * self._rows)

    def merged(self) -> list[NDArray[numpy.float32]]:
        """The weights of the plain embedding that computes the same with the last set of ratios."""
        return [self.table.numpy() + self._ratios[-1].numpy()]


class Network:
    """A network of some settings. ``model`` is its graph for padded batches: ids [batch, time] -> scores."""

    def __init__(self, settings: NetworkSettings) -> None:
        self.settings = settings
        ids = tf_keras.Input((settings.length,), dtype="int32", name="ids")
        self.model = tf_keras.Model(ids, settings.graph(ids, _embedding, training=True))

    def fitting_graph(self, ratios: Mapping[str, NDArray[numpy.float32]]) -> Any:
        """The Keras model to fit: ids and, for each text, the number of its set of ratios -> scores.

        ``ratios``: for the embeddings that start from some, by name, of shape [sets, rows, channels].
        """
        ids = tf_keras.Input((self.settings.length,), dtype="int32", name="ids")
        sets = tf_keras.Input((), dtype="int32", name="sets")

        def embed(name: str, rows: int, columns: int) -> Any:
            if name not in ratios:
                return _embedding(name, rows, columns)
            layer = _RatioEmbedding(name, rows, columns, ratios[name])
            return lambda rows_of_table: layer([rows_of_table, sets])

        return tf_keras.Model([ids, sets], self.settings.graph(ids, embed, training=True))

    def take_weights(self, fitted: Any) -> None:
        """Take over the weights of a fitting graph, the last set of ratios merged into the embeddings."""
        for layer in fitted.layers:
            if layer.weights:
                weights = layer.merged() if isinstance(layer, _RatioEmbedding) else layer.get_weights()
                self.model.get_layer(layer.name).set_weights(weights)

    @classmethod
    def load(cls, description: dict[str, Any], weights: Path) -> Network:
        """The network that ``describe`` described, with the weights of a ``model.keras``. Raises ``ModelError``."""
        try:
            kind = _KINDS[description["kind"]]
            network = cls(kind(**{name: value for name, value in description.items() if name != "kind"}))
            network.model.load_weights(weights)
        except (KeyError, TypeError, ValueError, OSError, BadZipFile) as error:
            raise ModelError(f"{weights} does not hold the network that its model.json describes: {error}") from error
        return network

    def save(self, path: Path) -> None:
        """Write ``model.keras``: the weights as they are, without the optimizer's state."""
        copy = Network(self.settings)
        copy.model.set_weights(self.model.get_weights())
        copy.model.save(path)

    def describe(self) -> dict[str, Any]:
        """The settings as JSON, for the manifest."""
        kind = next(name for name, settings in _KINDS.items() if isinstance(self.settings, settings))
        return {"kind": kind, **asdict(self.settings)}

    def scores(self, ids: Sequence[Sequence[int]], batch: int = 64) -> Scores:
        """The scores of texts given as ids, in their order."""
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        found: Scores = numpy.zeros((len(ids), self.settings.labels), numpy.float32)
        for start in range(0, len(order), batch):
            numbers = order[start : start + batch]
            found[numbers] = self.model(pad([ids[number] for number in numbers]), training=False).numpy()
        return found

    def export_graph(self, embedding_bits: int | None) -> Any:
        """A Keras model of the same weights with input shape [1, length], or [1, any] where texts keep their length."""

        def embed(name: str, rows: int, columns: int) -> Any:
            if embedding_bits is None:
                return _embedding(name, rows, columns)
            return _Int8Embedding(self.model.get_layer(name).get_weights()[0])

        ids = tf_keras.Input((self.settings.length,), batch_size=1, dtype="int32", name="ids")
        graph = tf_keras.Model(ids, self.settings.graph(ids, embed, training=False))
        for layer in graph.layers:
            if layer.weights:
                layer.set_weights(self.model.get_layer(layer.name).get_weights())
        return graph


def _embedding(name: str, rows: int, columns: int) -> Any:
    return layers.Embedding(rows, columns, name=name)


def pad(ids: Sequence[Sequence[int]]) -> NDArray[numpy.int32]:
    """Ids of several texts as one array, padded behind each text to the longest.

    >>> pad([[5, 6], [7]]).tolist()
    [[5, 6], [7, 0]]
    """
    padded = numpy.full((len(ids), max(map(len, ids))), PADDING_ID, numpy.int32)
    for row, text in zip(padded, ids, strict=True):
        row[: len(text)] = text
    return padded
