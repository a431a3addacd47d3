"""Two ``Measured`` of the same texts -> their ``Comparison``: which model is better, by how much, and on which texts.

Runs no model and prints nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from sotag_convert.export.device_run import Run
from sotag_convert.learn.calibrate import Members, members_of
from sotag_convert.report.evaluate import Measured
from sotag_convert.report.evaluation import Evaluation, MultiLabelEvaluation, rounded

_LEVEL = 0.95
_ROUNDS = 1000  # of the bootstrap


class Outcome(str, Enum):
    """What an answer is worth. One of a multi-label model is right if it has exactly the labels of the text."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of one model. ``labels``: best first, none if it is ``unknown``; ``score``: the best one."""

    labels: tuple[str, ...]
    score: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ChangedText:
    """A text with different answers. ``number``: its place among the measured texts, from 1; ``labels``: its own."""

    number: int
    labels: tuple[str, ...]
    a: Answer
    b: Answer
    text: str


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """The scores of a label for a text; ``number``: as in ``ChangedText``."""

    number: int
    label: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of the models ``a`` and ``b`` on the same texts, and how they differ.

    ``interval``: the 95 % interval of ``difference``. ``only_a_right``, ``only_b_right``: the texts whose label is the best
    guess of one model only; of multi-label models, those that only one answers with exactly their labels. ``p_value``: of
    these two counts by McNemar's test, in its exact form. ``changed``: the texts with another answer, in order.
    """

    a: Evaluation
    b: Evaluation
    interval: tuple[float, float]
    only_a_right: int
    only_b_right: int
    p_value: float
    largest_change: ScoreChange
    changed: tuple[ChangedText, ...]

    @property
    def difference(self) -> float:
        """The main figure of ``b`` less that of ``a``."""
        return self.b.figure - self.a.figure

    @property
    def is_within_chance(self) -> bool:
        """Whether the interval, or for the accuracy McNemar's test at 5 %, leaves open which model is better."""
        low, high = self.interval
        is_tested = not isinstance(self.a, MultiLabelEvaluation)
        return low <= 0 <= high or (is_tested and self.p_value >= 1 - _LEVEL)

    def kinds(self) -> dict[str, int]:
        """How many answers changed from which outcome to which, the most frequent kind first."""
        return dict(Counter(f"{text.a.outcome.value} to {text.b.outcome.value}" for text in self.changed).most_common())

    def sentence(self) -> str:
        """What the difference of the main figure shows."""
        name = self.a.figure_name
        if not self.changed and not self.difference:
            return "Both models give every text the same answer."
        if self.is_within_chance:
            return f"The difference of the {name} is within chance: these texts do not show which model is better."
        better = "B" if self.difference > 0 else "A"
        points = f"{100 * abs(self.difference):.1f} points of {name}"
        return f"{better} is better by {points}, which is more than chance explains."

    def to_json(self) -> dict[str, Any]:
        """All of it, rounded to five digits."""
        fields = {
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "difference": self.difference,
            "interval": self.interval,
            "within_chance": self.is_within_chance,
            "mcnemar": {
                "only_a_right": self.only_a_right,
                "only_b_right": self.only_b_right,
                "p_value": self.p_value,
            },
            "largest_change": asdict(self.largest_change),
            "kinds": self.kinds(),
            "changed": [asdict(text) for text in self.changed],
        }
        return dict(rounded(fields))


