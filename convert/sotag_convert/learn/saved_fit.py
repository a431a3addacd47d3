"""The state of a fit between two epochs, from which it goes on with the same numbers: to and from a file (run_state.py)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sotag_convert.run_state import FitFile

_VARIABLES = 6  # times the weights, and more: those that are fitted, two of the optimizer for each, and those kept
_MARGIN = 1 << 26  # bytes, also of the figures of many epochs


@dataclass(frozen=True, slots=True)
class Epoch:
    """The figures of an epoch; those of the validation are ``None`` in a run without validation texts.

    ``standard_error``: of the validation loss, which is a mean over few texts.
    """

    number: int
    seconds: float
    loss: float
    validation_loss: float | None = None
    standard_error: float | None = None
    validation_accuracy: float | None = None


class SavedFit(NamedTuple):
    """A fit after some complete epochs.

    ``kept``: the number of the best one; ``weights``: of the network after it; ``is_over``: whether no epoch follows.
    ``variables``: the bytes of all that a training step reads and changes, after the last epoch; none if it is over.
    """

    epochs: list[Epoch]
    kept: int
    is_over: bool
    weights: list[NDArray[Any]]
    variables: bytes
    file: FitFile

    @classmethod
    def read(cls, file: FitFile, like: Sequence[NDArray[Any]]) -> SavedFit | None:
        """The state in a file, ``None`` if there is none. ``like``: weights with the same types and shapes.

        Raises ``InputError`` if the file is damaged, or of another network.
        """
        size = _size(like)
        content = file.read(_VARIABLES * size + _MARGIN)
        if content is None:
            return None
        facts = content.facts
        epochs, kept, is_over = _epochs(facts.get("epochs")), facts.get("kept"), facts.get("is_over")
        known = isinstance(kept, int) and isinstance(is_over, bool) and epochs and 1 <= kept <= len(epochs)
        if not known or len(content.arrays) < size or (is_over and len(content.arrays) != size):
            raise file.damaged()
        return cls(
            epochs,
            int(kept or 0),
            bool(is_over),
            _arrays(file, content.arrays[:size], like),
            content.arrays[size:],
            file,
        )

    def values(self, like: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """The values of the variables. ``like``: those with the same types and shapes. Raises ``InputError``."""
        if len(self.variables) != _size(like):
            raise self.file.damaged()
        return _arrays(self.file, self.variables, like)


def write(
    file: FitFile,
    epochs: Sequence[Epoch],
    kept: int,
    weights: Sequence[NDArray[Any]],
    variables: Sequence[NDArray[Any]],
) -> None:
    """Write the state after an epoch: as in ``SavedFit``; without ``variables`` the fit is over. Raises ``OSError``."""
    facts = {"epochs": [astuple(epoch) for epoch in epochs], "kept": kept, "is_over": not variables}
    file.write(facts, [*weights, *variables])


def _size(arrays: Sequence[NDArray[Any]]) -> int:
    return sum(array.nbytes for array in arrays)


def _arrays(file: FitFile, content: bytes, like: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """The arrays whose bytes these are. Raises ``InputError`` for numbers that are not finite."""
    arrays, start = [], 0
    for array in like:
        values = np.frombuffer(content, array.dtype, array.size, start).reshape(array.shape)
        if not np.isfinite(values).all():
            raise file.damaged()
        arrays.append(values)
        start += array.nbytes
    return arrays


def _epochs(rows: Any) -> list[Epoch]:
    """The figures of the epochs; empty if they are not what ``write`` writes."""
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 6 for row in rows):
        return []
    for number, row in enumerate(rows, 1):
        figures = row[1:3] if row[3:] == [None] * 3 else row[1:]
        if row[0] != number or not all(isinstance(value, (int, float)) and math.isfinite(value) for value in figures):
            return []
    return [Epoch(*row) for row in rows]
