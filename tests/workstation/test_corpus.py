"""Texts as numbers: arrays of different lengths in one, types, counts."""

from __future__ import annotations

import numpy as np
import pytest

from sotag_convert.learn.corpus import Ragged, Types, counts_of, presence

LISTS = [[3, 1, 1], [], [0], [2, 0, 2, 2]]


def lists(texts: Ragged) -> list[list[int]]:
    return [array.tolist() for array in texts]


def test_arrays_come_back_as_they_were() -> None:
    """With their lengths, and with the number of its array for each value."""
    texts = Ragged.of(LISTS)
    assert lists(texts) == LISTS
    assert len(texts) == 4
    assert texts.lengths.tolist() == [3, 0, 1, 4]
    assert texts.owners().tolist() == [0, 0, 0, 2, 3, 3, 3, 3]
    assert (texts.values.dtype, texts.starts.dtype) == (np.int32, np.int64)
    assert lists(Ragged.of([])) == []
    assert lists(Ragged.of([[]])) == [[]]
    with pytest.raises(IndexError):
        texts[4]


def test_arrays_are_copied() -> None:
    """Changing one of them later changes no text."""
    array = np.array([1, 2], np.int32)
    texts = Ragged.of([array])
    array[:] = 9
    assert lists(texts) == [[1, 2]]


def test_texts_can_be_taken_in_any_order() -> None:
    """Also several times, or none of them."""
    texts = Ragged.of(LISTS)
    assert lists(texts.take(np.array([3, 0, 0]))) == [LISTS[3], LISTS[0], LISTS[0]]
    assert lists(texts.take(np.array([], np.int64))) == []


def test_empty_texts_are_filled() -> None:
    """With one value; without an empty text nothing is copied."""
    assert lists(Ragged.of(LISTS).filled(7)) == [[3, 1, 1], [7], [0], [2, 0, 2, 2]]
    whole = Ragged.of([[1], [2]])
    assert whole.filled(7) is whole


def test_types_are_numbered_as_they_are_seen() -> None:
    """A token keeps its type."""
    types = Types()
    assert types.of(["b", "a", "b"]).tolist() == [0, 1, 0]
    assert types.of(iter(["c", "a"])).tolist() == [2, 1]
    assert types.of([]).dtype == np.int32
    assert types.tokens == ["b", "a", "c"]


def test_counts_and_presence() -> None:
    """How often each text has each number, and whether it has it."""
    texts = Ragged.of(LISTS)
    assert counts_of(texts, 4).toarray().tolist() == [[0, 2, 0, 1], [0] * 4, [1, 0, 0, 0], [1, 0, 3, 0]]
    assert presence(texts, 4).toarray().tolist() == [[0, 1, 0, 1], [0] * 4, [1, 0, 0, 0], [1, 0, 1, 0]]


@pytest.mark.parametrize("count", [counts_of, presence])
def test_counting_does_not_change_the_texts(count) -> None:
    """SciPy sorts the numbers of a matrix in place: the texts would lose their order, and their pairs with it."""
    texts = Ragged.of(LISTS)
    count(texts, 4)
    assert lists(texts) == LISTS
