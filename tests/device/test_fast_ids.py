"""ASCII text -> ids with NumPy: the ids that the tokenizer and the vocabulary give."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge import fast_ids
from sotag_edge.bundle import Bundle
from sotag_edge.fast_ids import FastIds
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode, tokenize
from sotag_edge.vocabulary import LONG, LONGEST, UNKNOWN_ID, Vocabulary
from tests.conftest import FIXTURE, LINEAR_BRANCH

WORDS = [
    "import",
    "numpy",
    "c#",
    "a",
    "aa",
    "abcdefghi",
    "abcdefghij",
    "a_very_long_identifier_with_a_tail",
    "x\0",
    "\0",
    "\x1b[",
]
MARKS = list("\"'.,;:!?()[]{}<>=+-*/\\|^~`%&")
OTHERS = ["İ", "日本", "A", "two words", "", "a.b", '""']  # no ASCII text has one of these tokens
VOCABULARY = Vocabulary(["[PAD]", "[UNK]", *WORDS, *MARKS, *OTHERS, "\x1b"])
FAST = FastIds(VOCABULARY.tokens)
PARTS = [
    *WORDS,
    *(word.upper() for word in WORDS),
    *MARKS,
    *" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x7f\0",
    '""',
    '"""',
    "\r\n",
    "  ",
]
NASTY = st.lists(st.sampled_from(PARTS), min_size=1, max_size=80).map("".join)
ASCII = st.text(alphabet=st.characters(max_codepoint=127))


def slow_ids(text: str, mode: TokenizerMode = TokenizerMode.CODE, limit: int | None = None) -> list[int]:
    return VOCABULARY.ids(tokenize(text, mode, limit))


@given(NASTY | ASCII)
def test_an_ascii_text_has_the_same_ids(text: str) -> None:
    """Both ways give the same ids of a decoded text, in both modes."""
    decoded = text.replace("&", "").strip()
    if decoded:
        assert FAST.ids(decoded).tolist() == slow_ids(decoded) == slow_ids(decoded, TokenizerMode.TEXT)


def test_every_token_of_a_vocabulary_has_its_id() -> None:
    """The table is complete: also for a vocabulary of which many tokens share a bucket."""
    tokens = ["[PAD]", "[UNK]", *(f"t{number}" for number in range(3000))]
    assert FastIds(tokens).ids(" ".join(tokens[2:500])).tolist() == list(range(2, 500))
    assert FastIds(tokens[:2]).ids("any text").tolist() == [UNKNOWN_ID] * 2


def test_a_longer_token_with_another_number() -> None:
    """A token is not taken for the one that it begins with, or for its letters in another order."""
    text = "importnumpy numpyimport tropmi abcdefghijk aaa #c"
    assert FAST.ids(text).tolist() == [UNKNOWN_ID] * 6


@pytest.mark.parametrize("tokens", [["b" * (LONGEST + 1)], ["x" * 6000, "y" * 6000, "z" * 6000]], ids=["one", "some"])
def test_a_vocabulary_of_very_long_tokens_is_refused(tokens: list[str]) -> None:
    """Its ids are still right, without NumPy."""
    with pytest.raises(ValueError, match="characters are more than"):
        FastIds(["[PAD]", "[UNK]", *tokens])
    vocabulary = Vocabulary(["[PAD]", "[UNK]", *tokens])
    assert [vocabulary.fast_ids("a " * LONG) for _ in range(100)] == [None] * 100


def number_of(token: str) -> int:
    """The number of a token, by its definition."""
    return sum(ord(character) * 137**place for place, character in enumerate(token)) % 2**64


ONE, TWO = "adacaaaadfccdecaaaaa", "dababaedaaaaaaadfbeb"
"""Two tokens with the same number in base 137."""


