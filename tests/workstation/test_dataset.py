"""Labelled texts in memory: the split, the hash, the extra texts of the Stack Overflow data set."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace

import pytest

from sotag_convert.data import stackoverflow
from sotag_convert.data.dataset import Dataset, Examples, Origin
from sotag_edge.errors import InputError
from sotag_edge.tokenizer import tokenize
from tests.conftest import ROOT

EXAMPLES = Examples(tuple(f"text {n}" for n in range(10)), (0,) * 5 + (1,) * 5)


def test_split_is_stratified_and_repeatable() -> None:
    """The same seed gives the same split, each label has its share, and no text is lost or in both parts."""
    train, kept = EXAMPLES.split(0.4, seed=3)
    assert sorted(kept.targets) == [0, 0, 1, 1]
    assert sorted(train.texts + kept.texts) == sorted(EXAMPLES.texts)
    assert EXAMPLES.split(0.4, seed=3) == (train, kept)
    assert EXAMPLES.split(0.4, seed=4) != (train, kept)


def test_split_keeps_each_text_with_its_label() -> None:
    """In both parts."""
    labels = dict(zip(EXAMPLES.texts, EXAMPLES.targets, strict=True))
    for part in EXAMPLES.split(0.4, seed=3):
        assert [labels[text] for text in part.texts] == list(part.targets)


def test_too_few_texts_to_split_is_an_error() -> None:
    """It says how many there are and which share was to be split off."""
    with pytest.raises(InputError, match="10 texts cannot give 1% to validation"):
        EXAMPLES.split(0.01, seed=1)


DATASET = Dataset("name", ("a", "b"), EXAMPLES, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"train": Examples((*EXAMPLES.texts[:9], "another text"), EXAMPLES.targets)},
        {"train": Examples(EXAMPLES.texts, (*EXAMPLES.targets[:9], 0))},
        {"labels": ("a", "c")},
        {"off_topic": ("zebra",)},
        {"extra": Examples(("zebra",), (0,))},
    ],
)
def test_the_hash_depends_on_training_texts_and_labels(changes: dict[str, object]) -> None:
    """Each of them, the extra and off-topic texts included, changes it."""
    assert replace(DATASET, **changes).sha256() != DATASET.sha256()


def test_the_hash_does_not_depend_on_the_rest() -> None:
    """Test texts, the name and the origin are not trained on. The hash is in published manifests and must not change."""
    other = replace(DATASET, name="other", test=EXAMPLES, origin=Origin("MIT"))
    assert other.sha256() == DATASET.sha256()
    published = Dataset("b", ("x", "y"), Examples(("one", "two \ud800"), (0, 1)), None, off_topic=("three",))
    assert published.sha256() == "05aba7fc93c486cca09928529467c2170bd336144af7ffb0763655dfc8bc938f"


def test_an_unknown_origin_has_one_view_and_no_versions() -> None:
    """The texts as they are."""
    assert Origin().views(["one", "two"], ["a", "b"]) == {"as given": ["one", "two"]}
    assert Origin().versions("one", "a", random.Random(0)) == []


def test_the_extra_texts_are_balanced_and_different() -> None:
    """Some hundreds per label and off-topic, each once."""
    entries = stackoverflow.extra_texts()
    counts = Counter(label for _, label in entries)
    assert set(counts) == {*stackoverflow.LABELS, "unknown"}
    assert min(counts.values()) >= 300
    assert len({text.lower() for text, _ in entries}) == len(entries)


def test_the_extra_texts_are_not_those_that_models_are_compared_by() -> None:
    """No text of the benchmark shares half of its tokens with one that models are trained on."""
    lines = (ROOT / "benchmarks" / "questions.jsonl").read_text(encoding="utf-8").split("\n")
    trained = [set(tokenize(text)) for text, _ in stackoverflow.extra_texts()]
    for text in (json.loads(line)["text"] for line in lines if line):
        tokens = set(tokenize(text))
        assert max(len(tokens & other) / len(tokens | other) for other in trained) < 0.5, text
