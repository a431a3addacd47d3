"""Text -> tokens, the one function that training and the device both call.

It decodes HTML entities, folds case and splits text into tokens, by one of three modes that a bundle names. It does not look
tokens up (vocabulary.py), drop rare words, stem, or guess a language. Pure Python, standard library only, no state.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import Enum
from functools import cache
from itertools import islice

from sotag_edge import characters
from sotag_edge.normalization import normalized
from sotag_edge.pieces import WIDEST, decoded, pieces


class TokenizerMode(str, Enum):
    """How text is split; the value is the one in ``model.json``.

    ``TEXT`` is for new models. Of ASCII it makes the tokens of ``CODE``, and it knows other scripts: see ``_normal`` and
    ``_text_pattern``.
    """

    TEXT = "text"
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


def tokenize(text: str, mode: TokenizerMode = TokenizerMode.CODE, limit: int | None = None) -> list[str]:
    """Split a text into lower-case tokens. Every text gives a list, the empty text an empty one.

    White space before and after the text does not count. ``limit``: the number of tokens to return; the time depends on it,
    not on the length of the text.

    >>> tokenize("How do I sort a List&lt;int&gt; in C#?")
    ['how', 'do', 'i', 'sort', 'a', 'list', '<', 'int', '>', 'in', 'c#', '?']
    >>> tokenize("print('a')\\n\\nIt  FAILS.", TokenizerMode.WHITESPACE, limit=2)
    ["print('a')", 'it']
    >>> tokenize("STRASSE, straße, 東京タワー", TokenizerMode.TEXT)
    ['strasse', ',', 'strasse', ',', '東', '京', 'タ', 'ワ', 'ー']
    """
    if mode is TokenizerMode.WHITESPACE:
        return _whitespace_tokens(text)[:limit]
    if limit is None or len(text) <= limit:
        return piece_tokens(decoded(text, any_script=mode is TokenizerMode.TEXT), mode)[:limit]
    tokens: list[str] = []
    for piece in pieces_of(text, mode, limit):
        tokens += piece_tokens(piece, mode, limit - len(tokens))
        if len(tokens) >= limit:
            break
    return tokens[:limit]


def pieces_of(text: str, mode: TokenizerMode, most: int) -> Iterable[str]:
    """The text in decoded pieces, of which at most so many tokens are read, in the modes ``text`` and ``code``."""
    return pieces(text, most, any_script=mode is TokenizerMode.TEXT)


def piece_tokens(piece: str, mode: TokenizerMode, most: int | None = None) -> list[str]:
    """The tokens of a decoded text or piece of one, in the modes ``text`` and ``code``.

    ``most``: the number of tokens that are read; of a piece that is much longer than usual there are no more.
    """
    folded = _normal(piece)[1] if mode is TokenizerMode.TEXT and not piece.isascii() else _folded(piece)
    is_long = most is not None and len(folded) > 2 * WIDEST
    if folded.isascii():
        while '""' in folded:
            folded = folded.replace('""', '"')
        if not is_long:
            return _ascii_tokens(folded)
    pattern = _pattern_for(folded) if mode is TokenizerMode.TEXT else _TOKEN
    return [match[0] for match in islice(pattern.finditer(folded), most)] if is_long else pattern.findall(folded)


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
    text = decoded(text, any_script=mode is TokenizerMode.TEXT)
    if mode is TokenizerMode.TEXT:
        shown, folded = _normal(text)
        return shown, [match.span() for match in _pattern_for(folded).finditer(folded)]
    folded = _folded(text)
    shown = text if len(text) == len(folded) else folded  # some capitals fold to two letters
    return shown, [match.span() for match in _TOKEN.finditer(folded)]


def _ascii_tokens(folded: str) -> list[str]:
    """The matches of ``_TOKEN`` in a text of ASCII characters without two '"' in a row, in half the time."""
    for mark in _MARKS:
        if mark in folded:
            folded = folded.replace(mark, f" {mark} ")
    return folded.split()


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


# The mode "text".


@cache
def _beyond() -> re.Pattern[str]:
    return re.compile(f"[^{characters.PLAIN}]")


@cache
def _single() -> re.Pattern[str]:
    return re.compile(f"[{characters.SINGLE}]")


@cache
def _text_pattern(*, single: bool) -> re.Pattern[str]:
    """A token of normalized text that is not ASCII. Made when it is needed: that takes milliseconds.

    It is a word as in mode ``code``, with its combining marks; or a character of a script without spaces, with its marks;
    or a flag; or any other single mark. ``single``: the text has a character of such a script; without one, words are one
    class of characters, which halves the time.
    """
    inner = f"$@#\0-\x08\x0e-\x1b\x7f\ufffd{characters.MARKS}{characters.FURTHER_MARKS}"
    word = rf"[\w{inner}]+"
    if single:  # \w: each other letter begins a word
        word = rf"(?:[^\W{characters.SINGLE}]+|[{inner}]+)+|\w[{characters.MARKS}]*"
    return re.compile(rf"""{word}|"(?<!"")|[{characters.FLAG_LETTERS}]{{2}}|[^\w\s"]""")


def _pattern_for(folded: str) -> re.Pattern[str]:
    """The fastest pattern for a text; without marks and scripts that need care, that of mode ``code`` does the same."""
    if not _beyond().search(folded):
        return _TOKEN
    return _text_pattern(single=_single().search(folded) is not None)


def _normal(decoded: str) -> tuple[str, str]:
    """A text as it is shown, and as it is cut: normalized (NFKC), case folded, newlines as in ``_folded``.

    Both have the same length: case is kept in what is shown if folding keeps all places.

    >>> _normal("Cafe\u0301\\nStraße")
    ('café.strasse', 'café.strasse')
    """
    normal = normalized("NFKC", decoded)
    lower = normal.casefold()
    # Again: the folded capitals of some letters with two accents are not composed.
    folded = unicodedata.normalize("NFKC", lower)
    # No letter folds to less than one, so places are the same if the length is.
    shown = normal if len(lower) == len(normal) and folded == lower else folded
    return shown if shown is normal else shown.replace("\n", "."), folded.replace("\n", ".")
