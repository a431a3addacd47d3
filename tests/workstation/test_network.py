"""The trained graph, the exported graph and the device compute the same function."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, softmax

from sotag_convert.export import device_run as device
from sotag_convert.export.converter import export
from sotag_convert.export.parity import check_parity
from sotag_convert.learn.calibrate import network_logits
from sotag_convert.network.architectures import NetworkSettings
from sotag_convert.network.layers import Int8Rows
from sotag_convert.network.network import Network, pad
from sotag_convert.recipes import RECIPES, Recipe
from sotag_edge.bundle import Bundle, Manifest
from sotag_edge.decision import EarlyExit, MultiLabel, SingleLabel
from sotag_edge.errors import ModelError
from sotag_edge.features import ngram_hashes
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode
from tests.workstation.networks import (
    CODE,
    CONV,
    IN_STEPS,
    LENGTHS,
    SEED,
    STEP,
    VOCABULARY,
    WORDS,
    network,
    texts,
    write,
)

ROWS = 90


@pytest.mark.parametrize("recipe", list(Recipe))
@pytest.mark.parametrize(
    ("settings", "inputs"),
    [
        (CONV, CODE),
        (STEP, IN_STEPS),
        (SEED, InputSettings(TokenizerMode.WHITESPACE, max_tokens=100, pad_to=100)),
    ],
    ids=["conv-lstm", "step-lstm", "seed"],
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


@pytest.mark.parametrize("settings", [CONV, STEP])
def test_scores_do_not_depend_on_the_batch(settings: NetworkSettings) -> None:
    """Padding behind a text, however much, changes none of its scores while the network is trained either."""
    made = network(settings)
    ids = [[5, 9, 3], [int(n) for n in np.arange(1, 58)], [2]]
    alone = [made.model(pad([text])).numpy()[0] for text in ids]
    np.testing.assert_allclose(made.scores(ids), alone, atol=1e-6)


def test_features_of_steps_are_what_the_graph_looks_up() -> None:
    """The bigram is that with the token before, which the first token of a text does not have; padding has bucket 0."""
    ids = np.array([7, 58, 3, 3, 59])
    layer = next(layer for layer in Network(STEP).model.layers if "previous_buckets" in layer.name)
    two_texts = STEP.features(np.tile(ids, 2), np.tile([False, False, False, False, True], 2))
    assert layer(np.array([[0, *ids]])).numpy()[0].tolist() * 2 == two_texts["bigrams"].tolist()
    assert len(set(two_texts["bigrams"].tolist())) == 5
    assert two_texts["tokens"].tolist() == [*ids, *ids]
    assert layer(np.array([[7, 0, 0]])).numpy().tolist() == [[0, 0]]
    everything = STEP.features(np.arange(1, 60), np.zeros(59, bool))["bigrams"]
    assert everything.min() > 0
    assert everything.max() < STEP.buckets


@pytest.mark.parametrize(("early", "threshold"), [(0.4, 0.0), (0.5, 0.0), (0.1, 0.5)])
def test_parity_knows_the_early_exit(early: float, threshold: float, tmp_path: Path) -> None:
    """A text that the device reads no further has the scores of its beginning in Keras too; some are read on.

    The threshold of the decision must be reached, too.
    """
    made = network(STEP)
    write(tmp_path, made, Recipe.FLOAT32, IN_STEPS, EarlyExit(16, early))
    replace(Manifest.read(tmp_path), decision=SingleLabel(threshold=threshold)).write(tmp_path)
    score = max(early, threshold)
    result = check_parity(tmp_path, made, texts(), None, Recipe.FLOAT32)
    assert result.largest_difference <= RECIPES[Recipe.FLOAT32].tolerance
    bundle = Bundle.read(tmp_path)
    ids = [bundle.input(text).ids for text in texts()]
    whole = made.scores(ids)
    stopped = [len(one) > 32 and made.scores([one[:16]]).max() >= score for one in ids]
    assert {length > 32 for length, one in zip(LENGTHS, stopped, strict=True) if one} == {True}
    assert not all(one for length, one in zip(LENGTHS, stopped, strict=True) if length > 32)
    assert abs(device.run(tmp_path, texts()).scores - whole).max(axis=1)[stopped].max() > 0.01


def test_features_are_what_the_graph_looks_up() -> None:
    """The buckets that ratios are counted for are the buckets that the graph computes."""
    ids = np.array([7, 58, 3, 3, 59])
    layer = next(layer for layer in Network(CONV).model.layers if "bigram_buckets" in layer.name)
    two_texts = CONV.features(np.tile(ids, 2), np.tile([False, False, False, False, True], 2))
    assert layer(np.array([ids])).numpy()[0].tolist() * 2 == two_texts["bigrams"].tolist()
    assert two_texts["tokens"].tolist() == [*ids, *ids]


# The linear branch


def branch(outputs: int = 3, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """A table with a row of zeros for padding, and a bias."""
    random = np.random.default_rng(11)
    table = random.normal(0, 1, (rows, outputs + 1)).astype(np.float32)
    table[:, -1] = table[:, -1] ** 2
    table[0] = 0
    return table, random.normal(0, 1, outputs).astype(np.float32)


def rows_of_texts(count: int) -> list[list[list[int]]]:
    """Rows and their counts."""
    random = np.random.default_rng(12)
    sizes = random.integers(1, 30, count).tolist()
    return [[random.choice(np.arange(1, ROWS), size).tolist(), random.integers(1, 4, size).tolist()] for size in sizes]


@pytest.mark.parametrize("independent", [False, True])
def test_the_logits_of_network_and_branch_are_added(independent: bool) -> None:
    """The network's times its share, and the branch's: the sum of its weighted rows, divided by the norm, and its bias."""
    settings = replace(CONV, independent=independent)
    made = network(settings)
    table, bias = branch()
    joined = made.joined(0.4, table, bias)
    ids, rows = [[5, 9, 3], list(range(1, 58)), [2]], rows_of_texts(3)
    values = [1 + np.log(counts)[:, None] for _, counts in rows]
    sums = np.stack(
        [(table[of_text, :-1] * value).sum(axis=0) for (of_text, _), value in zip(rows, values, strict=True)]
    )
    norms = [(table[of_text, -1:] * value**2).sum() for (of_text, _), value in zip(rows, values, strict=True)]
    linear = sums / np.sqrt(norms)[:, None] + bias
    logits = 0.4 * network_logits(made.scores(ids), independent=independent) + linear
    expected = expit(logits) if independent else softmax(logits, axis=1)
    np.testing.assert_allclose(joined.scores(ids, rows), expected, atol=1e-4)
    assert (joined.settings.rows, made.settings.rows) == (ROWS, 0)
    assert joined.describe()["independent"] is independent


def test_a_text_without_features_has_the_bias_of_the_branch() -> None:
    """Its only row is that of padding; rows of padding beside those of a text change nothing."""
    table, bias = branch()
    joined = network(CONV).joined(0.0, table, bias)
    np.testing.assert_allclose(joined.scores([[5], [6]], [[[0], [1]]] * 2), softmax([bias, bias], axis=1), atol=1e-5)
    alone = joined.scores([[5]], [[[7, 8], [1, 2]]])
    beside = joined.scores([[5], [5]], [[[7, 8], [1, 2]], [list(range(2, 40)), [1] * 38]])
    np.testing.assert_allclose(beside[:1], alone, atol=1e-6)


def test_only_a_network_with_a_branch_can_be_joined() -> None:
    """The published network of the first release has none, nor has one that reads in steps."""
    for settings in (SEED, STEP):
        with pytest.raises(TypeError, match="no linear branch"):
            Network(settings).joined(1.0, *branch())


def test_int8_rows_are_close_to_their_floats() -> None:
    """To half a step of each row's own scale; the squares stay as they are, and a row of zeros stays 0."""
    table, _ = branch()
    table[5, :-1] *= 1000
    made = Int8Rows(table)(np.arange(ROWS)[None]).numpy()[0]
    steps = abs(table[:, :-1]).max(axis=1, keepdims=True) / 127
    assert (abs(made[:, :-1] - table[:, :-1]) <= steps / 2 + 1e-6).all()
    np.testing.assert_array_equal(made[:, -1], table[:, -1])
    assert not made[0].any()


