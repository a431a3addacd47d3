"""Training texts -> the copies of them that people would also type: with the tag named, and cut short to a title.

The Stack Overflow texts have the word "blank" wherever their authors named their tag, and are whole questions. Real ones
name it and may be a title alone: a model of the masked texts that scores 0.92 on its own kind gets 0.70 of real ones.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

# How people write a tag in a sentence, the usual spelling more than once. Other tags are spelled as the label is.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "csharp": ("C#", "C#", "C#", "C#", "csharp", ".NET", "C# .NET"),
    "java": ("Java", "Java", "Java", "Java 8"),
    "javascript": ("JavaScript", "JavaScript", "Javascript", "JS"),
    "python": ("Python", "Python", "Python", "Python 3", "python3"),
}
_SHORTEST, _LONGEST = 6, 20  # words of a title


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


def shorten(text: str, draw: random.Random) -> str:
    """The first 6 to 20 words of a text, as long as a title."""
    return " ".join(text.split(maxsplit=_LONGEST)[: draw.randint(_SHORTEST, _LONGEST)])


def copies(texts: Sequence[str], labels: Sequence[str], mask: str | None, seed: int) -> list[list[str]]:
    """For each text its copies, itself first: as it is, unmasked if the data has a mask, and short."""
    draw = random.Random(seed)
    found = []
    for text, label in zip(texts, labels, strict=True):
        if mask is None:
            found.append([text, shorten(text, draw)])
        else:
            named = unmask(text, mask, label, draw)
            found.append([text, named, shorten(draw.choice([text, named, named]), draw)])
    return found
