"""Bad labelled data: each is an error that names its place, or is counted; and unusual names of labels."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sotag_convert.data.load import from_texts, load, load_labelled
from sotag_edge.errors import InputError
from tests.conftest import Run

MEBIBYTE = 1024**2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b'text,label\nhot,"kitchen\ncold,harbour\n', r"a\.csv:2 is not valid CSV: a quote is never closed"),
        ("a.csv", b"text,tags\nhot,kitchen\n", r"a\.csv has no field 'label' for the label; its fields are"),
        (
            "a.csv",
            b"text,label\n" + b"x" * 50 * MEBIBYTE + b",a\n",
            r"a\.csv:2 is not valid: a line is longer than 16 MiB",
        ),
        ("a.tsv", b"text\tlabel\n" + b"x" * 50 * MEBIBYTE + b"\ta\n", r"a\.tsv:2 is not valid: a line is longer"),
        ("a.jsonl", b'{"text": "' + b"x" * 50 * MEBIBYTE + b'", "label": "a"}\n', r"a\.jsonl:1 is longer than 16 MiB"),
        ("a.txt", b"__label__a " + b"x" * 50 * MEBIBYTE, r"a\.txt:1 is longer than 16 MiB, the longest text"),
        ("a.jsonl", b'{"text": null, "label": "a"}\n', r"a\.jsonl:1: the field 'text' is null, not a text"),
        ("a.jsonl", b'{"text": 7, "label": "a"}\n', r"a\.jsonl:1: the field 'text' is a number, not a text"),
        ("a.jsonl", b'{"text": "a", "label": null}\n', r"a\.jsonl:1: the label field 'label' is empty: None"),
        ("a.jsonl", b'{"text": "a"}\n', r"a\.jsonl:1 has no field 'label' for the label"),
        ("a.csv", b"text,label\na\0\0\0\0b,x\n", r"a\.csv:2 is not text"),
        ("a.csv", "text,label\na,x\n".encode("utf-16-le"), r"a\.csv has no field 'text'"),
        ("a.csv", b"PK\x03\x04", r"a\.csv is a ZIP archive, as are files of Excel"),
        (
            "a.csv",
            b"text,label\na,x\nb," + b"y" * 1001 + b"\n",
            r"a label of 1,001 characters, 'yyy.*does the label field",
        ),
        (
            "a.csv",
            b"text,label\na,x\nb,UNKNOWN\n",
            r"has the label 'UNKNOWN', which differs only in case from 'unknown'",
        ),
        (
            "Posts.xml",
            b"<posts><row Id='1' PostTypeId='1' Tags='a' Title='<' /></posts>",
            r"Posts\.xml.* is not valid XML",
        ),
    ],
)
def test_a_bad_record_is_an_error(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """It names the record; nothing is lost without a word."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        load(str(tmp_path / name))


def test_another_encoding_is_counted(tmp_path: Path) -> None:
    """Its bytes are replaced, and a note says in how many texts."""
    (tmp_path / "a.csv").write_bytes("text,label\ncafé,x\nthé,y\ntea,x\n".encode("latin-1"))
    said: list[str] = []
    assert load(str(tmp_path / "a.csv"), say=said.append).train.texts == ("caf\ufffd", "th\ufffd", "tea")
    assert said == [f"2 texts were not UTF-8: their other bytes became U+FFFD; the first is {tmp_path}/a.csv:2"]


UNUSUAL = [
    "C/C++",
    "rock, paper",
    "🎸 guitar",
    "two words",
    "x" * 300,
    "\x07bell",
    "日本語",
    "a|b",
    "\u202eright",
    "--help",
]


@pytest.mark.parametrize("label", UNUSUAL)
def test_unusual_labels_are_kept(tmp_path: Path, label: str) -> None:
    """With slashes, commas, emoji, spaces, 300 characters, control characters: from CSV, JSON and memory alike."""
    quoted = f'"{label}"'
    (tmp_path / "a.csv").write_text(f"text,label\none,{quoted}\ntwo,other\n")
    (tmp_path / "a.jsonl").write_text(
        f'{json.dumps({"text": "one", "label": label})}\n{{"text": "two", "label": "other"}}\n'
    )
    labels = tuple(sorted([label, "other"]))
    for name in ("a.csv", "a.jsonl"):
        assert load(str(tmp_path / name)).labels == labels
        assert len(load_labelled(str(tmp_path / name), labels).examples) == 2
    assert from_texts(["one", "two"], [label, "other"]).labels == labels


def test_unusual_labels_are_printed_safely(run: Run, tmp_path: Path) -> None:
    """No control character of a label reaches the terminal."""
    records = [json.dumps({"text": f"text {n}", "label": label}) for n, label in enumerate([*UNUSUAL, "\x1b[31mred"])]
    (tmp_path / "a.jsonl").write_text("\n".join(records) + "\n")
    for form in ("table", "json"):
        done = run("check-data", "a.jsonl", "--to", form)
        assert done.returncode == 0, done.stderr
        assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr)


def test_labels_that_differ_in_white_space_are_one(tmp_path: Path, data: Path) -> None:
    """Around a name, and within it; in folders too."""
    (tmp_path / "a.csv").write_text('text,label\none, my tag \ntwo,"my\n tag"\nthree,my\ttag\nfour,other\n')
    dataset = load(str(tmp_path / "a.csv"))
    assert dataset.labels == ("my tag", "other")
    assert dataset.train.targets == (0, 0, 0, 1)
    (data / "train" / "kitchen").rename(data / "train" / " kitchen ")
    (data / "test" / "kitchen").rename(data / "test" / "kitchen  ")
    dataset = load(str(data))
    assert dataset.labels == ("harbour", "kitchen")
    assert len(dataset.test or ()) == 10
    assert len(load_labelled(str(data), dataset.labels).examples) == 10


def test_numbers_and_booleans_are_labels(tmp_path: Path) -> None:
    """As they are written in JSON."""
    lines = [f'{{"text": "{label}", "label": {label}}}' for label in ("42", "4.20", "true", "-0")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    assert load(str(tmp_path / "a.jsonl")).labels == ("-0", "4.20", "42", "true")


@pytest.mark.parametrize("place", ["data", "data/train", "data/train/kitchen"])
def test_a_folder_that_may_not_be_read_is_an_error(data: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """It names the folder; its texts are not left out."""
    locked = str(data.parent / place)
    scandir, opened, listdir = os.scandir, Path.open, os.listdir

    def refuse(path: Any) -> None:
        if str(path) == locked:
            raise PermissionError(13, "Permission denied", locked)

    def closed_scandir(path: Any) -> Any:
        refuse(path)
        return scandir(path)

    def closed_listdir(path: Any = ".") -> Any:
        refuse(path)
        return listdir(path)

    def closed_open(path: Path, *arguments: Any, **options: Any) -> Any:
        refuse(path)
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "scandir", closed_scandir)
    monkeypatch.setattr(os, "listdir", closed_listdir)
    monkeypatch.setattr(Path, "open", closed_open)
    with pytest.raises(InputError, match=f"{place} cannot be read: Permission denied"):
        load(str(data))


def test_many_tags_of_one_text_are_accepted(tmp_path: Path) -> None:
    """A thousand of them; the check warns, see test_checks.py."""
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"text {n},tag {n}\n" for n in range(1000)))
    dataset = load(str(tmp_path / "a.csv"))
    assert len(dataset.labels) == len(dataset.train) == 1000
