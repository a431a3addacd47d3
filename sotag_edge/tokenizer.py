"""Text -> tokens, the one function that training and the device both call.

What it does: decodes HTML entities, folds case and cuts text into tokens, by one of two modes that a bundle names.
What it does not: look tokens up (vocabulary.py), drop rare words, stem, or guess a language. Pure Python, no imports
beyond the standard library, no state.
"""

from __future__ import annotations

import re
from contextlib import suppress
from enum import Enum


class TokenizerMode(str, Enum):
    """How text is cut. The value is what ``model.json`` says."""

    CODE = "code"
    WHITESPACE = "whitespace"


# A run of letters, digits, "_" and the marks that stand in names (c#, $item, @Override, #menu) is a token, and every other
# mark is one of its own, '"' once for a run, for flattened texts have it doubled. (Control characters are in the run,
# because str.split leaves them there.)
# Measured with NB-SVM on a validation split of the Stack Overflow texts: 0.914 to 0.916 for this and its near variants
# (numbers apart from letters, runs kept whole, no sigils), so the fastest that makes raw and flattened text meet was taken.
_TOKEN = re.compile(r"""[\w$@\#\0-\x08\x0e-\x1b\x7f]+|"(?<!"")|[^\w\s$@\#\0-\x08\x0e-\x1b\x7f"]""")
_MARKS = "!\"%&'()*+,-./:;<=>?[\\]^`{|}~"
_USUAL_WIDTH = 6  # characters a token, of which few texts have more


def tokenize(text: str, mode: TokenizerMode = TokenizerMode.CODE, limit: int | None = None) -> list[str]:
    """Cut a text into lower-case tokens; any text at all gives a list, the empty text an empty one.

    With ``limit`` the first so many tokens, and the time that they take, however long the text is.

    >>> tokenize("How do I sort a List&lt;int&gt; in C#?")
    ['how', 'do', 'i', 'sort', 'a', 'list', '<', 'int', '>', 'in', 'c#', '?']
    >>> tokenize("print('a')\\n\\nIt  FAILS.", TokenizerMode.WHITESPACE, limit=2)
    ["print('a')", 'it']
    """
    tokens = _whitespace_tokens(text) if mode is TokenizerMode.WHITESPACE else _code_tokens(text, limit)
    return tokens[:limit]


def spans(text: str, mode: TokenizerMode = TokenizerMode.CODE) -> tuple[str, list[tuple[int, int]]]:
    """The text as it is cut, entities decoded, and where in it each token of ``tokenize`` begins and ends.

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
    return shown, [found.span() for found in _TOKEN.finditer(folded)]


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
    """What ``_TOKEN`` finds in a text of ASCII characters, in half the time."""
    while '""' in folded:
        folded = folded.replace('""', '"')
    for mark in _MARKS:
        if mark in folded:
            folded = folded.replace(mark, f" {mark} ")
    return folded.split()


def _decoded(text: str) -> str:
    # Twice: Stack Overflow's dumps hold "&amp;lt;" for a "<" that its author had escaped.
    if "&" in text:
        import html

        with suppress(ValueError):  # Python refuses "&#" and thousands of digits
            text = html.unescape(html.unescape(text))
    return text.replace("\r\n", "\n")


def _folded(text: str) -> str:
    # A newline becomes ".", as in the training data, so that a question reads the same raw and flattened.
    return text.lower().replace("\n", ".")


def _whitespace_tokens(text: str) -> list[str]:
    """The seed's standardization and split, equal to Keras ``TextVectorization``'s.

    subtle: ``tf.strings.lower``, ``strip`` and ``split`` know ASCII alone, and so does ``bytes``; ``str`` would fold
    "É" and split at a no-break space, and the ids would differ from those the network was trained on.
    """
    folded = text.encode("utf-8", errors="replace").lower().strip().replace(b"<b />", b" ")
    return [token.decode("utf-8") for token in folded.split()]
