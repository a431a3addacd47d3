"""The mix of a network and a linear branch, temperature, thresholds, log loss and calibration error."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.special import expit, softmax

from sotag_convert.learn import calibrate
from sotag_edge.decision import SingleLabel


def drawn(sharpness: float, texts: int = 6_000) -> tuple[calibrate.Floats, calibrate.Members]:
    """Scores softmax(sharpness * logits) of texts whose labels are drawn from softmax(logits)."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, (texts, 3))
    targets = [int(random.choice(3, p=row)) for row in softmax(logits, axis=1)]
    return softmax(sharpness * logits, axis=1), np.eye(3, dtype=bool)[targets]


def fit(scores: calibrate.Floats, members: calibrate.Members) -> SingleLabel:
    decision = calibrate.fit(scores, members, independent=False)
    assert isinstance(decision, SingleLabel)
    return decision


def of(*targets: int, labels: int = 2) -> calibrate.Members:
    """The outputs of texts with these labels."""
    return np.eye(labels, dtype=bool)[list(targets)]


def share_of(scores: calibrate.Floats, members: calibrate.Members, *, independent: bool = False) -> float:
    """The factor of a network's logits."""
    logits = calibrate.network_logits(scores.astype(np.float32), independent=independent)
    return calibrate.fit_mix(logits, None, members, independent=independent).share


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
def test_the_share_corrects_confidence(sharpness: float) -> None:
    """The logits of scores that are too high or too low by a factor are divided by it, and the scores then calibrated."""
    scores, members = drawn(sharpness)
    assert share_of(scores, members) == pytest.approx(1 / sharpness, rel=0.05)
    logits = calibrate.network_logits(scores.astype(np.float32), independent=False)
    after = calibrate.fit_mix(logits, None, members, independent=False).scores(logits, None)
    assert calibrate.calibration_error(after, after.argmax(axis=1) == members.argmax(axis=1)) < 0.025


def test_the_share_has_the_lowest_log_loss() -> None:
    """No factor close to the fitted one is better."""
    scores, members = drawn(2.0, 2000)
    best = share_of(scores, members)

    def loss(share: float) -> float:
        after = calibrate.calibrated(scores, SingleLabel(1 / share))
        return float(calibrate.log_losses(after, members, independent=False).mean())

    assert loss(best) < min(loss(best - 0.03), loss(best + 0.03), loss(1.0))


def test_the_share_of_several_labels() -> None:
    """Sigmoids that are too sure are corrected too."""
    random = np.random.default_rng(0)
    logits = random.normal(-1, 2, (5000, 4))
    members = random.random(logits.shape) < expit(logits)
    assert share_of(expit(2 * logits), members, independent=True) == pytest.approx(0.5, rel=0.06)


def test_easy_texts_do_not_make_a_model_that_answers_unknown() -> None:
    """Where every validation text is right with a high score, its logits grow a little, and the threshold is below them."""
    scores, members = np.array([[0.999, 0.001], [0.002, 0.998]] * 40), of(*[0, 1] * 40)
    assert 1 <= share_of(scores, members) < 2
    settings = fit(scores, members)
    assert settings.temperature == 1
    assert settings.threshold <= 0.9


# The threshold


def test_the_threshold_of_many_texts_leaves_three_percent_unknown() -> None:
    """3 % of the texts it was fitted on have a lower best score, after calibration; the off-topic output has no part."""
    scores, members = drawn(2.0)
    settings = fit(scores, members)
    best = calibrate.calibrated(scores, settings).max(axis=1)
    assert (best < settings.threshold).mean() == pytest.approx(0.03, abs=0.003)
    wide = np.column_stack([scores / 2, np.full(len(scores), 0.5)])
    with_output = calibrate.fit(wide, members, independent=False)
    assert isinstance(with_output, SingleLabel)
    best = calibrate.calibrated(wide, with_output)[:, :3].max(axis=1)
    assert (best < with_output.threshold).mean() == pytest.approx(0.03, abs=0.003)


@pytest.mark.parametrize("best", [0.6179, 0.6171, 0.617])
def test_the_threshold_is_rounded_down(best: float) -> None:
    """To three decimals, so that texts with a score exactly at the threshold are answered."""
    value = calibrate.threshold(np.full(100_000, best), 2)
    assert best - 0.002 < value <= best
    assert round(value, 3) == value


@pytest.mark.parametrize("labels", [2, 3, 20])
def test_few_texts_do_not_set_the_threshold(labels: int) -> None:
    """12 texts with high scores leave it near the usual one, which is lower with more labels; no text sets it alone."""
    usual = min(0.4, 1.5 / labels)
    assert calibrate.threshold(np.zeros(0), labels) == pytest.approx(usual, abs=0.001)
    few = calibrate.threshold(np.full(12, 0.97), labels)
    assert usual < few < usual + 0.17
    assert few < calibrate.threshold(np.full(120, 0.97), labels) < 0.9


