"""The settings of a network, and the graph that they describe. Adding an architecture means adding a class and its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sotag_convert.network.bounds import check_settings
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.layers import (
    BIGRAM_FACTOR,
    Batch,
    BigramBuckets,
    HigherMaximum,
    MaskedMaximum,
    Maximum,
    PreviousBuckets,
    Steps,
    StepsOfOne,
    WithPrevious,
    ZeroPadding,
)
from sotag_convert.network.seed import SeedNetwork
from sotag_edge.vocabulary import PADDING_ID

layers = tf_keras.layers

STEP, LSTM = "step", "lstm"
"""The names of two layers of ``StepLstmNetwork``."""
Ids = NDArray[np.integer[Any]]
Embed = Callable[[str, int, int], Any]
"""Name, rows, columns -> an embedding layer."""


@dataclass(frozen=True, slots=True)
class ConvLstmNetwork:
    """Embeddings of tokens and of hashed bigrams, a convolution with stride, an LSTM, and the maximum over time.

    The convolution gives each step ``kernel`` tokens of context and leaves the LSTM one step per ``stride`` tokens; the LSTM
    is where the time goes. ``rows``: of the linear branch (see network.py), 0 without one; ``independent``: the scores are
    sigmoids, not a softmax. A text is read at its own length. ``ratios``: the channels of each embedding that log-count
    ratios are added to during training (see learn/ratios.py); the bigram embedding has no others. Raises ``ValueError``
    for settings out of range, see bounds.py.
    """

    labels: int
    vocabulary: int
    rows: int = 0
    independent: bool = False
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

    def __post_init__(self) -> None:
        check_settings(self)
        if self.stride > self.kernel:
            raise ValueError(f"'stride' must be at most 'kernel', {self.kernel}, not {self.stride}")
        if self.length is not None:
            raise ValueError("'length' must be null: this network reads each text at its own length")

    def weights(self) -> int:
        """The number of weights."""
        channels = self.embedding + self.ratios
        embeddings = self.vocabulary * self.embedding + self.buckets * self.ratios
        convolution = (self.kernel * channels + 1) * self.filters
        lstm = 4 * self.units * (self.filters + self.units + 1)
        return embeddings + convolution + lstm + (self.units + 1) * self.labels + self.rows * (self.labels + 1)

    def ratio_tables(self) -> dict[str, tuple[int, int]]:
        """The rows of each embedding that starts from log-count ratios, and its channels for them, by name."""
        return {"tokens": (self.vocabulary, self.ratios), "bigrams": (self.buckets, self.ratios)}

    def features(self, ids: Ids, last: NDArray[np.bool_]) -> dict[str, Ids]:
        """The rows of each embedding table that ids look up, by the table's name.

        ``ids``: of texts, one after the other; ``last``: which of them is the last one of its text.
        """
        following = np.where(last, PADDING_ID, np.roll(ids, -1))
        return {"tokens": ids, "bigrams": (ids.astype(np.int64) * BIGRAM_FACTOR + following) % self.buckets}

    def graph(self, ids: Any, embed: Embed, *, training: bool) -> Any:
        """The logits of ids of shape [batch, time]; time may vary."""
        tokens = embed("tokens", self.vocabulary, self.embedding)(ids)
        bigrams = embed("bigrams", self.buckets, self.ratios)(BigramBuckets(self.buckets)(ids))
        x = layers.Concatenate()([tokens, bigrams])
        if training:
            x = ZeroPadding()([x, ids])
            x = layers.SpatialDropout1D(self.spatial_dropout, name="spatial_dropout")(x)
        # subtle: a constant number of zero steps before and after, not padding="same", whose windows would shift with
        # the length of the padded batch. This way there are ceil(time / stride) windows and each token is in one.
        x = layers.ZeroPadding1D((self.kernel - self.stride, self.stride - 1))(x)
        x = layers.Conv1D(self.filters, self.kernel, strides=self.stride, activation="relu", name="convolution")(x)
        x = layers.LSTM(self.units, return_sequences=True, name="lstm")(x)
        # The LSTM runs forward, so padding after a text cannot reach the steps before it: only the maximum needs a mask.
        x = MaskedMaximum(self.stride)([x, ids]) if training else Maximum()(x)
        x = layers.Dropout(self.dropout, name="dropout")(x)
        return layers.Dense(self.labels, name="scores")(x)


@dataclass(frozen=True, slots=True)
class StepLstmNetwork:
    """Embeddings of tokens and of hashed bigrams, an LSTM that reads ``step`` tokens at a time, and the maximum over time.

    A dense layer makes the LSTM's input of the maximum and the sum of a step's tokens. Steps do not overlap, so a text can
    be read in pieces of whole steps: see ``reading_graph``. The bigram of a token is the one with the token before it. The
    settings are those of ``ConvLstmNetwork``, with a third of its time for texts of 224 tokens (both runtimes).
    """

    rows: ClassVar[int] = 0  # no linear branch

    labels: int
    vocabulary: int
    independent: bool = False
    embedding: int = 16
    ratios: int = 4
    buckets: int = 23000
    filters: int = 48
    step: int = 16
    units: int = 32
    spatial_dropout: float = 0.3
    dropout: float = 0.5
    length: None = None

    def __post_init__(self) -> None:
        check_settings(self)
        if self.length is not None:
            raise ValueError("'length' must be null: this network reads each text at its own length")

    def weights(self) -> int:
        """The number of weights."""
        channels = self.embedding + self.ratios
        embeddings = self.vocabulary * self.embedding + self.buckets * self.ratios
        dense = (2 * channels + 1) * self.filters
        lstm = 4 * self.units * (self.filters + self.units + 1)
        return embeddings + dense + lstm + (self.units + 1) * self.labels

    def ratio_tables(self) -> dict[str, tuple[int, int]]:
        """See ``ConvLstmNetwork``."""
        return {"tokens": (self.vocabulary, self.ratios), "bigrams": (self.buckets, self.ratios)}

    def features(self, ids: Ids, last: NDArray[np.bool_]) -> dict[str, Ids]:
        """See ``ConvLstmNetwork``; no text has padding."""
        before = np.where(np.roll(last, 1), PADDING_ID, np.roll(ids, 1)).astype(np.int64)
        return {"tokens": ids, "bigrams": (before * BIGRAM_FACTOR + ids) % (self.buckets - 1) + 1}

    def graph(self, ids: Any, embed: Embed, *, training: bool) -> Any:  # noqa: ARG002  # the export has its own graph
        """The logits of ids of shape [batch, time]; time may vary."""
        x = ZeroPadding()([self._embedded(WithPrevious()(ids), embed), ids])
        x = layers.SpatialDropout1D(self.spatial_dropout, name="spatial_dropout")(x)
        x = layers.LSTM(self.units, return_sequences=True, name=LSTM)(self._dense()(Steps(self.step)(x)))
        # The LSTM runs forward, so padding after a text cannot reach the steps before it: only the maximum needs a mask.
        x = MaskedMaximum(self.step)([x, ids])
        x = layers.Dropout(self.dropout, name="dropout")(x)
        return layers.Dense(self.labels, name="scores")(x)

    def reading_graph(self, ids: Any, before: Any, embed: Embed) -> tuple[Any, Any]:
        """The logits, and the maximum over time, for a piece of one text: the graph that is exported.

        ``ids``: shape [1, 1 + a multiple of ``step``]: the id before the piece, or padding, and the piece's, padded; the
        embeddings of padding are 0. ``before``: the maximum over the pieces before, shape [1, units]; -1 without any.
        """
        x = self._dense()(StepsOfOne(self.step)(self._embedded(ids, embed)))
        x = layers.LSTM(self.units, return_sequences=True, name=LSTM)(Batch()(x))
        maximum = HigherMaximum()([x, before])
        return layers.Dense(self.labels, name="scores")(maximum), maximum

    def _embedded(self, ids: Any, embed: Embed) -> Any:
        tokens = embed("tokens", self.vocabulary, self.embedding)(ids[:, 1:])
        bigrams = embed("bigrams", self.buckets, self.ratios)(PreviousBuckets(self.buckets)(ids))
        return layers.Concatenate()([tokens, bigrams])

    def _dense(self) -> Any:
        return layers.Dense(self.filters, activation="relu", name=STEP)


NetworkSettings = SeedNetwork | ConvLstmNetwork | StepLstmNetwork
KINDS: dict[str, type[NetworkSettings]] = {
    "seed": SeedNetwork,
    "conv-lstm": ConvLstmNetwork,
    "step-lstm": StepLstmNetwork,
}
"""The architectures by the name that ``model.json`` gives them."""


_ABSENT = {"rows": 0, "independent": False}
"""Settings that manifests of schema version 1 do not have."""


def settings_from(description: Mapping[str, Any]) -> NetworkSettings:
    """The settings in a manifest's ``network`` entry. Raises ``ValueError`` that says which one is wrong."""
    name = description.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"'kind' must be one of {', '.join(KINDS)}")
    names = {field.name for field in fields(kind)}
    absent = {name: value for name, value in _ABSENT.items() if name in names}
    values = absent | {key: value for key, value in description.items() if key != "kind"}
    missing = sorted(names - set(values))
    unknown = sorted(set(values) - names)
    if missing or unknown:
        raise ValueError(f"{(missing or unknown)[0]!r} is {'missing' if missing else 'not a setting of this network'}")
    return kind(**values)
