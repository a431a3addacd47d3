"""Text -> ``Prediction``: the public Python API, and the only way the command line tags anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sotag_edge import bundle as bundles
from sotag_edge.bundle import Bundle
from sotag_edge.errors import ModelError
from sotag_edge.interpreter import Interpreter


@dataclass(frozen=True, slots=True)
class Prediction:
    """The tag of one text: the best ``label``, its ``score`` (0 to 1), and the score of every label (their sum is 1)."""

    label: str
    score: float
    scores: Mapping[str, float]


class Classifier:
    """A loaded model. Loading takes milliseconds; keep one for many texts. Not safe for several threads at once.

    A text's scores depend on the text alone: not on what was classified before it, nor on a batch.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Raises ``ModelError`` when the graph's outputs are not the bundle's labels or the runtime cannot load it."""
        self.bundle = bundle
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
    def load(cls, model: str | os.PathLike[str] | None = None) -> Classifier:
        """Load a model by path or name; without one, ``$SOTAG_EDGE_MODEL`` or the default model.

        Raises ``ModelError`` (missing, damaged) or ``MissingDependencyError`` (no TFLite runtime).
        """
        return cls(bundles.read(bundles.find(model)))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels this model knows, in the order of its outputs."""
        return self.bundle.labels

    def classify(self, text: str) -> Prediction:
        """Tag one text; any text has an answer, also the empty one. A tie goes to the first label."""
        ids = self.bundle.input.ids(text, self.bundle.vocabulary)
        scores = self._interpreter.scores(ids)
        best = max(range(len(scores)), key=scores.__getitem__)
        return Prediction(self.labels[best], scores[best], dict(zip(self.labels, scores, strict=True)))

    def classify_many(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Tag texts one by one, lazily: one prediction a text, in order, each the same as ``classify`` gives."""
        return map(self.classify, texts)
