"""Labelled texts in memory: ``Examples``, ``Dataset``, ``LabelledTexts``, and the ``Origin`` that they come from.

Reads no files (see ``load.py``) and changes no text.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.errors import InputError

AS_GIVEN = "as given"


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts and, for each, the number of its label."""

    texts: tuple[str, ...] = ()
    targets: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def split(self, fraction: float, seed: int) -> tuple[Examples, Examples]:
        """Two stratified parts: the examples to train on, and ``fraction`` of each label's for validation.

        Raises ``InputError`` if a label has too few texts.
        """
        from sklearn.model_selection import train_test_split

        numbers = range(len(self))
        try:
            kept, taken = train_test_split(numbers, test_size=fraction, stratify=self.targets, random_state=seed)
        except ValueError as error:
            raise InputError(
                f"{len(self)} texts cannot give {fraction:.0%} to validation, some of each label ({error}): "
                "use more texts, another share, or no validation"
            ) from error
        return self.take(kept), self.take(taken)

    def joined(self, others: Examples) -> Examples:
        """These examples, followed by the others."""
        return Examples(self.texts + others.texts, self.targets + others.targets)

    def take(self, numbers: Sequence[int]) -> Examples:
        """The examples at these positions, in this order."""
        return Examples(tuple(self.texts[n] for n in numbers), tuple(self.targets[n] for n in numbers))


_NO_EXAMPLES = Examples()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where texts come from, and what is known about that. This one is for texts of which nothing is known.

    A data set with habits of its own has a subclass, such as ``stackoverflow_text.StackOverflow``.
    """

    licence: str | None = None

    def versions(self, text: str, label: str, draw: random.Random) -> list[str]:
        """Further versions of a training text, such as one that names its label; none here."""
        del text, label, draw
        return []

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
    have none of the labels. ``extra``: further training texts, which a preset may leave out and which are never used for
    validation.
    """

    name: str
    labels: tuple[str, ...]
    train: Examples
    test: Examples | None
    off_topic: tuple[str, ...] = ()
    extra: Examples = _NO_EXAMPLES
    origin: Origin = _UNKNOWN_ORIGIN

    def sha256(self) -> str:
        """A hash of the training texts and their labels, for the manifest."""
        digest = hashlib.sha256()
        labelled = self.train.joined(self.extra)
        pairs = [(self.labels[target], text) for text, target in zip(labelled.texts, labelled.targets, strict=True)]
        for label, text in [*pairs, *((UNKNOWN_LABEL, text) for text in self.off_topic)]:
            digest.update(f"{label}\0{text}\0".encode("utf-8", errors="surrogatepass"))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Labelled texts to measure a model on. ``name``: which ones, such as "test texts"; the rest as in ``Dataset``."""

    name: str
    examples: Examples
    off_topic: tuple[str, ...] = ()
    origin: Origin = _UNKNOWN_ORIGIN
