"""Labelled texts in memory: ``Examples``, ``Dataset``, ``LabelledTexts``, and the ``Origin`` that they come from.

Reads no files (see ``load.py``) and changes no text.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sotag_convert.data.stratify import held_out
from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.errors import InputError

AS_GIVEN = "as given"
VALIDATION_TEXTS = "validation texts"
_SEPARATOR = "\x1f"  # of the labels of a text, in the hash


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts and, for each, the numbers of its labels in ascending order: exactly one in single-label data.

    Texts with the same labels share one tuple, which keeps a million texts in little memory.
    """

    texts: tuple[str, ...] = ()
    label_sets: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def single(cls, texts: Iterable[str], targets: Iterable[int]) -> Examples:
        """The examples of texts that have one label each; ``targets``: its number.

        >>> Examples.single(["bake the bread"], [1]).label_sets
        ((1,),)
        """
        numbers = tuple(targets)
        shared = {number: (number,) for number in set(numbers)}
        return cls(tuple(texts), tuple(shared[number] for number in numbers))

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def targets(self) -> tuple[int, ...]:
        """The number of each text's label. Raises ``InputError`` if a text has several or none."""
        if not all(len(numbers) == 1 for numbers in self.label_sets):
            raise InputError("some texts have several tags, and this model gives each text one tag")
        return tuple(number for (number,) in self.label_sets)

    def counts(self, labels: int) -> list[int]:
        """The number of texts that have each of the first ``labels`` labels."""
        counted = Counter(number for numbers in self.label_sets for number in numbers)
        return [counted[number] for number in range(labels)]

    def split(self, fraction: float, seed: int) -> tuple[Examples, Examples]:
        """Two stratified parts: the examples to train on, and ``fraction`` of each label's for validation.

        The only text of a label stays in training. Raises ``InputError`` if no text is left for one of the parts.
        """
        taken = held_out(self.label_sets, fraction, seed)
        chosen = set(taken)
        kept = [number for number in range(len(self)) if number not in chosen]
        if not taken or not kept:
            raise InputError(
                f"{len(self)} texts cannot give {fraction:.0%} to validation: use more texts, another share, or no "
                "validation"
            )
        return self.take(kept), self.take(taken)

    def joined(self, others: Examples) -> Examples:
        """These examples, followed by the others."""
        return Examples(self.texts + others.texts, self.label_sets + others.label_sets)

    def take(self, numbers: Sequence[int]) -> Examples:
        """The examples at these positions, in this order."""
        return Examples(tuple(self.texts[n] for n in numbers), tuple(self.label_sets[n] for n in numbers))


_NO_EXAMPLES = Examples()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where texts come from, and what is known about that. This one is for texts of which nothing is known.

    ``licence``: of the texts; ``sources``: where each part of them was published. ``general_off_topic``: whether the
    project's general off-topic texts are to be used, which is so unless the data set has enough of its own. A data set with
    habits of its own has a subclass, such as ``stackoverflow_text.StackOverflow``.
    """

    licence: str | None = None
    sources: tuple[str, ...] = ()
    general_off_topic: bool = True

    def versions(self, text: str, labels: Sequence[str], draw: random.Random) -> list[str]:
        """The versions of a training text with these labels: the last one as people type it. Here only the text itself."""
        del labels, draw
        return [text]

    def views(self, texts: Sequence[str], labels: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The versions of labelled texts to measure a model on, by name, each in the order of ``texts``.

        >>> Origin().views(["bake the bread"], ["kitchen"])
        {'as given': ['bake the bread']}
        """
        del labels
        return {AS_GIVEN: texts}


_UNKNOWN_ORIGIN = Origin()


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled texts to train a model on.

    ``labels``: in alphabetical order, which is the order of the network's outputs. ``off_topic``: training texts that
    have none of the labels. ``general``: texts that are off-topic for most data sets (off_topic.py); those that resemble a
    label are not used. ``extra``: further training texts, which a preset may leave out and which are never used for
    validation. ``validation``: the validation texts that the data set itself has; ``None`` leaves it to the training to
    split some off; ``validation_off_topic``, ``test_off_topic``: off-topic ones. ``multi_label``: whether a text may have
    several labels. ``further_tests``: texts to measure the model on besides ``test``.
    """

    name: str
    labels: tuple[str, ...]
    train: Examples
    test: Examples | None
    off_topic: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    extra: Examples = _NO_EXAMPLES
    origin: Origin = _UNKNOWN_ORIGIN
    validation: Examples | None = None
    multi_label: bool = False
    validation_off_topic: tuple[str, ...] = ()
    test_off_topic: tuple[str, ...] = ()
    further_tests: tuple[LabelledTexts, ...] = ()

    def with_validation_texts(self) -> Dataset:
        """The data set with its own validation texts among the training texts."""
        if self.validation is None:
            return self
        return replace(
            self,
            train=self.train.joined(self.validation),
            off_topic=self.off_topic + self.validation_off_topic,
            validation=None,
            validation_off_topic=(),
        )

    def sha256(self) -> str:
        """A hash of the training texts and their labels, for the manifest."""
        digest = hashlib.sha256()
        names = {numbers: _SEPARATOR.join(self.labels[number] for number in numbers) for numbers in self._label_sets()}
        for part in (self.train, self.extra):
            for text, numbers in zip(part.texts, part.label_sets, strict=True):
                digest.update(f"{names[numbers]}\0{text}\0".encode("utf-8", errors="surrogatepass"))
        for text in self.off_topic:
            digest.update(f"{UNKNOWN_LABEL}\0{text}\0".encode("utf-8", errors="surrogatepass"))
        return digest.hexdigest()

    def sha256_of_all(self) -> str:
        """A hash of everything that a run depends on: with the texts to validate and to measure on."""
        digest = hashlib.sha256(f"{type(self.origin).__name__} {self.multi_label}".encode())
        for part in (self.train, self.validation, self.test, *(test.examples for test in self.further_tests)):
            digest.update(replace(self, train=part).sha256().encode() if part else b"-")
        off_topic = (test.off_topic for test in self.further_tests)
        for texts in (self.validation_off_topic, self.test_off_topic, *off_topic):
            digest.update(f"{len(texts)}\0".encode())
            for text in texts:
                digest.update(f"{text}\0".encode("utf-8", errors="surrogatepass"))
        return digest.hexdigest()

    def _label_sets(self) -> set[tuple[int, ...]]:
        return {*self.train.label_sets, *self.extra.label_sets}


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Labelled texts to measure a model on.

    ``name``: which ones, such as "test texts"; ``further``: others, with figures of their own; the rest as in ``Dataset``.
    """

    name: str
    examples: Examples
    off_topic: tuple[str, ...] = ()
    origin: Origin = _UNKNOWN_ORIGIN
    further: tuple[LabelledTexts, ...] = ()
