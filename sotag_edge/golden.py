"""A bundle -> whether it is whole and computes here what it computed where it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sotag_edge.bundle import LSTM_IN_INT8, Bundle
from sotag_edge.classifier import Classifier
from sotag_edge.errors import ModelError

_FLOAT_TOLERANCE = 2e-5  # measured between x86-64, aarch64 and armv7: 8e-6
_INT8_TOLERANCE = 0.02  # measured: 0.007


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """``difference``: the largest of the golden text's scores from the manifest's; ``tolerance``: what it may be."""

    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the scores are the same, but for the arithmetic of processors."""
        return self.difference <= self.tolerance


def check_golden(bundle: Bundle) -> GoldenCheck:
    """Tag the golden text. Raises ``ModelError`` where the manifest has none, or the runtime cannot load the model."""
    golden: Any = bundle.manifest.get("golden")
    try:
        text, expected = str(golden["text"]), [float(golden["scores"][label]) for label in bundle.labels]
    except (TypeError, KeyError, ValueError) as error:
        raise ModelError(f"{bundle.path} has no golden text with a score for each label: convert it again") from error
    found = Classifier(bundle).classify(text).scores
    difference = max(abs(found[label] - score) for label, score in zip(bundle.labels, expected, strict=True))
    tolerance = _INT8_TOLERANCE if bundle.manifest.get("recipe") == LSTM_IN_INT8 else _FLOAT_TOLERANCE
    return GoldenCheck(difference, tolerance)
