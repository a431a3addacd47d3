"""Text -> decoded pieces: the tokens of the whole text, and no more work than they need."""

from __future__ import annotations

import html

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sotag_edge import pieces, tokenizer
from sotag_edge.entities import decode_entities
from sotag_edge.tokenizer import TokenizerMode, tokenize
from sotag_edge.vocabulary import LONGEST

ENTITIES = [
    "&amp;",
    "&lt;",
    "&lt",
    "&gt;",
    "&quot;",
    "&#10;",
    "&#112;",
    "&#38;",
    "&#x26;",
    "&notit;",
    "&para",
    "&Sigma;",
    "&#824;",
]
BITS = ["&am", "p;", "lt;", "#60;", "&#", "&", "&&", "&amp;lt;", "&amp;amp;lt;", "amp;", "&#0000", ";", "#"]
MARKS = ["\r\n", "\r", "\n", "\n\n", " ", "\x1c", "\x85", "\u00a0", '"', '""', ".", "'", ":", "-", ">", "(", "_", "$"]
LETTERS = [
    "a",
    "Z1",
    "é",
    "e\u0301",
    "\u0338",
    "Σ",
    "ΑΣ",
    "İ",
    "ß",
    "中",
    "ガ",
    "ﾞ",
    "ｶﾞ",
    "\u1100",
    "\u1161",
    "น้ำ",
    "कि",
    "🇩",
    "🇪",
]
IGNORED = ["\u200b", "\u200d", "\u00ad", "\ufe0f", "\ufffd", "\0"]
NASTY = st.lists(st.sampled_from(ENTITIES + BITS + MARKS + LETTERS + IGNORED), max_size=40).map("".join)
ASCII_NASTY = st.lists(
    st.sampled_from([part for part in ENTITIES + BITS + MARKS + LETTERS if part.isascii()]), max_size=40
)
MODES = [TokenizerMode.CODE, TokenizerMode.TEXT]


@given(text=NASTY | ASCII_NASTY.map("".join), widest=st.integers(1, 20), mode=st.sampled_from(MODES))
@example(text="ΑΣ.a b", widest=1, mode=TokenizerMode.CODE)
@example(text="a>ﾞ\u0338 ", widest=1, mode=TokenizerMode.TEXT)
@example(text="&amp;&#108;t; x", widest=1, mode=TokenizerMode.CODE)
@example(text="a &par a\u0308 &para\u0308 ", widest=2, mode=TokenizerMode.TEXT)
@example(text="a b\n \n \n \nc", widest=1, mode=TokenizerMode.CODE)
def test_where_a_text_is_cut_does_not_matter(text: str, widest: int, mode: TokenizerMode) -> None:
    """The tokens of all pieces are those of the whole text, however short the pieces are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "WIDEST", widest)
        cut = list(tokenizer.pieces_of(text, mode, 1000))
    assert [token for piece in cut for token in tokenizer.piece_tokens(piece, mode)] == tokenize(text, mode)


@given(text=NASTY, limit=st.integers(1, 9), mode=st.sampled_from(MODES))
def test_a_limit_gives_the_first_tokens(text: str, limit: int, mode: TokenizerMode) -> None:
    """They are those of the whole text."""
    assert tokenize(text, mode, limit) == tokenize(text, mode)[:limit]


@pytest.mark.parametrize("mode", MODES)
def test_pieces_are_short(mode: TokenizerMode) -> None:
    """Also for a model that reads a hundred thousand tokens; so NumPy has the ids of each."""
    lengths = [len(piece) for piece in tokenizer.pieces_of("some words. " * 100_000, mode, 100_000)]
    assert max(lengths) < pieces.WIDEST + 20 < LONGEST
    assert len(lengths) < 500


@given(NASTY | st.text(alphabet="&amplgtquo;#36x0 ", max_size=30))
def test_usual_entities_decode_as_all_do(text: str) -> None:
    """What is faster for the four usual ones gives what the library gives."""
    assert decode_entities(text) == html.unescape(text)


LONG = 300_000  # characters


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "part",
    [
        "word ",
        "a\n",
        "a\r\n",
        "\n",
        " ",
        "&amp;",
        "&",
        "&lt;",
        "&amp;lt;",
        "&#38;",
        "a.",
        ".",
        "-",
        "Σ b",
        "a&b;",
        "天 &amp;",
    ],
)
def test_no_more_is_decoded_and_cut_than_is_read(
    part: str, mode: TokenizerMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a text with a border now and then, a few pieces."""
    decoded, cut = [0], [0]

    def count_decoded(text: str) -> str:
        decoded[0] += len(text)
        return decode_entities(text)

    def count_cut(piece: str, mode: TokenizerMode, most: int | None = None) -> list[str]:
        cut[0] += len(piece)
        return tokenizer_piece_tokens(piece, mode, most)

    tokenizer_piece_tokens = tokenizer.piece_tokens
    monkeypatch.setattr(pieces, "decode_entities", count_decoded)
    monkeypatch.setattr(tokenizer, "piece_tokens", count_cut)
    tokens = tokenize("x" + part * (LONG // len(part)) + "y", mode, 384)
    assert len(tokens) == 384 or part.isspace()
    assert decoded[0] <= 20 * pieces.WIDEST  # entities are longer than what they stand for
    assert cut[0] <= 2 * pieces.WIDEST


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("part", ["<é", "é.", "e\u0301", "Σ.", "'é", "&eacute;.", "a&#46;"])
def test_a_text_without_a_border_gives_no_more_tokens_than_are_read(part: str, mode: TokenizerMode) -> None:
    """It has to be decoded as a whole, but its tokens are not all made."""
    assert len(tokenizer.piece_tokens(part * 10_000, mode, 10)) <= 10
    assert tokenize(part * 10_000, mode, 10) == tokenize(part * 10_000, mode)[:10]


@pytest.mark.parametrize("part", ["&#48;", "&#38;#38;a", "é"])
def test_what_has_no_end_is_read_in_parts_that_double(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a constant number of characters more at a time it would take quadratic time."""
    calls = []

    def count(text: str) -> str:
        calls.append(len(text))
        return decode_entities(text)

    monkeypatch.setattr(pieces, "decode_entities", count)
    tokenize("&#" + part * (LONG // len(part)), TokenizerMode.CODE, 384)
    assert len(calls) <= 20
    assert sum(calls) <= 3 * LONG