def test_a_vocabulary_with_two_tokens_of_the_same_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ids are right all the same: by the other way."""
    assert number_of(ONE) == number_of(TWO)
    with pytest.raises(ValueError, match="two tokens have the same number"):
        FastIds(["[PAD]", "[UNK]", ONE, TWO], 137)
    monkeypatch.setattr(fast_ids.os, "urandom", lambda _: (137).to_bytes(8, "little"))
    vocabulary = Vocabulary(["[PAD]", "[UNK]", ONE, TWO])
    assert [vocabulary.fast_ids("a " * LONG) for _ in range(100)] == [None] * 100


def test_no_text_can_be_made_to_have_an_id() -> None:
    """Each process has a base of its own: a token with the number of another one in one base has it in no other."""
    assert FastIds(["[PAD]", "[UNK]", ONE], 137).ids(TWO).tolist() == [2]
    assert [FastIds(["[PAD]", "[UNK]", ONE]).ids(TWO).tolist() for _ in range(20)] == [[1]] * 20


def test_a_vocabulary_with_a_crowded_bucket_is_refused() -> None:
    """The search for a table ends, also for tokens that somebody chose for it not to end."""
    chosen = [token for number in range(40_000) if number_of(token := f"t{number}") % 128 == 5][:200]
    assert len(chosen) == 200
    with pytest.raises(ValueError, match="do not fit"):
        FastIds(["[PAD]", "[UNK]", *chosen], 137)


@pytest.fixture
def bundle() -> Bundle:
    return Bundle.read(FIXTURE)


@given(text=NASTY, limit=st.integers(1, 40), mode=st.sampled_from([TokenizerMode.CODE, TokenizerMode.TEXT]))
def test_the_ids_of_a_long_text(text: str, limit: int, mode: TokenizerMode) -> None:
    """With entities and other scripts too: the first ids are those of the first tokens."""
    settings = InputSettings(mode, limit)
    long = text * (1 + LONG // len(text))
    for version in (long, f"{long} &lt;b&gt; {long}&amp;lt;", f"{long} 日本 é {long}"):
        ids = settings.long_ids(version, VOCABULARY)
        assert ids.tolist()[: limit + 1] == slow_ids(version, mode, limit + 1)


def test_numpy_is_used_after_some_long_texts(bundle: Bundle) -> None:
    """A short run does not pay for the table. Answers are the same before and after."""
    text = "knead the bread dough, then let it rest. " * 20
    inputs = [bundle.input(text) for _ in range(100)]
    assert bundle.vocabulary.fast_ids(text) is not None
    assert all(one == inputs[0] for one in inputs)
    assert inputs[0].ids == array("i", bundle.manifest.input.ids(text, bundle.vocabulary))
    assert bundle.vocabulary.fast_ids("short") is None


@pytest.mark.parametrize("text", ["", " \n" * LONG, "dough", "dough " * 5000])
def test_the_input_is_that_of_the_tokens(bundle: Bundle, text: str) -> None:
    """Whichever way is taken; a blank text is one unknown token."""
    tokens = bundle.manifest.input.tokens(text)
    expected = bundle.input_of(tokens)
    read = bundle.input(text)
    assert (list(read.ids), read.rows, read.truncated) == (list(expected.ids), expected.rows, expected.truncated)


@pytest.mark.parametrize(
    "settings",
    [InputSettings(TokenizerMode.WHITESPACE, 300), InputSettings(TokenizerMode.CODE, 300, pad_to=300)],
    ids=["white space", "padded"],
)
def test_other_settings_take_the_other_way(bundle: Bundle, settings: InputSettings) -> None:
    """The mode of the seed, whose tokens may have marks in them, and ids of a fixed length."""
    other = replace(bundle, manifest=replace(bundle.manifest, input=settings))
    text = "knead (the) bread-dough " * 20
    assert list(other.input(text).ids) == settings.ids(text, bundle.vocabulary)
    assert len(other.input(text * 10).ids) == 300


def test_a_linear_branch_has_its_rows() -> None:
    """They are made of tokens, so its texts take the other way."""
    bundle = Bundle.read(LINEAR_BRANCH)
    text = "knead the bread dough " * 50
    assert bundle.input(text) == bundle.input_of(bundle.manifest.input.tokens(text))
    assert bundle.input(text).rows


@given(st.lists(NASTY, max_size=40), st.integers(1, 40), st.sampled_from([TokenizerMode.CODE, TokenizerMode.TEXT]))
def test_the_ids_of_many_texts(texts: list[str], limit: int, mode: TokenizerMode) -> None:
    """Each has its own, empty ones, long ones and those of other scripts too, whatever its neighbours are."""
    settings = InputSettings(mode, limit)
    texts += ["", "été &lt;b&gt; 日本", '""', '"', "a" * (LONGEST + 9), "word " * LONGEST]
    found = settings.ids_of_many(texts, VOCABULARY)
    assert [ids.tolist()[: limit + 1] for ids in found] == [slow_ids(text, mode, limit + 1) for text in texts]


def test_many_short_texts_use_numpy(bundle: Bundle) -> None:
    """After the first ones; the inputs are those of single texts."""
    texts = ["knead the bread dough", "prune the roses, then water them", ""] * 50
    expected = [bundle.input(text) for text in texts]
    assert [[list(one.ids), one.truncated] for one in bundle.inputs(texts)] == [
        [list(one.ids), one.truncated] for one in expected
    ]
    assert bundle.vocabulary.fast_ids_of(texts[:3]) is not None
