"""Small networks with random weights, texts for them, and bundles of them: for several tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sotag_convert.export.converter import export
from sotag_convert.network.architectures import ConvLstmNetwork, NetworkSettings, StepLstmNetwork
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.network import Network
from sotag_convert.network.seed import SeedNetwork
from sotag_convert.recipes import Recipe
from sotag_convert.source import KERAS_MODEL
from sotag_edge.bundle import Manifest
from sotag_edge.decision import EarlyExit, SingleLabel
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode
from sotag_edge.vocabulary import Vocabulary

WORDS = [f"word{number}" for number in range(58)]
VOCABULARY = Vocabulary(["[PAD]", "[UNK]", *WORDS])
LENGTHS = [*range(1, 41), 97, 256]

CODE = InputSettings(TokenizerMode.CODE, max_tokens=256)
CONV = ConvLstmNetwork(labels=3, vocabulary=60, embedding=12, ratios=3, buckets=64, filters=16, units=16)
IN_STEPS = InputSettings(TokenizerMode.CODE, max_tokens=256, step=8)
STEP = StepLstmNetwork(labels=3, vocabulary=60, embedding=12, ratios=3, buckets=64, filters=16, step=8, units=16)
SEED = SeedNetwork(labels=3, vocabulary=60)


def network(settings: NetworkSettings) -> Network:
    """A network with weights large enough that a wrong one would show."""
    tf_keras.utils.set_random_seed(7)
    random = np.random.default_rng(7)
    made = Network(settings)
    made.model.set_weights([2 * w + random.normal(0, 0.2, w.shape) for w in made.model.get_weights()])
    return made


def texts() -> list[str]:
    random = np.random.default_rng(5)
    return [" ".join(random.choice(WORDS, length)) for length in LENGTHS]


def write(
    folder: Path, made: Network, recipe: Recipe, settings: InputSettings, early_exit: EarlyExit | None = None
) -> None:
    """A bundle of a network, exported but not verified."""
    made.save(folder / KERAS_MODEL)
    export(folder / KERAS_MODEL, made.describe(), recipe, folder / "model.tflite")
    describe(folder, settings, early_exit)


def describe(folder: Path, settings: InputSettings, early_exit: EarlyExit | None = None) -> None:
    """Write the vocabulary and the manifest beside the ``model.tflite`` in a folder."""
    (folder / "vocab.txt").write_bytes(VOCABULARY.to_bytes())
    Manifest(("a", "b", "c"), settings, SingleLabel(), early_exit=early_exit).write(folder)
