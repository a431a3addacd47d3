"""``Measured`` -> ``Details``: what the report shows besides the figures, such as curves and mistakes. Draws nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sotag_convert.export.device_explain import Explained, explanations
from sotag_convert.export.device_run import Run
from sotag_convert.learn.calibrate import Members, members_of
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
from sotag_edge.explain import Effect

_MISTAKES = 20
_TIMED = 500  # texts
_TINY = 1e-6  # a score that is as good as 0


@dataclass(frozen=True, slots=True)
class Mistake:
    """A text with a wrong answer.

    ``labels``: the text's own; ``answer``: the labels that it is answered with, none for ``unknown``; ``guess``: the wrong
    one, with its ``score``; ``text``: as the tokenizer reads it; ``effects``: of each token on the score, by ``on_odds``.
    """

    labels: tuple[str, ...]
    answer: tuple[str, ...]
    guess: str
    score: float
    text: str
    effects: tuple[Effect, ...]


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
    mistakes = confident_mistakes(run, members)
    step = max(1, len(measured.texts) // _TIMED)
    to_explain = [(measured.texts[place], labels[guess]) for place, guess in mistakes]
    found = explanations(folder, to_explain, measured.texts[::step][:_TIMED])
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
                labels[guess],
                float(run.scores[place, guess]),
                explained.text,
                on_odds(explained),
            )
            for (place, guess), explained in zip(mistakes, found.explained, strict=True)
        ),
        found.milliseconds,
    )


def confident_mistakes(run: Run, members: Members, most: int = _MISTAKES) -> list[tuple[int, int]]:
    """The place of a text and the number of its wrong label with the highest score, of the texts where that is highest.

    Wrong is a label that a text is answered with, or that is its best guess, and that it does not have. Guesses that were
    answered ``unknown`` come last.
    """
    rows = np.arange(len(members))
    wrong = run.answers.copy()
    wrong[rows, run.scores.argmax(axis=1)] = True
    wrong &= ~members
    scores = np.where(wrong, run.scores, -1)
    guesses = scores.argmax(axis=1)
    order = np.lexsort((-scores[rows, guesses], ~run.answers[rows, guesses]))
    return [(int(place), int(guesses[place])) for place in order if wrong[place].any()][:most]


def on_odds(explained: Explained) -> tuple[Effect, ...]:
    """The effects on a quarter of the log odds: about those on the score if this were 0.5.

    A score near 1 hardly changes without one word, although the odds do: it is the mistakes with such scores that are shown.

    >>> [round(e.effect, 2) for e in on_odds(Explained("a b", 0.999, (Effect("a", 0, 1, 0.009), Effect("b", 2, 3, 0.0))))]
    [0.58, 0.0]
    """
    whole = _log_odds(explained.score)
    return tuple(
        replace(effect, effect=(whole - _log_odds(explained.score - effect.effect)) / 4) for effect in explained.effects
    )


def _log_odds(score: float) -> float:
    bounded = min(max(score, _TINY), 1 - _TINY)
    return math.log(bounded / (1 - bounded))


def _named(flags: NDArray[np.bool_], labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(labels[number] for number in np.flatnonzero(flags).tolist())
