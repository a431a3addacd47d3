"""Measuring a model on labelled texts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from sotag_convert.export import device_run
from sotag_convert.report.evaluate import with_off_topic
from sotag_convert.report.evaluation import measure_single
from tests.conftest import Run
from tests.workstation.tables import printed

TEXTS = {
    "baking": ["knead the bread dough", "is the oven too hot?", "how much yeast goes into the loaf"],
    "gardening": ["sow the seeds in the soil", "prune the roses", "reef the sail in the wind"],
}


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Texts of two of the fixture model's three labels, one of them with the wrong one."""
    for label, texts in TEXTS.items():
        (tmp_path / "texts" / "test" / label).mkdir(parents=True)
        for number, text in enumerate(texts):
            (tmp_path / "texts" / "test" / label / f"{number}.txt").write_text(text, encoding="utf-8")
    return tmp_path / "texts"


def test_figures_of_known_scores() -> None:
    """Four texts of two labels, three right, the least sure one wrong and answered unknown."""
    scores = numpy.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])
    found = measure_single(scores, [True, False, True, True], [0, 1, 1, 1], ("a", "b"))
    assert found.accuracy == 0.75
    assert found.interval[0] < 0.75 < found.interval[1]
    assert found.confusion == ((1, 0), (1, 2))
    assert [(figures.label, figures.texts, figures.precision) for figures in found.labels] == [
        ("a", 1, 0.5),
        ("b", 3, 1),
    ]
    assert found.labels[1].recall == pytest.approx(2 / 3)
    assert dict(found.coverage)[0.8] == 1
    assert dict(found.coverage)[1.0] == 0.75
    assert (found.answered, found.answered_accuracy) == (0.75, 1)
    assert found.figure == found.accuracy
    assert found.log_loss == pytest.approx(-numpy.log([0.9, 0.4, 0.8, 0.7]).mean())
    assert found.confusions(3) == [("b", "a", 1)]


def test_a_label_that_is_never_guessed_has_zeros() -> None:
    """No division by zero where a label has no text, or no guess, or nothing is answered."""
    found = measure_single(numpy.array([[1.0, 0.0]]), [False], [1], ("a", "b"))
    assert (found.labels[0].recall, found.labels[1].precision, found.answered_accuracy) == (0, 0, 0)


def test_the_figures_are_those_of_scikit_learn() -> None:
    """Macro-F1 is the mean of the labels that have texts, of the best guesses."""
    draw = numpy.random.default_rng(1)
    scores = draw.dirichlet(numpy.ones(5), 200)
    targets = draw.integers(0, 4, 200)
    found = measure_single(scores, [True] * 200, targets.tolist(), tuple("abcde"))
    guesses = scores.argmax(axis=1)
    assert found.macro_f1 == pytest.approx(f1_score(targets, guesses, labels=range(4), average="macro"))
    assert found.accuracy == pytest.approx(accuracy_score(targets, guesses))
    assert found.log_loss == pytest.approx(log_loss(targets, scores, labels=range(5)))


def test_many_tags_on_a_terminal() -> None:
    """The most frequent confusions replace the table of all, and only the worst tags are listed; a file has them all."""
    labels = tuple(f"tag{number}" for number in range(57))
    targets = [*range(57), *[3] * 9, *[4] * 5]
    guesses = [*range(57), *[5] * 9, *[6] * 5]
    found = measure_single(numpy.eye(57)[guesses] * 0.5 + 0.01, [True] * 71, targets, labels)
    assert found.confusions(1) == [("tag3", "tag5", 9)]
    assert len(found.to_json()["labels"]) == 57
    shown = printed(found, terminal=True)
    assert "the 20 tags with the lowest F1, of 57" in shown
    assert "the most frequent confusions" in shown
    rows = [line.split() for line in shown.splitlines()]
    assert ["9", "tag3", "tag5"] in rows
    assert ["5", "tag4", "tag6"] in rows
    assert max(len(row) for row in rows if row[:1] == ["tag3"]) == 5
    assert sum(row[:1] == ["tag40"] for row in rows) == 0
    whole = [line.split() for line in printed(found, terminal=False).splitlines()]
    assert sum(row[:1] == ["tag40"] for row in whole) == 1


