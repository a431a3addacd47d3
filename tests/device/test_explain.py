"""The effect of each token on the score of the best guess."""

from __future__ import annotations

import dataclasses

import pytest

from sotag_edge import Classifier
from sotag_edge.bundle import Bundle
from sotag_edge.explain import explain
from tests.conftest import FIXTURE

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
