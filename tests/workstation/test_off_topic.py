"""The general off-topic texts that are shipped with the trainer."""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from itertools import combinations

from sotag_convert.data.off_topic import off_topic_texts
from sotag_edge.tokenizer import tokenize
from tests.conftest import ROOT


def entries() -> list[dict[str, str]]:
    content = resources.files("sotag_convert.data").joinpath("off_topic.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in content.removesuffix("\n").split("\n")]


def words(text: str) -> set[str]:
    return {word.strip(".,;:?!") for word in text.lower().split()}


def test_there_are_many_and_all_are_loaded() -> None:
    """At least 900, in the order of the file; each entry has a text and a topic, without white space around them."""
    assert off_topic_texts() == tuple(entry["text"] for entry in entries())
    assert len(off_topic_texts()) >= 900
    for entry in entries():
        assert list(entry) == ["text", "topic"]
        assert all(value and value == value.strip() for value in entry.values()), entry


def test_no_topic_dominates() -> None:
    """At least 80 topics, and none has more than a fifteenth of the texts."""
    counts = Counter(entry["topic"] for entry in entries())
    assert len(counts) >= 80
    assert max(counts.values()) * 15 <= counts.total()


def test_the_lengths_vary() -> None:
    """At least 120 texts of one to three words, half of the texts have 6 to 20 words, and 30 are longer than 60."""
    lengths = [len(text.split()) for text in off_topic_texts()]
    assert sum(length <= 3 for length in lengths) >= 120
    assert sum(6 <= length <= 20 for length in lengths) >= len(lengths) / 2
    assert sum(length > 60 for length in lengths) >= 30


def test_no_two_share_more_than_half_of_their_words() -> None:
    """So none is repeated, or repeated with small changes."""
    for (one, one_words), (other, other_words) in combinations([(text, words(text)) for text in off_topic_texts()], 2):
        assert 2 * len(one_words & other_words) <= len(one_words | other_words), (one, other)


def test_they_are_not_those_that_models_are_compared_by() -> None:
    """No text of the benchmark shares half of its tokens with one of them."""
    lines = (ROOT / "benchmarks" / "questions.jsonl").read_text(encoding="utf-8").split("\n")
    trained = [(text, set(tokenize(text))) for text in off_topic_texts()]
    for text in (json.loads(line)["text"] for line in lines if line):
        tokens = set(tokenize(text))
        for other, other_tokens in trained:
            assert 2 * len(tokens & other_tokens) < len(tokens | other_tokens) or not tokens, (text, other)
