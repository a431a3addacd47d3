"""Labelled texts in memory: the split, the hash, the texts that this project wrote."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace

import pytest

from sotag_convert.data import stackoverflow, stackoverflow_16k
from sotag_convert.data.dataset import Dataset, Examples, Origin
from sotag_edge.errors import InputError
from sotag_edge.tokenizer import tokenize
from tests.conftest import ROOT

EXAMPLES = Examples.single(tuple(f"text {n}" for n in range(10)), (0,) * 5 + (1,) * 5)


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


def test_a_split_of_rare_labels_has_its_share() -> None:
    """With three texts per label a tenth is still split off, never more than one text of a label."""
    many = Examples.single([f"text {n}" for n in range(300)], [n % 100 for n in range(300)])
    train, kept = many.split(0.1, seed=1)
    assert len(kept) == 30
    assert max(Counter(kept.targets).values()) == 1
    assert set(train.targets) == set(range(100))


def test_the_only_text_of_a_label_stays_in_training() -> None:
    """Whatever the share is, alone or beside other labels."""
    rare = Examples(EXAMPLES.texts, ((0, 2), *EXAMPLES.label_sets[1:]))
    for seed in range(20):
        train, kept = rare.split(0.5, seed)
        assert (0, 2) in train.label_sets
        assert len(kept) in (4, 5)


def test_a_split_of_several_labels_is_stratified() -> None:
    """Each label gives about its share, the rare one too, and texts without labels give theirs."""
    draw = random.Random(5)
    sets = [tuple(n for n in range(6) if draw.random() < 0.4 / (n + 1)) for _ in range(2000)]
    examples = Examples(tuple(map(str, range(2000))), tuple(sets))
    _, kept = examples.split(0.2, seed=1)
    for whole, part in zip(examples.counts(6), kept.counts(6), strict=True):
        assert part == pytest.approx(0.2 * whole, abs=4)
    assert kept.label_sets.count(()) == pytest.approx(0.2 * sets.count(()), abs=4)


def test_a_rare_label_beside_a_common_one_has_its_share() -> None:
    """Exactly, with any seed: it is served before the common one takes texts by chance."""
    examples = Examples(tuple(map(str, range(200))), ((0, 1),) * 10 + ((0,),) * 190)
    for seed in range(10):
        _, kept = examples.split(0.2, seed)
        assert kept.counts(2) == [40, 2]


def test_targets_are_for_single_labels() -> None:
    """A text with several labels, or with none, has no target."""
    assert Examples.single("ab", [1, 0]) == Examples(("a", "b"), ((1,), (0,)))
    for labels in ((0, 1), ()):
        with pytest.raises(InputError, match="several tags"):
            Examples(("a",), (labels,)).targets  # noqa: B018


def test_texts_with_the_same_label_share_its_number() -> None:
    """One tuple per label: a tuple for each of a million texts would take as much memory as the texts."""
    assert len({id(labels) for labels in EXAMPLES.label_sets}) == 2


DATASET = Dataset("name", ("a", "b"), EXAMPLES, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"train": Examples.single((*EXAMPLES.texts[:9], "another text"), EXAMPLES.targets)},
        {"train": Examples.single(EXAMPLES.texts, (*EXAMPLES.targets[:9], 0))},
        {"labels": ("a", "c")},
        {"off_topic": ("zebra",)},
        {"extra": Examples.single(("zebra",), (0,))},
        {"train": Examples(EXAMPLES.texts, (*EXAMPLES.label_sets[:9], (0, 1)))},
    ],
)
def test_the_hash_depends_on_training_texts_and_labels(changes: dict[str, object]) -> None:
    """Each of them, the extra and off-topic texts included, changes it."""
    assert replace(DATASET, **changes).sha256() != DATASET.sha256()


def test_the_hash_does_not_depend_on_the_rest() -> None:
    """Test texts, the name and the origin are not trained on. The hash is in published manifests and must not change."""
    other = replace(DATASET, name="other", test=EXAMPLES, origin=Origin("MIT"))
    assert other.sha256() == DATASET.sha256()
    published = Dataset("b", ("x", "y"), Examples.single(("one", "two \ud800"), (0, 1)), None, off_topic=("three",))
    assert published.sha256() == "05aba7fc93c486cca09928529467c2170bd336144af7ffb0763655dfc8bc938f"


def test_an_unknown_origin_has_one_view_and_one_version() -> None:
    """The texts as they are."""
    assert Origin().views(["one", "two"], ["a", "b"]) == {"as given": ["one", "two"]}
    assert Origin().versions("one", ["a", "b"], random.Random(0)) == ["one"]


def test_the_own_texts_are_balanced_and_different() -> None:
    """Some hundreds per label and off-topic, each once."""
    entries = stackoverflow.own_texts()
    counts = Counter(label for _, label in entries)
    assert set(counts) == {*stackoverflow_16k.LABELS, "unknown"}
    assert min(counts.values()) >= 300
    assert len({text.lower() for text, _ in entries}) == len(entries)


def test_the_own_texts_are_not_those_that_models_are_compared_by() -> None:
    """No text of the benchmark shares half of its tokens with one that models are trained on."""
    lines = (ROOT / "benchmarks" / "questions.jsonl").read_text(encoding="utf-8").split("\n")
    trained = [set(tokenize(text)) for text, _ in stackoverflow.own_texts()]
    for text in (json.loads(line)["text"] for line in lines if line):
        tokens = set(tokenize(text))
        assert max(len(tokens & other) / len(tokens | other) for other in trained) < 0.5, text
