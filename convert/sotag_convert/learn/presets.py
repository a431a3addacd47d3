"""The presets of ``train --preset``: everything that is chosen before a run. Named data; ``train.py`` carries them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sotag_convert.network.architectures import ConvLstmNetwork, NetworkSettings
from sotag_convert.network.seed import SeedNetwork
from sotag_convert.recipes import Recipe
from sotag_edge.bundle import InputSettings
from sotag_edge.tokenizer import TokenizerMode


@dataclass(frozen=True, slots=True)
class Preset:
    """``network``: labels, vocabulary size -> the network's settings. ``teacher``: the teacher's share of the target;
    0 learns from the labels alone, without copies of the texts and log-count ratios. ``patience``: epochs without a better
    validation loss before the run stops; ``None`` never stops early."""

    input: InputSettings
    vocabulary: int
    network: Callable[[int, int], NetworkSettings]
    recipe: Recipe
    optimizer: str
    learning_rate: float
    batch: int
    epochs: int
    validation: float
    patience: int | None
    teacher: float = 0.0
    word_dropout: float = 0.0
    batches: int = 0

    def batch_size(self, texts: int) -> int:
        """The texts of a batch: ``batch``, but fewer (8 at least) where an epoch would have under ``batches`` batches."""
        return max(8, min(self.batch, texts // self.batches)) if self.batches else self.batch


# Chosen on 1,600 validation texts, masked; runs of one setting differ by 0.005 in the log loss. µs: of the graph, a text.
#
#   stride  kernel  units  filters  log loss   µs
#        4       5     48       48     0.242  128
#        6       8     48       48     0.240   95
#        8       9     48       48     0.242   79   taken, with the kernel of the next
#        8      12     32       48     0.246   62
#       12      16     40       64     0.245   62
#
# Buckets from 28,000 to 65,536, embeddings of 16 to 20 and vocabularies of 5,000 to 8,000 are alike; 4,000 tokens cost
# 0.009. The 23,000 buckets are what 300 KB leave room for, and were not compared. Of max_tokens docs/benchmarks.md has
# the curve: what is behind 384 is worth nothing.
_DEFAULT = Preset(
    input=InputSettings(TokenizerMode.CODE, max_tokens=384),
    vocabulary=5000,
    network=lambda labels, vocabulary: ConvLstmNetwork(labels, vocabulary, ratios=min(labels, 8)),
    recipe=Recipe.MIXED,
    optimizer="adamw",
    learning_rate=0.003,
    batch=64,
    epochs=5,
    validation=0.1,
    patience=3,
    teacher=0.5,
    word_dropout=0.15,
    batches=100,
)

PRESETS = {
    "default": _DEFAULT,
    "tiny": replace(
        _DEFAULT,
        vocabulary=1400,
        network=lambda labels, vocabulary: ConvLstmNetwork(
            labels, vocabulary, embedding=8, ratios=min(labels, 4), buckets=4000, filters=24, units=16
        ),
    ),
    # As published, but for what cannot be known: its split and its random numbers.
    "seed": Preset(
        input=InputSettings(TokenizerMode.WHITESPACE, max_tokens=100, pad_to=100),
        vocabulary=1000,
        network=SeedNetwork,
        recipe=Recipe.FLOAT32,
        optimizer="rmsprop",
        learning_rate=0.001,
        batch=124,
        epochs=20,
        validation=0.25,
        patience=None,
    ),
}
