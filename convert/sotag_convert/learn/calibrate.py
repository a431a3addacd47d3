"""Scores of validation texts -> the temperature and the threshold of a bundle; log loss and calibration error.

Works on scores only, and imports no TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from sotag_edge.decision import Decision, SingleLabel

Floats = NDArray[np.float64]

_UNKNOWN_SHARE = 0.03  # of the validation texts, all of which have a label, may be answered "unknown"
_HIGHEST_THRESHOLD = 0.9
_ENOUGH = 50  # texts to fit a temperature on; with 5 it ran to its bound
_TEMPERATURES = (0.25, 4.0)
_BINS = 15


def fit(scores: Floats, targets: Sequence[int]) -> SingleLabel:
    """The temperature of the lowest log loss, and the threshold that 3 % of the texts are below, at most 0.9.

    The temperature stays 1 with fewer than 50 texts, and where every text is right: then a lower temperature is always
    better, which says nothing about harder texts. ``scores``: the network's own, shape [texts, labels]; ``targets``: the
    number of each text's label.
    """

    def loss(temperature: float) -> float:
        return log_loss(calibrated(scores, SingleLabel(temperature)), targets)

    temperature = 1.0
    if len(targets) >= _ENOUGH and (scores.argmax(axis=1) != np.asarray(targets)).any():
        temperature = round(float(minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded").x), 3)
    best = calibrated(scores, SingleLabel(temperature)).max(axis=1)
    threshold = min(float(np.quantile(best, _UNKNOWN_SHARE)), _HIGHEST_THRESHOLD)
    # Rounded down, so that a text exactly at the threshold is still answered.
    return SingleLabel(temperature, math.floor(threshold * 1000) / 1000)


def calibrated(scores: Floats, settings: Decision) -> Floats:
    """The network's scores as the device calibrates them, shape [texts, outputs]."""
    return np.array([settings.calibrated(row) for row in scores.tolist()])


def log_loss(scores: Floats, targets: Sequence[int]) -> float:
    """The mean of ``log_losses``."""
    return float(log_losses(scores, targets).mean())


def log_losses(scores: Floats, targets: Sequence[int]) -> Floats:
    """Minus the log of the score of each text's label, shape [texts]; finite where that score is 0."""
    right = scores[np.arange(len(scores)), list(targets)]
    losses: Floats = -np.log(np.maximum(right, 1e-12))
    return losses


def calibration_error(scores: Floats, targets: Sequence[int]) -> float:
    """The expected calibration error: the mean distance between score and accuracy, over 15 bins of the best score.

    Source: Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
    """
    best = scores.max(axis=1)
    right = scores.argmax(axis=1) == np.asarray(targets)
    bins = np.minimum((best * _BINS).astype(int), _BINS - 1)
    gaps = [abs((right[bins == number] - best[bins == number]).sum()) for number in range(_BINS)]
    return float(sum(gaps) / len(scores))
