"""Measuring a model that gives a text several labels: its figures, tables, JSON and Python API."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_score, recall_score

import sotag_convert
from sotag_convert.export import device_run
from sotag_convert.report.evaluation import MultiLabelEvaluation, measure_multi
from sotag_convert.report.held_out import evaluate_held_out
from sotag_edge import Classifier
from sotag_edge.decision import MultiLabel, SingleLabel
from sotag_edge.errors import InputError
from tests.conftest import FIXTURE, MULTI_LABEL, Run
from tests.workstation.tables import printed

LABELS = ("a", "b", "c", "d", "e", "f")
# Four texts. Ranked: abc def; bac fed; fab ...; cba ...
SCORES = np.array(
    [
        [0.9, 0.8, 0.7, 0.3, 0.2, 0.1],
        [0.6, 0.9, 0.5, 0.1, 0.2, 0.3],
        [0.4, 0.3, 0.2, 0.1, 0.0, 0.5],
        [0.2, 0.3, 0.9, 0.1, 0.0, 0.05],
    ]
)
MEMBERS = np.array(
    [[1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 1], [0, 0, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0]],
    dtype=bool,
)
ANSWERS = np.array(
    [[1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]],
    dtype=bool,
)
THRESHOLDS = (0.5, 0.75, 0.8, 0.4, 0.4, 0.6)


def found() -> MultiLabelEvaluation:
    return measure_multi(SCORES, ANSWERS, MEMBERS, LABELS, THRESHOLDS, "test texts")


def drawn(texts: int = 300, labels: int = 8) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Scores, and labels that follow them more or less; the last label has no text, each text has one."""
    draw = np.random.default_rng(3)
    scores = draw.random((texts, labels)) ** 3
    members = draw.random((texts, labels)) < scores * 0.8
    members[:, 0] |= ~members[:, :-1].any(axis=1)
    members[:, -1] = False
    return scores, members


def test_figures_by_hand() -> None:
    """Four texts: four labels right of five answered and six true ones; ranks, exact sets, one text without an answer."""
    figures = found()
    assert (figures.kind, figures.on, figures.texts) == ("multi-label", "test texts", 4)
    assert figures.micro_f1 == figures.figure == pytest.approx(2 * 4 / (5 + 6))
    assert (figures.precision, figures.recall) == (pytest.approx(4 / 5), pytest.approx(4 / 6))
    assert (figures.exact, figures.answered) == (0.5, 0.75)
    # Of the best 1, 3, 5 labels are right: text 1: 1, 2, 2; text 2: 0, 1, 2; text 3: 0, 0, 1; text 4: 1, 1, 1.
    assert dict(figures.precision_at) == pytest.approx({1: 2 / 4, 3: 4 / 12, 5: 6 / 20})
    assert dict(figures.recall_at) == pytest.approx({1: 1.5 / 4, 3: 2.5 / 4, 5: 4 / 4})
    a, _, c, d, _, f = figures.labels
    assert (a.label, a.texts, a.precision, a.recall, a.f1, a.threshold) == ("a", 2, 1, 1, 1, 0.5)
    assert (c.texts, c.precision, c.recall, c.f1) == (2, 1, 0.5, pytest.approx(2 / 3))
    assert (d.texts, d.precision, d.recall, d.f1) == (0, 0, 0, 0)
    assert (f.texts, f.recall) == (1, 0)
    b_f1 = 2 / 3
    assert figures.macro_f1 == pytest.approx((1 + b_f1 + 2 / 3 + 0) / 4)


def test_the_figures_are_those_of_scikit_learn() -> None:
    """Micro and macro F1, precision, recall and the log loss of each label."""
    scores, members = drawn()
    answers = scores > 0.3
    figures = measure_multi(scores, answers, members, tuple("abcdefgh"), (0.3,) * 8)
    assert figures.micro_f1 == pytest.approx(f1_score(members, answers, average="micro"))
    assert figures.macro_f1 == pytest.approx(f1_score(members[:, :-1], answers[:, :-1], average="macro"))
    assert figures.precision == pytest.approx(precision_score(members, answers, average="micro"))
    assert figures.recall == pytest.approx(recall_score(members, answers, average="micro"))
    assert figures.exact == pytest.approx(accuracy_score(members, answers))
    losses = [log_loss(members[:, label], scores[:, label], labels=[False, True]) for label in range(8)]
    assert figures.log_loss == pytest.approx(sum(losses))
    for label, f1 in zip(figures.labels[:-1], f1_score(members[:, :-1], answers[:, :-1], average=None), strict=True):
        assert label.f1 == pytest.approx(f1)


