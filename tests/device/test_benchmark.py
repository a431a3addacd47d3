"""The parts of ``make bench`` that need neither the other systems nor a network."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge import Classifier
from sotag_edge.tokenizer import tokenize
from tests.conftest import FIXTURE, LINEAR_BRANCH, ROOT, STEPS


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts import each other by their bare names."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def script(name: str) -> ModuleType:
    return importlib.import_module(name)


class Fake:
    """A worker that notes its turns; twice as fast as another one if ``seconds`` is half."""

    def __init__(self, name: str, seconds: float, turns: list[tuple[str, int, int]]) -> None:
        self._name, self._seconds, self._turns = name, seconds, turns

    def tag(self, way: str, texts: str, start: int, stop: int) -> dict[str, Any]:
        self._turns.append((self._name, start, stop))
        return {"cpu": self._seconds, "wall": self._seconds, "labels": ["a"] * (stop - start), "micros": []}


PIECES = [
    "a",
    "B",
    "1_",
    " ",
    ".",
    "'",
    '"',
    '""""',
    "&",
    ";",
    "#",
    "$x",
    "<",
    "\\",
    "\r\n",
    "\n",
    "\t",
    "É",
    "日",
    "&amp;lt;",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_fasttext_gets_the_tokens_of_the_tokenizer(text: str) -> None:
    """Without being split in Python, a line for fastText has the tokens that ``tokenize`` makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        line = script("systems").line_of(text)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert line.split() == tokenize(text)


def test_systems_take_turns() -> None:
    """Each part of the texts is tagged by all systems before the next one, and who is first changes."""
    turns: list[tuple[str, int, int]] = []
    workers = {"slow": Fake("slow", 2.0, turns), "fast": Fake("fast", 1.0, turns)}
    rounds = script("turns").take_turns(workers, "one", "test", 5, 2, 3)
    assert turns[:4] == [("slow", 0, 3), ("fast", 0, 3), ("fast", 3, 5), ("slow", 3, 5)]
    assert [turn.cpu for turn in rounds["slow"]] == [4.0, 4.0]
    assert [len(turn.labels) for turn in rounds["fast"]] == [5, 5]


def test_a_ratio_is_computed_within_a_round() -> None:
    """A slow moment of the machine, in which all systems are slow, changes no ratio."""
    page = script("page")
    assert page.ratios([2.0, 20.0, 2.0], [1.0, 10.0, 1.0]) == [2.0, 2.0, 2.0]
    assert page.spread([1.0, 1.1, 1.2, 1.3, 9.0]) == "1.20x (1.10-1.30)"


@pytest.mark.parametrize(
    "answers",
    [
        "{0}:1\ta\n{0}:2\tb\n{0}:3\ta\n",
        "{0}:1\ta\n{0}:2\tb\n{0}:3\tb\n{0}:4\tb\n",
        "{0}:1\ta\n{0}:3\tb\n{0}:2\ta\n{0}:4\tb\n",
    ],
    ids=["missing", "another answer", "out of place"],
)
def test_a_stream_with_wrong_answers_is_not_measured(tmp_path: Path, answers: str) -> None:
    """Two texts in turn, four lines."""
    commands = script("commands")
    lines, rows = tmp_path / "lines.txt", tmp_path / "rows.tsv"
    rows.write_text(f"{lines}:1\ta\n{lines}:2\tb\n{lines}:3\ta\n{lines}:4\tb\n", encoding="utf-8")
    commands.check_answers(lines, rows, 4, 2)
    rows.write_text(answers.format(lines), encoding="utf-8")
    with pytest.raises(SystemExit):
        commands.check_answers(lines, rows, 4, 2)


def test_each_runtime_has_its_requirements() -> None:
    """One runtime and one NumPy each, and what both need."""
    environments = script("environments")
    for runtime, numpy in (("ai-edge-litert", ">=1.26"), ("tflite-runtime", "<2")):
        found = environments.requirements(runtime)
        assert [line.startswith(runtime) for line in found if line.startswith(tuple(environments.RUNTIMES))] == [True]
        assert [numpy in line for line in found if line.startswith("numpy")] == [True]
        assert any(line.startswith("typer") for line in found)
        assert not any("extra" in line for line in found)


@pytest.mark.parametrize("model", [FIXTURE, LINEAR_BRANCH, STEPS], ids=lambda model: model.name)
def test_the_floor_invokes_every_kind_of_model(model: Path) -> None:
    """One invoke, whatever inputs the graph has; beside the scores a network that reads in steps has its maxima."""
    command = [sys.executable, ROOT / "benchmarks" / "floor.py", model / "model.tflite"]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    outputs = [float(number) for number in found.strip("[]\n").split()]
    assert sum(outputs[: len(Classifier.load(model).labels)]) == pytest.approx(1, abs=1e-3)


def test_the_curve_of_tokens_read_has_no_early_exit() -> None:
    """A text whose beginning is enough for the model is read as far as each point of the curve says."""
    accuracy = script("accuracy")
    beginning = "knead the bread dough in the oven with"
    text = f"{beginning} {'sail ' * 40}"
    classifier = Classifier.load(STEPS)
    assert len(classifier.read(text).ids) == 8
    rows = accuracy.tokens_read(STEPS, [text], ["sailing"], 1)
    assert [row["tokens"] for row in rows] == [32, 64, 128, 256, 384, 512, 768]
    assert rows[-1]["accuracy"] == 1
