"""Text -> tokens, the one function that training and the device both call.

It decodes HTML entities, folds case and splits text into tokens, by one of two modes that a bundle names. It does not look
tokens up (vocabulary.py), drop rare words, stem, or guess a language. Pure Python, standard library only, no state.
"""

from __future__ import annotations

import re
from enum import Enum


class TokenizerMode(str, Enum):
    """How text is split; the value is the one in ``model.json``."""

    CODE = "code"
    WHITESPACE = "whitespace"


# A token is a run of letters, digits, "_" and the marks used in names (c#, $item, @Override, #menu), or any other single
# mark; a run of '"' is one token, because flattened texts double it. (Control characters belong to a run, because
# str.split leaves them there; so does U+FFFD, so that a word with a byte that is not UTF-8 is one unknown token, as the
# word itself would often be.)
# Measured with NB-SVM on a validation split of the Stack Overflow texts: 0.914 to 0.916 for this and its near variants
# (numbers apart from letters, runs kept whole, no sigils), so this is the fastest one that gives raw and flattened text the
# same tokens.
_TOKEN = re.compile(r"""[\w$@\#\0-\x08\x0e-\x1b\x7f\ufffd]+|"(?<!"")|[^\w\s$@\#\0-\x08\x0e-\x1b\x7f\ufffd"]""")
_MARKS = "!\"%&'()*+,-./:;<=>?[\\]^`{|}~"
_USUAL_WIDTH = 6  # characters per token; few texts have more
_LONG_REFERENCE = re.compile(r"&#(\d{8,});?")  # decimal digits; the last character is &#1114111;


def tokenize(text: str, mode: TokenizerMode = TokenizerMode.CODE, limit: int | None = None) -> list[str]:
    """Split a text into lower-case tokens. Every text gives a list, the empty text an empty one.

    White space before and after the text does not count. ``limit``: the number of tokens to return; the time depends on it,
    not on the length of the text.

    >>> tokenize("How do I sort a List&lt;int&gt; in C#?")
    ['how', 'do', 'i', 'sort', 'a', 'list', '<', 'int', '>', 'in', 'c#', '?']
    >>> tokenize("print('a')\\n\\nIt  FAILS.", TokenizerMode.WHITESPACE, limit=2)
    ["print('a')", 'it']
    """
    tokens = _whitespace_tokens(text) if mode is TokenizerMode.WHITESPACE else _code_tokens(text, limit)
    return tokens[:limit]


def spans(text: str, mode: TokenizerMode = TokenizerMode.CODE) -> tuple[str, list[tuple[int, int]]]:
    """The text as the tokenizer reads it, entities decoded, and the start and end of each token of ``tokenize`` in it.

    >>> spans("List&lt;int&gt;")
    ('List<int>', [(0, 4), (4, 5), (5, 8), (8, 9)])
    """
    if mode is TokenizerMode.WHITESPACE:
        shown, places = "", []
        for token in _whitespace_tokens(text):
            shown += " " * bool(shown)
            places.append((len(shown), len(shown) + len(token)))
            shown += token
        return shown, places
    decoded = _decoded(text)
    folded = _folded(decoded)
    shown = decoded if len(decoded) == len(folded) else folded  # some capitals fold to two letters
    return shown, [match.span() for match in _TOKEN.finditer(folded)]


def _code_tokens(text: str, limit: int | None) -> list[str]:
    folded = _folded(_decoded(text))
    cut = _ascii_tokens if folded.isascii() else _TOKEN.findall
    if limit is None or len(folded) <= limit * _USUAL_WIDTH:
        return cut(folded)
    tokens: list[str] = []
    start = 0
    while len(tokens) < limit and start < len(folded):
        end = folded.find(" ", start + limit * _USUAL_WIDTH)  # no token has a space in it
        end = len(folded) if end < 0 else end
        tokens += cut(folded[start:end])
        start = end
    return tokens


def _ascii_tokens(folded: str) -> list[str]:
    """The matches of ``_TOKEN`` in a text of ASCII characters, in half the time."""
    while '""' in folded:
        folded = folded.replace('""', '"')
    for mark in _MARKS:
        if mark in folded:
            folded = folded.replace(mark, f" {mark} ")
    return folded.split()


def decode_entities(text: str) -> str:
    """The text with its HTML entities decoded, once. Every text gives a text, in time linear in its length.

    >>> decode_entities("a &lt; b &#38;&#99999999999;") == "a < b &\N{REPLACEMENT CHARACTER}"
    True
    """
    if "&" not in text:
        return text
    import html

    # The library converts all digits to a number, which Python refuses above 4,300 of them.
    return html.unescape(_LONG_REFERENCE.sub(_short_reference, text))


def _short_reference(reference: re.Match[str]) -> str:
    digits = reference[1].lstrip("0")
    return f"&#{digits or '0'};" if len(digits) < 8 else "\N{REPLACEMENT CHARACTER}"


def _decoded(text: str) -> str:
    # Twice: Stack Overflow's dumps have "&amp;lt;" for a "<" that its author had escaped.
    return decode_entities(decode_entities(text)).replace("\r\n", "\n").strip()


def _folded(text: str) -> str:
    # A newline becomes ".", as in the training data, so a question has the same tokens raw and flattened.
    return text.lower().replace("\n", ".")


def _whitespace_tokens(text: str) -> list[str]:
    """The seed's standardization and split, equal to Keras ``TextVectorization``'s.

    subtle: ``tf.strings.lower``, ``strip`` and ``split`` handle ASCII only, and so does ``bytes``; ``str`` would fold
    "É" and split at a no-break space, and the ids would differ from those the network was trained on.
    """
    folded = text.encode("utf-8", errors="replace").lower().strip().replace(b"<b />", b" ")
    return [token.decode("utf-8") for token in folded.split()]
