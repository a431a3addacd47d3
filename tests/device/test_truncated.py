"""Texts with more tokens than the model reads: they are answered, and said to be."""

from __future__ import annotations

import json
import pickle

import pytest

from sotag_edge import Classifier
from sotag_edge.bundle import Bundle
from sotag_edge.document import Document
from sotag_edge.pipeline import results
from tests.conftest import FIXTURE, MULTI_LABEL, Run

LIMIT = 16  # of the multi-label fixture
WARNING = (
    "is longer than the 16 tokens that the model reads; the rest of it was ignored (only the first case is reported)"
)


def text(tokens: int) -> str:
    """A text of this many tokens."""
    return " ".join((["knead", "the", "dough", "and"] * tokens)[:tokens])


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(MULTI_LABEL)


@pytest.mark.parametrize(
    ("content", "truncated"),
    [
        ("", False),
        (text(LIMIT - 1), False),
        (text(LIMIT), False),
        (text(LIMIT) + " \n\n ", False),
        (text(LIMIT + 1), True),
        (text(LIMIT) + "?", True),
        (text(40 * LIMIT), True),
    ],
)
def test_one_token_more_is_too_long(classifier: Classifier, content: str, truncated: bool) -> None:
    """Exactly as many as the model reads are not; white space is no token."""
    assert classifier.classify(content).truncated is truncated


def test_a_model_with_a_fixed_window() -> None:
    """Padding is no text."""
    bundle = Bundle.read(FIXTURE.parents[2] / "models" / "seed")
    classifier = Classifier(bundle)
    limit = classifier.max_tokens
    assert bundle.manifest.input.pad_to == limit
    assert [classifier.classify("word " * count).truncated for count in (1, limit, limit + 1)] == [False, False, True]


def test_the_rest_changes_nothing_else(classifier: Classifier) -> None:
    """The answer is that of the beginning."""
    whole, cut = classifier.classify(text(LIMIT) + " sail boat wind"), classifier.classify(text(LIMIT))
    assert (whole.labels, whole.scores) == (cut.labels, cut.scores)


def test_it_passes_between_processes(classifier: Classifier) -> None:
    """With the other fields of the prediction."""
    texts = [text(LIMIT), text(LIMIT + 1)]
    answers = [result.prediction for result in results([Document("", content) for content in texts], classifier, 2)]
    assert [answer is not None and answer.truncated for answer in answers] == [False, True]
    assert pickle.loads(pickle.dumps(answers)) == answers  # noqa: S301  # our own


def test_json_says_it_where_it_is_so(run: Run) -> None:
    """For a text that is not too long the object is what it was."""
    done = run("classify", "-m", MULTI_LABEL, "--to", "jsonl", input=f"{text(LIMIT)}\n{text(LIMIT + 1)}\n")
    short, long = map(json.loads, done.stdout.splitlines())
    assert "truncated" not in short
    assert long["truncated"] is True
    explained = json.loads(run("explain", "-m", MULTI_LABEL, "--to", "json", "--text", text(LIMIT + 1)).stdout)
    assert (explained["truncated"], len(explained["tokens"])) == (True, LIMIT)


@pytest.mark.parametrize("options", [[], ["--to", "csv"], ["--format", "{label}"], ["--jobs", "2"]])
def test_it_is_said_once(run: Run, options: list[str]) -> None:
    """At the first case, on stderr, and it is no failure."""
    lines = f"{text(3)}\n{text(LIMIT + 1)}\n{text(LIMIT + 2)}\n"
    done = run("classify", "-m", MULTI_LABEL, *options, input=lines)
    assert (done.returncode, done.stderr) == (0, f"sotag-edge: stdin:2 {WARNING}\n")


def test_it_is_not_said_with_quiet_or_without_a_case(run: Run) -> None:
    """Nothing else is either."""
    assert run("classify", "-m", MULTI_LABEL, "--quiet", input=text(LIMIT + 1)).stderr == ""
    assert run("classify", "-m", MULTI_LABEL, input=text(LIMIT)).stderr == ""
