"""Text -> tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge.tokenizer import TokenizerMode, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n", ["."]),
        ("Sort a list", ["sort", "a", "list"]),
        ("List&lt;int&gt;", ["list", "<", "int", ">"]),
        ("List&amp;lt;int&amp;gt;", ["list", "<", "int", ">"]),
        ("C# or c++, not F#", ["c#", "or", "c++", ",", "not", "f#"]),
        ("$('#menu') @Override self", ["$", "(", "'", "#menu", "'", ")", "@override", "self"]),
        ("x1 = 3.14", ["x1", "=", "3", ".", "14"]),
        ("a...b", ["a", ".", "b"]),
        ('""quoted""', ['"', "quoted", '"']),
        ("i++; j == k", ["i", "+", "+", ";", "j", "=", "=", "k"]),
        ("Größe naïve", ["größe", "naïve"]),
    ],
)
def test_code_tokens(text: str, tokens: list[str]) -> None:
    """Identifiers with their sigils, numbers, language names and single marks are the tokens."""
    assert tokenize(text) == tokens


def test_raw_and_flattened_text_meet() -> None:
    """A question gives the same tokens as typed and as the Stack Overflow texts hold it."""
    raw = 'Why does this fail?\n\nString s = "a";\nif (s.length() < 3) {\n    return;\n}\n'
    flat = 'why does this fail?..string s = ""a"";.if (s.length() &lt; 3) {.    return;.}.'
    assert tokenize(raw) == tokenize(flat)


def test_carriage_returns_do_not_matter() -> None:
    """Text from Windows gives the tokens of the same text from elsewhere."""
    assert tokenize("one\r\ntwo\r\n") == tokenize("one\ntwo\n")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("How DO I", ["how", "do", "i"]),
        ("a <b /> b", ["a", "b"]),
        ("a<b />b", ["a", "b"]),
        ("ÉA\u00a0b c", ["Éa\u00a0b", "c"]),
        ("print('x');\tnow.", ["print('x');", "now."]),
        ("", []),
    ],
)
def test_whitespace_tokens_know_ascii_alone(text: str, tokens: list[str]) -> None:
    """The seed's mode folds and splits ASCII only, as the layer it was trained with."""
    assert tokenize(text, TokenizerMode.WHITESPACE) == tokens


@given(st.text(alphabet=st.characters()))
def test_any_text_gives_tokens(text: str) -> None:
    """Any text at all, lone surrogates too, gives non-empty tokens without a space in them, the same every time."""
    for mode in TokenizerMode:
        tokens = tokenize(text, mode)
        assert tokens == tokenize(text, mode)
        assert all(tokens)
        assert not any(mark in token for token in tokens for mark in " \n\t\r")
