"""The systems of scikit-learn in ``benchmarks/own_tags_rivals.py``, on a few texts. fastText is not in this environment."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

ORCHARD = ["ripe apples", "apple juice", "pears and apples", "a pear tree", "the orchard in spring"]
WORKSHOP = ["a steel hammer", "hammer and nails", "nails of steel", "the steel saw", "saw and hammer"]


@pytest.fixture
def rivals(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("own_tags_rivals")


def split(folder: Path, labels: tuple[str, str]) -> Path:
    """Training texts, the same ones for the test."""
    data = importlib.import_module("own_tags_data")
    examples = [
        data.Example(text, label) for label, texts in zip(labels, (ORCHARD, WORKSHOP), strict=True) for text in texts
    ]
    for name in ("train", "test"):
        data.write(folder / f"{name}.csv", examples)
    return folder


@pytest.mark.parametrize("system", ["svc", "char-svc"])
def test_one_tag_per_text(rivals: Any, tmp_path: Path, system: str) -> None:
    figures = rivals.SINGLE[system](split(tmp_path, ("fruit", "tools")))
    assert figures["accuracy"] == figures["macro_f1"] == 1
    assert figures["bytes"] > 1000


@pytest.mark.parametrize("system", ["lr", "lr-tuned"])
def test_several_tags_per_text(rivals: Any, tmp_path: Path, system: str) -> None:
    figures = rivals.SEVERAL[system](split(tmp_path, ("fruit,nature", "tools,steel")))
    assert figures["micro_f1"] == figures["precision_1"] == 1
    assert figures["precision_3"] == pytest.approx(2 / 3, abs=1e-3)
    assert (figures["threshold"] == 0.5) == (system == "lr")