def test_the_usual_threshold_takes_no_answer_away() -> None:
    """Where the measured one is lower, as with 1,000 labels whose scores are all low, it is the measured one."""
    assert calibrate.threshold(np.full(12, 0.05), 20) == pytest.approx(0.05, abs=0.001)


def test_each_label_has_the_threshold_with_the_best_f1() -> None:
    """Of many texts: between the scores of the texts with the label and those without."""
    random = np.random.default_rng(1)
    members = np.arange(4000)[:, None] % 2 == np.array([0, 1])
    scores = np.where(members, [0.9, 0.5], [0.7, 0.1]) + random.uniform(-0.05, 0.05, members.shape)
    first, second = calibrate.label_thresholds(scores, members)
    assert 0.73 < first < 0.86
    assert 0.14 < second < 0.46


def test_a_label_with_few_texts_has_the_threshold_of_all() -> None:
    """One text, and no text at all, say little or nothing about it."""
    members = np.zeros((400, 3), bool)
    members[:200, 0] = True
    members[200, 1] = True
    scores = np.where(members, 0.8, 0.2)
    scores[200, 1] = 0.99
    common, once, never = calibrate.label_thresholds(scores, members)
    assert common == pytest.approx(0.5, abs=0.001)
    assert never == pytest.approx(0.5, abs=0.001)
    assert abs(once - 0.5) < 0.02


# The mix


def parts(texts: int, share: float, scale: float, *, noise: float = 0.0) -> tuple[calibrate.Floats, ...]:
    """Logits of a network and of a branch, and the labels that are drawn from their mix."""
    random = np.random.default_rng(3)
    network, linear = random.normal(0, 3, (texts, 4)), random.normal(0, 0.5, (texts, 4))
    logits = share * network + scale * linear + random.normal(0, noise, (texts, 4))
    targets = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    return network, linear, np.eye(4, dtype=bool)[targets]


@pytest.mark.parametrize(("share", "scale"), [(0.8, 3.0), (0.1, 8.0), (1.5, 1.0)])
def test_the_mix_of_many_texts_is_found(share: float, scale: float) -> None:
    """The factors that the labels were drawn with."""
    network, linear, members = parts(20_000, share, scale)
    mix = calibrate.fit_mix(network, linear, members, independent=False)
    assert mix.share == pytest.approx(share, rel=0.06, abs=0.02)
    assert mix.scale == pytest.approx(scale, rel=0.06)
    assert mix.offset == 0


def test_a_part_that_does_not_help_is_left_out() -> None:
    """Its factor is 0, not below: a part that is wrong on these texts would be right on others by chance."""
    network, linear, members = parts(20_000, 1.0, 4.0)
    assert calibrate.fit_mix(-network, linear, members, independent=False).share == 0
    assert calibrate.fit_mix(network, -linear, members, independent=False).scale == 0
    noise = np.random.default_rng(9).normal(0, 3, network.shape)
    assert calibrate.fit_mix(noise, 4 * linear, members, independent=False).share < 0.03


def test_few_texts_leave_the_mix_near_the_usual_one() -> None:
    """Also where they are all right, and higher factors would always be better."""
    usual = calibrate.usual_mix(independent=False, linear=True)
    network, linear, members = parts(6, 4.0, 30.0)
    mix = calibrate.fit_mix(network, linear, members, independent=False)
    assert abs(mix.share - usual.share) < 0.5
    assert abs(mix.scale - usual.scale) < 3
    network, linear, members = parts(2000, 4.0, 30.0)
    assert calibrate.fit_mix(network, linear, members, independent=False).scale > 10


def test_one_part_alone_is_scaled() -> None:
    """The factor of the absent part is 0, and the mix works without it."""
    network, linear, members = parts(5000, 0.0, 4.0)
    mix = calibrate.fit_mix(None, linear, members, independent=False)
    assert (mix.share, mix.scale) == (0, pytest.approx(4, rel=0.1))
    np.testing.assert_allclose(mix.scores(None, linear), softmax(mix.scale * linear, axis=1))
    network, linear, members = parts(5000, 0.8, 0.0)
    mix = calibrate.fit_mix(network, None, members, independent=False)
    assert (mix.share, mix.scale) == (pytest.approx(0.8, rel=0.1), 0)
    np.testing.assert_allclose(mix.scores(network, None), softmax(mix.share * network, axis=1))


