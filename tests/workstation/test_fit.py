"""Which epoch is kept."""

from __future__ import annotations

import pytest

from sotag_convert.learn.fit import Epoch, _is_as_good_as_any


@pytest.mark.parametrize(
    ("losses", "kept"),
    [([0.5], 1), ([0.5, 0.3, 0.4], 2), ([0.5, 0.3, 0.305], 3), ([0.5, 0.3, 0.4, 0.29, 0.5], 4), ([None, None], 2)],
)
def test_the_last_epoch_within_a_standard_error_of_the_best_is_kept(losses: list[float | None], kept: int) -> None:
    """One that is clearly worse than an earlier one is not, and without validation it is the last of all."""
    epochs = [Epoch(number, 1, 1, loss, 0.01) for number, loss in enumerate(losses, start=1)]
    good = [number for number in range(1, len(epochs) + 1) if _is_as_good_as_any(epochs[:number])]
    assert good[-1] == kept
