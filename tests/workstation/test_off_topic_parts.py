"""Off-topic texts of a validation or test part."""

from __future__ import annotations

from dataclasses import replace

from sotag_convert.data.checks import cleaned, inspect
from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.data.labels import label_set
from sotag_convert.data.texts import Parts, dataset_of

DATA = Dataset(
    "d",
    ("a", "b"),
    Examples.single(("one", "two", "sky"), (0, 1, 0)),
    Examples.single(("three", "four"), (0, 1)),
    ("moon", "star", "sun"),
    validation=Examples.single(("five", "six"), (0, 1)),
    validation_off_topic=("moon ", "comet", ""),
    test_off_topic=("star", "sky", "comet", " "),
)


def test_copies_are_in_one_part() -> None:
    """In the test rather than in validation, and there rather than in training; empty ones are in none."""
    clean = cleaned(DATA)
    assert clean.off_topic == ("sun",)
    assert clean.train.texts == ("one", "two")
    assert clean.validation_off_topic == ("moon ",)
    assert clean.test_off_topic == ("star", "sky", "comet")
    assert (inspect(DATA).in_test, inspect(DATA).in_validation) == (2, 1)


def test_a_hash_tells_the_parts_apart() -> None:
    """A text that is measured on is not the same as one that chooses settings."""
    other = replace(DATA, validation_off_topic=DATA.validation_off_topic[:1], test_off_topic=("comet", "", "star"))
    moved = replace(DATA, validation_off_topic=DATA.validation_off_topic[:2], test_off_topic=("", "star"))
    assert other.sha256_of_all() != moved.sha256_of_all()


def test_what_cannot_be_used_is_said() -> None:
    """Off-topic texts without others of their part have nothing to be compared with."""
    parts = Parts()
    for text, label in (("one", "a"), ("two", "b")):
        parts.train.add(text, label_set(label))
    parts.validation.add("moon", label_set("unknown"))
    parts.test.add("star", label_set("unknown"))
    parts.test.add("three", label_set("a"))
    said: list[str] = []
    dataset = dataset_of("d", parts, multi_label=False, say=said.append)
    assert (dataset.validation, dataset.validation_off_topic, dataset.test_off_topic) == (None, (), ("star",))
    assert said == ["1 off-topic validation texts are not used: there are no others to compare them with"]
