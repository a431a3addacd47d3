"""The trained graph, the exported graph and the device compute the same function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sotag_convert.export import device_run as device
from sotag_convert.export.converter import export
from sotag_convert.export.parity import check_parity
from sotag_convert.network.architectures import NetworkSettings
from sotag_convert.network.network import Network, pad
from sotag_convert.recipes import RECIPES, Recipe
from sotag_edge.errors import ModelError
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode
from tests.workstation.networks import CODE, CONV, LENGTHS, SEED, network, texts, write


@pytest.mark.parametrize("recipe", list(Recipe))
@pytest.mark.parametrize(
    ("settings", "inputs"),
    [
        (CONV, CODE),
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
    result = check_parity(tmp_path, made, texts(), None, recipe)
    assert result.texts == len(LENGTHS)
    assert result.largest_difference <= RECIPES[recipe].tolerance


def test_scores_do_not_depend_on_the_batch() -> None:
    """Padding behind a text, however much, changes none of its scores while the network is trained either."""
    made = network(CONV)
    ids = [[5, 9, 3], [int(n) for n in np.arange(1, 58)], [2]]
    alone = [made.model(pad([text])).numpy()[0] for text in ids]
    np.testing.assert_allclose(made.scores(ids), alone, atol=1e-6)


def test_features_are_what_the_graph_looks_up() -> None:
    """The buckets that ratios are counted for are the buckets that the graph computes."""
    ids = [7, 58, 3, 3, 59]
    layer = next(layer for layer in Network(CONV).model.layers if "bigram_buckets" in layer.name)
    assert layer(np.array([ids])).numpy()[0].tolist() == CONV.features(ids)["bigrams"]


def test_a_fitting_graph_with_the_last_ratios_is_the_network() -> None:
    """What is kept of a fit computes what the fitting graph did with the ratios of all texts, and not of a fold."""
    random = np.random.default_rng(3)
    ratios = {
        name: random.normal(0, 1, (3, rows, channels)).astype(np.float32)
        for name, (rows, channels) in CONV.ratio_tables().items()
    }
    made = Network(CONV)
    graph = made.fitting_graph(ratios)
    made.take_weights(graph)
    ids = pad([[5, 9, 3, 44], [17, 2]])
    np.testing.assert_allclose(graph([ids, np.array([2, 2])]).numpy(), made.model(ids).numpy(), atol=1e-6)
    assert abs(graph([ids, np.array([0, 0])]).numpy() - made.model(ids).numpy()).max() > 1e-4


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
