"""A preset that trains in seconds, and noisy texts of two labels for it."""

from __future__ import annotations

import random
from dataclasses import replace

from sotag_convert.data.dataset import Dataset, Examples
from sotag_edge.decision import UNKNOWN_LABEL
from tests.fixtures.make_model import PRESET

SMALL = replace(PRESET, epochs=4, validation=0.25, patience=None)
SMALL_BRANCH = replace(SMALL, epochs=2, rows=60, off_topic_repeats=2)
"""The same with a linear branch and off-topic texts, so that few texts are cross-validated."""
_WORDS = {"kitchen": ["oven", "dough", "soup", "bread"], "harbour": ["boat", "sail", "anchor", "hull"]}
LABELS = tuple(sorted(_WORDS))


def noisy_texts(count: int, seed: int = 1) -> tuple[list[str], list[str]]:
    """Texts and their labels, in turn of each label. One text in six has the words of the other label."""
    draw = random.Random(seed)
    texts, labels = [], []
    for number in range(count):
        label = LABELS[number % 2]
        words = _WORDS[label if draw.random() > 1 / 6 else LABELS[(number + 1) % 2]]
        texts.append(f"the {draw.choice(words)} and the {draw.choice(words)} number {number}")
        labels.append(label)
    return texts, labels


def noisy_dataset(count: int) -> Dataset:
    """The same as a data set."""
    texts, labels = noisy_texts(count)
    assert UNKNOWN_LABEL not in labels
    return Dataset("noisy", LABELS, Examples.single(tuple(texts), tuple(map(LABELS.index, labels))), None)
