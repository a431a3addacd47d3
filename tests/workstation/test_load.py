"""Reading labelled texts: folders, files of records, texts in memory; decoded as on the device."""

from __future__ import annotations

import gzip
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from sotag_convert.data.dataset import Examples
from sotag_convert.data.load import from_texts, load, load_labelled
from sotag_convert.data.settings import DataSettings
from sotag_edge.errors import InputError, UsageError
from sotag_edge.formats import FORMATS, Fields, read_documents


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
    for file in (data / "test" / "kitchen").iterdir():
        file.unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_remove_all, "no data at"),
        (_remove_train, "test texts but no training texts"),
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


def test_arrays_are_texts_and_labels_too() -> None:
    """An array is neither true nor false; a pandas column is one."""
    texts, labels = np.array(["one", "two"]), np.array(["b", "a"])
    dataset = from_texts(texts, labels, texts, labels)
    assert dataset.test == dataset.train == Examples(("one", "two"), ((1,), (0,)))


def test_several_labels_of_a_test_text_make_a_data_set_multi_label() -> None:
    """A single-label model could not be measured on it, which would be known after the training only."""
    assert from_texts(["one", "two"], ["a", "b"], ["three"], [["a", "b"]]).multi_label
    assert not from_texts(["one", "two"], ["a", "b"], ["three"], ["a"]).multi_label


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


TABLE = (
    "id,text,label\n1,the oven is hot,kitchen\n2,tie the boat up,harbour\n3,a zebra,unknown\n4,salt the soup,kitchen\n"
)
FILES = {
    "texts.csv": TABLE,
    "texts.CSV": TABLE,
    "texts.tsv": TABLE.replace(",", "\t"),
    "texts.jsonl": """{"text": "the oven is hot", "label": "kitchen", "id": 1}
{"label": "harbour", "text": "tie the boat up"}
{"label": "unknown", "text": "a zebra"}
{"label": "kitchen", "text": "salt the soup"}
""",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", [False, True])
def test_reads_a_file_of_records(tmp_path: Path, name: str, packed: bool) -> None:
    """The format is that of the suffix; texts stay in order, ``unknown`` is off-topic, and there are no test texts."""
    content = FILES[name].encode()
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    dataset = load(str(path))
    assert (dataset.name, dataset.labels) == (path.name, ("harbour", "kitchen"))
    assert dataset.train.texts == ("the oven is hot", "tie the boat up", "salt the soup")
    assert dataset.train.targets == (1, 0, 1)
    assert dataset.off_topic == ("a zebra",)
    assert dataset.test is None
    assert dataset.origin.licence is None


def test_a_file_of_records_is_measured_on_whole(tmp_path: Path) -> None:
    """All its texts, numbered by the labels of the model."""
    (tmp_path / "texts.csv").write_text(TABLE)
    labelled = load_labelled(str(tmp_path / "texts.csv"), ("kitchen", "garden", "harbour"))
    assert labelled.name == "texts"
    assert labelled.examples.texts == ("the oven is hot", "tie the boat up", "salt the soup")
    assert labelled.examples.targets == (0, 2, 0)
    assert labelled.off_topic == ("a zebra",)
    with pytest.raises(InputError, match="has the labels harbour, kitchen, and the model kitchen, garden"):
        load_labelled(str(tmp_path / "texts.csv"), ("kitchen", "garden"))


def test_the_fields_and_the_format_can_be_named(tmp_path: Path) -> None:
    """Several text fields are joined; the default of a field that is not named stays."""
    (tmp_path / "export").write_text("title,body,topic,label\nOven,It is hot,kitchen,x\nBoat,Tie it up,harbour,y\n")
    path = str(tmp_path / "export")
    dataset = load(path, DataSettings(Fields(text=("title", "body"), label="topic"), "csv"))
    assert dataset.train.texts == ("Oven\nIt is hot", "Boat\nTie it up")
    assert dataset.labels == ("harbour", "kitchen")
    assert load(path, DataSettings(Fields(text=("title",)), "csv")).labels == ("x", "y")
    labelled = load_labelled(path, ("kitchen", "harbour"), DataSettings(Fields(text=("title",), label="topic"), "csv"))
    assert (labelled.examples.texts, labelled.examples.targets) == (("Oven", "Boat"), (0, 1))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "a.csv",
            "text,tag\nhot,kitchen\n",
            r"a\.csv has no field 'label' for the label; its fields are: 'text', 'tag'",
        ),
        (
            "a.csv",
            "body,label\nhot,kitchen\n",
            r"a\.csv has no field 'text' for the text; its fields are: 'body', 'label'",
        ),
        ("a.csv", "text,label\nhot,kitchen\ncold,\n", r"a\.csv:3: the label field 'label' is empty"),
        ("a.csv", "text,label\nhot,kitchen\ncold\n", r"a\.csv:3 has 1 field, fewer than the 2"),
        ("a.jsonl", '{"text": "hot", "label": null}', r"a\.jsonl:1: the label field 'label' is empty"),
        ("a.jsonl", '{"text": "hot", "label": "  "}', r"a\.jsonl:1: the label field 'label' is empty"),
        ("a.jsonl", '{"text": "hot", "label": {"a": 1}}', r"a\.jsonl:1: the field 'label' is an object, not a text"),
        ("a.jsonl", '{"text": "hot", "label": "a"}\n{"text":', r"a\.jsonl:2 is not valid JSON"),
        ("a.csv", "text,label\nhot,kitchen\n", r"a\.csv has 1 labels, and two or more are needed"),
        ("a.csv", "", r"a\.csv is empty: it has no header"),
        ("a.jsonl", "", r"a\.jsonl has 0 labels"),
        ("a.jsonl", '{"text": "hot", "label": "a"}\n\n', r"a\.jsonl:2 is a blank line"),
        ("a.csv.gz", "text,label\nhot,kitchen\n", r"a\.csv\.gz has 1 labels"),
        (
            "a.txt",
            "hot",
            r"a\.txt does not end with a format of records: name the format, tsv, csv, jsonl",
        ),
        ("csv", "hot", "does not end with a format of records"),
    ],
)
def test_unusable_records_are_an_error(tmp_path: Path, name: str, content: str, words: str) -> None:
    """Each names its place and the fields or the formats that there are."""
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=words):
        load(str(tmp_path / name))


