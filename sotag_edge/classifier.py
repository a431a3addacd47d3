"""Text -> ``Prediction``: the public Python API, and the only way the command line tags anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sotag_edge import bundle as bundles
from sotag_edge.bundle import Bundle
from sotag_edge.errors import ModelError, UsageError
from sotag_edge.interpreter import Interpreter
from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID

UNKNOWN_LABEL = "unknown"
_LITTLE_TEXT = 4  # tokens


class Reason(str, Enum):
    """Why a text is answered ``unknown``: its best score is below the threshold, and this is what it looks like."""

    LOW_SCORE = "low score"
    LITTLE_TEXT = "too little text"
    UNKNOWN_WORDS = "mostly unknown words"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The tag of one text.

    ``scores``: each label's, calibrated; those of all labels of the model sum to 1. ``score``: the best of them. ``label``:
    that one's label, or ``unknown`` where the score is below the threshold; then ``reason`` says why.
    """

    label: str
    score: float
    scores: Mapping[str, float]
    reason: Reason | None = None

    @property
    def best_guess(self) -> str:
        """The label of the best score, also where the answer is ``unknown``."""
        return max(self.scores, key=self.scores.__getitem__)


class Classifier:
    """A loaded model. Loading takes milliseconds; keep one for many texts. Not safe for several threads at once.

    A text's scores depend on the text alone: not on what was classified before it, nor on a batch.
    """

    def __init__(self, bundle: Bundle, threshold: float | None = None, only: Sequence[str] | None = None) -> None:
        """``threshold``: the lowest best score that is answered with its label; 0 never answers ``unknown``; the
        bundle's own where it is ``None``. ``only``: the labels that may be answered; the scores of the others are left out,
        and those of these stay what they are.

        Raises ``UsageError`` for a threshold out of range or a label in ``only`` that the model has not; ``ModelError``
        when the graph's outputs are not the bundle's labels or the runtime cannot load it.
        """
        self.bundle = bundle
        self._threshold = bundle.scores.threshold if threshold is None else threshold
        if not 0 <= self._threshold <= 1:
            raise UsageError(f"the threshold is {self._threshold}, and must be from 0 to 1")
        if only is not None and not only:
            raise UsageError("name one label or more to answer with")
        missing = [label for label in only or () if label not in bundle.labels]
        if missing:
            raise UsageError(f"the model has no label {missing[0]!r}; its labels are {', '.join(bundle.labels)}")
        self._numbers = [number for number, label in enumerate(bundle.labels) if only is None or label in only]
        try:
            self._interpreter = Interpreter(bundle.model)
        except ModelError as error:
            raise ModelError(f"{bundle.path / bundles.MODEL}: {error}") from error
        if self._interpreter.outputs != len(bundle.labels):
            raise ModelError(
                f"{bundle.path / bundles.MODEL} has {self._interpreter.outputs} outputs, "
                f"but {bundles.MANIFEST} names {len(bundle.labels)} labels"
            )

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] | None = None,
        threshold: float | None = None,
        only: Sequence[str] | None = None,
    ) -> Classifier:
        """Load a model by path or name; without one, ``$SOTAG_EDGE_MODEL`` or the default model.

        Raises ``ModelError`` (missing, damaged) or ``MissingDependencyError`` (no TFLite runtime).
        """
        return cls(bundles.read(bundles.find(model)), threshold, only)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels this model knows, in the order of its outputs."""
        return self.bundle.labels

    def classify(self, text: str) -> Prediction:
        """Tag one text; any text has an answer, also the empty one. A tie goes to the first label."""
        ids = self.bundle.input.ids(text, self.bundle.vocabulary)
        scores = self.scores(ids)
        best = max(self._numbers, key=scores.__getitem__)
        by_label = {self.labels[number]: scores[number] for number in self._numbers}
        # What the network makes of nothing but unknown tokens says nothing of the text.
        is_known = any(number > UNKNOWN_ID for number in ids)
        if (scores[best] if is_known else 0) >= self._threshold:
            return Prediction(self.labels[best], scores[best], by_label)
        tokens = len(ids) - ids.count(PADDING_ID)
        unknown = ids.count(UNKNOWN_ID)
        reason = Reason.LOW_SCORE
        if tokens < _LITTLE_TEXT:
            reason = Reason.LITTLE_TEXT
        elif unknown > tokens / 2:
            reason = Reason.UNKNOWN_WORDS
        return Prediction(UNKNOWN_LABEL, scores[best], by_label, reason)

    def scores(self, ids: Sequence[int]) -> list[float]:
        """The calibrated score of each label of the model, for one or more ids of its vocabulary."""
        return self.bundle.scores.calibrated(self._interpreter.scores(ids))

    def classify_many(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Tag texts one by one, lazily: one prediction a text, in order, each the same as ``classify`` gives."""
        return map(self.classify, texts)
