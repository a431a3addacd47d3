"""The whitespace mode against the layer of Keras that the seed model was published with."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sotag_convert.network.keras import tf, tf_keras
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode, tokenize
from sotag_edge.vocabulary import Vocabulary

TEXTS = [
    "How do I sort a <b /> list?",
    "  MIXED Case\tand\nnew lines  ",
    "ÉCOLE stays, école too; İ and ẞ",
    "no\u00a0break and thin\u2009spaces are not split, nor\u2028this",
    "x<b/>y <B /> z",
    "",
    "one",
]


def seed_standardization(texts: object) -> object:
    """The blog post's ``process_data``."""
    strings = tf.strings
    return strings.regex_replace(strings.strip(strings.lower(texts)), "<b />", " ")


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.learn([tokenize(text, TokenizerMode.WHITESPACE) for text in TEXTS[:4]], size=30)


@pytest.fixture(scope="module")
def layer(vocabulary: Vocabulary) -> object:
    return tf_keras.layers.TextVectorization(
        standardize=seed_standardization,
        output_sequence_length=12,
        vocabulary=list(vocabulary.tokens[2:]),
    )


@pytest.mark.parametrize("text", TEXTS)
def test_ids_equal_keras(text: str, vocabulary: Vocabulary, layer: object) -> None:
    """Written texts get the very ids that TextVectorization gives them with the same vocabulary."""
    ours = InputSettings(TokenizerMode.WHITESPACE, max_tokens=12, pad_to=12).ids(text, vocabulary)
    # The one difference is deliberate: the empty text is a single unknown token, for a text must have one.
    expected = layer([text]).numpy()[0].tolist() if text else [1] + [0] * 11
    assert ours == expected


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_ids_equal_keras_on_any_text(vocabulary: Vocabulary, layer: object, text: str) -> None:
    """Any text at all gets the same ids from both."""
    if not tokenize(text, TokenizerMode.WHITESPACE):
        return
    ours = InputSettings(TokenizerMode.WHITESPACE, max_tokens=12, pad_to=12).ids(text, vocabulary)
    assert ours == layer([text]).numpy()[0].tolist()
