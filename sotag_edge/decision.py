"""Scores -> ``Prediction``: how the network's scores for a text become its answer.

``SingleLabel`` decides for models that give each text one label, ``MultiLabel`` for those that give it several. The rest of
the program calls their common methods only. Nothing here runs a network or reads a bundle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID

UNKNOWN_LABEL = "unknown"
_NEVER = 2.0  # no score is so high
_LITTLE_TEXT = 4  # tokens; a shorter text is "too little text"


class Reason(str, Enum):
    """Why a text is answered ``unknown``."""

    LOW_SCORE = "low score"
    LITTLE_TEXT = "too little text"
    UNKNOWN_WORDS = "mostly unknown words"
    NOT_TEXT = "not text"
    OFF_TOPIC = "off-topic"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text.

    ``scores``: the calibrated score of each label, from 0 to 1. Over all labels of a single-label model they sum to 1, or to
    less if it has an off-topic output. ``labels``: the labels of the text, best first; none if the answer is ``unknown``.
    ``label``: the first of them, or ``unknown``; ``reason`` is set only then. ``score``: the score of ``best_guess``.
    ``truncated``: whether the network read to its limit and the text goes on.

    >>> Prediction("python", 0.9, {"java": 0.1, "python": 0.9}).labels
    ('python',)
    """

    label: str
    score: float
    scores: Mapping[str, float]
    reason: Reason | None = None
    labels: tuple[str, ...] = ()
    truncated: bool = False

    def __post_init__(self) -> None:
        if not self.labels and self.reason is None:
            object.__setattr__(self, "labels", (self.label,))

    @property
    def best_guess(self) -> str:
        """The best label, even if the answer is ``unknown``: of equal scores the first one."""
        return self.labels[0] if self.labels else max(self.scores, key=self.scores.__getitem__)


@dataclass(frozen=True, slots=True)
class EarlyExit:
    """When the network stops reading a text: after its first ``tokens`` tokens, if they have words and a calibrated score
    that reaches ``score``, from 0 to 1. Otherwise it reads on. Raises ``ValueError`` if out of range.

    A text of up to twice as many tokens is read as a whole: to go on after a stop costs more than a stop saves (measured
    with 96 tokens: up to 200).

    Source: Schwartz et al., "The Right Tool for the Job: Matching Model and Instance Complexities", ACL 2020.
    """

    tokens: int
    score: float

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise ValueError(f"an early exit must be after 1 token or more, not {self.tokens}")
        if not 0 <= self.score <= 1:
            raise ValueError(f"the score of an early exit must be from 0 to 1, not {self.score}")

    def is_tried(self, tokens: int) -> bool:
        """Whether a text of so many tokens may stop."""
        return tokens > 2 * self.tokens

    def check(self, decision: Decision, step: int | None, max_tokens: int) -> None:
        """Raise ``ValueError`` unless it suits the rest of a model."""
        if isinstance(decision, MultiLabel):
            raise ValueError("a multi-label model has no early exit")
        if not step or self.tokens % step:
            raise ValueError(f"an early exit after {self.tokens} tokens is not after whole steps")
        if self.tokens >= max_tokens:
            raise ValueError(f"an early exit after {self.tokens} tokens is not before max_tokens, {max_tokens}")

    def enough(self, decision: Decision) -> float:
        """The score that is enough to stop: a higher threshold of the decision must be reached, too."""
        return max(self.score, decision.threshold) if isinstance(decision, SingleLabel) else _NEVER

    def __str__(self) -> str:
        return f"after {self.tokens} tokens of over {2 * self.tokens}, from a score of {self.score}"


@dataclass(frozen=True, slots=True)
class SingleLabel:
    """One label per text: the best calibrated score, or ``unknown`` if it is below the threshold.

    ``temperature``: divides the network's logits; above 1 makes it less sure of itself, below 1 more (Guo et al., "On
    Calibration of Modern Neural Networks", ICML 2017). ``threshold``: the lowest score that is answered with its label, from
    0 to 1; 0 never answers ``unknown``. Training fits both on validation texts. Raises ``ValueError`` if out of range.
    """

    kind: ClassVar[str] = "single-label"
    temperature: float = 1.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        _check_temperature(self.temperature)
        _check_threshold(self.threshold)

    def with_threshold(self, threshold: float) -> SingleLabel:
        """The same rule with another threshold. Raises ``ValueError`` if it is out of range."""
        return replace(self, threshold=threshold)

    def only(self, positions: Sequence[int]) -> SingleLabel:  # noqa: ARG002  # MultiLabel needs them
        """The rule for some of the labels, by position: the same one."""
        return self

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

    def decide(
        self, scores: Mapping[str, float], ids: Sequence[int], has_words: bool = True, off_topic: bool = False
    ) -> Prediction:
        """The prediction for a text with these ids. ``scores``: the calibrated score of each label that may be answered.

        ``has_words``: whether the text has known words (``Vocabulary.has_words``). Without, the scores say nothing about it,
        and the answer is ``unknown`` unless the threshold is 0. ``off_topic``: whether the model's off-topic output is the
        largest one; it explains an ``unknown`` and causes none.
        """
        best = max(scores, key=scores.__getitem__)
        if (scores[best] if has_words else 0) >= self.threshold:
            return Prediction(best, scores[best], scores, labels=(best,))
        return Prediction(UNKNOWN_LABEL, scores[best], scores, _reason(ids, has_words, off_topic))


