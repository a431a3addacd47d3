"""The workstation side's tests need TensorFlow; where it is not installed they are not collected."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.workstation.server import Server

collect_ignore_glob = [] if find_spec("tensorflow") else ["test_*.py"]

TEXTS = {
    "kitchen": ["the oven is too hot", "knead the dough well", "salt the soup", "bake the bread", "boil an egg now"],
    "harbour": ["tie the boat up", "the sail is torn", "raise the anchor", "wind from the west", "paint the hull now"],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small data set of two tags, in the layout that ``train`` reads; no text is in both parts."""
    folder = tmp_path / "data"
    for split in ("train", "test"):
        for label, texts in TEXTS.items():
            (folder / split / label).mkdir(parents=True)
            for number, text in enumerate(texts):
                (folder / split / label / f"{number}.txt").write_text(
                    text if split == "train" else f"today {text}", encoding="utf-8"
                )
    return folder


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on this machine."""
    with Server.running() as server:
        yield server


@pytest.fixture
def field_limit() -> Iterator[int]:
    """The csv module's own limit of a field; reading a table of the user's raises it for the whole process."""
    before = csv.field_size_limit(131_072)
    yield 131_072
    csv.field_size_limit(before)


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with local copies of small files, which take the place of the public ones; ``cache`` beside it is empty."""
    from tests.workstation.public_sets import put_copies, take_place

    take_place(monkeypatch, tmp_path / "cache")
    (tmp_path / "copies").mkdir()
    put_copies(tmp_path / "copies")
    return tmp_path / "copies"
