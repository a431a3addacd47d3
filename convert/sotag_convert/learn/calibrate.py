"""Scores of validation texts -> the temperature and the threshold that a bundle keeps, and how far scores are off.

Nothing here knows of texts or networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from sotag_edge.bundle import ScoreSettings

Floats = NDArray[numpy.float64]

_UNKNOWN_SHARE = 0.03  # of validation texts, all of which have a tag, may be answered "unknown"
_HIGHEST_THRESHOLD = 0.9
_ENOUGH = 50  # texts to fit a temperature on; on 5 it ran to its bound
_TEMPERATURES = (0.25, 4.0)
_BINS = 15


def fit(scores: Floats, targets: Sequence[int]) -> ScoreSettings:
    """The temperature of the lowest log loss, and the threshold that 3 % of the texts stay below, at most 0.9.

    Where every text is right no temperature is too low, and such texts say nothing of harder ones: it stays 1. So it does
    with fewer than 50 texts.

    ``scores``: the network's own, shape [texts, labels]; ``targets``: the number of each text's label.
    """

    def loss(temperature: float) -> float:
        return log_loss(calibrated(scores, ScoreSettings(temperature)), targets)

    temperature = 1.0
    if len(targets) >= _ENOUGH and (scores.argmax(axis=1) != numpy.asarray(targets)).any():
        temperature = round(float(minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded").x), 3)
    best = calibrated(scores, ScoreSettings(temperature)).max(axis=1)
    threshold = min(float(numpy.quantile(best, _UNKNOWN_SHARE)), _HIGHEST_THRESHOLD)
    return ScoreSettings(temperature, math.floor(threshold * 1000) / 1000)


def calibrated(scores: Floats, settings: ScoreSettings) -> Floats:
    """What the device makes of the network's scores, shape [texts, labels]."""
    return numpy.array([settings.calibrated(row) for row in scores.tolist()])


def log_loss(scores: Floats, targets: Sequence[int]) -> float:
    """The mean of minus the log of the score of each text's own label."""
    return float(log_losses(scores, targets).mean())


def log_losses(scores: Floats, targets: Sequence[int]) -> Floats:
    """Minus the log of the score of each text's own label, shape [texts]."""
    right = scores[numpy.arange(len(scores)), list(targets)]
    losses: Floats = -numpy.log(numpy.maximum(right, 1e-12))
    return losses


def calibration_error(scores: Floats, targets: Sequence[int]) -> float:
    """The expected calibration error: the mean distance of score and accuracy, over 15 bins of the best score.

    Source: Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
    """
    best = scores.max(axis=1)
    right = scores.argmax(axis=1) == numpy.asarray(targets)
    bins = numpy.minimum((best * _BINS).astype(int), _BINS - 1)
    gaps = [abs((right[bins == number] - best[bins == number]).sum()) for number in range(_BINS)]
    return float(sum(gaps) / len(scores))
