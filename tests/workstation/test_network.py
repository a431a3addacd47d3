"""The trained graph, the exported graph and the device compute the same function."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy
import pytest

from sotag_convert import publish
from sotag_convert.export import device_run as device
from sotag_convert.export.converter import export
from sotag_convert.export.parity import verify
from sotag_convert.network.architectures import ConvLstmNetwork, NetworkSettings
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.network import Network, pad
from sotag_convert.network.seed import SeedNetwork
from sotag_convert.recipes import RECIPES, Recipe
from sotag_edge.bundle import InputSettings, ScoreSettings
from sotag_edge.errors import ModelError
from sotag_edge.tokenizer import TokenizerMode
from sotag_edge.vocabulary import Vocabulary

WORDS = [f"w{number}" for number in range(58)]
VOCABULARY = Vocabulary(["[PAD]", "[UNK]", *WORDS])
LENGTHS = [*range(1, 41), 97, 256]

CONV = ConvLstmNetwork(labels=3, vocabulary=60, embedding=12, ratios=3, buckets=64, filters=16, units=16)
SEED = SeedNetwork(labels=3, vocabulary=60)


def network(settings: NetworkSettings) -> Network:
    """A network with weights large enough that a wrong one would show."""
    tf_keras.utils.set_random_seed(7)
    random = numpy.random.default_rng(7)
    made = Network(settings)
    made.model.set_weights([2 * w + random.normal(0, 0.2, w.shape) for w in made.model.get_weights()])
    return made


def texts() -> list[str]:
    random = numpy.random.default_rng(5)
    return [" ".join(random.choice(WORDS, length)) for length in LENGTHS]


def write(folder: Path, made: Network, recipe: Recipe, settings: InputSettings) -> None:
    """A bundle, written but not verified."""
    made.save(folder / publish.KERAS_MODEL)
    (folder / "vocab.txt").write_bytes(VOCABULARY.to_bytes())
    export(folder / publish.KERAS_MODEL, made.describe(), recipe, folder / "model.tflite")
    sequence = {"max_tokens": settings.max_tokens, "pad_to": settings.pad_to}
    tokenizer = {"mode": settings.tokenizer.value}
    manifest = {
        "labels": ["a", "b", "c"],
        "tokenizer": tokenizer,
        "sequence": sequence,
        "scores": asdict(ScoreSettings()),
    }
    publish.write_manifest(folder, manifest)


@pytest.mark.parametrize("recipe", list(Recipe))
@pytest.mark.parametrize(
    ("settings", "inputs"),
    [
        (CONV, InputSettings(TokenizerMode.CODE, max_tokens=256)),
        (SEED, InputSettings(TokenizerMode.WHITESPACE, max_tokens=100, pad_to=100)),
    ],
    ids=["conv-lstm", "seed"],
)
def test_device_scores_equal_keras_at_every_length(
    settings: NetworkSettings, inputs: InputSettings, recipe: Recipe, tmp_path: Path
) -> None:
    """Each recipe gives one fused LSTM whose scores, text by text, are those of padded batches in Keras."""
    made = network(settings)
    write(tmp_path, made, recipe, inputs)
    result = verify(tmp_path, made, texts(), None, recipe)
    assert result.texts == len(LENGTHS)
    assert result.largest_difference <= RECIPES[recipe].tolerance


def test_verify_refuses_other_weights(tmp_path: Path) -> None:
    """A bundle that does not do what the network does is told apart, however well it converted."""
    made = network(CONV)
    write(tmp_path, made, Recipe.FLOAT32, InputSettings(TokenizerMode.CODE, max_tokens=256))
    made.model.set_weights([-w for w in made.model.get_weights()])
    with pytest.raises(ModelError, match="nothing was published"):
        verify(tmp_path, made, texts(), None, Recipe.FLOAT32)


def test_scores_do_not_depend_on_the_batch() -> None:
    """Padding behind a text, however much, changes none of its scores while the network is trained either."""
    made = network(CONV)
    ids = [[5, 9, 3], [int(n) for n in numpy.arange(1, 58)], [2]]
    alone = [made.model(pad([text])).numpy()[0] for text in ids]
    numpy.testing.assert_allclose(made.scores(ids), alone, atol=1e-6)


def test_features_are_what_the_graph_looks_up() -> None:
    """The buckets that ratios are counted for are the buckets that the graph computes."""
    ids = [7, 58, 3, 3, 59]
    layer = next(layer for layer in Network(CONV).model.layers if "bigram_buckets" in layer.name)
    assert layer(numpy.array([ids])).numpy()[0].tolist() == CONV.features(ids)["bigrams"]


def test_a_fitting_graph_with_the_last_ratios_is_the_network() -> None:
    """What is kept of a fit computes what the fitting graph did with the ratios of all texts, and not of a fold."""
    random = numpy.random.default_rng(3)
    ratios = {
        name: random.normal(0, 1, (3, rows, channels)).astype(numpy.float32)
        for name, (rows, channels) in CONV.ratio_tables().items()
    }
    made = Network(CONV)
    graph = made.fitting_graph(ratios)
    made.take_weights(graph)
    ids = pad([[5, 9, 3, 44], [17, 2]])
    numpy.testing.assert_allclose(graph([ids, numpy.array([2, 2])]).numpy(), made.model(ids).numpy(), atol=1e-6)
    assert abs(graph([ids, numpy.array([0, 0])]).numpy() - made.model(ids).numpy()).max() > 1e-4


def test_a_failed_conversion_is_a_sentence(tmp_path: Path) -> None:
    """What the converter's process says last is the reason given."""
    (tmp_path / "model.keras").write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"failed on recipe 'float16': .*model\.keras"):
        export(tmp_path / "model.keras", CONV_DESCRIPTION, Recipe.FLOAT16, tmp_path / "model.tflite")


def test_a_crash_of_the_converter_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A converter that dies by a signal, as TensorFlow's can, is reported and the program goes on."""
    crashing = tmp_path / "python"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(crashing))
    with pytest.raises(ModelError, match="crashed"):
        export(tmp_path / "model.keras", CONV_DESCRIPTION, Recipe.FLOAT32, tmp_path / "model.tflite")
    with pytest.raises(ModelError, match="crashed"):
        device.run(tmp_path, ["a text"])


CONV_DESCRIPTION = Network(CONV).describe()