def compare(a: Measured, b: Measured) -> Comparison:
    """Compare two models of the same labels, in whatever order, on the same texts.

    Sources: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 1947, here as an exact binomial test; Agresti and Min, "Simple improved confidence intervals for comparing
    matched proportions", Statistics in Medicine 2005, for the interval of the accuracies. That of the micro-F1 is a paired
    bootstrap over texts.
    """
    labels = [figures.label for figures in a.evaluation.labels]
    columns = {figures.label: number for number, figures in enumerate(b.evaluation.labels)}
    order = [columns[label] for label in labels]
    of_a = a.run
    of_b = Run(b.run.scores[:, order], b.run.answers[:, order], b.run.operators)
    members = members_of(a.examples, len(labels))
    several = isinstance(a.evaluation, MultiLabelEvaluation)
    a_right, b_right = (_right(run, members, several=several) for run in (of_a, of_b))
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    return Comparison(
        a.evaluation,
        b.evaluation,
        _f1_interval(of_a, of_b, members) if several else _accuracy_interval(only_a, only_b, len(members)),
        only_a,
        only_b,
        float(binomtest(only_b, only_a + only_b).pvalue) if only_a + only_b else 1.0,
        _largest_change(of_a, of_b, labels),
        tuple(_changed(of_a, of_b, members, labels, a.texts)),
    )


def _right(run: Run, members: Members, *, several: bool) -> Members:
    """Which texts are right: by their best guess, or by exactly their labels."""
    if several:
        return np.asarray((run.answers == members).all(axis=1))
    return np.asarray(members[np.arange(len(members)), run.scores.argmax(axis=1)])


def _accuracy_interval(only_a: int, only_b: int, texts: int) -> tuple[float, float]:
    """The interval of the difference of two paired shares: half a text is added to each of the four counts.

    >>> [round(bound, 3) for bound in _accuracy_interval(5, 15, 100)]
    [0.012, 0.184]
    >>> round(_accuracy_interval(0, 3, 3)[1], 3)
    1.0
    """
    count, fewer, more = texts + 2, only_a + 0.5, only_b + 0.5
    error = np.sqrt(fewer + more - (more - fewer) ** 2 / count) / count
    middle, width = (more - fewer) / count, norm.ppf((1 + _LEVEL) / 2) * error
    return max(-1.0, float(middle - width)), min(1.0, float(middle + width))


def _f1_interval(a: Run, b: Run, members: Members) -> tuple[float, float]:
    """The bootstrap interval of the difference of two micro-F1. Each drawn text counts for both models.

    Texts with the same counts are drawn together, so that many texts take no longer.
    """
    true = members.sum(axis=1)
    by_text = np.stack(
        [count for run in (a, b) for count in ((run.answers & members).sum(axis=1), run.answers.sum(axis=1) + true)],
        axis=1,
    )
    kinds, numbers = np.unique(by_text, axis=0, return_counts=True)
    sums = np.random.default_rng(0).multinomial(len(true), numbers / len(true), size=_ROUNDS) @ kinds
    differences = _f1(sums[:, 2:]) - _f1(sums[:, :2])
    low, high = np.quantile(differences, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def _f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """``counts``: right ones, and the sum of those answered and true, in the last axis."""
    return np.asarray(2 * counts[..., 0] / np.maximum(counts[..., 1], 1))


def _largest_change(a: Run, b: Run, labels: Sequence[str]) -> ScoreChange:
    text, label = map(int, np.unravel_index(np.abs(a.scores - b.scores).argmax(), a.scores.shape))
    return ScoreChange(text + 1, labels[label], float(a.scores[text, label]), float(b.scores[text, label]))


def _changed(a: Run, b: Run, members: Members, labels: Sequence[str], texts: Sequence[str]) -> list[ChangedText]:
    return [
        ChangedText(
            number=place + 1,
            labels=tuple(label for label, is_own in zip(labels, members[place], strict=True) if is_own),
            a=_answer(a, place, members, labels),
            b=_answer(b, place, members, labels),
            text=texts[place],
        )
        for place in np.flatnonzero((a.answers != b.answers).any(axis=1)).tolist()
    ]


def _answer(run: Run, place: int, members: Members, labels: Sequence[str]) -> Answer:
    scores, answer = run.scores[place], run.answers[place]
    is_right = (answer == members[place]).all()
    outcome = Outcome.UNKNOWN if not answer.any() else Outcome.RIGHT if is_right else Outcome.WRONG
    best_first = np.argsort(-scores, kind="stable")
    return Answer(tuple(labels[number] for number in best_first if answer[number]), float(scores.max()), outcome)
