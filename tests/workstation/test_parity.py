"""The comparison of a written bundle with its Keras network: figures, tolerance, the fused LSTM, sample texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sotag_convert.export import parity
from sotag_convert.network.keras import tf, tf_keras
from sotag_convert.recipes import Recipe
from sotag_edge.decision import MultiLabel, SingleLabel
from sotag_edge.errors import ModelError
from sotag_edge.tokenizer import TokenizerMode, tokenize
from sotag_edge.vocabulary import Vocabulary
from tests.workstation.networks import CODE, CONV, describe, network, texts, write


def two_labels(first: list[float]) -> parity.Floats:
    """The scores of two labels, from those of the first one."""
    return np.array([[score, 1 - score] for score in first])


def test_the_typical_difference_is_that_of_the_worst_hundredth() -> None:
    """Of 200 texts, three that differ by 0.2 set it; one does not, and sets only the largest difference."""
    expected = two_labels([0.9] * 200)
    three = parity.compare(expected, two_labels([0.7] * 3 + [0.9] * 197), None, SingleLabel(), 1)
    assert three.typical_difference == pytest.approx(0.2)
    one = parity.compare(expected, two_labels([0.9] * 199 + [0.7]), None, SingleLabel(), 1)
    assert (one.typical_difference, one.largest_difference) == (pytest.approx(0), pytest.approx(0.2))
    assert one.texts == 200


def test_the_difference_of_a_text_is_its_largest_one() -> None:
    """Of several labels the one that differs most counts, in either direction."""
    found = parity.compare(np.array([[0.5, 0.3, 0.2]]), np.array([[0.2, 0.35, 0.45]]), None, SingleLabel(), 1)
    assert found.largest_difference == pytest.approx(0.3)


def test_agreement_and_accuracies() -> None:
    """Agreement compares the two best labels; each accuracy compares one of them with the texts' own labels."""
    keras, device = two_labels([0.9, 0.9, 0.9, 0.1, 0.4]), two_labels([0.8, 0.8, 0.2, 0.2, 0.6])
    found = parity.compare(keras, device, np.eye(2, dtype=bool)[[0, 1, 1, 1, 0]], SingleLabel(), 77)
    assert found.agreement == pytest.approx(3 / 5)
    assert found.keras_accuracy == pytest.approx(2 / 5)
    assert found.accuracy == pytest.approx(4 / 5)
    assert found.bytes == 77
    assert found.figure_name == "accuracy"
    unlabelled = parity.compare(keras, device, None, SingleLabel(), 77)
    assert (unlabelled.keras_accuracy, unlabelled.accuracy) == (None, None)


def test_of_several_labels_the_whole_sets_are_compared() -> None:
    """Each label with its own threshold; the figure is the micro-F1 of all of them."""
    keras = np.array([[0.9, 0.3, 0.1], [0.4, 0.3, 0.1], [0.9, 0.1, 0.1]])
    device = np.array([[0.8, 0.3, 0.1], [0.6, 0.3, 0.1], [0.9, 0.1, 0.1]])
    members = np.array([[True, True, False], [True, False, False], [False, False, True]])
    found = parity.compare(keras, device, members, MultiLabel(1.0, (0.5, 0.25, 0.5)), 77)
    assert found.agreement == pytest.approx(2 / 3)  # Keras answers the second text with b, the device with a and b
    assert found.figure_name == "micro-F1"
    assert found.keras_accuracy == pytest.approx(2 * 2 / (4 + 4))
    assert found.accuracy == pytest.approx(2 * 3 / (5 + 4))
    assert found.to_json()["figure_name"] == "micro-F1"


@pytest.mark.parametrize("lstms", [0, 2])
def test_a_graph_without_exactly_one_fused_lstm_is_refused(tmp_path: Path, lstms: int) -> None:
    """A loop in the place of the fused operator is many times slower, whatever its scores are."""
    ids = tf_keras.Input((None,), batch_size=1, dtype="int32")
    steps: Any = tf_keras.layers.Embedding(60, 4)(ids)
    for _ in range(lstms):
        steps = tf_keras.layers.LSTM(4, return_sequences=True)(steps)
    scores = tf_keras.layers.Dense(3, activation="softmax")(tf_keras.layers.GlobalMaxPooling1D()(steps))
    graph = tf.lite.TFLiteConverter.from_keras_model(tf_keras.Model(ids, scores)).convert()
    (tmp_path / "model.tflite").write_bytes(graph)
    describe(tmp_path, CODE)
    with pytest.raises(ModelError, match=f"has {lstms} fused LSTM"):
        parity.check_parity(tmp_path, network(CONV), texts()[:2], None, Recipe.FLOAT32)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    """A bundle that does not compute what the network computes is refused, however well it converted."""
    made = network(CONV)
    write(tmp_path, made, Recipe.FLOAT32, CODE)
    made.model.set_weights([-w for w in made.model.get_weights()])
    with pytest.raises(ModelError, match="nothing was published"):
        parity.check_parity(tmp_path, made, texts(), None, Recipe.FLOAT32)


@pytest.mark.parametrize("max_tokens", [3, 40, 384])
def test_sample_texts_are_of_the_model_s_own_tokens(max_tokens: int) -> None:
    """Every length from 1 to 40 is there, and longer ones up to the number of tokens that the model reads."""
    words = [f"token{number}" for number in range(50)]
    samples = [
        tokenize(text, TokenizerMode.CODE)
        for text in parity.sample_texts(Vocabulary(["[PAD]", "[UNK]", *words]), max_tokens)
    ]
    lengths = [len(tokens) for tokens in samples]
    assert len(samples) == 200
    assert set(range(1, min(40, max_tokens) + 1)) <= set(lengths)
    assert max_tokens * 0.9 <= max(lengths) <= max_tokens
    assert {token for tokens in samples for token in tokens} <= set(words)


def test_a_vocabulary_without_words_has_sample_texts_too() -> None:
    """They are empty then, which every model answers."""
    assert set(parity.sample_texts(Vocabulary(["[PAD]", "[UNK]"]), 5)) <= {" " * length for length in range(5)}