@dataclass(frozen=True, slots=True)
class MultiLabel:
    """Any number of labels per text: each with a calibrated score that reaches its own threshold, or ``unknown``.

    ``temperature``: divides the logit of each label; the scores are independent of each other. ``thresholds``: the lowest
    score with which each label is answered, from 0 to 1, in the order of the scores. ``best_guess``: a text without such a
    label gets the label with the best score instead of ``unknown``. Raises ``ValueError`` if out of range.
    """

    kind: ClassVar[str] = "multi-label"
    temperature: float
    thresholds: tuple[float, ...]
    best_guess: bool = False

    def __post_init__(self) -> None:
        _check_temperature(self.temperature)
        for threshold in self.thresholds:
            _check_threshold(threshold)

    def with_threshold(self, threshold: float) -> MultiLabel:
        """The same rule with one threshold for all labels. Raises ``ValueError`` if it is out of range.

        0 keeps the thresholds, and never answers ``unknown``: all labels would be no answer.

        >>> MultiLabel(1.0, (0.2, 0.4)).with_threshold(0.3).thresholds
        (0.3, 0.3)
        >>> MultiLabel(1.0, (0.2, 0.4)).with_threshold(0)
        MultiLabel(temperature=1.0, thresholds=(0.2, 0.4), best_guess=True)
        """
        if threshold == 0:
            return replace(self, best_guess=True)
        _check_threshold(threshold)
        return replace(self, thresholds=(threshold,) * len(self.thresholds), best_guess=False)

    def only(self, positions: Sequence[int]) -> MultiLabel:
        """The rule for some of the labels, by position: it has their thresholds."""
        return replace(self, thresholds=tuple(self.thresholds[position] for position in positions))

    def calibrated(self, scores: Sequence[float]) -> list[float]:
        """The sigmoid of each of the network's logits divided by the temperature, from the sigmoid without it.

        >>> [round(score, 3) for score in MultiLabel(2.0, (0.5, 0.5, 0.5)).calibrated([0.9, 0.5, 0.1])]
        [0.75, 0.5, 0.25]
        """
        if self.temperature == 1:
            return list(scores)
        power = 1 / self.temperature
        # The smaller of the odds for and against: a power of the larger may be too large for a float.
        return [
            (odds := (score / (1 - score)) ** power) / (1 + odds)
            if score < 0.5
            else 1 / (1 + ((1 - score) / score) ** power)
            for score in scores
        ]

    def decide(
        self, scores: Mapping[str, float], ids: Sequence[int], has_words: bool = True, off_topic: bool = False
    ) -> Prediction:
        """The prediction for a text with these ids, as for ``SingleLabel``. ``scores`` has one entry per threshold."""
        labels: list[str] = []
        if has_words or self.best_guess:
            labels = [
                label
                for (label, score), threshold in zip(scores.items(), self.thresholds, strict=True)
                if score >= threshold
            ]
            labels.sort(key=scores.__getitem__, reverse=True)  # stable: of equal scores the first one
        best = labels[0] if labels else max(scores, key=scores.__getitem__)
        if labels or self.best_guess:
            return Prediction(best, scores[best], scores, labels=tuple(labels) or (best,))
        return Prediction(UNKNOWN_LABEL, scores[best], scores, _reason(ids, has_words, off_topic))

    def __str__(self) -> str:
        """For a person: with thousands of labels the thresholds are too many to print.

        >>> str(MultiLabel(1.5, (0.4, 0.2, 0.3)))
        'MultiLabel(temperature=1.5, thresholds from 0.2 to 0.4)'
        """
        low, high = min(self.thresholds), max(self.thresholds)
        return f"MultiLabel(temperature={self.temperature}, thresholds from {low} to {high})"


Decision = SingleLabel | MultiLabel


def _check_temperature(temperature: float) -> None:
    if not 0.01 <= temperature <= 100:
        raise ValueError(f"temperature must be from 0.01 to 100, not {temperature}")


def _check_threshold(threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be from 0 to 1, not {threshold}")


def _reason(ids: Sequence[int], has_words: bool, off_topic: bool) -> Reason:
    """The most telling reason to abstain.

    >>> [_reason(ids, True, False).value for ids in ([2, 3, 4, 0], [1, 1, 1, 2], [1, 1, 2, 2])]
    ['too little text', 'mostly unknown words', 'low score']
    """
    tokens = len(ids) - ids.count(PADDING_ID)
    if tokens < _LITTLE_TEXT:
        return Reason.LITTLE_TEXT
    if off_topic and has_words:
        return Reason.OFF_TOPIC
    if ids.count(UNKNOWN_ID) > tokens / 2:
        return Reason.UNKNOWN_WORDS
    return Reason.LOW_SCORE if has_words else Reason.NOT_TEXT