@pytest.mark.parametrize("recipe", [Recipe.MIXED, Recipe.FLOAT32])
@pytest.mark.parametrize("independent", [False, True])
def test_a_branch_is_exported(recipe: Recipe, independent: bool, tmp_path: Path) -> None:
    """The device finds the rows of a text itself, and its scores are those of Keras; without the branch they are others."""
    settings = replace(CONV, independent=independent)
    hashes = np.unique([number for word in WORDS for number in ngram_hashes(f"{word}x")])[: ROWS - len(VOCABULARY)]
    joined = network(settings).joined(0.5, *branch())
    (tmp_path / "features.bin").write_bytes(hashes.astype("<u4").tobytes())
    write(tmp_path, joined, recipe, CODE)
    if independent:
        manifest = Manifest.read(tmp_path)
        dataclasses.replace(manifest, decision=MultiLabel(1.0, (0.5, 0.5, 0.5))).write(tmp_path)
    some = [text if number % 2 else text.replace(" ", "x ") for number, text in enumerate(texts())]
    result = check_parity(tmp_path, joined, some, None, recipe)
    assert result.typical_difference <= RECIPES[recipe].tolerance
    bundle = Bundle.read(tmp_path)
    assert bundle.features is not None
    inputs = [bundle.input(text) for text in some]
    assert sum(max((read.rows or [[0]])[0]) >= len(VOCABULARY) for read in inputs) > len(some) // 3
    loaded = Network.load(joined.describe(), tmp_path / "model.keras")
    arguments = [read.ids for read in inputs], [read.rows for read in inputs if read.rows]
    np.testing.assert_allclose(loaded.scores(*arguments), joined.scores(*arguments), atol=1e-6)
    assert abs(loaded.scores(arguments[0], [[[0], [1]]] * len(some)) - joined.scores(*arguments)).max() > 0.1


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