def test_a_format_without_records_is_refused(tmp_path: Path) -> None:
    """It has no label field."""
    (tmp_path / "texts.csv").write_text(TABLE)
    for name in ("lines", "table", "json", "parquet"):
        with pytest.raises(UsageError, match=f"'{name}' is not a format of texts with labels"):
            load(str(tmp_path / "texts.csv"), DataSettings(input_format=name))


BYTES = {
    "a byte order mark": b"\xef\xbb\xbfbake the bread",
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbfbake",
    "bytes that are not UTF-8": b"cr\xe8me br\xfbl\xe9e",
    "half a character": b"cr\xc3",
    "Windows line ends": b"bake\r\nthe bread\r\n",
    "a lone return": b"bake\rthe bread",
    "gzip": gzip.compress(b"\xef\xbb\xbfbake the bread\xff"),
    "nothing": b"",
}


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_a_text_is_decoded_as_on_the_device(data: Path, content: bytes) -> None:
    """Training, measuring and the device read the same text from the same bytes."""
    files = [data / split / "kitchen" / "0.txt" for split in ("train", "test")]
    for file in files:
        file.write_bytes(content)
    [on_device] = read_documents([str(files[0])], io.BytesIO())
    dataset = load(str(data))
    assert dataset.test is not None
    labelled = load_labelled(str(data), dataset.labels)
    for examples in (dataset.train, dataset.test, labelled.examples):
        assert examples.texts[5] == on_device.text
    assert examples.targets[5] == 1


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_records_are_decoded_as_on_the_device(tmp_path: Path, content: bytes) -> None:
    """A byte order mark, other bytes and packed files give the same texts."""
    raw = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    table = b'\xef\xbb\xbftext,label\n"' + raw + b'",a\nanother,b\n'
    path = tmp_path / "texts.csv"
    path.write_bytes(table if raw is content else gzip.compress(table))
    on_device = [document.text for document in read_documents([str(path)], io.BytesIO(), input_format=FORMATS["csv"])]
    assert list(load(str(path)).train.texts) == on_device
    assert len(on_device) == 2


def test_a_damaged_file_is_an_error(data: Path) -> None:
    """It names the file; half of a text is not trained on."""
    (data / "train" / "kitchen" / "0.txt").write_bytes(gzip.compress(b"bake the bread" * 100)[:-9])
    with pytest.raises(InputError, match=r"kitchen/0\.txt cannot be read to its end"):
        load(str(data))


def test_a_folder_is_read_as_on_the_device(data: Path) -> None:
    """Text files in its folders too, sorted by name; hidden files, pipes and other files are left out."""
    kitchen = data / "train" / "kitchen"
    (kitchen / "more").mkdir()
    (kitchen / "more" / "9.txt").write_text("whip the cream")
    (kitchen / ".hidden.txt").write_text("hidden")
    (kitchen / "notes.md").write_text("other")
    os.mkfifo(kitchen / "pipe.txt")
    train = load(str(data)).train
    texts = [text for text, target in zip(train.texts, train.targets, strict=True) if target == 1]
    assert texts[0] == "the oven is too hot"
    assert texts[-1] == "whip the cream"
    assert len(texts) == 6