def test_tables_fit_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """All confusions of 20 tags are wider than that: the most frequent ones are listed; nothing is cut."""
    monkeypatch.setenv("COLUMNS", "80")
    labels = tuple(f"tag{number}" for number in range(20))
    guesses = [*range(20), 5, 5]
    found = measure_single(numpy.eye(20)[guesses] * 0.5 + 0.01, [True] * 22, [*range(20), 3, 3], labels)
    shown = printed(found, terminal=True)
    assert "the most frequent confusions" in shown
    assert "…" not in shown
    assert "95 % interval" in shown
    assert "answered" in shown
    tables = [line for line in shown.splitlines() if not line.endswith(".")]  # a terminal wraps the sentences
    assert max(map(len, tables)) <= 80
    assert "tag, then best guess" in printed(found, terminal=False)


def test_evaluate_prints_what_a_program_reads(run: Run, labelled: Path, fixture_model: Path) -> None:
    """With --to json one object a view; labels that the texts have none of are there, with no texts."""
    done = run("evaluate", fixture_model, labelled, "--to", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["as given"]
    assert list(found)[:4] == ["kind", "on", "texts", "accuracy"]
    assert (found["kind"], found["on"]) == ("single-label", "test texts")
    assert found["accuracy"] == pytest.approx(5 / 6, abs=1e-4)
    assert [label["texts"] for label in found["labels"]] == [3, 3, 0]
    assert found["confusion"] == [[3, 0, 0], [0, 2, 1], [0, 0, 0]]


def test_evaluate_shows_tables(run: Run, labelled: Path, fixture_model: Path) -> None:
    """People read accuracy with its interval, the tags, the confusions; a folder of label folders will do."""
    done = run("evaluate", fixture_model, labelled / "test")
    assert done.returncode == 0, done.stderr
    for words in ("95 % interval", "0.8333", "precision", "gardening", "best guess"):
        assert words in done.stdout


def test_texts_of_none_of_the_tags_are_measured_apart(run: Run, labelled: Path, fixture_model: Path) -> None:
    """A folder ``unknown`` changes no accuracy; what share of its texts is answered unknown is told."""
    (labelled / "test" / "unknown").mkdir()
    for number, text in enumerate(("zebra quartz", "knead the bread dough")):
        (labelled / "test" / "unknown" / f"{number}.txt").write_text(text, encoding="utf-8")
    found = json.loads(run("evaluate", fixture_model, labelled, "--to", "json").stdout)["as given"]
    assert found["accuracy"] == pytest.approx(5 / 6, abs=1e-4)
    assert found["off_topic_unknown"] == 0.5
    assert "as given: 50.0% of off-topic texts are answered unknown" in run("evaluate", fixture_model, labelled).stdout


def test_the_auroc_of_off_topic_texts() -> None:
    """The share of the pairs of a text and an off-topic one in which the text's best score is higher."""
    scores = numpy.array([[0.9, 0.1], [0.4, 0.3], [0.2, 0.8]], numpy.float32)
    off_topic = device_run.Run(
        numpy.array([[0.5, 0.1], [0.1, 0.3]], numpy.float32), numpy.array([[True, False], [False] * 2]), []
    )
    found = with_off_topic(measure_single(scores, [True] * 3, [0, 0, 1], ("a", "b")), scores, off_topic)
    assert found.off_topic_auroc == pytest.approx(5 / 6)
    assert found.off_topic_unknown == 0.5
    assert found.accuracy == 1


def test_evaluate_needs_no_tensorflow(run: Run, labelled: Path, fixture_model: Path, tmp_path: Path) -> None:
    """Where TensorFlow and Keras cannot be imported, in its child processes neither, the figures are the same."""
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('tensorflow', 'tf_keras', 'keras'):\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
    )
    paths = [str(tmp_path / "blocked"), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    blocked = subprocess.run([sys.executable, "-c", "import tensorflow"], env=environment, capture_output=True)
    assert blocked.returncode != 0
    usual, without = (run("evaluate", fixture_model, labelled, "--to", "json", env=env) for env in (None, environment))
    assert without.returncode == 0, without.stderr
    assert json.loads(without.stdout) == json.loads(usual.stdout)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("nowhere", "no data at nowhere"),
        (".", "and the model baking, gardening, sailing"),
        ("texts/test/baking", "(none)"),
    ],
)
def test_data_that_does_not_fit_is_said(
    run: Run, labelled: Path, fixture_model: Path, tmp_path: Path, data: str, words: str
) -> None:
    """A missing folder, other labels, no labels: one sentence, exit code 1."""
    done = run("evaluate", fixture_model, data)
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (1, True, False), done.stderr
