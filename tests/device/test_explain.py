"""The effect of each token on the score of the best guess, or of a label that is named."""

from __future__ import annotations

import dataclasses

import pytest

from sotag_edge import Classifier
from sotag_edge.bundle import Bundle
from sotag_edge.errors import UsageError
from sotag_edge.explain import explain
from tests.conftest import FIXTURE, MULTI_LABEL, Run

TEXTS = ["knead the bread dough", "prune the roses in the soil", "reef the main sail in the wind", "zebra oven"]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(FIXTURE)


@pytest.mark.parametrize("text", TEXTS)
def test_an_effect_is_the_loss_of_the_best_guess(classifier: Classifier, text: str) -> None:
    """For each label: the score of the tag, less its score when the token is replaced by an unknown word."""
    explanation = explain(classifier, text)
    answer = classifier.classify(text)
    assert explanation.prediction == answer
    words = text.split()
    assert [effect.token for effect in explanation.effects] == words
    for number, effect in enumerate(explanation.effects):
        without = classifier.classify(" ".join([*words[:number], "qqq", *words[number + 1 :]]))
        assert effect.effect == pytest.approx(answer.score - without.scores[answer.best_guess], abs=1e-6)
        assert explanation.text[effect.start : effect.end] == effect.token


def test_the_texts_have_different_tags(classifier: Classifier) -> None:
    """So that effects on another label's score would show."""
    assert len({classifier.classify(text).best_guess for text in TEXTS}) == len(classifier.labels)


def test_unknown_words_have_no_effect(classifier: Classifier) -> None:
    """They are unknown already."""
    assert [effect.effect == 0 for effect in explain(classifier, "zebra oven quartz").effects] == [True, False, True]


def test_an_answer_of_unknown_explains_the_best_guess() -> None:
    """The effects are those on the score of the best guess."""
    sure = explain(Classifier.load(FIXTURE, threshold=0), TEXTS[0])
    abstained = explain(Classifier.load(FIXTURE, threshold=1), TEXTS[0])
    assert abstained.prediction.label == "unknown"
    assert abstained.effects == sure.effects


@pytest.mark.parametrize("limit", [1, 3])
def test_tokens_that_are_not_read_have_no_place(limit: int) -> None:
    """After max_tokens there are no effects; the text is shown whole."""
    bundle = Bundle.read(FIXTURE)
    inputs = dataclasses.replace(bundle.manifest.input, max_tokens=limit)
    cut = dataclasses.replace(bundle, manifest=dataclasses.replace(bundle.manifest, input=inputs))
    explanation = explain(Classifier(cut), "knead the bread dough")
    assert [effect.token for effect in explanation.effects] == ["knead", "the", "bread"][:limit]
    assert explanation.text == "knead the bread dough"


@pytest.mark.parametrize("label", ["baking", "sailing"])
def test_a_label_that_is_named_is_explained(label: str) -> None:
    """Of a text with two labels each one, by its own words."""
    explanation = explain(Classifier.load(MULTI_LABEL), "knead the dough and reef the sail", label)
    words = {"baking": {"knead", "dough"}, "sailing": {"reef", "sail"}}[label]
    assert explanation.score == explanation.prediction.scores[label]
    assert {effect.token for effect in explanation.effects if abs(effect.effect) > 0.01} == words


def test_a_label_that_the_model_does_not_have(classifier: Classifier) -> None:
    """The error names the label that was meant, or where the labels are."""
    with pytest.raises(UsageError, match=r"no tag 'Bakin'; did you mean 'baking'\?"):
        explain(classifier, TEXTS[0], "Bakin")
    with pytest.raises(UsageError, match="'info' lists its tags"):
        explain(classifier, TEXTS[0], "xyz")


def test_the_command_explains_another_tag(run: Run) -> None:
    """And shows its score beside the answer."""
    shown = run("explain", "-m", FIXTURE, "--text", TEXTS[0], "--label", "sailing").stdout
    assert "(below: the effects on sailing, whose score is 0.0" in shown


def test_tabs_and_line_ends_are_shown_as_such(run: Run) -> None:
    """Blanks and new lines; another control character is replaced."""
    shown = run("explain", "-m", FIXTURE, "-", input="knead\tthe\r\nbread\rdough\x1b").stdout
    assert shown.splitlines()[1:4] == ["knead   the", "bread", "dough\ufffd"]


def test_without_an_effect_there_is_a_sentence(run: Run) -> None:
    """A list with nothing in it would look like a fault."""
    shown = run("explain", "-m", FIXTURE, "--text", "quartz zebra").stdout
    assert shown.endswith("\nno single word changes the score by 0.01 or more\n")
    assert "no single word" not in run("explain", "-m", FIXTURE, "--text", TEXTS[0]).stdout
