"""Reading labelled text."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from sotag_convert.data import dataset as datasets
from sotag_convert.data import stackoverflow as download
from sotag_edge.errors import InputError
from sotag_edge.tokenizer import tokenize
from tests.conftest import ROOT


def test_reads_the_folders(data: Path) -> None:
    """Labels are in alphabetical order and every text has its folder's."""
    dataset = datasets.load(str(data))
    assert dataset.labels == ("harbour", "kitchen")
    assert dict(zip(dataset.train.texts, dataset.train.targets, strict=True))["salt the soup"] == 1
    assert len(dataset.train) == 10
    assert dataset.test is not None


def test_the_test_folder_may_be_missing(data: Path) -> None:
    """Without ``test/`` there are no test texts, and that is no error."""
    shutil.rmtree(data / "test")
    assert datasets.load(str(data)).test is None


def test_split_is_stratified_and_repeatable(data: Path) -> None:
    """The same seed gives the same split, each label gives its share, and no text is in both parts."""
    train = datasets.load(str(data)).train
    learned, kept = train.split(0.4, seed=3)
    assert sorted(kept.targets) == [0, 0, 1, 1]
    assert set(learned.texts).isdisjoint(kept.texts)
    assert train.split(0.4, seed=3) == (learned, kept)
    assert train.split(0.4, seed=4) != (learned, kept)


def test_hash_follows_the_texts(data: Path) -> None:
    """The hash in the manifest changes when one training text does."""
    before = datasets.load(str(data)).sha256()
    (data / "train" / "kitchen" / "0.txt").write_text("another text", encoding="utf-8")
    assert datasets.load(str(data)).sha256() != before


def test_texts_of_none_of_the_labels_are_kept_apart(data: Path) -> None:
    """A folder ``unknown`` is no label, to train or to measure by; its texts have a part in the hash."""
    before = datasets.load(str(data)).sha256()
    for split in ("train", "test"):
        (data / split / "unknown").mkdir()
        (data / split / "unknown" / "0.txt").write_text(f"a {split} text", encoding="utf-8")
    dataset = datasets.load(str(data))
    assert dataset.labels == ("harbour", "kitchen")
    assert dataset.others == ("a train text",)
    assert datasets.load_labelled(str(data), dataset.labels).others == ("a test text",)
    assert dataset.sha256() != before


def test_the_questions_of_our_own() -> None:
    """Some hundreds a label and of something else, each once."""
    entries = datasets.own_questions()
    counts = Counter(label for label, _ in entries)
    assert set(counts) == {*download.LABELS, "unknown"}
    assert min(counts.values()) >= 300
    assert len({text.lower() for _, text in entries}) == len(entries)


def test_the_questions_of_our_own_are_not_those_that_models_are_compared_by() -> None:
    """No text of the benchmark shares half of its tokens with one that is learned from."""
    lines = (ROOT / "benchmarks" / "questions.jsonl").read_text(encoding="utf-8").split("\n")
    learned = [set(tokenize(text)) for _, text in datasets.own_questions()]
    for text in (json.loads(line)["text"] for line in lines if line):
        tokens = set(tokenize(text))
        assert max(len(tokens & other) / len(tokens | other) for other in learned) < 0.5, text


def test_a_label_that_no_file_of_a_model_can_hold_is_refused(data: Path) -> None:
    """A folder whose name is not UTF-8 is said before anything is learned."""
    (data / "train" / "kitchen").rename(os.fsdecode(os.fsencode(data / "train") + b"/caf\xe9"))
    with pytest.raises(InputError, match="not a name in UTF-8"):
        datasets.load(str(data))


def _remove_all(data: Path) -> None:
    shutil.rmtree(data)


def _remove_train(data: Path) -> None:
    shutil.rmtree(data / "train")


def _empty_train(data: Path) -> None:
    _remove_train(data)
    (data / "train").mkdir()


def _keep_one_label(data: Path) -> None:
    shutil.rmtree(data / "train" / "kitchen")


def _empty_label(data: Path) -> None:
    for file in (data / "train" / "kitchen").iterdir():
        file.unlink()


def _empty_test_label(data: Path) -> None:
    shutil.rmtree(data / "test" / "kitchen")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_remove_all, "no data at"),
        (_remove_train, "0 label folders"),
        (_empty_train, "0 label folders"),
        (_keep_one_label, "1 label folders"),
        (_empty_label, "the label 'kitchen' has no texts"),
        (_empty_test_label, "the label 'kitchen' has no texts"),
    ],
)
def test_unusable_data_is_said_in_a_sentence(data: Path, damage: object, words: str) -> None:
    """Each way to have no usable data is an InputError that says what was looked for."""
    damage(data)
    with pytest.raises(InputError, match=words):
        datasets.load(str(data))
