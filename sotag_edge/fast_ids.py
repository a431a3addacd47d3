"""ASCII text -> ids with NumPy: the ids of ``tokenizer`` and ``Vocabulary``, for long texts in less than half of the time.

No token becomes a string. Each has a number instead, and the numbers of all tokens are computed at once: the bytes of the
token are the digits, lowest first, in an odd base, modulo 2**64 (the hash of Rabin and Karp). A table without collisions
gives the only id that a number may have, and the number of that id decides whether it has it.

A token may have the number of another one: for a token that is not in a vocabulary of 5,000, the probability is 3e-16. No
text can be made for the purpose, because each process has a base of its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from sotag_edge.tokenizer import TokenizerMode, piece_tokens
from sotag_edge.vocabulary import LONGEST, UNKNOWN_ID

_NUL = 128  # the digit of "\0"
_WORD, _QUOTE, _MARK = 1, 2, 4  # classes of bytes; white space has 0
_RUNS = np.uint8(_WORD | _QUOTE)  # the classes of which a run is one token
_TOGETHER = 64  # tokens of the vocabulary
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd; 2**64 by the golden ratio (Knuth 6.4)
_TRIALS = 500  # the vocabulary of the default model takes 9

if TYPE_CHECKING:  # the import takes milliseconds
    from numpy.typing import NDArray

    Numbers = NDArray[np.uint64]


class FastIds:
    """The ids of ASCII texts, for one vocabulary.

    >>> FastIds(["[PAD]", "[UNK]", "import", "numpy"]).ids("import numpy as np").tolist()
    [2, 3, 1, 1]
    """

    def __init__(self, tokens: Sequence[str], base: int | None = None) -> None:
        """``tokens``: of the vocabulary. Takes 3 ms for 5,000 of them.

        ``base``: an odd number, so that it has an inverse. By default a random one. Raises ``ValueError`` for a vocabulary
        with very long tokens, or with two of the same number.
        """
        self._classes, self._digits = _character_tables()
        base = base or int.from_bytes(os.urandom(8), "little") | 1
        inverse = pow(base, -1, 2**64)
        self._powers = np.cumprod(np.full(LONGEST + 2, base, np.uint64))
        self._inverses = np.cumprod(np.full(LONGEST + 2, inverse, np.uint64))
        self._numbers = np.zeros(len(tokens), np.uint64)
        ids = []
        for start in range(0, len(tokens), _TOGETHER):
            some = {token: start + place for place, token in enumerate(tokens[start : start + _TOGETHER])}
            plain = _plain(list(some))
            if plain:
                numbers, _ = self._numbers_of(" ".join(plain))
                ids += [some[token] for token in plain]
                self._numbers[ids[-len(plain) :]] = numbers
        self._multipliers, self._slots = _perfect_hash(self._numbers, np.array(ids, np.int32))
        self._buckets = np.uint64(len(self._multipliers) - 1)
        self._shift = np.uint64(64 - (len(self._slots) - 1).bit_length())

    def ids(self, text: str) -> NDArray[np.int32]:
        """The id of each token of a decoded text of at most ``LONGEST`` ASCII characters, as 32-bit integers."""
        return self._ids(self._numbers_of(text)[0])

    def ids_of(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """The ids of each of several texts, of at most ``LONGEST`` characters together with a space between them."""
        numbers, starts = self._numbers_of(" ".join(texts))
        ends = accumulate(len(text) + 1 for text in texts)
        ids = self._ids(numbers)
        return np.split(ids, starts.searchsorted(list(ends)[:-1]))

    def _ids(self, numbers: Numbers) -> NDArray[np.int32]:
        # NumPy 1 takes no unsigned places, and those of a 32-bit machine have 32 bits.
        places = self._multipliers.take((numbers & self._buckets).astype(np.intp))
        places *= numbers
        places >>= self._shift
        ids: NDArray[np.int32] = self._slots.take(places.astype(np.intp))
        np.putmask(ids, self._numbers.take(ids) != numbers, UNKNOWN_ID)
        return ids

    def _numbers_of(self, text: str) -> tuple[Numbers, NDArray[np.intp]]:
        """The number of each token of an ASCII text, and where it starts. Raises ``ValueError`` for a longer text."""
        if len(text) > LONGEST:
            raise ValueError(f"{len(text)} characters are more than {LONGEST}")
        # A token starts where no run goes on, and the last mark ends the last token.
        data = f" {text},".encode("ascii")
        classes = np.frombuffer(data.translate(self._classes), np.uint8)
        here = classes[1:]
        goes_on = here & classes[:-1]
        goes_on &= _RUNS
        starts = (here > goes_on).nonzero()[0]
        sums = np.frombuffer(data.translate(self._digits), np.uint8) * self._powers[: len(data)]
        np.add.accumulate(sums, out=sums)
        # subtle: white space has the digit 0, so a token's sum may run to the start of the next one.
        before = sums.take(starts)
        numbers = before[1:] - before[:-1]
        starts = starts[:-1]
        numbers *= self._inverses.take(starts)
        return numbers, starts


def _character_tables() -> tuple[bytes, bytes]:
    """The class and the digit of each byte, by what the tokenizer does with it."""
    classes, digits = bytearray(256), bytearray(256)
    for code in range(128):
        tokens = piece_tokens(chr(code), TokenizerMode.CODE)
        if tokens:
            in_word, doubled = (piece_tokens(first + chr(code), TokenizerMode.CODE) for first in ("a", chr(code)))
            classes[code] = _WORD if len(in_word) == 1 else _QUOTE if len(doubled) == 1 else _MARK
            # A run of quotation marks is one token, the same for any length: its digits are 0.
            digits[code] = 0 if classes[code] == _QUOTE else ord(tokens[0]) or _NUL
    return bytes(classes), bytes(digits)


def _plain(tokens: Sequence[str]) -> list[str]:
    """The tokens that an ASCII text can have."""
    tokens = [token for token in tokens if token.isascii()]
    if piece_tokens(" ".join(tokens), TokenizerMode.CODE) == tokens:
        return tokens
    return [token for token in tokens if piece_tokens(token, TokenizerMode.CODE) == [token]]


def _perfect_hash(numbers: Numbers, ids: NDArray[np.int32]) -> tuple[Numbers, NDArray[np.int32]]:
    """A multiplier for each bucket of numbers, and a table of ids without collisions.

    The lowest bits of a number choose its bucket; the highest bits of its product with the bucket's multiplier are its place
    in the table. Multipliers are tried until all numbers of a bucket have free places (hash and displace: Pagh 1999). Raises
    ``ValueError`` if two ids have the same number, or too many numbers were made to share a bucket.
    """
    of_ids = numbers[ids]
    ordered = np.sort(of_ids)
    if (ordered[1:] == ordered[:-1]).any():
        raise ValueError("two tokens have the same number")
    size = 1 << (4 * len(ids) + 8).bit_length()
    buckets = (of_ids & np.uint64(size // 8 - 1)).astype(np.intp)
    shift = np.uint64(64 - (size - 1).bit_length())
    multipliers, slots = np.ones(size // 8, np.uint64), np.full(size, UNKNOWN_ID, np.int32)
    is_free = np.ones(size, bool)
    left = np.arange(len(ids))
    tried = np.arange(1, 2 * len(multipliers), 2, dtype=np.uint64)
    for _ in range(_TRIALS):
        tried *= _SPREAD
        of_left = buckets[left]
        places = (of_ids[left] * tried[of_left] >> shift).astype(np.intp)
        crowded = ~is_free[places] | (np.bincount(places, minlength=size)[places] > 1)
        fits = (np.bincount(of_left[crowded], minlength=len(multipliers)) == 0)[of_left]
        is_free[places[fits]] = False
        slots[places[fits]] = ids[left[fits]]
        multipliers[of_left[fits]] = tried[of_left[fits]]
        left = left[~fits]
        if not len(left):
            return multipliers, slots
    raise ValueError("the numbers of the tokens do not fit")