def test_scores_that_are_probabilities_have_a_small_calibration_error() -> None:
    """Over all pairs of text and label; half of them are a large one."""
    draw = np.random.default_rng(1)
    scores = draw.random((5000, 4))
    members = draw.random((5000, 4)) < scores
    right = measure_multi(scores, scores > 0.5, members, tuple("abcd"), (0.5,) * 4)
    half = measure_multi(scores / 2, scores > 0.5, members, tuple("abcd"), (0.5,) * 4)
    assert right.calibration_error < 0.02
    assert half.calibration_error == pytest.approx(0.25, abs=0.02)


def test_the_interval_covers_the_figure_of_other_texts() -> None:
    """As wide as the spread of the micro-F1 over fresh samples of as many texts; the same at every call."""
    scores, members = drawn(20_000)
    answers = scores > 0.3
    samples = [f1_score(members[n : n + 200], answers[n : n + 200], average="micro") for n in range(0, 20_000, 200)]
    first = measure_multi(scores[:200], answers[:200], members[:200], tuple("abcdefgh"), (0.3,) * 8)
    again = measure_multi(scores[:200], answers[:200], members[:200], tuple("abcdefgh"), (0.3,) * 8)
    assert first.interval == again.interval
    low, high = first.interval
    assert low < first.micro_f1 < high
    assert high - low == pytest.approx(2 * 1.96 * np.std(samples), rel=0.25)


def test_figures_do_not_depend_on_how_texts_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large arrays are worked on in parts."""
    scores, members = drawn()
    whole = measure_multi(scores, scores > 0.3, members, tuple("abcdefgh"), (0.3,) * 8)
    monkeypatch.setattr("sotag_convert.report.evaluation._CHUNK", 56)
    parts = measure_multi(scores, scores > 0.3, members, tuple("abcdefgh"), (0.3,) * 8)
    assert parts.precision_at == whole.precision_at
    assert parts.log_loss == pytest.approx(whole.log_loss)
    assert parts.calibration_error == pytest.approx(whole.calibration_error)


def test_memory_is_in_proportion_to_the_scores() -> None:
    """2,000,000 scores of 8 MB take less than 80 MB to measure."""
    scores = np.random.default_rng(1).random((20_000, 100), np.float32)
    members = scores > 0.98
    members[:, 0] = True
    tracemalloc.start()
    try:
        measure_multi(scores, scores > 0.9, members, tuple(map(str, range(100))), (0.5,) * 100)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 80_000_000


def test_the_device_answers_as_a_classifier_does() -> None:
    """Scores and answered labels of each text come back from the process, also of one without words."""
    texts = ["knead the dough and reef the sail in the wind", "", "how do i reef"]
    run = device_run.run(MULTI_LABEL, texts)
    classifier = Classifier.load(MULTI_LABEL)
    for scores, answers, prediction in zip(run.scores, run.answers, classifier.classify_many(texts), strict=True):
        assert scores.tolist() == pytest.approx(list(prediction.scores.values()))
        chosen = {label for label, is_answered in zip(classifier.labels, answers, strict=True) if is_answered}
        assert chosen == set(prediction.labels)
    assert run.answered.tolist() == [True, False, False]
    assert run.answers[0].tolist() == [True, False, True]


def test_a_model_in_the_current_folder_is_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """``./model`` is ``model`` as a path, and would be a name as text."""
    monkeypatch.chdir(MULTI_LABEL.parent)
    assert device_run.run(Path("./multi-label"), ["how do i reef"]).scores.shape == (1, 3)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Texts with one label, two, and none."""
    file = tmp_path / "texts.jsonl"
    rows = [
        ("knead the dough and reef the sail in the wind", ["baking", "sailing"]),
        ("sow the seeds and knead the bread dough", ["baking"]),
        ("sow the seeds in the soil", ["gardening"]),
        ("zebra quartz", []),
        ("knead the bread dough", []),
    ]
    file.write_text("".join(json.dumps({"text": text, "label": labels}) + "\n" for text, labels in rows))
    return file


