"""The epochs and the baseline of a training run, from a bundle's ``metrics.json``. It has no hash and may be anybody's."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sotag_convert.report.evaluation import Evaluation
from sotag_edge.bundle import METRICS, read_file
from sotag_edge.errors import ModelError
from sotag_edge.json_fields import nullable, number, required

_MOST = 10_000  # epochs
_SAME_LOSS = 0.001  # it differs by less between runtimes


@dataclass(frozen=True, slots=True)
class EpochFigures:
    """The figures of an epoch; those of the validation are ``None`` in a run without validation texts."""

    number: int
    loss: float
    validation_loss: float | None
    validation_accuracy: float | None


@dataclass(frozen=True, slots=True)
class History:
    """The epochs of a run, and the number of the one that was kept. ``has_network``: whether the network has a weight in the
    model, beside a linear branch."""

    epochs: tuple[EpochFigures, ...] = ()
    kept: int | None = None
    has_network: bool = True


def history_of(folder: Path) -> History:
    """The history of the bundle in ``folder``; without epochs if its metrics are missing or have another shape."""
    with suppress(ModelError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        training = json.loads(read_file(folder / METRICS))["training"]
        epochs = tuple(map(_epoch, required(training, "epochs", list)[:_MOST]))
        return History(epochs, nullable(training, "kept_epoch", int), training.get("network_share") != 0)
    return History()


def baseline_of(folder: Path, view: str, evaluation: Evaluation) -> float | None:
    """The figure of the baseline on the texts of an evaluation; ``None`` unless it was measured on the same texts.

    They are taken for the same if the model has the same figures on as many: then its answers are those of that time.
    """
    with suppress(ModelError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        figures = json.loads(read_file(folder / METRICS))["evaluation"][view]
        own = evaluation.to_json()
        main = evaluation.figure_name.replace("-", "_").lower()
        are_same = all(figures[name] == own[name] for name in ("kind", "texts", main, "macro_f1"))
        baseline = number(figures, "baseline")
        if are_same and abs(number(figures, "log_loss") - evaluation.log_loss) < _SAME_LOSS and 0 <= baseline <= 1:
            return baseline
    return None


def _epoch(fields: dict[str, Any]) -> EpochFigures:
    """Raises ``ValueError`` for what is not the figures of an epoch."""
    figures = {
        name: number(fields, name)
        for name in ("loss", "validation_loss", "validation_accuracy")
        if fields.get(name) is not None
    }
    if not all(map(math.isfinite, figures.values())):
        raise ValueError("the figures of an epoch are not finite")
    return EpochFigures(
        required(fields, "number", int),
        figures["loss"],
        figures.get("validation_loss"),
        figures.get("validation_accuracy"),
    )
