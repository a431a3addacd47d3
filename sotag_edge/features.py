"""Tokens and ids of a text -> the features of the linear branch: the numbers of the rows that the graph adds up.

Three kinds of features: the tokens of a text, the pairs of neighbouring known tokens, and the character n-grams of its
unknown tokens. Tokens have the row of their id. Pairs and n-grams are hashed to 32 bits; ``features.bin`` lists the hashes
that have a row, in ascending order, as little-endian ``uint32``; the others are left out. The n-grams of a known token have
no rows: training adds their weights to the token's own row. The row of ``[UNK]`` has no weights: unknown tokens count in the
norm only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sotag_edge.errors import ModelError
from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEATURES = "features.bin"
MOST_FEATURES = 4_000_000
_BYTES = 4  # of a hash
NGRAM_LENGTHS = (3, 4, 5)
_LONGEST = 30  # characters of a token that are cut into n-grams
_FIRST_FACTOR, _SECOND_FACTOR = 0x9E3779B1, 0x85EBCA77  # odd; from xxHash


class Features:
    """The hashes that have a row, and the search in them. NumPy is imported for the first text."""

    def __init__(self, content: bytes, first: int) -> None:
        """``content``: of ``features.bin``; ``first``: the row of the first hash, after those of the ids.

        Raises ``ModelError`` if the content is not a list of hashes. A hash that is not in its place is never found.
        """
        if len(content) % _BYTES or len(content) > _BYTES * MOST_FEATURES:
            raise ModelError(
                f"{len(content):,} bytes are not a list of at most {MOST_FEATURES:,} hashes of {_BYTES} bytes"
            )
        self._content, self._first = content, first
        self._loaded: tuple[Any, NDArray[np.uint32]] | None = None

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
            rows += [UNKNOWN_ID] * len(unknown)
            counts += unknown.values()
        if self._content:
            np, listed = self._loaded or self._load()
            hashes, times = np.unique(pair_hashes(np, np.array(ids, np.uint32)), return_counts=True)
            if UNKNOWN_ID in ids:
                of_tokens, owners = ngram_hashes(np, list(unknown))
                hashes = np.concatenate([hashes, of_tokens])
                times = np.concatenate([times, np.array(list(unknown.values()))[owners]])
            places = np.searchsorted(listed, hashes)
            places[places == len(listed)] = 0
            has_row = listed[places] == hashes
            rows += (places[has_row] + self._first).tolist()
            counts += times[has_row].tolist()
        return [rows, counts] if rows else [[PADDING_ID], [1]]

    def _load(self) -> tuple[Any, NDArray[np.uint32]]:
        import numpy as np

        self._loaded = loaded = np, np.frombuffer(self._content, "<u4")
        return loaded


def pair_hashes(np: Any, ids: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The hash of each pair of neighbouring known tokens."""
    first, second = ids[:-1], ids[1:]
    known = (first > UNKNOWN_ID) & (second > UNKNOWN_ID)
    hashes: NDArray[np.uint32] = (first * np.uint32(_FIRST_FACTOR) ^ second * np.uint32(_SECOND_FACTOR))[known]
    return hashes


def ngram_hashes(np: Any, tokens: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The hashes of the character n-grams of tokens, and the number of the token of each. A single character has none.

    The n-grams are those of ``<token>``, cut after 30 characters; one that a token has twice is there twice. The hash is
    that of Rabin and Karp, over the code points.

    >>> import numpy
    >>> hashes, owners = ngram_hashes(numpy, ["cat", "c", "at"])  # <ca cat at> <cat cat> <cat> and <at at> <at>
    >>> owners.tolist(), bool(hashes[2] == hashes[4])
    ([0, 0, 0, 2, 2, 0, 0, 2, 0], True)
    """
    marked = [f"<{token[:_LONGEST]}>" if len(token) > 1 else "" for token in tokens]
    codes = np.frombuffer("".join(marked).encode("utf-32-le", "surrogatepass"), "<u4")
    owners = np.repeat(np.arange(len(marked)), [len(token) for token in marked])
    hashes, found = codes, []
    for length in range(2, NGRAM_LENGTHS[-1] + 1):
        hashes = hashes[:-1] * np.uint32(_FIRST_FACTOR) + codes[length - 1 :]
        if length in NGRAM_LENGTHS:
            first = owners[: len(hashes)]
            within = first == owners[length - 1 :]
            found.append((hashes[within], first[within]))
    return np.concatenate([part for part, _ in found]), np.concatenate([part for _, part in found])
