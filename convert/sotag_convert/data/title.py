"""A text -> its title: people often type a title only, where the texts of a data set are whole questions."""

from __future__ import annotations

import re

_END = re.compile(r"[?]|\.\.|\. ")
_SHORTEST, _LONGEST = 15, 120  # characters


def title(text: str) -> str:
    """The first sentence of a text, of 15 to 120 characters where the text is that long.

    >>> title('"why is my list empty? i append to it..x = []"')
    'why is my list empty?'
    """
    text = text.strip().strip('"')
    end = _END.search(text, _SHORTEST)
    return text[: end.end() if end else None][:_LONGEST]
