"""Small files that take the place of the public ones: what is in them, and how they are put there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sotag_convert.data import sotitle, stackoverflow_16k, tagged_titles
from sotag_convert.data.dataset import Dataset
from sotag_convert.data.load import load
from sotag_convert.data.settings import DataSettings
from sotag_convert.data.tagged_titles import TaggedTitle, TitleParts, TitleRows
from sotag_edge.trial import CACHE_VARIABLE
from tests.workstation.public_files import (
    hashes,
    packed,
    rows_of,
    sha256,
    sixteen_k,
    table,
    tagged_jsonl,
    tagged_tsv,
    training_sha256,
)

TITLES = [
    TaggedTitle(1, "Sort the shelf?", ("java", "sorting")),
    TaggedTitle(2, "Count the spoons", ("arrays", "python")),
    TaggedTitle(3, "Call one from the other", ("java", "javascript", "python")),
    TaggedTitle(4, "Knead the dough", ("php", "ruby")),
    TaggedTitle(5, "Water the roses", ("javascript", "php")),
    TaggedTitle(6, "Paint the hull", ("sorting",)),
    TaggedTitle(7, "Reef the sail", ("c#", "java")),
    TaggedTitle(8, "Anchor here", ("c#", "arrays")),
    TaggedTitle(9, "Bake bread", ("php",)),
    TaggedTitle(10, "Salt the soup", ("c#", "javascript", "arrays")),
    TaggedTitle(11, "In no part", ("c#",)),
]
PARTS = TitleParts([*TITLES[:4], TITLES[6]], TITLES[4:6], TITLES[7:10])

WHOLE = {"csharp": 32, "java": 30, "javascript": 31, "python": 32}  # questions with a body; 3 of 30 are a tenth
SHORT = {"csharp": 12, "java": 11, "javascript": 10, "python": 12}


def question_files() -> dict[str, bytes]:
    """Questions with bodies and titles without; every text names its label."""
    files = {}
    for label, folder in sotitle.FOLDERS.items():
        titles = [f"Question {number} of {label}" for number in range(WHOLE[label])]
        files[f"data/{folder}/test_title.csv"] = table(titles)
        files[f"data/{folder}/test_body.csv"] = table([f"The body of a {title}" for title in titles])
        titles = [f"Title {number} of {label}" for number in range(SHORT[label])]
        files[f"data/{folder}/train_title.csv"] = table(titles)
    return files


FILES = question_files()
NONE = {f"{folder}/{split}": frozenset[int]() for folder in sotitle.FOLDERS.values() for split in sotitle.SPLITS}


def take_place(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """The files above are the public ones, at an address where there is nothing; the cache is an empty folder."""
    for module in (sotitle, tagged_titles):
        monkeypatch.setattr(module, "URL", "http://127.0.0.1:9/")
    monkeypatch.setattr(stackoverflow_16k, "TEXTS_PER_LABEL", {"train": 10, "test": 1})
    monkeypatch.setattr(stackoverflow_16k, "TRAINING_SHA256", training_sha256(10))
    monkeypatch.setattr(sotitle, "SHA256", hashes(FILES))
    monkeypatch.setattr(sotitle, "excluded_rows", lambda: NONE)
    monkeypatch.setattr(tagged_titles, "SHA256", sha256(tagged_tsv(TITLES)))
    monkeypatch.setattr(TitleRows, "shipped", lambda: rows_of(PARTS))
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    cache.mkdir()


def put_copies(folder: Path) -> None:
    """Write local copies of the files."""
    (folder / stackoverflow_16k.ARCHIVE).write_bytes(sixteen_k({"train": 10, "test": 1}))
    (folder / tagged_titles.PART).write_bytes(tagged_jsonl(TITLES))
    packed(folder, FILES)


def load_from(folder: Path | None, name: str = "stackoverflow") -> Dataset:
    """A public data set; ``folder``: what --archive names."""
    return load(name, DataSettings(archive=folder))
