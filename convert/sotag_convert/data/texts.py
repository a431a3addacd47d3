"""Labelled texts while they are read: ``Texts``, a growing list of them, and ``Parts``, those of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.data.labels import LabelSet, check_names
from sotag_convert.data.reading import Say
from sotag_edge.errors import InputError

PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    "test": "test",
}
"""The names of the parts of a data set, as a field or the folders of data sets have them."""


class Texts:
    """Labelled texts. Each different set of labels is held once, so that a million texts need little more than themselves.

    ``is_multi_label``: whether the labels were given as a list, so that a text may have several even if none has.
    """

    __slots__ = ("_shared", "is_multi_label", "label_sets", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.label_sets: list[LabelSet] = []
        self.is_multi_label = False
        self._shared: dict[LabelSet, LabelSet] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[tuple[str, LabelSet]]:
        return zip(self.texts, self.label_sets, strict=True)

    def add(self, text: str, labels: LabelSet) -> None:
        """Add a text; no labels: an off-topic one."""
        self.texts.append(text)
        self.label_sets.append(self._shared.setdefault(labels, labels))

    def extend(self, others: Texts) -> None:
        """Add other texts."""
        for text, labels in others:
            self.add(text, labels)
        self.is_multi_label = self.is_multi_label or others.is_multi_label

    def counts(self) -> Counter[str]:
        """The number of texts with each label."""
        sets = Counter(self.label_sets)
        counted: Counter[str] = Counter()
        for labels, count in sets.items():
            counted.update(dict.fromkeys(labels, count))
        return counted

    def keep(self, chosen: Collection[str]) -> int:
        """Remove all other labels, and the texts that have no label left; returns their number."""
        kept = {labels: tuple(label for label in labels if label in chosen) for labels in self._shared}
        if all(labels == remaining for labels, remaining in kept.items()):
            return 0
        whole, self.texts, self.label_sets, self._shared = list(self), [], [], {}
        for text, labels in whole:
            if kept[labels] or not labels:
                self.add(text, kept[labels])
        return len(whole) - len(self)

    def numbered(self, labels: Collection[str]) -> tuple[Examples, tuple[str, ...]]:
        """The texts that have labels, with their numbers in ``labels``, and the off-topic texts."""
        numbers: Mapping[str, int] = {label: number for number, label in enumerate(labels)}
        sets = {names: tuple(sorted(numbers[name] for name in names)) for names in self._shared}
        examples = Examples(
            tuple(text for text, names in self if names), tuple(sets[names] for names in self.label_sets if names)
        )
        return examples, tuple(text for text, names in self if not names)


@dataclass(slots=True)
class Parts:
    """The texts of a data set by the part that they are in."""

    train: Texts = field(default_factory=Texts)
    validation: Texts = field(default_factory=Texts)
    test: Texts = field(default_factory=Texts)

    def all(self) -> tuple[Texts, Texts, Texts]:
        """The parts in the order of their names here."""
        return self.train, self.validation, self.test

    def part(self, name: str) -> Texts:
        """The part with one of the names of ``PARTS``. Raises ``KeyError`` for another name."""
        texts: Texts = getattr(self, PARTS[name])
        return texts

    def to_measure_on(self) -> tuple[str, Texts]:
        """The texts to measure a model on, and what they are: test, else validation, else all texts."""
        if len(self.test):
            return "test texts", self.test
        return ("validation texts", self.validation) if len(self.validation) else ("texts", self.train)


def dataset_of(name: str, parts: Parts, *, multi_label: bool, say: Say) -> Dataset:
    """The data set of these texts. Raises ``InputError``."""
    labels = tuple(sorted(parts.train.counts()))
    check_names((*labels, name), name)
    if len(labels) < 2:
        raise InputError(f"{name} has {len(labels)} labels, and two or more are needed")
    further = {part: sorted(set(texts.counts()) - set(labels)) for part, texts in _held_out(parts)}
    for part, names in further.items():
        if names:
            raise InputError(f"{name} has {part} texts with the label {names[0]!r}, but no training texts with it")
    multi_label = multi_label or any(
        texts.is_multi_label or any(len(names) > 1 for names in set(texts.label_sets)) for texts in parts.all()
    )
    train, off_topic = parts.train.numbered(labels)
    validation, validation_off_topic = parts.validation.numbered(labels)
    test, test_off_topic = parts.test.numbered(labels)
    for part, examples, off_topic_only in (
        ("validation", validation, validation_off_topic),
        ("test", test, test_off_topic),
    ):
        if off_topic_only and not len(examples):
            say(
                f"{len(off_topic_only):,} off-topic {part} texts are not used: there are no others to compare them with"
            )
    return Dataset(
        name,
        labels,
        train,
        test if len(test) else None,
        off_topic,
        validation=validation if len(validation) else None,
        multi_label=multi_label,
        validation_off_topic=validation_off_topic if len(validation) else (),
        test_off_topic=test_off_topic if len(test) else (),
    )


def _held_out(parts: Parts) -> list[tuple[str, Texts]]:
    named = (("validation", parts.validation), ("test", parts.test))
    return [(part, texts) for part, texts in named if len(texts)]
