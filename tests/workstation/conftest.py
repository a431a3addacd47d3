"""The workstation side's tests need TensorFlow; where it is not installed they are not collected."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

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
