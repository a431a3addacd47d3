"""Where training, validation and test texts come from: folders, a field, a file of test texts, several files."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sotag_convert.data.dataset import Dataset
from sotag_convert.data.load import load, load_labelled
from sotag_convert.data.records import format_of
from sotag_convert.data.settings import DataSettings
from sotag_edge.errors import InputError, UsageError
from sotag_edge.formats import Fields

LABELS = ("harbour", "kitchen")
TABLE = """text,label,split
the oven is hot,kitchen,train
tie the boat up,harbour,Training
salt the soup,kitchen,valid
raise the anchor,harbour,dev
boil an egg,kitchen,test
the hull leaks,harbour, TEST
a zebra,unknown,train
a horse,unknown,test
a llama,unknown,dev
"""


def parts(dataset: Dataset) -> list[tuple[str, ...] | None]:
    """The texts of the parts: training, validation, test, off-topic."""
    held_out = (None if part is None else part.texts for part in (dataset.validation, dataset.test))
    return [dataset.train.texts, *held_out, dataset.off_topic]


WHOLE = [
    ("the oven is hot", "tie the boat up"),
    ("salt the soup", "raise the anchor"),
    ("boil an egg", "the hull leaks"),
    ("a zebra",),
]


def test_a_field_gives_the_parts(tmp_path: Path) -> None:
    """A field `split` is used if there is one; any usual name of a part does. Each part has its off-topic texts."""
    (tmp_path / "a.csv").write_text(TABLE)
    dataset = load(str(tmp_path / "a.csv"))
    assert parts(dataset) == WHOLE
    assert (dataset.validation_off_topic, dataset.test_off_topic) == (("a llama",), ("a horse",))
    (tmp_path / "a.jsonl").write_text(
        '{"text": "a", "label": "x", "split": "test"}\n{"text": "b", "label": "x"}\n{"text": "c", "label": "y"}\n'
    )
    assert parts(load(str(tmp_path / "a.jsonl"))) == [("b", "c"), None, ("a",), ()]


def test_the_field_can_be_named(tmp_path: Path) -> None:
    """Another one, or none."""
    (tmp_path / "a.csv").write_text(TABLE.replace("split", "part"))
    assert parts(load(str(tmp_path / "a.csv"), DataSettings(split_field="part"))) == WHOLE
    assert load(str(tmp_path / "a.csv")).test is None
    (tmp_path / "b.csv").write_text("text,label,split\na,x,yes\nb,y,no\n")
    with pytest.raises(InputError, match=r"b\.csv:2: the split field 'split' is 'yes', not train, validation or test"):
        load(str(tmp_path / "b.csv"))
    assert parts(load(str(tmp_path / "b.csv"), DataSettings(split_field=""))) == [("a", "b"), None, None, ()]
    with pytest.raises(InputError, match=r"a\.csv:2 has no field 'fold' for the split"):
        load(str(tmp_path / "a.csv"), DataSettings(split_field="fold"))


def test_a_model_is_measured_on_the_last_part(tmp_path: Path) -> None:
    """On test texts, else on validation texts, else on all."""
    lines = TABLE.splitlines(keepends=True)
    for count, name, texts in ((9, "test texts", WHOLE[2]), (5, "validation texts", WHOLE[1]), (3, "texts", WHOLE[0])):
        (tmp_path / "a.csv").write_text("".join(lines[:count]))
        labelled = load_labelled(str(tmp_path / "a.csv"), LABELS)
        assert (labelled.name, labelled.examples.texts) == (name, texts)


def test_a_label_of_held_out_texts_only_is_an_error(tmp_path: Path) -> None:
    """It has no training texts; the error names it and the part."""
    (tmp_path / "a.csv").write_text(TABLE + "the hen lays,farm,test\n")
    with pytest.raises(InputError, match=r"a\.csv has test texts with the label 'farm', but no training texts"):
        load(str(tmp_path / "a.csv"))


def test_test_texts_may_be_elsewhere(tmp_path: Path, data: Path) -> None:
    """In a file, all of it or its test texts; or in a folder."""
    (tmp_path / "train.jsonl").write_text('{"text": "a", "label": "kitchen"}\n{"text": "b", "label": "harbour"}\n')
    (tmp_path / "test.csv").write_text("text,label\nc,harbour\n")
    (tmp_path / "whole.csv").write_text(TABLE)
    train = str(tmp_path / "train.jsonl")
    for test, texts in (("test.csv", ("c",)), ("whole.csv", WHOLE[2])):
        dataset = load(train, DataSettings(test=str(tmp_path / test)))
        assert parts(dataset) == [("a", "b"), None, texts, ()]
    for folder in (data, data / "train"):
        assert len(load(train, DataSettings(test=str(folder))).test or ()) == 10
    with pytest.raises(UsageError, match="the data has test texts already: leave out --test"):
        load(str(tmp_path / "whole.csv"), DataSettings(test=str(tmp_path / "test.csv")))
    with pytest.raises(InputError, match="no data at"):
        load(train, DataSettings(test=str(tmp_path / "none.csv")))


def test_a_folder_may_have_validation_texts(data: Path) -> None:
    """In `validation/`; a label need not have any, nor test texts."""
    (data / "validation" / "kitchen").mkdir(parents=True)
    (data / "validation" / "kitchen" / "0.txt").write_text("whip the cream")
    for file in (data / "test" / "harbour").iterdir():
        file.unlink()
    (data / "test" / "harbour").rmdir()
    dataset = load(str(data))
    assert dataset.validation is not None
    assert (dataset.validation.texts, dataset.validation.targets) == (("whip the cream",), (1,))
    assert dataset.test is not None
    assert set(dataset.test.targets) == {1}


def test_a_folder_of_labels_is_a_data_set(data: Path) -> None:
    """Without `train/` its folders are the labels, even if one is called as a part is."""
    dataset = load(str(data / "train"))
    assert (dataset.name, dataset.labels, len(dataset.train)) == ("train", LABELS, 10)
    assert dataset.test is None
    (data / "train" / "kitchen").rename(data / "train" / "test")
    (data / "train" / "harbour").rename(data / "train" / "dev")
    assert load(str(data / "train")).labels == ("dev", "test")


def test_a_label_of_held_out_folders_only_is_an_error(data: Path) -> None:
    """It has no training texts; the error names its folder."""
    (data / "test" / "farm").mkdir()
    with pytest.raises(InputError, match="test/farm has test texts of a label that"):
        load(str(data))


def test_several_sources_are_one_data_set(tmp_path: Path, data: Path) -> None:
    """Files of any form and folders, in their order."""
    (tmp_path / "a.csv").write_text(TABLE)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"__label__farm the hen lays\n__label__kitchen peel it\n"))
    dataset = load([str(tmp_path / "a.csv"), str(tmp_path / "b.txt.gz"), str(data)])
    assert dataset.name == "a.csv and 2 more"
    assert dataset.labels == ("farm", "harbour", "kitchen")
    assert dataset.train.texts[:4] == (*WHOLE[0], "the hen lays", "peel it")
    assert (len(dataset.train), len(dataset.test or ()), len(dataset.validation or ())) == (14, 12, 2)
    labelled = load_labelled([str(tmp_path / "a.csv"), str(tmp_path / "b.txt.gz")], dataset.labels)
    assert (labelled.name, len(labelled.examples), len(labelled.off_topic)) == ("texts", 4, 1)


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, wrap: Callable[[bytes], bytes]) -> None:
    """Its format must be named."""
    stream = io.TextIOWrapper(io.BytesIO(wrap(TABLE.encode())))
    monkeypatch.setattr("sys.stdin", stream)
    dataset = load("-", DataSettings(input_format="csv"))
    assert (dataset.name, parts(dataset)) == ("stdin", WHOLE)
    with pytest.raises(UsageError, match="the format of standard input must be named: --from"):
        load("-")
    with pytest.raises(UsageError, match="can be named once"):
        load(["-", "-"], DataSettings(input_format="csv"))


def test_the_first_line_of_a_pipe_is_not_lost(tmp_path: Path) -> None:
    """A file is recognised by its first line, a pipe is not: it could not be read again."""
    os.mkfifo(tmp_path / "pipe")
    content = b"__label__a one\n__label__b two\n"
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    with pytest.raises(InputError, match="does not end with a format of records"):
        format_of(str(tmp_path / "pipe"), None)
    assert load(str(tmp_path / "pipe"), DataSettings(input_format="fasttext")).train.texts == ("one", "two")
    writer.join()


def test_reading_is_counted(tmp_path: Path) -> None:
    """Every 500 texts are reported, so that a long run shows that it moves."""
    (tmp_path / "a.txt").write_text("".join(f"__label__{n % 2} text {n}\n" for n in range(1200)))
    counts: list[int] = []
    load(str(tmp_path / "a.txt"), tick=counts.append)
    assert counts == [500, 500]


def test_a_text_may_be_several_fields(tmp_path: Path) -> None:
    """Beside the label and the split."""
    (tmp_path / "a.jsonl").write_text(
        "\n".join(json.dumps({"title": n, "body": "b", "team": t, "fold": "train"}) for n, t in ("ax", "by")) + "\n"
    )
    settings = DataSettings(Fields(("title", "body"), label="team"), split_field="fold")
    dataset = load(str(tmp_path / "a.jsonl"), settings)
    assert (dataset.train.texts, dataset.labels) == (("a\nb", "b\nb"), ("x", "y"))
