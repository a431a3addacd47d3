"""Tokenized texts as numbers: each different token is a type, and a text is the array of its tokens' types.

A million short texts take some hundred megabytes so; as lists of strings they would take gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Numbers = NDArray[np.int32]


class Ragged(Sequence[Any]):
    """Arrays of different lengths in one: ``values``, and in ``starts`` where each begins and where the last one ends."""

    def __init__(self, values: Numbers, starts: NDArray[np.int64]) -> None:
        self.values, self.starts = values, starts

    @classmethod
    def of(cls, arrays: Iterable[Sequence[int] | Numbers]) -> Ragged:
        """The arrays, copied into one."""
        lengths, parts = [0], []
        for array in arrays:
            parts.append(np.asarray(array, np.int32))
            lengths.append(len(parts[-1]))
        values = np.concatenate(parts) if parts else np.zeros(0, np.int32)
        return cls(values, np.cumsum(lengths, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, number: Any) -> Any:
        """The array of this number."""
        return self.values[self.starts[number] : self.starts[number + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The length of each array."""
        return np.diff(self.starts)

    def filled(self, value: int) -> Ragged:
        """The arrays; an empty one has this value instead."""
        return Ragged.of(array if len(array) else [value] for array in self) if (self.lengths == 0).any() else self

    def take(self, numbers: NDArray[np.int64]) -> Ragged:
        """The arrays of these numbers, in this order."""
        return Ragged.of(self[number] for number in numbers)

    def owners(self) -> NDArray[np.int64]:
        """For each value the number of its array."""
        return np.repeat(np.arange(len(self)), self.lengths)


@dataclass(slots=True)
class Types:
    """The different tokens, numbered in the order in which they were first seen."""

    numbers: dict[str, int] = field(default_factory=dict)

    def of(self, tokens: Iterable[str]) -> Numbers:
        """The type of each token; a new token is a new type."""
        numbers = self.numbers
        return np.array([numbers.setdefault(token, len(numbers)) for token in tokens], np.int32)

    @property
    def tokens(self) -> list[str]:
        """The token of each type."""
        return list(self.numbers)


def counts_of(texts: Ragged, columns: int) -> sparse.csr_matrix:
    """How often each text has each of ``columns`` numbers: shape [texts, columns]."""
    values = texts.values.copy()  # subtle: they are sorted in place
    counts = sparse.csr_matrix((np.ones(len(values), np.float32), values, texts.starts), (len(texts), columns))
    counts.sum_duplicates()
    return counts


def presence(texts: Ragged, columns: int) -> sparse.csr_matrix:
    """Which of ``columns`` numbers each text has: shape [texts, columns], 0 or 1."""
    counts = counts_of(texts, columns)
    counts.data[:] = 1
    return counts
