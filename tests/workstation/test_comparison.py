"""Comparing two models on the same texts: which is better, by how much, and on which texts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import sotag_convert
from sotag_convert.data.dataset import Examples
from sotag_convert.export.device_run import Run as DeviceRun
from sotag_convert.report.comparison import Comparison, Outcome, compare
from sotag_convert.report.evaluate import Measured
from sotag_convert.report.evaluation import measure_multi, measure_single
from sotag_edge.errors import UsageError
from tests.conftest import FIXTURE, MULTI_LABEL, Run

LABELS = ("a", "b", "c")
TEXTS = "text,label\nknead the bread dough,baking\nprune the roses,gardening\nreef the sail in the wind,gardening\n"


def single(guesses: list[int], targets: list[int], *, score: float = 0.8, threshold: float = 0.5) -> Measured:
    """A model of three labels that gives each text a best guess with the same score."""
    scores = np.full((len(guesses), 3), (1 - score) / 2, np.float32)
    scores[np.arange(len(guesses)), guesses] = score
    answers = scores >= max(threshold, 1 / 3)
    texts = [f"text {number}" for number in range(len(guesses))]
    evaluation = measure_single(scores, answers.any(axis=1), targets, LABELS)
    return Measured(texts, Examples.single(texts, targets), DeviceRun(scores, answers, []), evaluation)


def several(answers: list[set[int]], members: list[set[int]]) -> Measured:
    """A multi-label model that is sure of its answers."""
    given, own = (np.array([[label in labels for label in range(3)] for labels in sets]) for sets in (answers, members))
    scores = np.where(given, 0.9, 0.1).astype(np.float32)
    texts = tuple("text" for _ in members)
    examples = Examples(texts, tuple(tuple(sorted(labels)) for labels in members))
    return Measured(
        texts, examples, DeviceRun(scores, given, []), measure_multi(scores, given, own, LABELS, (0.5,) * 3)
    )


def of_counts(neither: int, only_a: int, only_b: int, both: int) -> Comparison:
    """Two models of which so many texts are right."""
    a = [0] * neither + [1] * only_a + [0] * only_b + [1] * both
    b = [0] * neither + [0] * only_a + [1] * only_b + [1] * both
    return compare(single(a, [1] * len(a)), single(b, [1] * len(a)))


def test_mcnemars_test_by_hand() -> None:
    """Of 8 texts that one model has right, 1 is A's: as likely as 0, 1, 7 or 8 heads of 8 coins, 18 of 256."""
    found = of_counts(2, 1, 7, 10)
    assert (found.only_a_right, found.only_b_right) == (1, 7)
    assert found.p_value == pytest.approx(18 / 256)
    assert found.difference == pytest.approx(6 / 20)
    assert found.is_within_chance
    assert "within chance" in found.sentence()


def test_a_difference_that_is_more_than_chance() -> None:
    """The better model and the points are named, whichever of the two it is."""
    assert of_counts(20, 2, 30, 48).sentence() == (
        "B is better by 28.0 points of accuracy, which is more than chance explains."
    )
    assert of_counts(20, 30, 2, 48).sentence().startswith("A is better by 28.0 points")


def test_both_the_test_and_the_interval_decide() -> None:
    """5 against none: the interval is just above 0, McNemar's test at 0.0625 leaves it open."""
    found = of_counts(5, 0, 5, 90)
    assert found.interval[0] > 0
    assert found.p_value == pytest.approx(0.0625)
    assert found.is_within_chance


def test_models_that_answer_alike() -> None:
    """No texts with another answer, and an interval that says how little so few texts show."""
    found = of_counts(1, 0, 0, 5)
    assert found.sentence() == "Both models give every text the same answer."
    assert (found.p_value, found.changed) == (1, ())
    low, high = found.interval
    assert low == pytest.approx(-high)
    assert 0.1 < high < 0.5


def test_the_interval_is_one_of_shares() -> None:
    """Differences are from -1 to 1, however few the texts."""
    assert of_counts(0, 0, 2, 0).interval[1] == 1
    assert of_counts(0, 2, 0, 0).interval[0] == -1


def test_the_interval_covers_the_true_difference() -> None:
    """In about 95 % of drawn samples, of shares that are near each other and of shares that are not."""
    draw = np.random.default_rng(5)
    for shares in ((0.1, 0.04, 0.06, 0.8), (0.2, 0.02, 0.3, 0.48)):
        covered = 0
        for counts in draw.multinomial(80, shares, size=100).tolist():
            low, high = of_counts(*counts).interval
            covered += low <= shares[2] - shares[1] <= high
        assert 0.9 <= covered / 100 < 1


