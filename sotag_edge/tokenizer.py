"""Text -> tokens, the one function that training and the device both call.

It decodes HTML entities, folds case and splits text into tokens, by one of three modes that a bundle names. It does not look
tokens up (vocabulary.py), drop rare words, stem, or guess a language. Pure Python, standard library only, no state.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum
from functools import cache
from itertools import groupby

from sotag_edge import characters


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
    >>> tokenize("STRASSE, straße, 東京タワー", TokenizerMode.TEXT)
    ['strasse', ',', 'strasse', ',', '東', '京', 'タ', 'ワ', 'ー']
    """
    if mode is TokenizerMode.TEXT:
        return _text_tokens(text, limit)[:limit]
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
    if mode is TokenizerMode.TEXT:
        shown, folded = _normal(_visible(text).strip())
        return shown, [match.span() for match in _pattern_for(folded).finditer(folded)]
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


def _unescaped(text: str) -> str:
    # Twice: Stack Overflow's dumps have "&amp;lt;" for a "<" that its author had escaped.
    return decode_entities(decode_entities(text)).replace("\r\n", "\n")


def _decoded(text: str) -> str:
    return _unescaped(text).strip()


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

_SHORTEST_RUN = 64  # characters; words have fewer marks in a row
_ORDERED_ANYWAY = 4096  # characters; up to here the time of normalization is bounded


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


@cache
def _border() -> re.Pattern[str]:
    """Where a text may be cut: no token, entity or composed character reaches over the match's end.

    subtle: entities consist of ASCII letters, digits and "&#;", whatever they decode to, and decode by their longest prefix
    that is a name, so a piece that ends within what looks like one ("&lt東") decodes as the whole does.
    """
    return re.compile(rf"[\s!%'()*+,\-./:<=>?\[\\\]^`{{|}}~](?=[\w\s])|(?=[{characters.SEPARABLE}])")


@cache
def _ignored() -> re.Pattern[str]:
    return re.compile(f"[{characters.IGNORED}]")


def _text_tokens(text: str, limit: int | None) -> list[str]:
    width = limit * _USUAL_WIDTH if limit and text.isascii() else limit
    if width is None or limit is None or len(text) <= width:
        return _cut(_visible(text).strip())
    tokens: list[str] = []
    for piece in _pieces(text.strip(), width):
        tokens += _cut(piece)
        if len(tokens) >= limit:
            break
    return tokens


def _pieces(text: str, width: int) -> Iterator[str]:
    """A decoded text in pieces of about ``width`` characters; their first ``width`` tokens are those of the text."""
    start, held = 0, ""
    begun = False
    while start < len(text):
        border = _border().search(text, start + width)
        end = border.end() if border else len(text)
        piece = held + _visible(text[start:end])
        start = end
        if not begun:
            piece = piece.lstrip()
        visible = piece.rstrip()
        # A newline is a token only if something follows it, and more than ``width`` are never read.
        held = "\n" * min(piece.count("\n", len(visible)), width)
        if visible:
            begun = True
            yield visible


def _cut(decoded: str) -> list[str]:
    if decoded.isascii():
        return _ascii_tokens(_folded(decoded))
    folded = _normal(decoded)[1]
    return _pattern_for(folded).findall(folded)


def _pattern_for(folded: str) -> re.Pattern[str]:
    """The fastest pattern for a text; without marks and scripts that need care, that of mode ``code`` does the same."""
    if not _beyond().search(folded):
        return _TOKEN
    return _text_pattern(single=_single().search(folded) is not None)


def _visible(text: str) -> str:
    """The text with its entities decoded, without what is ignored."""
    if text.isascii() and "&" not in text:
        return text.replace("\r\n", "\n")
    if "&" in text:
        # subtle: before entities are decoded, so that "&parä" does not depend on how its last letter is encoded.
        text = unicodedata.normalize("NFC", text)
    return _ignored().sub("", _unescaped(text)).replace("\N{ZERO WIDTH SPACE}", " ")


def _normal(decoded: str) -> tuple[str, str]:
    """A text as it is shown, and as it is cut: normalized (NFKC), case folded, newlines as in ``_folded``.

    Both have the same length: case is kept in what is shown if folding keeps all places.

    >>> _normal("Cafe\u0301\\nStraße")
    ('café.strasse', 'café.strasse')
    """
    if len(decoded) > _ORDERED_ANYWAY:
        decoded = re.sub(rf"[^\w\s\0-\x7f]{{{_SHORTEST_RUN},}}", _ordered, decoded)
    normal = unicodedata.normalize("NFKC", decoded)
    lower = normal.casefold()
    # Again: the folded capitals of some letters with two accents are not composed.
    folded = unicodedata.normalize("NFKC", lower)
    # No letter folds to less than one, so places are the same if the length is.
    shown = normal if len(lower) == len(normal) and folded == lower else folded
    return shown if shown is normal else shown.replace("\n", "."), folded.replace("\n", ".")


def _ordered(run: re.Match[str]) -> str:
    """A long run of combining marks in the order that normalization gives them, which takes it quadratic time."""
    single = "".join(unicodedata.normalize("NFD", character) for character in run[0])
    groups = groupby(single, key=lambda character: unicodedata.combining(character) > 0)
    return "".join("".join(sorted(group, key=unicodedata.combining) if marks else group) for marks, group in groups)
