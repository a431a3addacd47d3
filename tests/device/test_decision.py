"""Scores -> prediction: the best label, ties, the threshold, and the reason to abstain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge.decision import Reason, SingleLabel
from sotag_edge.formats.fields import best
from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID

KNOWN = UNKNOWN_ID + 1
TEXT = [KNOWN] * 10
SCORES = {"a": 0.2, "b": 0.5, "c": 0.3}


def test_the_best_score_is_answered() -> None:
    """With its label and all scores, and no reason."""
    answer = SingleLabel().decide(SCORES, TEXT)
    assert (answer.label, answer.score, answer.scores, answer.reason) == ("b", 0.5, SCORES, None)


def test_the_first_label_wins_a_tie() -> None:
    """In the answer, in the best guess and in the list of the best labels alike."""
    tied = {"b": 0.25, "a": 0.375, "d": 0.375, "c": 0.0}
    answer = SingleLabel().decide(tied, TEXT)
    abstained = SingleLabel(threshold=0.9).decide(tied, TEXT)
    assert answer.label == answer.best_guess == abstained.best_guess == "a"
    assert [label for label, _ in best(answer, 4)] == ["a", "d", "b", "c"]


@pytest.mark.parametrize(("threshold", "label"), [(0.0, "b"), (0.4999, "b"), (0.5, "b"), (0.5001, "unknown")])
def test_the_threshold_itself_is_answered(threshold: float, label: str) -> None:
    """A score equal to the threshold gets its label, a lower one is `unknown`."""
    answer = SingleLabel(threshold=threshold).decide(SCORES, TEXT)
    assert (answer.label, answer.best_guess, answer.score) == (label, "b", 0.5)
    assert (answer.reason is None) == (label == "b")


@pytest.mark.parametrize(
    ("known", "unknown", "padding", "reason"),
    [
        (3, 0, 0, Reason.LITTLE_TEXT),
        (4, 0, 0, Reason.LOW_SCORE),
        (0, 3, 0, Reason.LITTLE_TEXT),
        (1, 4, 0, Reason.UNKNOWN_WORDS),
        (2, 2, 0, Reason.LOW_SCORE),
        (5, 5, 0, Reason.LOW_SCORE),
        (5, 6, 0, Reason.UNKNOWN_WORDS),
        (3, 0, 97, Reason.LITTLE_TEXT),
        (2, 3, 95, Reason.UNKNOWN_WORDS),
        (3, 3, 94, Reason.LOW_SCORE),
    ],
)
def test_the_reason_to_abstain(known: int, unknown: int, padding: int, reason: Reason) -> None:
    """Under four tokens, or more than half of them unknown, or else a low score. Padding is no text."""
    ids = [KNOWN] * known + [UNKNOWN_ID] * unknown + [PADDING_ID] * padding
    answer = SingleLabel(threshold=0.9).decide(SCORES, ids)
    assert (answer.label, answer.reason) == ("unknown", reason)


@pytest.mark.parametrize("ids", [[UNKNOWN_ID], [UNKNOWN_ID] * 9, [UNKNOWN_ID] * 9 + [PADDING_ID]])
def test_a_text_without_words_is_no_evidence(ids: list[int]) -> None:
    """However high its score, it is `unknown`, unless the threshold is 0."""
    sure = {"a": 0.999, "b": 0.001}
    assert SingleLabel(threshold=0.001).decide(sure, ids, has_words=False).label == "unknown"
    assert SingleLabel(threshold=0).decide(sure, ids, has_words=False).label == "a"
    assert SingleLabel(threshold=0.001).decide(sure, ids, has_words=True).label == "a"


def test_a_text_without_words_is_not_text() -> None:
    """A list of numbers has known tokens, but no words: that is the reason, whatever the scores."""
    answer = SingleLabel(threshold=0.1).decide({"a": 0.999, "b": 0.001}, [KNOWN] * 20, has_words=False)
    assert (answer.label, answer.reason) == ("unknown", Reason.NOT_TEXT)


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=9), st.floats(0.05, 20))
def test_calibration_keeps_the_order(raw: list[float], temperature: float) -> None:
    """Calibrated scores sum to 1 and rank as the network's; above a temperature of 1 they are less sure."""
    scores = [score / sum(raw) for score in raw]
    calibrated = SingleLabel(temperature).calibrated(scores)
    assert sum(calibrated) == pytest.approx(1)
    assert calibrated[scores.index(max(scores))] == max(calibrated)
    if temperature > 1:
        assert max(calibrated) <= max(scores) + 1e-9


@pytest.mark.parametrize(("temperature", "threshold"), [(0, 0), (101, 0), (float("nan"), 0), (1, -0.1), (1, 1.1)])
def test_settings_out_of_range_are_refused(temperature: float, threshold: float) -> None:
    """NaN is out of every range."""
    with pytest.raises(ValueError, match="must be from"):
        SingleLabel(temperature, threshold)
