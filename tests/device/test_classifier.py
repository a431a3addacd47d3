"""Tagging: any text has an answer, and it depends on that text alone."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sotag_edge import Classifier, ModelError, Reason
from sotag_edge.inputs import NetworkInput
from tests.conftest import FIXTURE

ANY_TEXT = st.text(alphabet=st.characters(), max_size=300)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(FIXTURE)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("My bread dough is flat, how much yeast?", "baking"),
        ("When do I prune the roses?", "gardening"),
        ("The boat heels close to the wind", "sailing"),
    ],
)
def test_tags_what_it_learned(classifier: Classifier, text: str, label: str) -> None:
    """The fixture model tags sentences near those it was trained on."""
    assert classifier.classify(text).label == label


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_TEXT)
def test_any_text_has_an_answer(classifier: Classifier, text: str) -> None:
    """Any text at all, lone surrogates too, gets a score for each label; they sum to 1, the best is the tag, if any."""
    answer = classifier.classify(text)
    assert list(answer.scores) == list(classifier.labels)
    assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-5)
    assert answer.score == answer.scores[answer.best_guess] == max(answer.scores.values())
    assert answer.label == ("unknown" if answer.reason else answer.best_guess)


@settings(deadline=None)
@given(st.lists(ANY_TEXT, min_size=1, max_size=8), st.integers())
def test_a_score_does_not_depend_on_the_neighbours(classifier: Classifier, texts: list[str], seed: int) -> None:
    """The same text gets the very same scores alone, in a batch, first or last, and in any order."""
    alone = {text: classifier.classify(text) for text in texts}
    shuffled = texts * 2
    random.Random(seed).shuffle(shuffled)
    assert list(classifier.classify_many(shuffled)) == [alone[text] for text in shuffled]


def test_a_text_after_a_long_one(classifier: Classifier) -> None:
    """Nothing of a long text is left in the network when the same short one comes again."""
    before = classifier.classify("sow the seeds")
    classifier.classify("reef the sail " * 500)
    assert classifier.classify("sow the seeds") == before


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "oven", "wind " * 100_000], ids=["empty", "space", "line", "one", "long"]
)
def test_texts_of_every_length(classifier: Classifier, text: str) -> None:
    """No token, one, or 100,000: each has an answer."""
    assert classifier.classify(text).label in (*classifier.labels, "unknown")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.LITTLE_TEXT),
        ("Hello!", Reason.LITTLE_TEXT),
        ("Rien de tout cela ne parle notre langue", Reason.UNKNOWN_WORDS),
    ],
)
def test_a_text_about_something_else_is_unknown(classifier: Classifier, text: str, reason: Reason) -> None:
    """Below the bundle's threshold the answer is "unknown", with what the text looks like; the scores are still there."""
    answer = classifier.classify(text)
    assert (answer.label, answer.reason) == ("unknown", reason)
    assert answer.best_guess in classifier.labels


def test_the_threshold_is_the_callers_if_given() -> None:
    """Threshold 0 answers everything with a tag, a high one only what is sure; the scores stay the same."""
    always, sure = (Classifier.load(FIXTURE, threshold) for threshold in (0.0, 0.9999))
    text = "knead the bread on the sail"
    assert always.classify("").reason is None
    assert always.classify(text).label == always.classify(text).best_guess
    assert (sure.classify(text).label, sure.classify(text).reason) == ("unknown", Reason.LOW_SCORE)
    assert sure.classify(text).scores == always.classify(text).scores


def test_the_temperature_of_the_bundle_is_applied(classifier: Classifier, model_copy: Path) -> None:
    """A higher temperature makes the same best guess with a lower score."""
    manifest = json.loads((model_copy / "model.json").read_bytes())
    manifest["scores"]["temperature"] *= 3
    (model_copy / "model.json").write_text(json.dumps(manifest))
    text = "knead the dough"
    before, after = classifier.classify(text), Classifier.load(model_copy, 0.0).classify(text)
    assert after.best_guess == before.best_guess
    assert 1 / 3 < after.score < before.score - 0.05


def test_only_the_first_tokens_count(classifier: Classifier) -> None:
    """What is behind the bundle's max_tokens changes nothing; what is before it does."""
    limit = classifier.bundle.manifest.input.max_tokens
    beginning = "oven " * limit
    assert classifier.classify(beginning + "sail " * 50).scores == classifier.classify(beginning).scores
    assert classifier.classify("sail " * 50 + beginning) != classifier.classify(beginning)


def test_many_texts_are_read_as_they_are_asked_for(classifier: Classifier) -> None:
    """An endless stream of texts is answered one by one."""
    asked = []

    def endless() -> object:
        while True:
            asked.append(len(asked))
            yield "a knot"

    answers = classifier.classify_many(endless())
    next(answers)
    next(answers)
    assert len(asked) == 2


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_what_is_no_text_costs_no_answer_before_it(classifier: Classifier, kind: type) -> None:
    """Whether texts are tagged in blocks or one by one; the answers are in order."""
    texts = [" ".join(["bread", "soil", "sail"][: 1 + number % 3] * (1 + number % 7)) for number in range(250)]
    answers = classifier.classify_many(kind([*texts, None, "soil"]))
    assert [next(answers) for _ in texts] == [classifier.classify(text) for text in texts]
    with pytest.raises(TypeError, match="a text must be a str, not NoneType"):
        next(answers)


@pytest.mark.parametrize("kind", [list, iter])
def test_a_model_that_fails_costs_no_answer_before_it(
    classifier: Classifier, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether texts are tagged in blocks or one by one."""
    texts = [" ".join(["bread"] * (1 + number % 7)) for number in range(40)]
    expected = [classifier.classify(text) for text in texts]
    outputs = classifier._outputs

    def failing(read: NetworkInput) -> list[float]:
        if len(read.ids) == 8:
            raise ModelError("damaged")
        return outputs(read)

    monkeypatch.setattr(classifier, "_outputs", failing)
    answers = classifier.classify_many(kind([*texts, " ".join(["bread"] * 8), *texts]))
    assert [next(answers) for _ in texts] == expected
    with pytest.raises(ModelError, match="damaged"):
        next(answers)
