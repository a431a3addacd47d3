"""Reading labelled texts from folders, and from memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sotag_convert.data.load import from_texts, load, load_labelled
from sotag_edge.errors import InputError


def test_reads_the_folders(data: Path) -> None:
    """Labels are in alphabetical order and every text has its folder's."""
    dataset = load(str(data))
    assert (dataset.name, dataset.labels) == ("data", ("harbour", "kitchen"))
    assert dict(zip(dataset.train.texts, dataset.train.targets, strict=True))["salt the soup"] == 1
    assert len(dataset.train) == 10
    assert dataset.test is not None
    assert len(dataset.test) == 10


def test_the_test_folder_may_be_missing(data: Path) -> None:
    """Without ``test/`` there are no test texts, and that is no error."""
    shutil.rmtree(data / "test")
    assert load(str(data)).test is None


def test_off_topic_texts_are_kept_apart(data: Path) -> None:
    """A folder ``unknown`` is no label, neither for training nor for measuring."""
    for split in ("train", "test"):
        (data / split / "unknown").mkdir()
        (data / split / "unknown" / "0.txt").write_text(f"a {split} text", encoding="utf-8")
    dataset = load(str(data))
    assert dataset.labels == ("harbour", "kitchen")
    assert dataset.off_topic == ("a train text",)
    assert "a train text" not in dataset.train.texts
    assert load_labelled(str(data), dataset.labels).off_topic == ("a test text",)


def test_a_label_that_no_file_of_a_model_can_hold_is_refused(data: Path) -> None:
    """A folder whose name is not UTF-8 is an error before anything is trained."""
    (data / "train" / "kitchen").rename(os.fsdecode(os.fsencode(data / "train") + b"/caf\xe9"))
    shutil.rmtree(data / "test")
    with pytest.raises(InputError, match="not a name in UTF-8"):
        load(str(data))


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
def test_unusable_data_is_an_error(data: Path, damage: object, words: str) -> None:
    """Each way to have no usable data is an InputError that names the place."""
    damage(data)
    with pytest.raises(InputError, match=words):
        load(str(data))


def test_labelled_texts_of_a_folder_have_the_labels_of_the_model(data: Path) -> None:
    """Their numbers are those of the model's labels; test texts go before training texts."""
    (data / "test" / "kitchen" / "0.txt").write_text("a test text", encoding="utf-8")
    labelled = load_labelled(str(data), ("garden", "kitchen", "harbour"))
    assert labelled.name == "test texts"
    assert dict(zip(labelled.examples.texts, labelled.examples.targets, strict=True))["a test text"] == 1
    assert set(labelled.examples.targets) == {1, 2}
    shutil.rmtree(data / "test")
    assert load_labelled(str(data), ("harbour", "kitchen")).name == "training texts"
    assert load_labelled(str(data / "train"), ("harbour", "kitchen")).name == "texts"


def test_labels_that_the_model_does_not_have_are_an_error(data: Path) -> None:
    """It names both lists."""
    with pytest.raises(InputError, match=r"has the labels harbour, kitchen, and the model garden, kitchen"):
        load_labelled(str(data), ("garden", "kitchen"))


def test_texts_in_memory_make_a_data_set() -> None:
    """Labels are sorted, texts stay in order, and those with the label ``unknown`` are off-topic."""
    dataset = from_texts(["one", "two", "three", "four"], ["b", "a", "unknown", "b"], name="mine")
    assert (dataset.name, dataset.labels) == ("mine", ("a", "b"))
    assert dataset.train.texts == ("one", "two", "four")
    assert dataset.train.targets == (1, 0, 1)
    assert dataset.off_topic == ("three",)
    assert dataset.test is None


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a"], "2 texts and 1 labels"),
        (["a", "a"], "two or more"),
        (["a", "unknown"], "two or more"),
        (["a", ""], "empty"),
    ],
)
def test_unusable_labels_are_an_error(labels: list[str], words: str) -> None:
    """Each text needs a label, and the data set two different ones."""
    with pytest.raises(InputError, match=words):
        from_texts(["one", "two"], labels)
