"""The network that this project began with, kept as it was published, to compare with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from sotag_convert.network.bounds import check_settings
from sotag_convert.network.keras import tf_keras

layers = tf_keras.layers


@dataclass(frozen=True, slots=True)
class SeedNetwork:
    """An embedding, an LSTM and a dense layer over a fixed window, padded after the text, without a mask.

    Source: E. Arize, "Introduction to LSTMs", which reports 0.6405 on the Stack Overflow test texts.
    Raises ``ValueError`` for settings out of range, see bounds.py.
    """

    rows: ClassVar[int] = 0  # no linear branch
    independent: ClassVar[bool] = False

    labels: int
    vocabulary: int
    length: int = 100
    embedding: int = 16
    units: int = 32
    recurrent_dropout: float = 0.2
    dropout: float = 0.3

    def __post_init__(self) -> None:
        check_settings(self)

    def weights(self) -> int:
        """The number of weights."""
        lstm = 4 * self.units * (self.embedding + self.units + 1)
        return self.vocabulary * self.embedding + lstm + (self.units + 1) * self.labels

    def ratio_tables(self) -> dict[str, tuple[int, int]]:
        """Empty: no embedding of this network starts from log-count ratios."""
        return {}

    def features(self, *_: Any) -> dict[str, Any]:
        """Empty, as ``ratio_tables`` is."""
        return {}

    def graph(self, ids: Any, embed: Callable[[str, int, int], Any], *, training: bool) -> Any:
        """The logits of ids of shape [batch, length]."""
        x = embed("tokens", self.vocabulary, self.embedding)(ids)
        # The recurrent dropout has no weights and no effect on inference, but it would prevent the fused kernel.
        x = layers.LSTM(self.units, recurrent_dropout=self.recurrent_dropout if training else 0.0, name="lstm")(x)
        x = layers.Dropout(self.dropout, name="dropout")(x)
        return layers.Dense(self.labels, name="scores")(x)
