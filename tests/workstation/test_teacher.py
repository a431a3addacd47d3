"""The teacher: scores of texts from models that have not seen them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from sotag_convert.learn.corpus import Ragged, Types
from sotag_convert.learn.teacher import Floats, out_of_fold_scores, tempered
from sotag_edge.trial import CACHE_VARIABLE

WORDS = {"kitchen": "oven dough bread", "harbour": "boat sail anchor", "garden": "soil seeds roses"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    return tmp_path


def scores_of(texts: list[str], targets: list[int], seed: int = 1) -> Floats:
    types = Types()
    ragged = Ragged.of([types.of(text.split()) for text in texts])
    members = np.eye(max(targets) + 1, dtype=bool)[targets]
    folds = np.arange(len(texts), dtype=np.int32) % 5
    return out_of_fold_scores(ragged, types.tokens, members, folds, np.ones(len(texts), bool), seed)


def some_texts(count: int, words: dict[str, str] = WORDS) -> tuple[list[str], list[int]]:
    draw = random.Random(0)
    targets = [draw.randrange(len(words)) for _ in range(count)]
    own = [values.split() for values in words.values()]
    return [f"{draw.choice(own[target])} number {draw.randrange(9)} of mine" for target in targets], targets


def test_it_learns_from_the_other_folds() -> None:
    """Texts with words of their label in common are told apart, with scores that sum to 1."""
    texts, targets = some_texts(100)
    scores = scores_of(texts, targets)
    assert scores.argmax(axis=1).tolist() == targets
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_it_has_not_seen_the_text() -> None:
    """Of texts whose labels are drawn by lot it knows nothing, though each has a word of its own."""
    draw = random.Random(1)
    targets = [draw.randrange(3) for _ in range(300)]
    scores = scores_of([f"word{number} {number}th of many" for number in range(300)], targets)
    right = float(np.mean(scores.argmax(axis=1) == targets))
    assert 0.2 < right < 0.47
    assert scores.max(axis=1).mean() < 0.6


def test_it_knows_new_words_by_their_letters() -> None:
    """A text whose only word is in no other text is recognised by the parts of the word."""
    stems = {"sail": "sailboat resail sailor unsailed sailing sailed mainsail", "bake": "baker baking unbaked bakery"}
    texts = [word for words in stems.values() for word in words.split()]
    targets = [number for number, words in enumerate(stems.values()) for _ in words.split()]
    assert np.mean(scores_of(texts, targets).argmax(axis=1) == targets) >= 0.8


def test_the_scores_are_cached(cache: Path) -> None:
    """By the hash of everything that they depend on; a file of another size is replaced."""
    texts, targets = some_texts(60)
    scores = scores_of(texts, targets)
    (file,) = cache.iterdir()
    file.write_bytes(np.full(scores.shape, 0.25, np.float32).tobytes())
    assert (scores_of(texts, targets) == 0.25).all()
    assert (scores_of(texts, targets, seed=2) != 0.25).any()
    assert (scores_of(texts, targets[::-1]) != 0.25).any()
    file.write_bytes(b"half")
    assert (scores_of(texts, targets) == scores).all()
    assert {entry.suffix for entry in cache.iterdir()} == {".bin"}


def test_long_texts_are_scored_with_more_doubt() -> None:
    """Where logits of the same size are right less often for long texts, their scores are lower."""
    generator = np.random.default_rng(0)
    lengths = np.tile([10, 300], 2000)
    members = np.eye(2, dtype=bool)[generator.integers(0, 2, 4000)]
    is_right = generator.random(4000) < np.where(lengths == 10, 0.95, 0.7)
    logits = np.where(members == is_right[:, None], 2.0, -2.0).astype(np.float32)
    best = tempered(logits, lengths, members).max(axis=1)
    assert best[lengths == 10].mean() == pytest.approx(0.95, abs=0.02)
    assert best[lengths == 300].mean() == pytest.approx(0.7, abs=0.02)
