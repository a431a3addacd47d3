"""Text -> decoded pieces, each made when it is asked for: a text is decoded no further than its tokens are read.

The tokens of the pieces, one after the other, are the tokens of the text. What a token is, tokenizer.py decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from sotag_edge import characters
from sotag_edge.entities import decode_entities
from sotag_edge.normalization import normalized

WIDEST = 3_000
"""Characters. A piece is longer only by the way to the next border, or by newlines before it."""
_USUAL_WIDTH = 6  # characters per token; few texts have more

# Where decoded text may be cut: after white space, and between a mark and another ASCII character. No token and no composed
# character reaches over it.
_BORDER = r"\s|[!%&'()*+,\-./:;<=>?\[\\\]^`{|}~](?=[\0-\x7f])"
# subtle: str.lower() writes a "Σ" differently at the end of a word, and words may have an apostrophe or a point in them.
_BORDER_OF_WORDS = r"\s|[!%&()*+,\-/;<=>?\[\\\]{|}~](?=[\0-\x7f])"
_OPEN = re.compile(r"&[#0-9A-Za-z]*")  # what may be the beginning of an entity


@cache
def _border(*, is_plain: bool, any_script: bool) -> re.Pattern[str]:
    if any_script:
        return re.compile(rf"{_BORDER}|(?=[{characters.SEPARABLE}])")
    return re.compile(_BORDER if is_plain else _BORDER_OF_WORDS)


@cache
def _apart() -> re.Pattern[str]:
    """A character that text may be cut before, and its entities decoded once on both sides.

    subtle: entities consist of "&", then ASCII letters, digits, "#" and ";", whatever they decode to, and decode by their
    longest prefix that is a name, so a piece that ends within what looks like one ("&lt東") decodes as the whole does.
    """
    return re.compile(rf"[\0-\"$-/:<-@\[-`{{-\x7f{characters.SEPARABLE}]")


@cache
def _ignored() -> re.Pattern[str]:
    return re.compile(f"[{characters.IGNORED}]")


def without_ignored(text: str) -> str:
    """A decoded text of the mode ``text``, without the characters that are ignored."""
    return text if text.isascii() else _ignored().sub("", text).replace("\N{ZERO WIDTH SPACE}", " ")


def decoded(text: str, *, any_script: bool) -> str:
    """A whole text with its entities decoded, without white space around it.

    ``any_script``: for the mode ``text``, in which characters are composed and some are ignored.
    """
    if "&" in text:
        # subtle: before entities are decoded, so that "&parä" does not depend on how its last letter is encoded.
        raw = normalized("NFC", text) if any_script else text
        # Twice: Stack Overflow's dumps have "&amp;lt;" for a "<" that its author had escaped.
        text = decode_entities(decode_entities(raw))
    text = text.replace("\r\n", "\n")
    return (without_ignored(text) if any_script else text).strip()


def pieces(text: str, most: int, *, any_script: bool) -> Iterable[str]:
    """A text as ``decoded`` gives it, in pieces of about ``most`` tokens, for a reader of at most so many in all.

    White space around a piece is left out. A newline counts: those between two pieces are at the beginning of the second.
    """
    width = min(max(1, most) * (1 if any_script and not text.isascii() else _USUAL_WIDTH), WIDEST)
    if len(text) <= width:
        return (decoded(text, any_script=any_script),)
    return _pieces(text, width, most, any_script=any_script)


def _pieces(text: str, width: int, most: int, *, any_script: bool) -> Iterator[str]:
    newlines: int | None = None  # since the last piece; before the first one they do not count
    for cut in _cut(text, width, any_script=any_script):
        piece = without_ignored(cut) if any_script else cut
        shown = piece.rstrip()
        after = piece.count("\n", len(shown))
        if shown:
            yield shown.lstrip() if newlines is None else "\n" * min(newlines, most) + shown
            newlines = after
        elif newlines is not None:
            newlines += after


def _cut(text: str, width: int, *, any_script: bool) -> Iterator[str]:
    """The text with its entities decoded, in pieces of ``width`` characters or more, each to the next border."""
    has_entities = "&" in text
    border = _border(is_plain=text.isascii() and not has_entities, any_script=any_script)
    parts = _decoded_parts(text, width, any_script=any_script) if has_entities else iter([text])
    ahead, at = "", 0
    for part in parts:
        ahead, at = ahead[at:] + part, 0
        while match := border.search(ahead, at + width):
            yield ahead[at : match.end()]
            at = match.end()
    yield ahead[at:]


def _decoded_parts(text: str, width: int, *, any_script: bool) -> Iterator[str]:
    """The text with its entities decoded, in parts. Each is twice as long as the one before: a part that has no border is
    searched for one again with the next part."""
    start, opened = 0, ""
    while start < len(text):
        match = _apart().search(text, start + width)
        end = match.start() if match else len(text)
        raw = text[start:end]
        once = opened + decode_entities(normalized("NFC", raw) if any_script else raw)
        opened = ""
        last = once.rfind("&")
        if match and last >= 0 and _OPEN.fullmatch(once, last):
            once, opened = once[:last], once[last:]
        yield decode_entities(once)
        start, width = end, 2 * width
