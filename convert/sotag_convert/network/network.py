"""Settings -> a Keras LSTM: the graph that is trained, and the graph of the same weights that is exported.

Both compute the same function. The training graph takes batches padded with id 0 after each text and masks the padding;
the export graph takes one text at its own length, without a mask, which the fused LSTM kernel does not support.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sotag_convert.network.architectures import KINDS, NetworkSettings, settings_from
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.layers import Int8Embedding, RatioEmbedding
from sotag_convert.network.weights import read_weights
from sotag_edge.errors import ModelError
from sotag_edge.vocabulary import PADDING_ID

Scores = NDArray[np.float32]
"""Shape [texts, labels]; each row sums to 1."""


class Network:
    """A network built from its settings. ``model`` is its graph for padded batches: ids [batch, time] -> scores."""

    def __init__(self, settings: NetworkSettings) -> None:
        self.settings = settings
        ids = tf_keras.Input((settings.length,), dtype="int32", name="ids")
        self.model = tf_keras.Model(ids, settings.graph(ids, _embedding, training=True))

    def fitting_graph(self, ratios: Mapping[str, NDArray[np.float32]]) -> Any:
        """The Keras model to fit: ids and, for each text, the number of its set of ratios -> scores.

        ``ratios``: for each embedding that starts from ratios, by name, an array of shape [sets, rows, channels].
        """
        ids = tf_keras.Input((self.settings.length,), dtype="int32", name="ids")
        sets = tf_keras.Input((), dtype="int32", name="sets")

        def embed(name: str, rows: int, columns: int) -> Any:
            if name not in ratios:
                return _embedding(name, rows, columns)
            layer = RatioEmbedding(name, rows, columns, ratios[name])
            return lambda rows_of_table: layer([rows_of_table, sets])

        return tf_keras.Model([ids, sets], self.settings.graph(ids, embed, training=True))

    def take_weights(self, fitted: Any) -> None:
        """Copy the weights of a fitting graph, with the last set of ratios merged into the embeddings."""
        for layer in fitted.layers:
            if layer.weights:
                weights = layer.merged() if isinstance(layer, RatioEmbedding) else layer.get_weights()
                self.model.get_layer(layer.name).set_weights(weights)

    @classmethod
    def load(cls, description: Mapping[str, Any], weights: Path) -> Network:
        """The network of a manifest's ``network`` entry, with the weights of a ``model.keras``. Raises ``ModelError``.

        For a file of our own: ``export.stranger`` reads anybody's.
        """
        try:
            network = cls(settings_from(description))
            network.model.set_weights(read_weights(weights, network.shapes()))
        except (ValueError, OSError, BadZipFile) as error:
            raise ModelError(f"{weights} does not hold the network that its model.json describes: {error}") from error
        return network

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The name in ``model.keras`` of each array of weights, in their order, and its shape."""
        shapes: dict[str, tuple[int, ...]] = {}
        counts: Counter[str] = Counter()
        for layer in (layer for layer in self.model.layers if layer.weights):
            kind = type(layer).__name__.lower()
            place = f"layers/{kind}_{counts[kind]}" if counts[kind] else f"layers/{kind}"
            counts[kind] += 1
            place += "/cell/vars" if kind == "lstm" else "/vars"
            shapes |= {f"{place}/{number}": tuple(array.shape) for number, array in enumerate(layer.get_weights())}
        return shapes

    def save(self, path: Path) -> None:
        """Write ``model.keras``: the weights, without the optimizer's state."""
        copy = Network(self.settings)
        copy.model.set_weights(self.model.get_weights())
        copy.model.save(path, save_format="keras_v3")  # by its name Keras takes HDF5 at the second time in a thread

    def describe(self) -> dict[str, Any]:
        """The settings as JSON, for the manifest."""
        kind = next(name for name, settings in KINDS.items() if isinstance(self.settings, settings))
        return {"kind": kind, **asdict(self.settings)}

    def scores(self, ids: Sequence[Sequence[int]], batch: int = 64) -> Scores:
        """The scores of texts as ids, in their order; ``batch``: how many texts run at a time."""
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        scores: Scores = np.zeros((len(ids), self.settings.labels), np.float32)
        for start in range(0, len(order), batch):
            numbers = order[start : start + batch]
            scores[numbers] = self.model(pad([ids[number] for number in numbers]), training=False).numpy()
        return scores

    def export_graph(self, embedding_bits: int | None) -> Any:
        """A Keras model of the same weights with input shape [1, length], or [1, any] where texts keep their length.

        ``embedding_bits``: 8 stores the embedding tables as int8; ``None`` leaves them as they are.
        """

        def embed(name: str, rows: int, columns: int) -> Any:
            if embedding_bits is None:
                return _embedding(name, rows, columns)
            return Int8Embedding(self.model.get_layer(name).get_weights()[0])

        ids = tf_keras.Input((self.settings.length,), batch_size=1, dtype="int32", name="ids")
        graph = tf_keras.Model(ids, self.settings.graph(ids, embed, training=False))
        for layer in graph.layers:
            if layer.weights:
                layer.set_weights(self.model.get_layer(layer.name).get_weights())
        return graph


def _embedding(name: str, rows: int, columns: int) -> Any:
    return tf_keras.layers.Embedding(rows, columns, name=name)


def pad(ids: Sequence[Sequence[int]]) -> NDArray[np.int32]:
    """Ids of several texts as one array, padded after each text to the longest.

    >>> pad([[5, 6], [7]]).tolist()
    [[5, 6], [7, 0]]
    """
    padded = np.full((len(ids), max(map(len, ids))), PADDING_ID, np.int32)
    for row, text in zip(padded, ids, strict=True):
        row[: len(text)] = text
    return padded