def test_the_changed_answers() -> None:
    """Each text with another answer has its number, its label, both answers and the text; the kinds are counted."""
    a = single([0, 1, 2, 0], [0, 1, 1, 2], score=0.8)
    b = single([0, 2, 1, 0], [0, 1, 1, 2], score=0.6)
    found = compare(a, b)
    assert found.kinds() == {"right to wrong": 1, "wrong to right": 1}
    first = found.changed[0]
    assert (first.number, first.labels, first.text) == (2, ("b",), "text 1")
    assert (first.a.labels, first.a.outcome, first.b.labels, first.b.outcome) == (
        ("b",),
        Outcome.RIGHT,
        ("c",),
        Outcome.WRONG,
    )
    assert (first.a.score, first.b.score) == (pytest.approx(0.8), pytest.approx(0.6))
    change = found.largest_change
    assert (change.number, change.label, change.a) == (2, "b", pytest.approx(0.8))
    assert change.b == pytest.approx(0.2)


def test_answers_of_unknown_are_kinds_of_their_own() -> None:
    """A right and a wrong answer that the other model does not give; the best guesses stay what they are."""
    found = compare(single([0, 1], [0, 0]), single([0, 1], [0, 0], threshold=0.9))
    assert found.kinds() == {"right to unknown": 1, "wrong to unknown": 1}
    assert found.changed[0].b.labels == ()
    assert (found.only_a_right, found.only_b_right, found.difference) == (0, 0, 0)


def test_the_order_of_the_labels_does_not_matter() -> None:
    """The second model has the same labels in another order."""
    a = single([0, 1, 2, 1], [0, 1, 1, 2])
    b = single([0, 2, 1, 1], [0, 1, 1, 2])
    order = [2, 0, 1]  # b's first label is the third one
    scores, answers = b.run.scores[:, order], b.run.answers[:, order]
    targets = [order.index(target) for target in b.examples.targets]
    evaluation = measure_single(scores, answers.any(axis=1), targets, [LABELS[number] for number in order])
    turned = Measured(b.texts, Examples.single(b.texts, targets), DeviceRun(scores, answers, []), evaluation)
    usual, other = compare(a, b), compare(a, turned)
    assert other.changed == usual.changed
    assert (other.only_a_right, other.only_b_right, other.largest_change) == (1, 1, usual.largest_change)


def test_several_labels() -> None:
    """Right is a text with exactly its labels; the figure is the micro-F1, whose texts are drawn for both models at once."""
    members = [{0, 1}, {2}, {0}, {1, 2}] * 20
    worse = compare(several(members, members), several([{0}, {2}, {0}, {1, 2}] * 20, members))
    assert (worse.only_a_right, worse.only_b_right) == (20, 0)
    assert worse.kinds() == {"right to wrong": 20}
    assert worse.difference == pytest.approx(200 / 220 - 1)
    assert worse.interval[0] < worse.difference < worse.interval[1] < 0
    assert worse.sentence() == "A is better by 9.1 points of micro-F1, which is more than chance explains."
    alike = compare(several([{0}, {2}] * 40, members), several([{0}, {2}] * 40, members))
    assert alike.interval == (0, 0)
    assert alike.is_within_chance


