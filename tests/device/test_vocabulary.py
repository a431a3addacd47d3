"""Tokens <-> ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge.errors import ModelError
from sotag_edge.tokenizer import TokenizerMode, tokenize
from sotag_edge.vocabulary import UNKNOWN_ID, Vocabulary


def test_an_unknown_token_gets_the_unknown_id() -> None:
    """A token that is not in the vocabulary is never dropped."""
    assert Vocabulary(["[PAD]", "[UNK]", "a"]).ids(["x", "a", "y"]) == [UNKNOWN_ID, 2, UNKNOWN_ID]


def test_learn_takes_the_most_frequent() -> None:
    """The most frequent tokens come first, ties in alphabetical order, no more than the size."""
    learned = Vocabulary.learn([["b", "c", "b"], ["a", "c", "b"], ["d"]], size=5)
    assert learned.tokens == ("[PAD]", "[UNK]", "b", "c", "a")


@given(st.lists(st.text()))
def test_round_trip(texts: list[str]) -> None:
    """What is written is what is read, for tokens of any text in either mode, odd line separators among them."""
    for mode in TokenizerMode:
        vocabulary = Vocabulary.learn([tokenize(text, mode) for text in [*texts, "a\u2028b \x85 c\x1cd"]], size=50)
        assert Vocabulary.from_bytes(vocabulary.to_bytes()).tokens == vocabulary.tokens


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "begins with"),
        (b"a\nb\n", "begins with"),
        (b"[PAD]\n[UNK]\na\na\n", "'a' twice"),
        (b"[PAD]\n[UNK]\n\xff\n", "not UTF-8"),
    ],
)
def test_what_is_no_vocabulary_is_refused(content: bytes, words: str) -> None:
    """Each way to be no vocabulary is a sentence."""
    with pytest.raises(ModelError, match=words):
        Vocabulary.from_bytes(content)


def test_the_number_of_tokens_is_bounded() -> None:
    """A small file with very many short lines would take gigabytes of memory."""
    with pytest.raises(ModelError, match="more than 1,000,000 tokens"):
        Vocabulary.from_bytes(b"[PAD]\n[UNK]\n" + b"\n" * 1_000_000)
