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
from sotag_edge.decision import MultiLabel, Prediction
from sotag_edge.errors import ModelError, UsageError
from sotag_edge.inputs import NetworkInput
from sotag_edge.interpreter import Interpreter

_BLOCK = 100  # texts


class Classifier:
    """A loaded model. Loading takes milliseconds; keep one for many texts. Several threads may use it at once.

    The scores of a text depend on that text only, not on the texts before it or on a batch. ``pickle`` and ``copy.deepcopy``
    keep the path of the bundle and the hashes of its files, and load it again.

    ``decision``: the rule that makes an answer of the scores. ``threshold``: the caller's own one, if there is any.
    """

    def __init__(self, bundle: Bundle, threshold: float | None = None, only: Sequence[str] | None = None) -> None:
        """``threshold``: the lowest score that is answered with its label, from 0 to 1; ``None`` takes the model's own. 0
        never answers ``unknown``: a multi-label model then keeps its own thresholds, and answers with the best label if no
        score reaches them. ``only``: the labels that may be answered; their scores do not change, and those of the other
        labels are left out.

        Raises ``UsageError`` for a threshold out of range or a label that the model does not have; ``ModelError`` if the
        number of outputs is not what the manifest says or the runtime cannot load the model; ``MissingDependencyError``
        without a TFLite runtime.
        """
        self.bundle = bundle
        self._path = str(bundle.path)
        with suppress(OSError):  # the current directory may not exist any more; and it may change
            self._path = os.path.abspath(bundle.path)  # noqa: PTH100  # a string
        self.threshold = threshold
        decision = bundle.manifest.decision
        if threshold is not None:
            try:
                decision = decision.with_threshold(threshold)
            except ValueError as error:
                raise UsageError(str(error)) from error
        early = bundle.manifest.early_exit
        self._enough = early.enough(decision) if early else 0.0
        self._positions = None if only is None else _positions(self.labels, only)
        self.decision = decision if self._positions is None else decision.only(self._positions)
        try:
            self._interpreter = Interpreter(
                bundle.model,
                independent=self.is_multi_label,
                has_rows=bundle.features is not None,
                step=bundle.manifest.input.step,
            )
        except ModelError as error:
            raise ModelError(f"{bundle.path / MODEL}: {error}") from error
        if self._interpreter.outputs != bundle.manifest.outputs:
            raise ModelError(
                f"{bundle.path / MODEL} has {self._interpreter.outputs} outputs, but {MANIFEST} names "
                f"{len(self.labels)} labels{' and an off-topic output' if bundle.manifest.off_topic else ''}"
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
        return self.labels if self._positions is None else tuple(self.labels[place] for place in self._positions)

    @property
    def is_multi_label(self) -> bool:
        """Whether a text may have several labels."""
        return isinstance(self.decision, MultiLabel)

    @property
    def max_tokens(self) -> int:
        """The number of tokens that the model reads of a text."""
        return self.bundle.manifest.input.max_tokens

    def classify(self, text: str) -> Prediction:
        """Tag one text. Every text has an answer, the empty one too. Raises ``TypeError`` for what is not a ``str``."""
        _check_text(text)
        return self._prediction(*self.reading(self.bundle.input(text)))

    def _prediction(self, read: NetworkInput, outputs: list[float], has_words: bool) -> Prediction:
        labels = self.bundle.manifest.labels
        scores = (
            dict(zip(labels, outputs, strict=False))  # an off-topic output is the last one, and has no label
            if self._positions is None
            else {labels[position]: outputs[position] for position in self._positions}
        )
        off_topic = self.bundle.manifest.off_topic and outputs[-1] == max(outputs)
        answer = self.decision.decide(scores, read.ids, has_words, off_topic)
        return replace(answer, truncated=True) if read.truncated else answer

    def read(self, text: str) -> NetworkInput:
        """What the network reads of a text to answer it: its beginning, if that is enough (see ``EarlyExit``)."""
        return self.reading(self.bundle.input(text))[0]

    def scores(self, read: NetworkInput) -> list[float]:
        """The calibrated score of each label of the model, for the input of its network (see ``Bundle.input``).

        Raises ``ModelError`` if the model is damaged.
        """
        return self._outputs(read)[: len(self.labels)]

    def operators(self) -> list[str]:
        """The names of the graph's operators, in the order of their execution."""
        return self._interpreter.operators()

    def _outputs(self, read: NetworkInput) -> list[float]:
        """The calibrated scores, and behind them the off-topic output of a model that has one."""
        try:
            return self.decision.calibrated(self._interpreter.scores(read.ids, read.rows))
        except ModelError as error:
            raise self._failure(error) from error

    def reading(self, whole: NetworkInput, *, to_the_end: bool = False) -> tuple[NetworkInput, list[float], bool]:
        """What the network reads of a text to answer it, its calibrated outputs (an off-topic output is the last one), and
        whether what is read has words.

        ``whole``: the input for the whole text; ``to_the_end``: it is read whole, in the same pieces. Raises ``ModelError``
        if the model is damaged.
        """
        early, has_words = self.bundle.manifest.early_exit, self.bundle.vocabulary.has_words
        if early is None or not early.is_tried(len(whole.ids)):
            return whole, self._outputs(whole), has_words(whole.ids)
        beginning = whole.ids[: early.tokens]
        calibrated = self.decision.calibrated
        try:
            with self._interpreter.reading() as reading:
                outputs = calibrated(reading.scores(beginning))
                certain = max(outputs[: len(self.labels)]) >= self._enough and not to_the_end
                if certain and has_words(beginning):
                    return NetworkInput(beginning), outputs, True
                outputs = calibrated(reading.scores(whole.ids[early.tokens :]))
        except ModelError as error:
            raise self._failure(error) from error
        return whole, outputs, has_words(whole.ids)

    def _failure(self, error: ModelError) -> ModelError:
        return ModelError(f"{self.bundle.path / MODEL}: {error}")

    def classify_many(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Tag texts lazily: one prediction per text, in order, each equal to that of ``classify``.

        A list or a tuple is tagged in blocks of 100 texts, which is faster; any other iterable text by text. The iterator
        has a length, of the predictions to come, if ``texts`` has one. Raises ``TypeError`` for a single text.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError(f"classify_many needs several texts, such as a list, not a single {type(texts).__name__}")
        answers = self._in_blocks(texts) if isinstance(texts, (list, tuple)) else map(self.classify, texts)
        return _Sized(answers, len(texts)) if isinstance(texts, Sized) else answers

    def _in_blocks(self, texts: Sequence[str]) -> Iterator[Prediction]:
        """The predictions for texts that are all there. To do one thing for many texts is faster (measured: 1.15 times), and
        texts of one length in a row are, too."""
        for start in range(0, len(texts), _BLOCK):
            block = texts[start : start + _BLOCK]
            strange = next((place for place, text in enumerate(block) if not isinstance(text, str)), len(block))
            inputs = self.bundle.inputs(block[:strange])
            by_length = sorted(range(strange), key=lambda place: len(inputs[place].ids))
            readings = {}
            with suppress(ModelError):  # a damaged model: what comes before the fault is answered first
                for place in by_length:
                    readings[place] = self.reading(inputs[place])
            for place, read in enumerate(inputs):
                yield self._prediction(*(readings.get(place) or self.reading(read)))
            for text in block[strange:]:
                _check_text(text)

    def __repr__(self) -> str:
        return f"<Classifier {str(self.bundle.path)!r}: {len(self.labels)} labels, {self.decision}>"

    def __reduce__(self) -> tuple[Any, ...]:
        made_of = _decisive(self.bundle.manifest)
        return _load_again, (self._path, made_of, self.threshold, self.answerable)


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(
            f"a text must be a str, not {type(text).__name__}: {text!r:.50}; leave out or fill in missing values, "
            "and decode bytes"
        )


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
    return manifest.labels, manifest.input, manifest.decision, manifest.early_exit, dict(manifest.hashes)


def _load_again(path: str, made_of: tuple[Any, ...], threshold: float | None, only: Sequence[str]) -> Classifier:
    """A classifier that was pickled. Raises ``ModelError`` if its bundle is not the same any more."""
    folder = Path(path)
    if _decisive(Manifest.read(folder)) != made_of:
        raise ModelError(f"{folder} is not the model that was pickled: its files have changed")
    return Classifier.load(folder, threshold, only)


def _positions(labels: tuple[str, ...], only: Sequence[str]) -> list[int]:
    """The positions of the labels that may be answered, in the order of the outputs."""
    if isinstance(only, str):
        raise UsageError(f"name the labels to answer with in a list, such as [{only!r}]")
    if not only:
        raise UsageError("name at least one label to answer with")
    numbers = {label: number for number, label in enumerate(labels)}
    for label in only:
        if label not in numbers:
            raise UsageError(f"the model has no label {label!r}; its labels are {', '.join(labels)}")
    return sorted({numbers[label] for label in only})
