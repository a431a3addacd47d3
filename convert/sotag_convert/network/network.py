"""Settings -> a Keras LSTM: the graph that is trained, and the graph of the same weights that is exported.

Both compute the same function. The training graph takes batches padded with id 0 after each text and masks the padding;
the export graph takes one text at its own length, without a mask, which the fused LSTM kernel does not support.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sotag_convert.network.architectures import (
    KINDS,
    STEP,
    ConvLstmNetwork,
    Embed,
    NetworkSettings,
    StepLstmNetwork,
    settings_from,
)
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.layers import Int8Embedding, Int8Rows, LinearLogits, RatioEmbedding
from sotag_convert.network.weights import read_weights
from sotag_edge.errors import ModelError
from sotag_edge.graph import BEFORE, ROWS
from sotag_edge.vocabulary import PADDING_ID

LINEAR = "linear"
DENSE = "scores"
Scores = NDArray[np.float32]
"""Shape [texts, outputs], from 0 to 1; a softmax sums to 1."""


class Network:
    """A network built from its settings. ``model`` is its graph for padded batches: ids [batch, time] -> scores.

    With a linear branch the graph has a second input: the rows of each text's features and their counts, shape [batch, 2,
    features], padded with row 0. The branch is a table, ``LINEAR``, of a row per feature and a column per output, and a last
    one with the square of the feature's idf. Its logits are added to those of the settings' graph. It is fitted by itself
    (learn/linear.py).
    """

    def __init__(self, settings: NetworkSettings) -> None:
        self.settings = settings
        self.model = _model(settings, _embedding, training=True)

    def fitting_graph(self, ratios: Mapping[str, NDArray[np.float32]]) -> Any:
        """The Keras model to fit: ids and, for each text, the number of its set of ratios -> scores.

        ``ratios``: for each embedding that starts from ratios, by name, an array of shape [sets, rows, channels]. The linear
        branch is not in it.
        """
        ids = tf_keras.Input((self.settings.length,), dtype="int32", name="ids")
        sets = tf_keras.Input((), dtype="int32", name="sets")

        def embed(name: str, rows: int, columns: int) -> Any:
            if name not in ratios:
                return _embedding(name, rows, columns)
            layer = RatioEmbedding(name, rows, columns, ratios[name])
            return lambda rows_of_table: layer([rows_of_table, sets])

        logits = self.settings.graph(ids, embed, training=True)
        return tf_keras.Model([ids, sets], _activation(self.settings)(logits))

    def scaled(self, share: float, offsets: NDArray[np.float32]) -> Network:
        """This network with its logits times ``share``, plus ``offsets`` of shape [outputs]."""
        network = Network(self.settings)
        network.take_weights(self.model)
        kernel, bias = self.model.get_layer(DENSE).get_weights()
        network.model.get_layer(DENSE).set_weights([kernel * share, bias * share + offsets])
        return network

    def joined(self, share: float, table: NDArray[np.float32], bias: NDArray[np.float32]) -> Network:
        """This network, without a linear branch, and a branch: their logits, this one's times ``share``, are added.

        ``table``: the branch's rows, see the class; ``bias``: shape [outputs].
        """
        if not isinstance(self.settings, ConvLstmNetwork):
            raise TypeError(f"{type(self.settings).__name__} has no linear branch")
        network = Network(replace(self.settings, rows=len(table)))
        network.take_weights(self.model)
        kernel, ours = self.model.get_layer(DENSE).get_weights()
        network.model.get_layer(DENSE).set_weights([kernel * share, ours * share + bias])
        network.model.get_layer(LINEAR).set_weights([table])
        return network

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

    def scores(
        self, ids: Sequence[Sequence[int]], rows: Sequence[Sequence[Sequence[int]]] | None = None, batch: int = 64
    ) -> Scores:
        """The scores of texts as ids, in their order; ``rows``: of their features, with counts, for a linear branch.

        ``batch``: how many texts run at a time.
        """
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        scores: Scores = np.zeros((len(ids), self.settings.labels), np.float32)
        for start in range(0, len(order), batch):
            numbers = order[start : start + batch]
            inputs = [pad([ids[number] for number in numbers])]
            if rows is not None:
                inputs.append(np.stack([pad([rows[number][part] for number in numbers]) for part in (0, 1)], axis=1))
            scores[numbers] = self.model(inputs, training=False).numpy()
        return scores

    def export_graph(self, embedding_bits: int | None) -> Any:
        """A Keras model of the same weights with input shape [1, length], or [1, any] where texts keep their length.

        Of a network that reads in steps: ``StepLstmNetwork.reading_graph``, its scores and maximum side by side.

        ``embedding_bits``: 8 stores the embedding tables as int8; ``None`` leaves them as they are.
        """
        settings = self.settings
        in_steps = isinstance(settings, StepLstmNetwork)
        weights = {layer.name: layer.get_weights() for layer in self.model.layers if layer.weights}
        if in_steps:  # the training graph has a mask instead
            for table in settings.ratio_tables():
                weights[table][0][PADDING_ID] = 0
        scales: list[NDArray[np.float32]] = []

        def embed(name: str, rows: int, columns: int) -> Any:
            if embedding_bits is None:
                return _embedding(name, rows, columns)
            if name == LINEAR:
                return Int8Rows(weights[name][0])
            layer = Int8Embedding(weights[name][0], folded=in_steps)
            scales.append(layer.column_scale)
            return layer

        graph = _model(settings, embed, training=False)
        if isinstance(settings, StepLstmNetwork) and scales:
            weights[STEP][0] *= np.tile(np.concatenate(scales), 2)[:, None]  # of the maximum and of the sum
        for layer in graph.layers:
            if layer.weights:
                layer.set_weights(weights[layer.name])
        return graph


def _model(settings: NetworkSettings, embed: Embed, *, training: bool) -> Any:
    """The graph of a network: for padded batches (``training``), or for one text."""
    batch = None if training else 1
    inputs = [tf_keras.Input((settings.length,), batch_size=batch, dtype="int32", name="ids")]
    if isinstance(settings, StepLstmNetwork) and not training:
        before = tf_keras.Input((settings.units,), batch_size=batch, dtype="float32", name=BEFORE)
        logits, maximum = settings.reading_graph(inputs[0], before, embed)
        joined = tf_keras.layers.Concatenate()([_activation(settings)(logits), maximum])
        return tf_keras.Model([inputs[0], before], joined)
    logits = settings.graph(inputs[0], embed, training=training)
    if settings.rows:
        # [batch, 2, features]; for one text [2, features], because every tensor of the device has two dimensions.
        shape = (None,) if batch else (2, None)
        inputs.append(tf_keras.Input(shape, batch_size=batch and 2, dtype="int32", name=ROWS))
        rows, counts = (inputs[1][:1], inputs[1][1:]) if batch else (inputs[1][:, 0], inputs[1][:, 1])
        table = embed(LINEAR, settings.rows, settings.labels + 1)(rows)
        logits = tf_keras.layers.Add()([logits, LinearLogits()([table, counts])])
    return tf_keras.Model(inputs, _activation(settings)(logits))


def _activation(settings: NetworkSettings) -> Any:
    return tf_keras.layers.Activation("sigmoid" if settings.independent else "softmax")


def _embedding(name: str, rows: int, columns: int) -> Any:
    return tf_keras.layers.Embedding(rows, columns, name=name)


def pad(ids: Sequence[Sequence[int]], length: int | None = None) -> NDArray[np.int32]:
    """Ids of several texts as one array, padded after each text to the longest, or to ``length``.

    >>> pad([[5, 6], [7]]).tolist()
    [[5, 6], [7, 0]]
    """
    padded = np.full((len(ids), length or max(map(len, ids))), PADDING_ID, np.int32)
    for row, text in zip(padded, ids, strict=True):
        row[: len(text)] = text
    return padded
