"""``Measured`` -> ``Details``: what the report shows besides the figures, such as curves and mistakes. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sotag_convert.export.device_explain import Explained, explanations
from sotag_convert.learn.calibrate import members_of
from sotag_convert.report.curves import (
    Bin,
    CoveragePoint,
    LengthClass,
    ThresholdPoint,
    accuracy_by_length,
    calibration_bins,
    coverage_curve,
    f1_by_length,
    threshold_curve,
)
from sotag_convert.report.evaluate import Measured
from sotag_edge.bundle import Manifest
from sotag_edge.decision import MultiLabel

_MISTAKES = 20
_TIMED = 500  # texts


@dataclass(frozen=True, slots=True)
class Mistake:
    """A text whose best guess is not one of its labels.

    ``labels``: the text's own; ``answer``: the labels that it is answered with, none for ``unknown``; ``score``: of the best
    guess; ``explained``: the text with the effect of each token on the best guess.
    """

    labels: tuple[str, ...]
    answer: tuple[str, ...]
    guess: str
    score: float
    explained: Explained


@dataclass(frozen=True, slots=True)
class Details:
    """What the answers to a view of the texts show.

    ``coverage``: of a single-label model; ``thresholds``: of a multi-label model. ``milliseconds``: how long each of some of
    the texts took on this machine.
    """

    calibration: tuple[Bin, ...]
    coverage: tuple[CoveragePoint, ...]
    thresholds: tuple[ThresholdPoint, ...]
    lengths: tuple[LengthClass, ...]
    mistakes: tuple[Mistake, ...]
    milliseconds: tuple[float, ...]


def details_of(measured: Measured, folder: Path) -> Details:
    """The details of a view, with the mistakes explained by the bundle in ``folder``. Raises ``ModelError`` if it fails."""
    manifest = Manifest.read(folder)
    run, labels = measured.run, manifest.labels
    members = members_of(measured.examples, len(labels))
    best = run.scores.max(axis=1)
    right = members[np.arange(len(members)), run.scores.argmax(axis=1)]
    several = isinstance(manifest.decision, MultiLabel)
    max_tokens = manifest.input.max_tokens
    lengths = [len(manifest.input.tokens(text)) for text in measured.texts]
    places = confident_mistakes(best, right, run.answered)
    step = max(1, len(measured.texts) // _TIMED)
    found = explanations(folder, [measured.texts[place] for place in places], measured.texts[::step][:_TIMED])
    return Details(
        calibration_bins(run.scores, members) if several else calibration_bins(best, right),
        () if several else coverage_curve(best, right),
        threshold_curve(run.scores, members) if several else (),
        f1_by_length(lengths, run.answers, members, max_tokens)
        if several
        else accuracy_by_length(lengths, right, max_tokens),
        tuple(
            Mistake(
                _named(members[place], labels),
                _named(run.answers[place], labels),
                labels[int(run.scores[place].argmax())],
                float(best[place]),
                explained,
            )
            for place, explained in zip(places, found.explained, strict=True)
        ),
        found.milliseconds,
    )


def confident_mistakes(
    best: NDArray[np.float32], right: NDArray[np.bool_], answered: NDArray[np.bool_], most: int = _MISTAKES
) -> list[int]:
    """The places of the texts with the highest best scores whose best guess is wrong, those answered ``unknown`` last.

    >>> best, right = np.float32([0.9, 0.7, 0.8, 0.95]), np.array([False, False, False, True])
    >>> confident_mistakes(best, right, np.array([True, True, False, True]))
    [0, 1, 2]
    """
    order = np.lexsort((-best, ~answered))
    return [int(place) for place in order if not right[place]][:most]


def _named(flags: NDArray[np.bool_], labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(labels[number] for number in np.flatnonzero(flags))
