"""Temperature, threshold and calibration error."""

from __future__ import annotations

import numpy
import pytest

from sotag_convert.learn import calibrate
from sotag_edge.bundle import ScoreSettings


def drawn(sharpness: float) -> tuple[calibrate.Floats, list[int]]:
    """Scores of 20,000 texts whose labels are drawn from softmax(logits), but which are softmax(sharpness * logits)."""
    random = numpy.random.default_rng(0)
    logits = random.normal(0, 1.5, (20_000, 3))

    def softmax(values: calibrate.Floats) -> calibrate.Floats:
        powers = numpy.exp(values)
        return powers / powers.sum(axis=1, keepdims=True)

    targets = [int(random.choice(3, p=row)) for row in softmax(logits)]
    return softmax(sharpness * logits), targets


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
def test_the_temperature_makes_up_for_false_confidence(sharpness: float) -> None:
    """Scores that are too sure, or too modest, by a factor get it as their temperature, and then mean what they say."""
    scores, targets = drawn(sharpness)
    settings = calibrate.fit(scores, targets)
    assert settings.temperature == pytest.approx(sharpness, rel=0.05)
    assert calibrate.calibration_error(calibrate.calibrated(scores, settings), targets) < 0.015


def test_easy_texts_do_not_make_a_model_that_answers_unknown() -> None:
    """Where every validation text is right and sure, a text that is a little less so still gets its tag."""
    settings = calibrate.fit(numpy.array([[0.999, 0.001], [0.002, 0.998]] * 40), [0, 1] * 40)
    assert settings.temperature == 1
    assert settings.threshold <= 0.9


def test_the_threshold_leaves_three_percent_unknown() -> None:
    """3 % of the texts it was fitted on have a lower best score, after calibration."""
    scores, targets = drawn(2.0)
    settings = calibrate.fit(scores, targets)
    best = calibrate.calibrated(scores, settings).max(axis=1)
    assert (best < settings.threshold).mean() == pytest.approx(0.03, abs=0.002)


def test_calibration_error_of_known_scores() -> None:
    """Ten texts at 0.9 of which eight are right, ten at 0.6 of which six are: 0.1 and 0 away, 0.05 on average."""
    scores = numpy.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    targets = [0] * 8 + [1] * 2 + [0] * 6 + [1] * 4
    assert calibrate.calibration_error(scores, targets) == pytest.approx(0.05)


def test_log_loss_of_known_scores() -> None:
    """It is the mean of minus the log of each text's own label's score; a score of 0 is no infinity."""
    scores = numpy.array([[0.5, 0.5], [0.75, 0.25]])
    assert calibrate.log_loss(scores, [0, 1]) == pytest.approx((numpy.log(2) + numpy.log(4)) / 2)
    assert numpy.isfinite(calibrate.log_loss(numpy.array([[0.0, 1.0]]), [0]))


def test_a_temperature_of_one_changes_nothing() -> None:
    """So that a model that was not calibrated gives the network's own scores, to the last bit."""
    scores = [0.1, 0.2, 0.7]
    assert ScoreSettings().calibrated(scores) == scores
