"""Text -> tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge.tokenizer import TokenizerMode, spans, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n", []),
        ("\n\r\n One\n\u00a0\n", ["one"]),
        ("Sort a list", ["sort", "a", "list"]),
        ("List&lt;int&gt;", ["list", "<", "int", ">"]),
        ("List&amp;lt;int&amp;gt;", ["list", "<", "int", ">"]),
        ("C#/.NET, not F#", ["c#", "/", ".", "net", ",", "not", "f#"]),
        ("$('#menu') @Override self", ["$", "(", "'", "#menu", "'", ")", "@override", "self"]),
        ("x1 = 3.14px", ["x1", "=", "3", ".", "14px"]),
        ("a..b", ["a", ".", ".", "b"]),
        ('""quoted"""', ['"', "quoted", '"']),
        ("i++; j == k", ["i", "+", "+", ";", "j", "=", "=", "k"]),
        ("Größe naïve", ["größe", "naïve"]),
        ("&#" + 5000 * "9" + "; x", ["\ufffd", "x"]),
        ("&#" + 5000 * "0" + "65;&#x" + 5000 * "f" + "; x &lt;", ["a\ufffd", "x", "<"]),
        ("caf\ufffd cr\ufffdme", ["caf\ufffd", "cr\ufffdme"]),
    ],
)
def test_code_tokens(text: str, tokens: list[str]) -> None:
    """Identifiers with their sigils, numbers, language names and single marks are the tokens."""
    assert tokenize(text) == tokens


def test_raw_and_flattened_text_meet() -> None:
    """A question gives the same tokens as typed and as the Stack Overflow texts hold it."""
    raw = 'Why does this fail?\n\nString s = "a";\nif (s.length() < 3) {\n    return;\n}'
    flat = 'why does this fail?..string s = ""a"";.if (s.length() &lt; 3) {.    return;.}'
    assert tokenize(raw) == tokenize(flat)


def test_carriage_returns_do_not_matter() -> None:
    """Text from Windows gives the tokens of the same text from elsewhere."""
    assert tokenize("one\r\n\r\ntwo\r\n") == tokenize("one\n\ntwo\n")


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


CODE = st.text(alphabet=st.sampled_from(" \t\n.\"'#$@+cfxC_19é\u00a0\x1c&;lt"), max_size=60)


@given(CODE | st.text(alphabet=st.characters(max_codepoint=127)))
def test_an_ascii_text_is_cut_as_any_text_is(text: str) -> None:
    """The pattern that is faster on ASCII gives what the other one gives."""
    assert tokenize(f"{text.strip()} ß") == [*tokenize(text), "ß"]


@given(CODE | st.text(alphabet=st.characters()), st.integers(1, 6))
def test_a_limit_gives_the_first_tokens(text: str, limit: int) -> None:
    """A long text is not read to its end, and its first tokens are the same."""
    for mode in TokenizerMode:
        assert tokenize(text, mode, limit) == tokenize(text, mode)[:limit]


def test_places_are_those_of_the_tokens() -> None:
    """Where a token stands in the shown text it can be read, but for its case."""
    text = "Größe of a List&lt;C#&gt;\r\n\r\nor $x.y"
    shown, places = spans(text)
    assert [shown[start:end].lower().replace("\n", ".") for start, end in places] == tokenize(text)


@given(st.text(alphabet=st.characters()))
def test_any_text_gives_tokens(text: str) -> None:
    """Any text at all, lone surrogates too, gives non-empty tokens without a space in them, the same every time."""
    for mode in TokenizerMode:
        tokens = tokenize(text, mode)
        assert tokens == tokenize(text, mode)
        assert all(tokens)
        assert not any(mark in token for token in tokens for mark in " \n\t\r")


@pytest.mark.parametrize("text", ["İstanbul list", "a İ b", "İİİ x İ", "straße ẞ ǅ list", "ﬁne ŉ"])
def test_places_where_a_letter_changes_its_length(text: str) -> None:
    """Some capitals fold to two characters; each place still reads as its token."""
    shown, places = spans(text)
    assert [shown[start:end].lower() for start, end in places] == tokenize(text)


@given(st.text(alphabet=st.sampled_from("aİß ẞ.#x&;lt\n\r"), max_size=30))
def test_places_of_any_text(text: str) -> None:
    """There are as many places as tokens, in order, without overlap."""
    shown, places = spans(text)
    assert [shown[start:end].lower().replace("\n", ".") for start, end in places] == tokenize(text)
    edges = [edge for place in places for edge in place]
    assert edges == sorted(edges)
