"""The golden text: whether a model computes on this machine the scores that it had where it was exported."""

from __future__ import annotations

from dataclasses import dataclass

from sotag_edge.bundle import Bundle
from sotag_edge.classifier import Classifier
from sotag_edge.errors import ModelError

LSTM_IN_INT8 = "dynamic"
"""The recipe whose LSTM computes in int8."""
_FLOAT_TOLERANCE = 2e-5  # measured between x86-64, aarch64 and armv7: 8e-6
_INT8_TOLERANCE = 0.02  # measured: 0.007


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """``difference``: the largest difference of a score of the golden text from the manifest's; ``tolerance``: its limit."""

    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the scores are equal up to the arithmetic of the processor."""
        return self.difference <= self.tolerance


def check_golden(bundle: Bundle) -> GoldenCheck:
    """Classify the golden text. Raises ``ModelError`` if the manifest has none or the runtime cannot load the model."""
    golden, labels = bundle.manifest.golden, bundle.manifest.labels
    if golden is None or not set(labels) <= set(golden.scores):
        raise ModelError(f"{bundle.path} has no golden text with a score for each label: convert the model again")
    scores = Classifier(bundle).classify(golden.text).scores
    difference = max(abs(scores[label] - golden.scores[label]) for label in labels)
    tolerance = _INT8_TOLERANCE if bundle.manifest.recipe == LSTM_IN_INT8 else _FLOAT_TOLERANCE
    return GoldenCheck(difference, tolerance)