def test_evaluate_prints_what_a_program_reads(run: Run, labelled: Path) -> None:
    """The kind comes first, the labels last; no confusions."""
    done = run("evaluate", MULTI_LABEL, labelled, "--to", "json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["as given"]
    assert list(figures)[:4] == ["kind", "on", "texts", "micro_f1"]
    assert list(figures)[-1] == "labels"
    assert (figures["kind"], figures["texts"], figures["off_topic_unknown"]) == ("multi-label", 3, 0.5)
    assert [label["threshold"] for label in figures["labels"]] == [0.5, 0.6, 0.8]
    assert [label["texts"] for label in figures["labels"]] == [2, 1, 1]
    assert [rank for rank, _ in figures["precision_at"]] == [1, 3]  # there are three labels
    assert "confusion" not in figures


def test_evaluate_shows_tables(run: Run, labelled: Path) -> None:
    """People read micro-F1 with its interval, the tags with their thresholds, the ranks, the off-topic texts."""
    done = run("evaluate", MULTI_LABEL, labelled)
    assert done.returncode == 0, done.stderr
    for words in ("3 texts", "micro-F1", "95 % interval", "exactly their tags", "threshold", "gardening", "0.8000"):
        assert words in done.stdout, words
    assert "tags with the best scores" in done.stdout
    assert "as given: 50.0% of off-topic texts are answered unknown" in done.stdout


def test_the_worst_of_many_tags_on_a_terminal() -> None:
    """Of 30 tags 20 are listed, without those that no text has; the one that is always right is not among them."""
    names = tuple(f"tag{number}" for number in range(30))
    members = np.eye(30, dtype=bool)[[*range(1, 30), 5]]
    answers = members.copy()
    answers[members.argmax(axis=1) > 15] = False
    figures = measure_multi(np.where(answers, 0.9, 0.1), answers, members, names, (0.5,) * 30)
    shown = printed(figures, terminal=True)
    assert "the 20 tags with the lowest F1, of 30" in shown
    listed = [line.split()[0] for line in shown.splitlines() if line.split()[:1] and line.split()[0].startswith("tag")]
    assert "tag0" not in listed
    assert {f"tag{number}" for number in range(16, 30)} < set(listed)
    assert sum(line.split()[:1] == ["tag0"] for line in printed(figures, terminal=False).splitlines()) == 1


def test_the_python_api_takes_lists_of_labels() -> None:
    """An empty list is an off-topic text."""
    texts = ["knead the dough and reef the sail in the wind", "sow the seeds in the soil", "zebra quartz"]
    figures = sotag_convert.evaluate(MULTI_LABEL, texts, [["baking", "sailing"], ["gardening"], []])
    assert isinstance(figures, MultiLabelEvaluation)
    assert (figures.texts, figures.micro_f1, figures.off_topic_unknown) == (2, 1, 1)
    single = sotag_convert.evaluate(MULTI_LABEL, texts[1:2], ["gardening"])
    assert single.figure == 1


def test_several_labels_and_a_model_that_gives_one() -> None:
    """It is an error, and nothing is guessed."""
    with pytest.raises(InputError, match="some texts have several tags, and this model gives each text one tag"):
        sotag_convert.evaluate(FIXTURE, ["knead the dough"], [["baking", "sailing"]])


# Held-out scores, such as those of a cross-validation.


def test_held_out_scores_of_several_labels_are_answered_with_thresholds_of_other_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each third with those of the two others: here without the first text all labels are answered, with it none."""
    scores = np.linspace(0.1, 0.9, 60).reshape(30, 2)
    members = np.ones((30, 2), dtype=bool)

    def thresholds(others: np.ndarray, _: object) -> tuple[float, float]:  # type: ignore[type-arg]
        assert len(others) == 20
        return (1.0, 1.0) if others[0, 0] == scores[0, 0] else (0.0, 0.0)

    monkeypatch.setattr("sotag_convert.report.held_out.label_thresholds", thresholds)
    decision = MultiLabel(1.0, (0.5, 0.25))
    figures = evaluate_held_out(scores, members, ("a", "b"), decision, "texts in 3-fold cross-validation")
    assert (figures.answered, figures.texts) == (pytest.approx(1 / 3), 30)
    assert figures.on == "texts in 3-fold cross-validation"
    assert isinstance(figures, MultiLabelEvaluation)
    assert [label.threshold for label in figures.labels] == [0.5, 0.25]


def test_held_out_scores_of_one_label_have_no_off_topic_column() -> None:
    """The off-topic output is no label; the temperature and the threshold are the model's."""
    scores = np.array([[0.5, 0.2, 0.3], [0.2, 0.3, 0.5], [0.1, 0.6, 0.3]])
    members = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], dtype=bool)
    figures = evaluate_held_out(scores, members, ("a", "b"), SingleLabel(1.0, 0.4), "validation texts")
    assert figures.figure == pytest.approx(2 / 3)
    assert figures.answered == pytest.approx(2 / 3)
    assert [label.texts for label in figures.labels] == [2, 1]