def test_the_mix_of_several_labels_has_an_offset() -> None:
    """Their sigmoids are compared with a threshold each, so that their height counts."""
    random = np.random.default_rng(3)
    network, linear = random.normal(-3, 3, (8000, 5)), random.normal(-0.5, 0.5, (8000, 5))
    members = random.random(network.shape) < expit(0.7 * network + 3 * linear + 1.5)
    mix = calibrate.fit_mix(network, linear, members, independent=True)
    assert (mix.share, mix.scale) == (pytest.approx(0.7, rel=0.1), pytest.approx(3, rel=0.1))
    assert mix.offset == pytest.approx(1.5, abs=0.25)
    np.testing.assert_allclose(mix.scores(network, linear), expit(mix.logits(network, linear)))


def test_the_off_topic_output_takes_no_part_in_the_mix() -> None:
    """The factors are those without it. It is moved to be the largest for 1.5 % of the texts, which are all on-topic."""
    network, linear, members = parts(5000, 0.8, 3.0)
    random = np.random.default_rng(5)
    wide = [np.column_stack([part, random.normal(2, 1, 5000)]) for part in (network, linear)]
    without = calibrate.fit_mix(network, linear, members, independent=False)
    mix = calibrate.fit_mix(*wide, members, independent=False)
    assert (mix.share, mix.scale) == (pytest.approx(without.share, rel=1e-3), pytest.approx(without.scale, rel=1e-3))
    assert without.off_topic == 0
    assert (mix.scores(*wide).argmax(axis=1) == 4).mean() == pytest.approx(0.015, abs=0.001)
    moved = mix.logits(*wide) - mix._replace(off_topic=0.0).logits(*wide)
    np.testing.assert_allclose(moved, np.tile([0, 0, 0, 0, mix.off_topic], (5000, 1)), atol=1e-9)


def off_topic_logits(shift: float, texts: int = 20_000) -> tuple[calibrate.Floats, calibrate.Members, calibrate.Floats]:
    """Logits of texts with two labels, their members, and logits of off-topic texts. The last output is off-topic, and too
    high by ``shift``: without the shift the scores are right if one text in fifty is off-topic."""
    random = np.random.default_rng(0)
    targets = random.choice(3, texts)
    logits = 1.5 * (1.5 * np.eye(3)[targets] + random.normal(0, 1, (texts, 3))) + np.log([0.49, 0.49, 0.02])
    logits[:, 2] += shift
    labelled = targets < 2
    return logits[labelled], of(*targets[labelled]), logits[~labelled]


@pytest.mark.parametrize("shift", [-2.0, 0.0, 3.0])
def test_off_topic_texts_set_the_off_topic_output(shift: float) -> None:
    """Its logits are moved back to where one text in fifty is off-topic; the other parts of the mix stay."""
    labelled, members, others = off_topic_logits(shift)
    without = calibrate.fit_mix(labelled, None, members, independent=False)
    mix = calibrate.fit_mix(labelled, None, members, independent=False, off_topic=(others, None))
    assert mix._replace(off_topic=0.0) == without
    assert mix.off_topic == pytest.approx(-shift, abs=0.3)


def test_most_off_topic_texts_are_below_the_threshold() -> None:
    """It is 0.5 or more, where the off-topic output is never the largest; few off-topic texts change little."""
    best = np.concatenate([np.full(250, 0.2), np.linspace(0.9, 1, 4751)])
    off_topic = np.linspace(0.4, 0.9, 5001)  # 77 % of them are below 0.785
    assert calibrate.off_topic_threshold(best, off_topic, labels=3) == pytest.approx(0.785, abs=0.01)
    assert calibrate.off_topic_threshold(best, off_topic / 3, labels=3) == pytest.approx(0.5, abs=0.01)
    hard = np.full(5000, 0.99)  # at most 15 % of the other texts are refused for them
    assert calibrate.off_topic_threshold(best, hard, labels=3) == pytest.approx(np.quantile(best, 0.15), abs=0.01)
    usual = calibrate.threshold(best, labels=3)
    assert calibrate.off_topic_threshold(best, off_topic[-3:], labels=3) == pytest.approx(usual, abs=0.05)
    scores, others = (np.stack([of_texts, 0 * of_texts, 1 - of_texts], axis=1) for of_texts in (best, off_topic))
    decision = calibrate.fit(scores, of(*[0] * len(best)), independent=False, off_topic=others)
    assert isinstance(decision, SingleLabel)
    assert decision.threshold == pytest.approx(0.785, abs=0.01)


