"""Text -> ``Prediction``: the public Python API, and the only way in which the command line tags a text."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sotag_edge import models
from sotag_edge.bundle import MANIFEST, MODEL, Bundle, Manifest
from sotag_edge.decision import Prediction
from sotag_edge.errors import ModelError, UsageError
from sotag_edge.interpreter import Interpreter


class Classifier:
    """A loaded model. Loading takes milliseconds; keep one for many texts. Several threads may use it at once.

    The scores of a text depend on that text only, not on the texts before it or on a batch. ``pickle`` and ``copy.deepcopy``
    keep the path of the bundle and the hashes of its files, and load it again.
    """

    def __init__(self, bundle: Bundle, threshold: float | None = None, only: Sequence[str] | None = None) -> None:
        """``threshold``: the lowest best score that is answered with its label, from 0 (never answer ``unknown``) to 1;
        ``None`` takes the model's own. ``only``: the labels that may be answered; their scores do not change, and those of
        the other labels are left out.

        Raises ``UsageError`` for a threshold out of range or a label that the model does not have; ``ModelError`` if the
        number of outputs is not the number of labels or the runtime cannot load the model; ``MissingDependencyError``
        without a TFLite runtime.
        """
        self.bundle = bundle
        self._path = str(bundle.path)
        with suppress(OSError):  # the current directory may not exist any more; and it may change
            self._path = os.path.abspath(bundle.path)  # noqa: PTH100  # a string
        self.decision = bundle.manifest.decision
        if threshold is not None:
            try:
                self.decision = replace(self.decision, threshold=threshold)
            except ValueError as error:
                raise UsageError(str(error)) from error
        self._positions = _positions(self.labels, only)
        try:
            self._interpreter = Interpreter(bundle.model)
        except ModelError as error:
            raise ModelError(f"{bundle.path / MODEL}: {error}") from error
        if self._interpreter.outputs != len(self.labels):
            raise ModelError(
                f"{bundle.path / MODEL} has {self._interpreter.outputs} outputs, "
                f"but {MANIFEST} names {len(self.labels)} labels"
            )

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] | None = None,
        threshold: float | None = None,
        only: Sequence[str] | None = None,
    ) -> Classifier:
        """Load a model by path or name. Without one: ``$SOTAG_EDGE_MODEL``, or the default model.

        A model that this machine has not run before is run in a child process first (``trial.try_out``). Raises
        ``ModelError`` for a missing or damaged model, and what the class raises.
        """
        bundle = Bundle.read(models.find(model))
        if not models.is_installed(bundle.path):
            from sotag_edge.trial import try_out

            try_out(bundle)
        return cls(bundle, threshold, only)

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the model, in the order of its outputs."""
        return self.bundle.manifest.labels

    @property
    def answerable(self) -> tuple[str, ...]:
        """The labels that may be answered, in the order of the outputs."""
        return tuple(label for _, label in self._positions)

    def classify(self, text: str) -> Prediction:
        """Tag one text. Every text has an answer, the empty one too. Raises ``TypeError`` for what is not a ``str``."""
        if not isinstance(text, str):
            raise TypeError(
                f"a text must be a str, not {type(text).__name__}: {text!r:.50}; leave out or fill in missing values, "
                "and decode bytes"
            )
        ids = self.bundle.ids(text)
        scores = self.scores(ids)
        answerable = {label: scores[position] for position, label in self._positions}
        return self.decision.decide(answerable, ids, self.bundle.vocabulary.has_words(ids))

    def scores(self, ids: Sequence[int]) -> list[float]:
        """The calibrated score of each label of the model, for one or more ids of its vocabulary.

        Raises ``ModelError`` if the model is damaged.
        """
        try:
            return self.decision.calibrated(self._interpreter.scores(ids))
        except ModelError as error:
            raise ModelError(f"{self.bundle.path / MODEL}: {error}") from error

    def classify_many(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Tag texts lazily: one prediction per text, in order, each equal to that of ``classify``.

        The iterator has a length, of the predictions to come, if ``texts`` has one. Raises ``TypeError`` for a single text.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError(f"classify_many needs several texts, such as a list, not a single {type(texts).__name__}")
        answers = map(self.classify, texts)
        return _Sized(answers, len(texts)) if isinstance(texts, Sized) else answers

    def __repr__(self) -> str:
        return f"<Classifier {str(self.bundle.path)!r}: {len(self.labels)} labels, {self.decision}>"

    def __reduce__(self) -> tuple[Any, ...]:
        made_of = _decisive(self.bundle.manifest)
        return _load_again, (self._path, made_of, self.decision.threshold, self.answerable)


class _Sized(Iterator[Prediction]):
    """An iterator of which the number of items is known."""

    def __init__(self, answers: Iterator[Prediction], length: int) -> None:
        self._answers, self._length = answers, length

    def __next__(self) -> Prediction:
        answer = next(self._answers)
        self._length -= 1
        return answer

    def __len__(self) -> int:
        return self._length


def _decisive(manifest: Manifest) -> tuple[Any, ...]:
    """The parts of a manifest that decide answers."""
    return manifest.labels, manifest.input, manifest.decision, dict(manifest.hashes)


def _load_again(path: str, made_of: tuple[Any, ...], threshold: float, only: Sequence[str]) -> Classifier:
    """A classifier that was pickled. Raises ``ModelError`` if its bundle is not the same any more."""
    folder = Path(path)
    if _decisive(Manifest.read(folder)) != made_of:
        raise ModelError(f"{folder} is not the model that was pickled: its files have changed")
    return Classifier.load(folder, threshold, only)


def _positions(labels: tuple[str, ...], only: Sequence[str] | None) -> list[tuple[int, str]]:
    """The position and name of each label that may be answered, in the order of the outputs."""
    if isinstance(only, str):
        raise UsageError(f"name the labels to answer with in a list, such as [{only!r}]")
    if only is not None and not only:
        raise UsageError("name at least one label to answer with")
    for label in only or ():
        if label not in labels:
            raise UsageError(f"the model has no label {label!r}; its labels are {', '.join(labels)}")
    return [(position, label) for position, label in enumerate(labels) if only is None or label in only]
