"""Unicode normalization in time linear in the length of a text."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import groupby, pairwise
from typing import Literal

_SHORTEST_RUN = 64  # characters; words have fewer marks in a row
_ORDERED_ANYWAY = 4096  # characters; up to here the time of normalization is bounded
_RUN = re.compile(rf"[^\w\s\0-\x7f]{{{_SHORTEST_RUN},}}")


def normalized(form: Literal["NFC", "NFKC"], text: str) -> str:
    """A text in a normalization form. The library alone takes quadratic time for many combining marks in a row.

    >>> normalized("NFC", "Cafe\u0301")
    'Café'
    """
    if len(text) > _ORDERED_ANYWAY:
        text = _RUN.sub(_ordered, text)
    return unicodedata.normalize(form, text)


def _ordered(run: re.Match[str]) -> str:
    """A long run of combining marks in the order that normalization gives them."""
    single = run[0].translate({ord(character): unicodedata.normalize("NFD", character) for character in set(run[0])})
    rank = cache(unicodedata.combining)
    if not any(rank(one) > rank(two) > 0 for one, two in set(pairwise(single))):
        return run[0]
    groups = groupby(single, key=lambda character: rank(character) > 0)
    return "".join("".join(sorted(group, key=rank) if marks else group) for marks, group in groups)
