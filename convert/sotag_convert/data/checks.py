"""A look at a data set before it is trained on: ``inspect`` gives the figures, ``cleaned`` removes what cannot help.

Two texts are the same if they differ only in white space around them. Nothing is judged by its meaning.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from itertools import chain, compress
from typing import Any

from sotag_convert.data.dataset import Dataset, Examples
from sotag_edge.errors import InputError
from sotag_edge.tokenizer import tokenize

_SAMPLE = 20_000  # texts whose tokens are counted
_NAMED = 3  # tags in a sentence
_SHOWN = 60  # characters of a text in a sentence
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class TagTexts:
    """The number of a tag's training texts, how many of them are left by ``cleaned``, and the number of its test texts."""

    label: str
    texts: int
    usable: int
    test: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """The number of tokens of the training texts, on a sample of them if there are many."""

    median: int
    percentile_95: int
    longest: int


@dataclass(frozen=True, slots=True)
class DataReport:
    """The figures of a data set. Numbers of texts are those of training texts, off-topic ones included, if not said.

    ``tags``: the ones with the fewest usable texts first. ``empty``: texts without a character. ``duplicates``: further
    copies of a text with the same labels. ``conflicting``: different texts that occur with different labels;
    ``conflict``: the first of them. ``in_test``, ``in_validation``: texts that are in that part too. ``imbalance``: the
    number of texts of the most frequent tag per text of the rarest one. ``replaced``: the share of texts with U+FFFD, which
    stands for bytes that are not UTF-8. ``labels_per_text``: the mean, without the off-topic texts.
    """

    name: str
    multi_label: bool
    texts: int
    off_topic: int
    validation: int | None
    test: int | None
    tags: tuple[TagTexts, ...]
    empty: int
    duplicates: int
    conflicting: int
    conflict: str | None
    in_test: int
    in_validation: int
    imbalance: float
    replaced: float
    labels_per_text: float
    tokens: Tokens

    def to_json(self) -> dict[str, Any]:
        """The fields, shares rounded to five digits, with the warnings and the faults."""
        figures = {name: round(value, 5) if isinstance(value, float) else value for name, value in asdict(self).items()}
        return figures | {"warnings": self.warnings(), "faults": self.faults()}

    def faults(self) -> list[str]:
        """A sentence for each tag for which no text is left; with one a model cannot be trained."""
        return [_fault(tag) for tag in self.tags if not tag.usable]

    def warnings(self) -> list[str]:
        """A sentence for each thing that the figures show and that costs accuracy."""
        said = []
        single = [tag.label for tag in self.tags if tag.usable == 1]
        if single:
            said.append(
                f"{_named(single)}: only one text each; they are trained on, but nothing can be said about their accuracy"
                if len(single) > 1
                else f"{_named(single)}: only one text; it is trained on, but nothing can be said about its accuracy"
            )
        if self.conflicting:
            said.append(
                f"{'1 text has' if self.conflicting == 1 else f'{self.conflicting:,} texts have'} different tags in "
                f"different places; all are kept, the first is {(self.conflict or '')[:_SHOWN]!r}"
            )
        if self.in_test:
            said.append(f"{_texts(self.in_test)} in the test texts too, and left out of training")
        if self.in_validation:
            said.append(f"{_texts(self.in_validation)} in the validation texts too, and left out of training")
        return said


def inspect(dataset: Dataset) -> DataReport:
    """The figures of a data set, before ``cleaned``."""
    verdicts, conflicts = _verdicts(dataset)
    count = len(dataset.labels)
    texts, kept = dataset.train.counts(count), _kept(dataset.train, verdicts).counts(count)
    test = dataset.test.counts(count) if dataset.test else [0] * count
    tags = [TagTexts(*row) for row in zip(dataset.labels, texts, kept, test, strict=True)]
    every = [*dataset.train.texts, *dataset.off_topic]
    return DataReport(
        name=dataset.name,
        multi_label=dataset.multi_label,
        texts=len(every),
        off_topic=len(dataset.off_topic),
        validation=len(dataset.validation) if dataset.validation else None,
        test=len(dataset.test) if dataset.test else None,
        tags=tuple(sorted(tags, key=lambda tag: (tag.usable, tag.label))),
        empty=verdicts.count(_Verdict.EMPTY),
        duplicates=verdicts.count(_Verdict.DUPLICATE),
        conflicting=len(conflicts),
        conflict=conflicts[0] if conflicts else None,
        in_test=verdicts.count(_Verdict.IN_TEST),
        in_validation=verdicts.count(_Verdict.IN_VALIDATION),
        imbalance=max(texts) / max(1, min(texts)),
        replaced=sum(_REPLACEMENT in text for text in every) / max(1, len(every)),
        labels_per_text=sum(texts) / max(1, len(dataset.train)),
        tokens=_tokens(every),
    )


