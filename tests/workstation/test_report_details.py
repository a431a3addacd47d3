"""What a report shows besides the figures: curves, mistakes, lengths, epochs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sotag_convert.data.dataset import Examples, LabelledTexts
from sotag_convert.export.device_explain import Explained, explanations
from sotag_convert.export.device_run import Run
from sotag_convert.learn.calibrate import calibration_error
from sotag_convert.report.confusions import confusion_chart
from sotag_convert.report.content import most_frequent_tag
from sotag_convert.report.curves import (
    accuracy_by_length,
    calibration_bins,
    coverage_curve,
    f1_by_length,
    threshold_curve,
)
from sotag_convert.report.details import confident_mistakes, details_of, on_odds
from sotag_convert.report.evaluate import measure_bundle
from sotag_convert.report.evaluation import measure_multi, measure_single
from sotag_convert.report.history import history_of
from sotag_edge import Classifier
from sotag_edge.explain import Effect, explain
from tests.conftest import FIXTURE, MULTI_LABEL, ROOT
from tests.workstation.test_multi_label_evaluation import ANSWERS, LABELS, MEMBERS, SCORES, THRESHOLDS, drawn


def test_the_bins_of_the_curve_are_those_of_the_calibration_error() -> None:
    """Their gaps, by count, add up to it; a score of 1 is in the last bin, and no score is lost."""
    draw = np.random.default_rng(2)
    scores = draw.dirichlet(np.ones(3) / 3, 500)
    scores[0] = [1.0, 0.0, 0.0]
    right = draw.random(500) < 0.7
    bins = calibration_bins(scores.max(axis=1), right)
    assert sum(entry.count for entry in bins) == 500
    error = sum(entry.count * abs(entry.share - entry.score) for entry in bins) / 500
    assert error == pytest.approx(calibration_error(scores, right))
    assert bins[-1].high == 1
    assert all(entry.low <= entry.score <= entry.high for entry in bins)


def test_coverage_by_hand() -> None:
    """The texts with the highest scores first, each share with the lowest score in it."""
    curve = coverage_curve(np.array([0.5, 0.9, 0.7, 0.6]), np.array([False, True, True, False]))
    assert [(point.coverage, point.score, point.accuracy) for point in curve] == [
        (0.25, 0.9, 1.0),
        (0.5, 0.7, 1.0),
        (0.75, 0.6, pytest.approx(2 / 3)),
        (1.0, 0.5, 0.5),
    ]


def test_texts_with_the_same_score_are_answered_together() -> None:
    """Whichever order they come in: a threshold cannot choose some of them."""
    best, right = np.array([0.9, 0.7, 0.7, 0.7, 0.5]), np.array([True, True, False, False, True])
    points = [
        (0.2, pytest.approx(0.9), 1.0),
        (0.8, pytest.approx(0.7), 0.5),
        (1.0, pytest.approx(0.5), pytest.approx(0.6)),
    ]
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]):
        curve = coverage_curve(best[order], right[order])
        assert [(point.coverage, point.score, point.accuracy) for point in curve] == points
    assert len(coverage_curve(np.full(1000, 0.5), np.ones(1000, bool))) == 1


def test_the_coverage_of_many_texts_has_few_points() -> None:
    """A page must not grow with the texts; the last point has all of them."""
    curve = coverage_curve(np.linspace(0, 1, 30_000), np.ones(30_000, bool))
    assert len(curve) == 100
    assert curve[-1].coverage == 1


def test_a_threshold_of_all_tags_is_what_counting_gives() -> None:
    """Precision and recall of all pairs whose score reaches it, in several parts of the scores, too."""
    scores, members = drawn(2000, 600)
    for point in threshold_curve(scores, members)[::12]:
        answers = scores >= point.threshold
        right = (answers & members).sum()
        assert point.precision == pytest.approx(right / answers.sum())
        assert point.recall == pytest.approx(right / members.sum())
        assert point.f1 == pytest.approx(2 * right / (answers.sum() + members.sum()))


def test_accuracy_by_length() -> None:
    """Each text is in one class; a class with few texts is joined with the next, the last with the one before."""
    lengths = [*[3] * 10, *[12] * 4, *[20] * 10, *[40] * 2]
    right = np.array([True] * 10 + [False] * 4 + [True] * 10 + [False] * 2)
    classes = accuracy_by_length(lengths, right, 32)
    assert [(entry.low, entry.high, entry.texts) for entry in classes] == [(0, 8, 10), (9, None, 16)]
    assert classes[1].figure == 10 / 16
    low, high = classes[1].interval or (1, 0)
    assert low < 10 / 16 < high
    assert [entry.texts for entry in accuracy_by_length([0], np.array([True]), 32)] == [1]


def test_f1_by_length() -> None:
    """Of several tags a text, the micro-F1 of the texts in the class."""
    times = np.repeat(np.arange(4), 5)
    (one,) = f1_by_length([1] * 20, ANSWERS[times], MEMBERS[times], 32)
    assert one.figure == pytest.approx(measure_multi(SCORES, ANSWERS, MEMBERS, LABELS, THRESHOLDS).micro_f1)


def test_the_most_confident_mistakes_come_first() -> None:
    """The text and its wrong label; right answers are none, and a guess that was answered unknown comes last."""
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.95, 0.05], [0.3, 0.7]], np.float32)
    answers = np.array([[True, False], [False, False], [True, False], [False, True]])
    members = np.array([[False, True], [True, False], [True, False], [True, False]])
    assert confident_mistakes(Run(scores, answers, []), members) == [(0, 0), (3, 1), (1, 1)]
    assert confident_mistakes(Run(scores, answers, []), members, most=1) == [(0, 0)]


def test_a_wrong_tag_beside_a_right_one_is_a_mistake() -> None:
    """Of several tags, the wrong one with the highest score, although the best guess is right; a missing tag is none."""
    scores = np.array([[0.9, 0.7, 0.6], [0.8, 0.1, 0.3]], np.float32)
    answers = np.array([[True, True, True], [True, False, False]])
    members = np.array([[True, False, False], [True, True, False]])
    assert confident_mistakes(Run(scores, answers, []), members) == [(0, 1)]


def test_effects_on_odds() -> None:
    """About the effect itself in the middle; visible near 1, where the score hardly moves; finite at 0 and 1."""
    middle = on_odds(Explained("a", 0.55, (Effect("a", 0, 1, 0.1),)))
    assert middle[0].effect == pytest.approx(0.1, abs=0.01)
    sure = on_odds(Explained("a", 0.9999, (Effect("a", 0, 1, 0.005),)))
    assert sure[0].effect > 0.5
    certain = on_odds(Explained("a b", 1.0, (Effect("a", 0, 1, 1.0), Effect("b", 2, 3, 0.0))))
    assert 1 < certain[0].effect < 10
    assert certain[1].effect == 0


def test_explanations_are_those_of_the_device() -> None:
    """A process of its own gives what ``explain`` gives here, for the label that is asked for, and a time per text."""
    text = "knead the dough & reef the sail \U0001f35e"
    found = explanations(FIXTURE, [(text, "sailing")], ["prune the roses", ""])
    expected = explain(Classifier.load(FIXTURE), text, "sailing")
    assert found.explained[0].text == expected.text
    assert found.explained[0].score == pytest.approx(expected.score)
    assert [effect.token for effect in found.explained[0].effects] == [effect.token for effect in expected.effects]
    assert [e.effect for e in found.explained[0].effects] == pytest.approx([e.effect for e in expected.effects])
    assert len(found.milliseconds) == 2
    assert all(time > 0 for time in found.milliseconds)


@pytest.mark.parametrize("folder", [FIXTURE, MULTI_LABEL], ids=lambda folder: folder.name)
def test_details_of_a_measured_model(folder: Path) -> None:
    """A model of one tag per text has a curve of coverage, one of several tags a curve of thresholds; both have mistakes."""
    texts = ("knead the dough in the oven", "prune the roses in the soil", "reef the sail")
    labelled = LabelledTexts("test texts", Examples.single(texts, [0, 0, 2]))
    details = details_of(measure_bundle(folder, labelled)["as given"], folder)
    assert bool(details.coverage) is (folder == FIXTURE)
    assert bool(details.thresholds) is (folder == MULTI_LABEL)
    (mistake, *_) = details.mistakes
    assert mistake.text == texts[1] or folder == MULTI_LABEL
    assert mistake.guess not in mistake.labels
    assert any(effect.effect for effect in mistake.effects)
    assert sum(entry.texts for entry in details.lengths) == 3


def test_the_most_frequent_tag() -> None:
    """Answering it always: the share of its texts, or the micro-F1 of one tag for each text."""
    single = measure_single(np.eye(2)[[0, 0, 1]], [True] * 3, [0, 0, 1], ("a", "b"))
    assert most_frequent_tag(single) == 2 / 3
    several = measure_multi(SCORES, ANSWERS, MEMBERS, LABELS, THRESHOLDS)
    always = np.zeros(MEMBERS.shape, bool)
    always[:, 0] = True
    expected = measure_multi(SCORES, always, MEMBERS, LABELS, THRESHOLDS)
    assert most_frequent_tag(several) == pytest.approx(expected.micro_f1)


def test_many_tags_are_shown_by_their_mistakes() -> None:
    """Of 130 tags the chart has the 100 with the most mistakes, and says so; of 100 tags it has all."""
    guesses = [*range(130), 125, 126]
    targets = [*range(130), 1, 2]
    chart = confusion_chart(
        measure_single(np.eye(130)[guesses], [True] * 132, targets, [f"tag{n}" for n in range(130)])
    )
    names = {cell["tag"] for cell in chart.spec["data"]["values"]}
    assert len(names) == 100
    assert {"tag1", "tag2", "tag125", "tag126"} <= names
    assert "the 100 tags with the most mistakes, of 130" in chart.description
    whole = confusion_chart(measure_single(np.eye(100), [True] * 100, range(100), [f"tag{n}" for n in range(100)]))
    assert len(whole.spec["data"]["values"]) == 100
    assert "most mistakes" not in whole.description


def test_the_epochs_of_a_bundle() -> None:
    """Those that its metrics have, without validation where there was none; and whether the network has a weight."""
    trained, refitted = (history_of(ROOT / "models" / name) for name in ("topics", "default"))
    metrics = json.loads((ROOT / "models" / "topics" / "metrics.json").read_text(encoding="utf-8"))["training"]
    assert [epoch.validation_loss for epoch in trained.epochs] == [
        epoch["validation_loss"] for epoch in metrics["epochs"]
    ]
    assert trained.kept == metrics["kept_epoch"]
    assert not trained.has_network
    assert [epoch.validation_loss for epoch in refitted.epochs] == [None] * len(refitted.epochs)
    assert refitted.has_network


@pytest.mark.parametrize(
    "metrics",
    [
        "[]",
        "{}",
        '{"training": []}',
        '{"training": {"epochs": "many"}}',
        '{"training": {"epochs": [{"number": 1}]}}',
        '{"training": {"epochs": [{"number": 1, "loss": NaN}]}}',
        '{"training": {"epochs": [{"number": 1, "loss": "<b>"}]}}',
        '{"training": {"epochs": [7]}}',
        "[" * 100_000,
    ],
)
def test_metrics_of_another_shape_have_no_epochs(tmp_path: Path, metrics: str) -> None:
    """They are anybody's: a report without curves is better than none."""
    (tmp_path / "metrics.json").write_text(metrics, encoding="utf-8")
    assert history_of(tmp_path).epochs == ()
    assert history_of(tmp_path / "missing").epochs == ()
