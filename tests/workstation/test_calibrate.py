"""Temperature, threshold, log loss and calibration error."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from sotag_convert.learn import calibrate
from sotag_edge.decision import SingleLabel


def drawn(sharpness: float, texts: int = 20_000) -> tuple[calibrate.Floats, list[int]]:
    """Scores softmax(sharpness * logits) of texts whose labels are drawn from softmax(logits)."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, (texts, 3))

    def softmax(values: calibrate.Floats) -> calibrate.Floats:
        powers = np.exp(values)
        return powers / powers.sum(axis=1, keepdims=True)

    targets = [int(random.choice(3, p=row)) for row in softmax(logits)]
    return softmax(sharpness * logits), targets


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
def test_the_temperature_corrects_confidence(sharpness: float) -> None:
    """Scores that are too high or too low by a factor get it as their temperature, and are then calibrated."""
    scores, targets = drawn(sharpness)
    settings = calibrate.fit(scores, targets)
    assert settings.temperature == pytest.approx(sharpness, rel=0.05)
    assert calibrate.calibration_error(calibrate.calibrated(scores, settings), targets) < 0.015


def test_the_temperature_has_the_lowest_log_loss() -> None:
    """No temperature close to the fitted one is better."""
    scores, targets = drawn(2.0, 2000)
    best = calibrate.fit(scores, targets).temperature

    def loss(temperature: float) -> float:
        return calibrate.log_loss(calibrate.calibrated(scores, SingleLabel(temperature)), targets)

    assert loss(best) < min(loss(best - 0.05), loss(best + 0.05), loss(1.0))


def test_a_temperature_needs_50_texts() -> None:
    """With 49 texts it stays 1; with 50 it is fitted."""
    scores, targets = drawn(2.0, 50)
    assert calibrate.fit(scores[:49], targets[:49]).temperature == 1
    assert calibrate.fit(scores, targets).temperature != 1


def test_easy_texts_do_not_make_a_model_that_answers_unknown() -> None:
    """Where every validation text is right with a high score, the temperature stays 1 and the threshold is at most 0.9."""
    settings = calibrate.fit(np.array([[0.999, 0.001], [0.002, 0.998]] * 40), [0, 1] * 40)
    assert settings == SingleLabel(temperature=1, threshold=0.9)


def test_the_threshold_leaves_three_percent_unknown() -> None:
    """3 % of the texts it was fitted on have a lower best score, after calibration."""
    scores, targets = drawn(2.0)
    settings = calibrate.fit(scores, targets)
    best = calibrate.calibrated(scores, settings).max(axis=1)
    assert (best < settings.threshold).mean() == pytest.approx(0.03, abs=0.002)


def test_the_threshold_is_fitted_on_calibrated_scores() -> None:
    """The device compares it with those: for scores that are too high it is lower than for the scores themselves."""
    scores, targets = drawn(2.0, 2000)
    settings = calibrate.fit(scores, targets)
    assert settings.threshold < np.quantile(scores.max(axis=1), 0.03) - 0.05


@pytest.mark.parametrize("best", [0.6179, 0.6171, 0.617])
def test_the_threshold_is_rounded_down(best: float) -> None:
    """To three decimals, so that texts with a score exactly at the threshold are answered."""
    scores = np.array([[best, 1 - best]] * 40)
    settings = calibrate.fit(scores, [0] * 40)
    assert settings == SingleLabel(temperature=1, threshold=0.617)
    assert (scores.max(axis=1) >= settings.threshold).all()


def test_a_temperature_changes_scores_as_on_the_device() -> None:
    """It divides the logits: the square root of each score, made to sum to 1, for a temperature of 2."""
    calibrated = calibrate.calibrated(np.array([[0.64, 0.36], [0.1, 0.9]]), SingleLabel(2.0))
    np.testing.assert_allclose(calibrated, [[0.8 / 1.4, 0.6 / 1.4], [0.25, 0.75]], atol=1e-9)


def test_a_temperature_of_one_changes_nothing() -> None:
    """A model without calibration gives the network's own scores, to the last bit."""
    scores = [0.1, 0.2, 0.7]
    assert SingleLabel().calibrated(scores) == scores


def test_calibration_error_of_known_scores() -> None:
    """Ten texts at 0.9, eight of them right, and ten at 0.6, six of them right: 0.1 and 0 off, 0.05 on average."""
    scores = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    targets = [0] * 8 + [1] * 2 + [0] * 6 + [1] * 4
    assert calibrate.calibration_error(scores, targets) == pytest.approx(0.05)


@pytest.mark.parametrize(("high", "error"), [(0.66, 0.135), (0.68, 0.535)])
def test_calibration_error_has_15_bins(high: float, error: float) -> None:
    """Two texts at 0.61 are right and two at a higher score are wrong: in one bin these cancel, in two bins they add up."""
    scores = np.array([[0.61, 0.39]] * 2 + [[high, 1 - high]] * 2)  # the bins are 0.600 to 0.667, 0.667 to 0.733
    assert calibrate.calibration_error(scores, [0, 0, 1, 1]) == pytest.approx(error)


def test_a_score_of_one_is_in_the_last_bin() -> None:
    """With the other scores above 14/15."""
    assert calibrate.calibration_error(np.array([[1.0, 0.0], [0.95, 0.05]]), [0, 1]) == pytest.approx(0.475)


def test_log_loss_of_known_scores() -> None:
    """The mean of minus the log of the score of each text's label; finite where that score is 0."""
    scores = np.array([[0.5, 0.5], [0.75, 0.25]])
    np.testing.assert_allclose(calibrate.log_losses(scores, [0, 1]), [np.log(2), np.log(4)])
    assert calibrate.log_loss(scores, [0, 1]) == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert 20 < calibrate.log_loss(np.array([[0.0, 1.0]]), [0]) < 40


def test_measuring_imports_no_tensorflow() -> None:
    """Data, its views and calibration work where TensorFlow is not installed."""
    modules = "sotag_convert.data.load, sotag_convert.data.stackoverflow_text, sotag_convert.learn.calibrate"
    blocked = "import sys; sys.modules.update(tensorflow=None, tf_keras=None)"
    done = subprocess.run([sys.executable, "-c", f"{blocked}; import {modules}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
