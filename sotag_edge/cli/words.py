"""Figures as people write them, and long lists cut: for tables, not for programs."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_LISTED = 10


def size_in_words(count: int) -> str:
    """A number of bytes, in units of 1,000.

    >>> [size_in_words(count) for count in (830, 295_209, 999_600, 1_514_919)]
    ['830 bytes', '295 KB', '1.0 MB', '1.5 MB']
    """
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} KB" if round(count / 1000) < 1000 else f"{count / 1000**2:,.1f} MB"


def percent(share: float) -> str:
    """A share from 0 to 1.

    >>> percent(0.96875)
    '96.9 %'
    """
    return f"{100 * share:.1f} %"


def first_of(names: Sequence[str]) -> str:
    """The names, or the first ten of them and how many more there are.

    >>> first_of("abc"), first_of("abcdefghijkl")
    ('a, b, c', 'a, b, c, d, e, f, g, h, i, j and 2 more')
    """
    more = len(names) - _MOST_LISTED
    return ", ".join(names[:_MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")