def with_threshold(folder: Path, threshold: float) -> Path:
    """A copy of the fixture model that answers only from this score on."""
    shutil.copytree(FIXTURE, folder)
    manifest = json.loads((folder / "model.json").read_bytes())
    manifest["scores"]["threshold"] = threshold
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Three texts for the fixture model, the last one with a label that it does not guess."""
    (tmp_path / "texts.csv").write_text(TEXTS, encoding="utf-8")
    return tmp_path / "texts.csv"


def test_the_command_compares_two_models(run: Run, texts: Path, tmp_path: Path) -> None:
    """Figures, sizes and times of both, and the texts with another answer."""
    other = with_threshold(tmp_path / "strict", 1.0)
    done = run("evaluate", FIXTURE, other, texts, "--to", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["a"]["bytes"] > 1000
    assert found["a"]["milliseconds"] > 0
    assert found["b"]["model"] == str(other)
    (view,) = found["views"].values()
    assert view["kinds"] == {"right to unknown": 2, "wrong to unknown": 1}
    assert [text["number"] for text in view["changed"]] == [1, 2, 3]
    assert view["changed"][0]["text"] == "knead the bread dough"
    assert view["changed"][0]["b"]["labels"] == []
    assert (view["a"]["accuracy"], view["a"]["answered"], view["b"]["answered"]) == (0.66667, 1, 0)
    shown = run("evaluate", FIXTURE, other, texts).stdout
    assert "the difference of the accuracy is within chance" in shown.lower()
    assert "3 of 3 texts have another answer: 2 from right to unknown, 1 from wrong to unknown." in shown
    assert "knead the bread dough" in shown


def test_the_texts_are_read_once(run: Run, tmp_path: Path) -> None:
    """Standard input is there once; a control character in a text does not reach the terminal."""
    other = with_threshold(tmp_path / "strict", 1.0)
    done = run("evaluate", FIXTURE, other, "-", "--from", "csv", input=TEXTS.replace("knead", "\x1b[31mknead"))
    assert done.returncode == 0, done.stderr
    assert "\ufffd[31mknead" in done.stdout
    assert "\x1b" not in done.stdout


def test_what_a_second_model_is(run: Run, texts: Path, tmp_path: Path) -> None:
    """A name is a model, a path with a model in it too; the last argument and what has no model is data."""
    shutil.copytree(FIXTURE, tmp_path / "fixture")
    data = tmp_path / "tiny" / "baking"  # data that is called like a model that exists
    data.mkdir(parents=True)
    (data / "1.txt").write_text("knead the dough", encoding="utf-8")
    for arguments in (["./tiny", texts], ["tiny"]):
        done = run("evaluate", FIXTURE, *arguments, "--to", "json")
        assert list(json.loads(done.stdout)) == ["as given"], done.stderr
    assert run("evaluate", FIXTURE, "fixture", texts).returncode == 1  # data, without texts
    compared = json.loads(run("evaluate", FIXTURE, "./fixture", texts, "--to", "json").stdout)
    assert compared["views"]["as given"]["difference"] == 0


def test_a_second_model_without_data(run: Run, tmp_path: Path) -> None:
    """The data was forgotten: one sentence says so, by name or by folder."""
    shutil.copytree(FIXTURE, tmp_path / "fixture")
    for other in ("tiny", "./fixture"):
        done = run("evaluate", FIXTURE, other)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"sotag-edge: '{other}' is a model: name the data to compare them on\n"


def test_a_model_and_itself(run: Run, texts: Path, tmp_path: Path) -> None:
    """They are compared, and a sentence says why they do not differ; other thresholds make another model."""
    shutil.copytree(FIXTURE, tmp_path / "copy")
    done = run("evaluate", FIXTURE, "./copy", texts)
    assert done.returncode == 0
    assert done.stderr == f"sotag-edge: {FIXTURE} and ./copy are the same model\n"
    assert "Both models give every text the same answer." in done.stdout
    assert run("evaluate", FIXTURE, with_threshold(tmp_path / "strict", 1.0), texts).stderr == ""


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("tiny", "and only tiny has csharp, java"),
        ("tiny", "models with different tags cannot be compared: only "),
        (MULTI_LABEL, "is a single-label model and "),
    ],
)
def test_models_that_cannot_be_compared(run: Run, texts: Path, other: str | Path, words: str) -> None:
    """One sentence, and the exit code of a wrong use."""
    done = run("evaluate", FIXTURE, other, texts)
    assert (done.returncode, done.stdout, words in done.stderr) == (2, "", True), done.stderr


def test_the_python_function(tmp_path: Path) -> None:
    """It takes texts and labels in memory, also with several labels per text."""
    other = with_threshold(tmp_path / "strict", 1.0)
    texts, labels = ["knead the bread dough", "prune the roses"], ["baking", "gardening"]
    found = sotag_convert.compare(FIXTURE, other, texts, labels)
    assert (found.difference, found.kinds()) == (0, {"right to unknown": 2})
    pairs = sotag_convert.compare(MULTI_LABEL, MULTI_LABEL, ["knead the dough"], [["baking"]])
    assert pairs.sentence() == "Both models give every text the same answer."
    with pytest.raises(UsageError, match="different tags"):
        sotag_convert.compare(FIXTURE, "tiny", texts, labels)
