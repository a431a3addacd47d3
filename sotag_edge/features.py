"""Tokens and ids of a text -> the features of the linear branch: the numbers of the rows that the graph adds up.

Three kinds of features: the tokens of a text, the pairs of neighbouring known tokens, and the character n-grams of its
unknown tokens. Tokens have the row of their id. Pairs and n-grams are hashed to 32 bits; ``features.bin`` lists the hashes
that have a row, in ascending order, as little-endian ``uint32``; the others are left out. The n-grams of a known token have
no rows: training adds their weights to the token's own row. The row of ``[UNK]`` has no weights: unknown tokens count in the
norm only.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from sotag_edge.errors import ModelError
from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID

FEATURES = "features.bin"
MOST_FEATURES = 4_000_000
NGRAM_LENGTHS = (3, 4, 5)
FIRST_FACTOR, SECOND_FACTOR = 0x9E3779B1, 0x85EBCA77  # odd; from xxHash
_LONGEST = 30  # characters of a token that are cut into n-grams
_BYTES = 4  # of a hash
_BITS = 0xFFFFFFFF
_REMEMBERED = 20_000  # unknown tokens, with a few rows each


class Features:
    """The hashes that have a row, and the search in them, which is prepared for the first text.

    Plain Python: NumPy takes 100 µs for a short text, this 15.
    """

    def __init__(self, content: bytes, first: int) -> None:
        """``content``: of ``features.bin``; ``first``: the row of the first hash, after those of the ids.

        Raises ``ModelError`` if the content is not a list of hashes.
        """
        if len(content) % _BYTES or len(content) > _BYTES * MOST_FEATURES:
            raise ModelError(
                f"{len(content):,} bytes are not a list of at most {MOST_FEATURES:,} hashes of {_BYTES} bytes"
            )
        self._content, self._first = content, first
        self._rows: dict[int, int] = {}
        self._of_tokens: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """The number of hashes."""
        return len(self._content) // _BYTES

    def rows(self, tokens: Sequence[str], ids: Sequence[int]) -> list[list[int]]:
        """The rows of a text's features, and how often the text has each. A text without features has the row of padding.

        ``ids``: those of the tokens, in their order. An n-gram of two unknown tokens is there twice.
        """
        known = Counter(ids)
        for number in (PADDING_ID, UNKNOWN_ID):
            known.pop(number, None)
        rows, counts = list(known), list(known.values())
        if UNKNOWN_ID in ids:
            unknown = Counter(token for token, number in zip(tokens, ids, strict=False) if number == UNKNOWN_ID)
            for token, count in unknown.items():
                of_token = self._rows_of(token)
                rows += of_token
                counts += [count] * len(of_token)
        if self._content:
            row_of = self._row_of().get
            for (one, two), count in Counter(pairwise(ids)).items():
                if one > UNKNOWN_ID and two > UNKNOWN_ID:
                    row = row_of(pair_hash(one, two))
                    if row:
                        rows.append(row)
                        counts.append(count)
        return [rows, counts] if rows else [[PADDING_ID], [1]]

    def _rows_of(self, token: str) -> list[int]:
        """The row of ``[UNK]``, and those of the n-grams of an unknown token."""
        token = token[:_LONGEST]  # the rest has no n-grams, and a million characters are not to be remembered
        rows = self._of_tokens.get(token)
        if rows is None:
            row_of = self._row_of()
            rows = [UNKNOWN_ID, *(row_of[number] for number in ngram_hashes(token) if number in row_of)]
            if len(self._of_tokens) >= _REMEMBERED:
                self._of_tokens.clear()
            self._of_tokens[token] = rows
        return rows

    def _row_of(self) -> dict[int, int]:
        if not self._rows:
            numbers = struct.unpack(f"<{len(self)}I", self._content)
            self._rows = {number: row for row, number in enumerate(numbers, start=self._first)}
        return self._rows


def pair_hash(one: int, two: int) -> int:
    """The hash of two neighbouring ids.

    >>> pair_hash(2, 3), pair_hash(3, 2)
    (2913840135, 3513907709)
    """
    return (one * FIRST_FACTOR & _BITS) ^ (two * SECOND_FACTOR & _BITS)


def ngram_hashes(token: str) -> list[int]:
    """The hashes of the character n-grams of a token; none of a single character.

    The n-grams are those of ``<token>``, the token cut after 30 characters; one that it has twice is there twice. The hash
    is that of Rabin and Karp, over the code points.

    >>> len(ngram_hashes("cat")), ngram_hashes("c")  # <ca cat at> <cat cat> <cat>
    (6, [])
    """
    if len(token) < 2:
        return []
    codes = [60, *map(ord, token[:_LONGEST]), 62]  # < and >
    hashes, found = codes, []
    for length in range(2, NGRAM_LENGTHS[-1] + 1):
        hashes = [
            (before * FIRST_FACTOR + code) & _BITS for before, code in zip(hashes, codes[length - 1 :], strict=False)
        ]
        if length in NGRAM_LENGTHS:
            found += hashes
    return found
