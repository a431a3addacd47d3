"""Models with an output for texts that have none of the labels."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest

from sotag_edge import Classifier, ModelError, Reason
from sotag_edge.decision import MultiLabel, SingleLabel
from sotag_edge.explain import explain
from sotag_edge.golden import check_golden
from sotag_edge.vocabulary import UNKNOWN_ID
from tests.conftest import FIXTURE, MULTI_LABEL, OFF_TOPIC, Run

NO_LABEL = "when do i and the other in my ?"
TWO_LABELS = "how do i knead the dough in my boat and reef the sail ?"
KNOWN = [UNKNOWN_ID + 1] * 10


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(OFF_TOPIC)


def test_the_scores_leave_room_for_no_label(classifier: Classifier) -> None:
    """They sum to less than 1; the rest is the probability that the text has none of the labels."""
    rest = 1 - sum(classifier.classify(NO_LABEL).scores.values())
    assert rest == pytest.approx(0.4259, abs=0.0001)  # e ** (1 / 1.25) / (3 + e ** (1 / 1.25)), by hand
    assert 1 - sum(classifier.classify("knead the bread dough").scores.values()) < 0.02
    assert set(classifier.classify(NO_LABEL).scores) == set(classifier.labels)


def test_calibration_is_over_all_outputs(classifier: Classifier) -> None:
    """As for the other outputs: the softmax of logits divided by the temperature."""
    read = classifier.bundle.input(TWO_LABELS)
    raw = classifier._interpreter.scores(read.ids)
    assert len(raw) == 4
    assert classifier.scores(read) == SingleLabel(1.25, 0).calibrated(raw)[:3]


def test_the_reason_is_off_topic(classifier: Classifier) -> None:
    """Where that output is the largest; elsewhere a score is just low."""
    assert classifier.classify(NO_LABEL).reason is Reason.OFF_TOPIC
    low = classifier.classify("knead the dough and sail the boat")
    assert (low.label, low.reason) == ("unknown", Reason.LOW_SCORE)


def test_the_output_causes_no_unknown(classifier: Classifier) -> None:
    """Only the threshold does: a best score that reaches it is answered."""
    lenient = Classifier(classifier.bundle, threshold=0.15)
    assert lenient.classify(NO_LABEL).label == "baking"
    assert Classifier(classifier.bundle, threshold=0).classify(NO_LABEL).reason is None


def test_leaving_labels_out_does_not_make_a_text_off_topic(classifier: Classifier) -> None:
    """The output is compared with all labels, not only with those that may be answered."""
    only = Classifier(classifier.bundle, only=["gardening"])
    assert only.classify(TWO_LABELS).reason is Reason.LOW_SCORE
    assert only.classify(NO_LABEL).reason is Reason.OFF_TOPIC


@pytest.mark.parametrize("decision", [SingleLabel(threshold=0.9), MultiLabel(1.0, (0.9, 0.9))])
def test_more_telling_reasons_come_first(decision: SingleLabel | MultiLabel) -> None:
    """Too little text to say, and no text at all; but off-topic texts often have unknown words."""
    scores = {"a": 0.1, "b": 0.2}
    assert decision.decide(scores, KNOWN[:3], True, True).reason is Reason.LITTLE_TEXT
    assert decision.decide(scores, KNOWN, False, True).reason is Reason.NOT_TEXT
    assert decision.decide(scores, [UNKNOWN_ID] * 9 + KNOWN[:1], True, True).reason is Reason.OFF_TOPIC
    assert decision.decide(scores, KNOWN, True, False).reason is Reason.LOW_SCORE


def test_copies_answer_alike(classifier: Classifier) -> None:
    """A pickled classifier is loaded again."""
    again = pickle.loads(pickle.dumps(classifier))  # noqa: S301  # our own
    assert again.classify(NO_LABEL) == classifier.classify(NO_LABEL)


def test_the_golden_text_and_effects(classifier: Classifier) -> None:
    """They are about the labels only."""
    assert check_golden(classifier.bundle).passed
    assert [effect.effect > 0 for effect in explain(classifier, "knead the dough").effects] == [True, False, True]


@pytest.mark.parametrize(("model", "off_topic"), [(FIXTURE, True), (OFF_TOPIC, False)])
def test_the_number_of_outputs_is_checked(tmp_path: Path, model: Path, off_topic: bool) -> None:
    """One more than the labels with the output, as many as the labels without."""
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    manifest = json.loads((folder / "model.json").read_text())
    manifest |= {"schema_version": 2, "outputs": {"kind": "single-label", "off_topic": off_topic}}
    (folder / "model.json").write_text(json.dumps(manifest))
    outputs = 3 if off_topic else 4
    words = rf"{outputs} outputs, but model\.json names 3 labels{' and an off-topic output' if off_topic else ''}$"
    with pytest.raises(ModelError, match=words):
        Classifier.load(folder)


def test_the_reason_is_in_the_output(run: Run) -> None:
    """In JSON, CSV and the table; ``info`` says that the model has the output."""
    done = run("classify", "-m", OFF_TOPIC, "--to", "jsonl", input=NO_LABEL)
    assert json.loads(done.stdout)["reason"] == "off-topic"
    for form in ("csv", "table"):
        assert "off-topic" in run("classify", "-m", OFF_TOPIC, "--to", form, input=NO_LABEL).stdout
    told = {
        model: json.loads(run("info", model, "--to", "json").stdout)["off_topic"]
        for model in (OFF_TOPIC, FIXTURE, MULTI_LABEL)
    }
    assert told == {OFF_TOPIC: True, FIXTURE: False, MULTI_LABEL: False}