def test_the_logits_of_scores() -> None:
    """Up to a number per text they are those of the network; a score of 0 or 1 has a finite one."""
    logits = np.random.default_rng(1).normal(0, 3, (10, 4))
    again = calibrate.network_logits(softmax(logits, axis=1).astype(np.float32), independent=False)
    difference = again - logits
    np.testing.assert_allclose(difference, np.repeat(difference[:, :1], 4, axis=1), atol=1e-4)
    np.testing.assert_allclose(
        calibrate.network_logits(expit(logits).astype(np.float32), independent=True), logits, atol=1e-2
    )
    for independent in (False, True):
        extreme = calibrate.network_logits(np.array([[0.0, 1.0]], np.float32), independent=independent)
        assert np.isfinite(extreme).all()
        assert extreme[0, 0] < -15


# Scores, losses and errors


def test_a_temperature_changes_scores_as_on_the_device() -> None:
    """It divides the logits: the square root of each score, made to sum to 1, for a temperature of 2."""
    calibrated = calibrate.calibrated(np.array([[0.64, 0.36], [0.1, 0.9]]), SingleLabel(2.0))
    np.testing.assert_allclose(calibrated, [[0.8 / 1.4, 0.6 / 1.4], [0.25, 0.75]], atol=1e-9)


def test_a_temperature_of_one_changes_nothing() -> None:
    """A model without calibration gives the network's own scores, to the last bit."""
    scores = np.array([[0.1, 0.2, 0.7]])
    assert calibrate.calibrated(scores, SingleLabel()) is scores
    assert SingleLabel().calibrated([0.1, 0.2, 0.7]) == [0.1, 0.2, 0.7]


def test_calibration_error_of_known_scores() -> None:
    """Ten texts at 0.9, eight of them right, and ten at 0.6, six of them right: 0.1 and 0 off, 0.05 on average."""
    scores = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    right = np.array([True] * 8 + [False] * 2 + [True] * 6 + [False] * 4)
    assert calibrate.calibration_error(scores, right) == pytest.approx(0.05)


@pytest.mark.parametrize(("high", "error"), [(0.66, 0.135), (0.68, 0.535)])
def test_calibration_error_has_15_bins(high: float, error: float) -> None:
    """Two texts at 0.61 are right and two at a higher score are wrong: in one bin these cancel, in two bins they add up."""
    scores = np.array([[0.61, 0.39]] * 2 + [[high, 1 - high]] * 2)  # the bins are 0.600 to 0.667, 0.667 to 0.733
    assert calibrate.calibration_error(scores, np.array([True, True, False, False])) == pytest.approx(error)


def test_a_score_of_one_is_in_the_last_bin() -> None:
    """With the other scores above 14/15."""
    right = np.array([True, False])
    assert calibrate.calibration_error(np.array([[1.0, 0.0], [0.95, 0.05]]), right) == pytest.approx(0.475)


def test_log_loss_of_known_scores() -> None:
    """Minus the log of the score of each text's label, finite where that is 0; of several labels the sum over them."""
    scores = np.array([[0.5, 0.5], [0.75, 0.25]])
    np.testing.assert_allclose(calibrate.log_losses(scores, of(0, 1), independent=False), [np.log(2), np.log(4)])
    assert 20 < calibrate.log_losses(np.array([[0.0, 1.0]]), of(0), independent=False)[0] < 40
    both = np.array([[True, False], [True, True]])
    np.testing.assert_allclose(
        calibrate.log_losses(scores, both, independent=True), [2 * np.log(2), np.log(4 / 3) + np.log(4)]
    )


def test_accuracy_of_known_scores() -> None:
    """The share of texts whose best output is theirs; of several labels the micro-F1 at a score of 0.5."""
    scores = np.array([[0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    assert calibrate.accuracy(scores, of(0, 0, 1), independent=False) == pytest.approx(2 / 3)
    off_topic = np.column_stack([scores / 2, np.full(3, 0.5)])  # takes no part
    assert calibrate.accuracy(off_topic, of(0, 0, 1), independent=False) == pytest.approx(2 / 3)
    both = np.array([[True, True], [False, True], [False, False]])
    assert calibrate.accuracy(scores, both, independent=True) == pytest.approx(2 * 2 / (3 + 3))
    assert calibrate.accuracy(np.zeros((2, 2)), np.zeros((2, 2), bool), independent=True) == 0


def test_measuring_imports_no_tensorflow() -> None:
    """Data, its views, calibration, log-count ratios and tables work where TensorFlow is not installed."""
    modules = (
        "sotag_convert.data.load, sotag_convert.data.stackoverflow_text, sotag_convert.learn.calibrate, "
        "sotag_convert.learn.ratios, sotag_convert.cli.data_tables"
    )
    blocked = "import sys; sys.modules.update(tensorflow=None, tf_keras=None)"
    done = subprocess.run([sys.executable, "-c", f"{blocked}; import {modules}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
