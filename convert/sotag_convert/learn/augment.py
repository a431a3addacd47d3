"""Training texts -> the copies of them that people would also type: with the tag named, cut short to a title, and in parts.

The Stack Overflow texts have the word "blank" wherever their authors named their tag, and are whole questions. Real ones
name it and may be a title alone: a model of the masked texts that scores 0.92 on its own kind gets 0.70 of real ones.
"""

from __future__ import annotations

import random
import re
from typing import NamedTuple

from sotag_edge.tokenizer import TokenizerMode, tokenize

# How people write a tag in a sentence, the usual spelling more than once. Other tags are spelled as the label is.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "csharp": ("C#", "C#", "C#", "C#", "csharp", ".NET", "C# .NET"),
    "java": ("Java", "Java", "Java", "Java 8"),
    "javascript": ("JavaScript", "JavaScript", "Javascript", "JS"),
    "python": ("Python", "Python", "Python", "Python 3", "python3"),
}
_BEGINNING = (6, 24)  # tokens
_SHORTEST_CUT = 20  # tokens
_OF_WHOLE, _OF_NAMED = 5, 3  # segments
_TITLE_END = re.compile(r"[?]|\.\.|\. ")
_TITLE_SHORTEST, _TITLE_LONGEST = 15, 120  # characters


def unmask(text: str, mask: str, label: str, draw: random.Random) -> str:
    """The text with the tag's name where the mask stood.

    Within code (``import blank.util``) the name is the label itself; within a sentence each text has one spelling. The
    same letters elsewhere (``target="_blank"``, the blanks in a form) stay.

    >>> unmask("blank: import blank.util.* into my _blank", "blank", "java", random.Random(1))
    'Java: import java.util.* into my _blank'
    """
    spelling = draw.choice(SPELLINGS.get(label, (label,)))
    word = re.escape(mask)
    text = re.sub(rf"(?<![\w./\\\"'$]){word}(?![\w/\\]|[.'\"]\w)", lambda _: spelling, text)
    return re.sub(rf"(?<!_){word}(?!s\b)", lambda _: label, text)


class Copy(NamedTuple):
    """The tokens of a text or of a part of it; ``taught``: whether the teacher learns from it, or only scores it."""

    tokens: list[str]
    taught: bool


def copies(text: str, label: str, mask: str | None, mode: TokenizerMode, draw: random.Random) -> list[Copy]:
    """A text as it is, with the tag named if the data has a mask, its title, its beginning, and segments of the first two.

    The segments, runs of a quarter to three quarters of the tokens, are what makes a small network general: on a
    validation split they took the masked texts' log loss from 0.28 to 0.26 and their accuracy from 0.90 to 0.91.
    """
    unmasked = text if mask is None else unmask(text, mask, label, draw)
    whole, named = tokenize(text, mode), tokenize(unmasked, mode)
    texts = [whole] if mask is None else [whole, named]
    # The teacher learns from few copies: each further one costs time and makes it trust its texts more than it should
    # (with the beginnings its log loss out of fold was 0.279, without 0.263).
    taught = [*texts, tokenize(title(unmasked), mode)]
    segments = [cut(tokens, draw) for tokens, count in ((whole, _OF_WHOLE), (named, _OF_NAMED)) for _ in range(count)]
    scored = [beginning(named, draw), *segments]
    return [Copy(tokens, taught=True) for tokens in taught] + [Copy(tokens, taught=False) for tokens in scored]


def title(text: str) -> str:
    """The first sentence of a text.

    >>> title('"why is my list empty? i append to it..x = []"')
    'why is my list empty?'
    """
    text = text.strip().strip('"')
    end = _TITLE_END.search(text, _TITLE_SHORTEST)
    return text[: end.end() if end else None][:_TITLE_LONGEST]


def beginning(tokens: list[str], draw: random.Random) -> list[str]:
    """The first 6 to 24 tokens of a text, as long as a title."""
    return tokens[: draw.randint(*_BEGINNING)]


def cut(tokens: list[str], draw: random.Random) -> list[str]:
    """A run of a quarter to three quarters of the tokens; a text of up to 20 is left whole."""
    if len(tokens) <= _SHORTEST_CUT:
        return tokens
    length = draw.randint(max(12, len(tokens) // 4), max(13, len(tokens) * 3 // 4))
    start = draw.randint(0, len(tokens) - length)
    return tokens[start : start + length]