def cleaned(dataset: Dataset) -> Dataset:
    """The data set without empty texts, without copies of a text with the same labels, and without training texts that are
    validation or test texts too. Texts with different labels in different places are kept.

    Raises ``InputError`` if a label has no text left.
    """
    verdicts, _ = _verdicts(dataset)
    train = _kept(dataset.train, verdicts)
    counts = zip(
        dataset.labels, dataset.train.counts(len(dataset.labels)), train.counts(len(dataset.labels)), strict=True
    )
    for label, texts, usable in counts:
        if not usable:
            raise InputError(_fault(TagTexts(label, texts, usable, 0)))
    off_topic = tuple(compress(dataset.off_topic, (not verdict for verdict in verdicts[len(dataset.train) :])))
    tested = _texts_of(dataset.test, dataset.test_off_topic)
    return replace(
        dataset,
        train=train,
        off_topic=off_topic,
        validation=_without(dataset.validation, {"", *tested}),
        validation_off_topic=tuple(text for text in dataset.validation_off_topic if text.strip() not in {"", *tested}),
        test=_without(dataset.test, {""}),
        test_off_topic=tuple(text for text in dataset.test_off_topic if text.strip()),
    )


def _texts_of(part: Examples | None, off_topic: Sequence[str]) -> set[str]:
    """The different texts of a part and of its off-topic ones, without white space around them."""
    return {text.strip() for text in (*(part.texts if part else ()), *off_topic)}


class _Verdict(IntEnum):
    """Why a training text is left out, or that it is kept."""

    KEPT = 0
    EMPTY = 1
    IN_TEST = 2
    IN_VALIDATION = 3
    DUPLICATE = 4


def _verdicts(dataset: Dataset) -> tuple[bytearray, list[str]]:
    """The verdict on each training text and then on each off-topic one, and the texts that have different labels."""
    held_out = [
        (_texts_of(dataset.test, dataset.test_off_topic), _Verdict.IN_TEST),
        (_texts_of(dataset.validation, dataset.validation_off_topic), _Verdict.IN_VALIDATION),
    ]
    first: dict[str, tuple[int, ...]] = {}
    others: dict[str, set[tuple[int, ...]]] = {}  # few texts occur with different labels
    verdicts = bytearray()
    for text, labels in _labelled(dataset):
        key = text.strip()
        verdict = _Verdict.EMPTY
        if key:
            verdict = next((verdict for texts, verdict in held_out if key in texts), _Verdict.KEPT)
        if verdict is _Verdict.KEPT and key not in first:
            first[key] = labels
        elif verdict is _Verdict.KEPT:
            seen = others.setdefault(key, set()) if first[key] != labels else None
            if seen is None or labels in seen:
                verdict = _Verdict.DUPLICATE
            else:
                seen.add(labels)
        verdicts.append(verdict)
    return verdicts, list(others)


def _labelled(dataset: Dataset) -> Iterator[tuple[str, tuple[int, ...]]]:
    train = zip(dataset.train.texts, dataset.train.label_sets, strict=True)
    return chain(train, ((text, ()) for text in dataset.off_topic))


def _kept(train: Examples, verdicts: bytearray) -> Examples:
    kept = [not verdict for verdict in verdicts[: len(train)]]
    return Examples(tuple(compress(train.texts, kept)), tuple(compress(train.label_sets, kept)))


def _without(part: Examples | None, texts: set[str]) -> Examples | None:
    """A part without these texts; ``None`` if nothing is left."""
    if part is None:
        return None
    kept = part.take([number for number, text in enumerate(part.texts) if text.strip() not in texts])
    return kept if len(kept) else None


def _tokens(texts: list[str]) -> Tokens:
    """The figures of every n-th text, and of the longest by characters."""
    sample = texts[:: len(texts) // _SAMPLE + 1]
    lengths = sorted(len(tokenize(text)) for text in [*sample, max(texts, key=len, default="")])
    return Tokens(round(statistics.median(lengths)), lengths[int(0.95 * (len(lengths) - 1))], lengths[-1])


def _fault(tag: TagTexts) -> str:
    why = "all are empty, or in the test or validation texts" if tag.texts else "the data has none"
    return f"the tag {tag.label!r} has no text to train on ({tag.texts:,} texts; {why}): add some, or remove the tag"


def _named(labels: list[str]) -> str:
    more = f" and {len(labels) - _NAMED:,} more tags" if len(labels) > _NAMED else ""
    return ", ".join(labels[:_NAMED]) + more


def _texts(count: int) -> str:
    return "1 text is" if count == 1 else f"{count:,} texts are"
