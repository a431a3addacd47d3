"""Scores -> ``Prediction``: how the network's scores for a text become its answer.

``SingleLabel`` decides for models that give each text one label. A rule for several labels per text can stand beside it:
``calibrated`` and ``decide`` are all that the rest of the program calls. Nothing here runs a network or reads a bundle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID

UNKNOWN_LABEL = "unknown"
_LITTLE_TEXT = 4  # tokens; a shorter text is "too little text"


class Reason(str, Enum):
    """Why a text is answered ``unknown``."""

    LOW_SCORE = "low score"
    LITTLE_TEXT = "too little text"
    UNKNOWN_WORDS = "mostly unknown words"
    NOT_TEXT = "not text"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text.

    ``scores``: the calibrated score of each label, from 0 to 1; over all labels of the model they sum to 1. ``score``: the
    best of them. ``label``: the label with that score, or ``unknown`` below the threshold; ``reason`` is set only then.
    """

    label: str
    score: float
    scores: Mapping[str, float]
    reason: Reason | None = None

    @property
    def best_guess(self) -> str:
        """The label with the best score, even if the answer is ``unknown``. The first one wins a tie."""
        return max(self.scores, key=self.scores.__getitem__)


@dataclass(frozen=True, slots=True)
class SingleLabel:
    """One label per text: the best calibrated score, or ``unknown`` if it is below the threshold.

    ``temperature``: divides the network's logits; above 1 makes it less sure of itself, below 1 more (Guo et al., "On
    Calibration of Modern Neural Networks", ICML 2017). ``threshold``: the lowest score that is answered with its label, from
    0 to 1; 0 never answers ``unknown``. Training fits both on validation texts. Raises ``ValueError`` if out of range.
    """

    temperature: float = 1.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if not 0.01 <= self.temperature <= 100:
            raise ValueError(f"temperature must be from 0.01 to 100, not {self.temperature}")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must be from 0 to 1, not {self.threshold}")

    def calibrated(self, scores: Sequence[float]) -> list[float]:
        """The softmax of the network's logits divided by the temperature, from the softmax without it.

        >>> [round(score, 3) for score in SingleLabel(temperature=2.0).calibrated([0.9, 0.1])]
        [0.75, 0.25]
        """
        if self.temperature == 1:
            return list(scores)
        best = max(scores)  # without it the powers of many small scores may all be 0
        powers = [(score / best) ** (1 / self.temperature) for score in scores]
        total = sum(powers)
        return [power / total for power in powers]

    def decide(self, scores: Mapping[str, float], ids: Sequence[int], has_words: bool = True) -> Prediction:
        """The prediction for a text with these ids. ``scores``: the calibrated score of each label that may be answered.

        ``has_words``: whether the text has known words (``Vocabulary.has_words``). Without, the scores say nothing about it,
        and the answer is ``unknown`` unless the threshold is 0.
        """
        best = max(scores, key=scores.__getitem__)
        if (scores[best] if has_words else 0) >= self.threshold:
            return Prediction(best, scores[best], scores)
        return Prediction(UNKNOWN_LABEL, scores[best], scores, _reason(ids, has_words))


def _reason(ids: Sequence[int], has_words: bool) -> Reason:
    """The most telling reason to abstain.

    >>> [_reason(ids, True).value for ids in ([2, 3, 4, 0], [1, 1, 1, 2], [1, 1, 2, 2])]
    ['too little text', 'mostly unknown words', 'low score']
    """
    tokens = len(ids) - ids.count(PADDING_ID)
    if tokens < _LITTLE_TEXT:
        return Reason.LITTLE_TEXT
    if ids.count(UNKNOWN_ID) > tokens / 2:
        return Reason.UNKNOWN_WORDS
    return Reason.LOW_SCORE if has_words else Reason.NOT_TEXT
