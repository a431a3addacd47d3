"""Time and memory of ``sotag-edge train`` on a million short synthetic texts in 100 tags.

The words are random syllables with frequencies as in language. Every third word of a text is one of its tag's own words.
Each text ends with its number, so texts differ and new words keep coming.
"""

from __future__ import annotations

import csv
import itertools
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from own_tags_ours import train

TAGS = 100
_WORDS, _OWN_WORDS = 50_000, 300
_SYLLABLES = [first + last for first in "bdfgklmnprstvz" for last in ("a", "e", "i", "o", "u", "an", "er", "is")]


def texts(count: int, seed: int = 1) -> Iterator[tuple[str, str]]:
    """``count`` different texts of 4 to 12 words and a number, each with its tag.

    >>> len(list(texts(250))), len({text for text, _ in texts(250)}), len({tag for _, tag in texts(250)})
    (250, 250, 100)
    """
    draw = random.Random(seed)
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(2, 4))) for _ in range(_WORDS)]
    total = list(itertools.accumulate(1 / (rank + 10) for rank in range(_WORDS)))
    own = [draw.choices(words, k=_OWN_WORDS) for _ in range(TAGS)]
    for number in range(count):
        tag = number % TAGS
        length = draw.randint(4, 12)
        chosen = draw.choices(words, cum_weights=total, k=length)
        chosen[::3] = draw.choices(own[tag], k=len(chosen[::3]))
        draw.shuffle(chosen)
        yield f"{' '.join(chosen)} {number:x}", f"tag {tag + 1}"


def measure(python: str, count: int) -> dict[str, float]:
    """Train on ``count`` texts: seconds, peak memory, and the size of the file in MB. Raises ``FailedError``."""
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch, "texts.csv")
        with data.open("w", encoding="utf-8", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(("text", "label"))
            rows.writerows(texts(count))
        size = data.stat().st_size
        return train(python, data, Path(scratch, "model")) | {"texts": count, "file_mb": round(size / 1e6)}
