"""The linear model of the branch: its features, its out-of-fold logits, and the table that the device reads."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sotag_convert.learn import linear
from sotag_convert.learn.corpus import Ragged, Types
from sotag_convert.learn.linear import (
    FeatureCounts,
    count_features,
    fit_linear,
    out_of_fold_logits,
    table,
)
from sotag_edge.features import ngram_hashes
from sotag_edge.vocabulary import Vocabulary

TOPICS = [
    ["oven", "dough", "bread", "flour", "kneading"],
    ["boat", "sail", "anchor", "hull", "sailing"],
    ["soil", "seeds", "roses", "prune", "gardens"],
]
COMMON = ["the", "and", "a", "how", "in"]
UNKNOWN = ["breads", "sailor", "gardener", "ovens", "x", "anchoring", "zebra"]


def drawn(count: int, labels: int = 3, seed: int = 1) -> tuple[list[list[str]], NDArray[np.bool_]]:
    """Tokenized texts of some topics, and which of the topics each has."""
    draw = random.Random(seed)
    texts = [
        draw.choices(TOPICS[number % labels], k=draw.randint(1, 4)) + draw.choices(COMMON, k=draw.randint(0, 5))
        for number in range(count)
    ]
    for text in texts:
        draw.shuffle(text)
    return texts, np.eye(labels, dtype=bool)[np.arange(count) % labels]


class Counted:
    """Texts, their features, and a vocabulary that leaves out some of the tokens."""

    def __init__(self, texts: Sequence[Sequence[str]], unknown: Sequence[str] = ()) -> None:
        types = Types()
        self.texts = texts
        self.ragged = Ragged.of([types.of(text) for text in texts])
        self.vocabulary = Vocabulary(["[PAD]", "[UNK]", *(token for token in types.tokens if token not in unknown)])
        ids = np.array(self.vocabulary.ids(types.tokens), np.int32)
        self.features: FeatureCounts = count_features(self.ragged, types.tokens, ids, len(self.vocabulary))

    def device_logits(self, made: linear.LinearTable) -> linear.Floats:
        """The logits of the texts, from the rows that the device finds."""
        features = made.features()
        read = [features.rows(text, self.vocabulary.ids(text)) for text in self.texts]
        return made.logits(Ragged.of(rows for rows, _ in read), Ragged.of(counts for _, counts in read))


def everything(texts: Sequence[object]) -> NDArray[np.int64]:
    return np.arange(len(texts))


def test_the_features_of_a_text() -> None:
    """Tokens, pairs of known neighbours, and the n-grams of every token; each with 1 + log of how often it is there."""
    counted = Counted([["sort", "a", "list", "sort", "a", "fox"]], unknown=["fox"])
    features = counted.features
    values = features.values.toarray()[0]
    twice = np.float32(1 + np.log(2))
    pair_count = features.pairs.shape[1]
    known, pairs, ngrams = np.split(values, [features.ids, features.ids + pair_count])
    assert known.tolist() == [0, 1, twice, twice, 1]  # padding, fox, sort, a, list
    assert sorted(pairs.tolist()) == [1, 1, twice]  # sort a, a list, list sort; "a fox" has an unknown token
    hashes = features.hashes[pair_count:]
    expected = [number for token in ("sort", "list", "fox") for number in ngram_hashes(token)]
    assert sorted(hashes.tolist()) == sorted(set(expected))
    assert ngrams.sum() == pytest.approx(len(expected) + (twice - 1) * len(ngram_hashes("sort")))
    assert features.ngrams_of_ids.toarray().sum(axis=1).tolist() == [0, 0, len(ngram_hashes("sort")), 0, 9]


def test_texts_do_not_run_into_each_other() -> None:
    """The last token of a text is no pair with the first one of the next; an empty text has no features."""
    features = Counted([["b"], [], ["a", "b"], ["b", "a"]]).features
    assert features.pairs.shape[1] == 2
    assert features.values.toarray()[:, features.ids :].tolist() == [[0, 0], [0, 0], *np.eye(2)[[0, 1]].tolist()] or (
        features.values.toarray()[:, features.ids :].tolist() == [[0, 0], [0, 0], *np.eye(2)[[1, 0]].tolist()]
    )


def test_of_many_texts_common_tokens_are_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their n-grams, and pairs of a single text, are most of the memory and of no use."""
    texts = [["common", f"rare{number}"] for number in range(6)] + [["common", "rare0"]]
    before = Counted(texts).features
    monkeypatch.setattr(linear, "_COMMON", 3)
    monkeypatch.setattr(linear, "_FEW_TEXTS", 6)
    monkeypatch.setattr(linear, "_MANY_TEXTS", 6)
    features = Counted(texts).features
    cut = set(before.hashes[before.pairs.shape[1] :].tolist()) - set(
        features.hashes[features.pairs.shape[1] :].tolist()
    )
    assert cut == set(ngram_hashes("common"))
    assert (before.pairs.shape[1], features.pairs.shape[1]) == (6, 1)


@pytest.mark.parametrize("labels", [2, 3])
def test_the_device_computes_what_the_model_does(labels: int) -> None:
    """With all rows kept, and all tokens known or not, the table's logits are those of the counts."""
    texts, members = drawn(60, labels)
    for unknown in ((), ("kneading", "gardens", "hull")):
        counted = Counted(texts, unknown)
        model = fit_linear(counted.features, everything(texts), members, seed=1, off_topic=False)
        made = table(model, counted.features, most=10**6)
        expected = model.logits(counted.features)
        np.testing.assert_allclose(counted.device_logits(made), expected, atol=1e-4)
        assert (expected.argmax(axis=1) == members.argmax(axis=1)).mean() > 0.9


def test_the_device_computes_it_for_words_that_were_never_seen() -> None:
    """Their n-grams that a training text has count as they did there; the others are left out."""
    texts, members = drawn(60)
    fresh = [[*text[:3], word] for text, word in zip(texts, UNKNOWN * 9, strict=False)]
    together = Counted([*texts, *fresh], UNKNOWN)  # so that columns exist for the fresh words
    model = fit_linear(together.features, everything(texts), members, seed=1, off_topic=False)
    made = table(model, together.features, most=10**6)
    np.testing.assert_allclose(together.device_logits(made), model.logits(together.features), atol=1e-4)
    # "sailor" shares its n-grams with "sail" and "sailing", but "sail" is known and has them in its own row.
    rows, counts = made.features().rows(["sailor"], [1])
    alone = made.logits(Ragged.of([rows]), Ragged.of([counts]))[0]
    assert len(rows) > 1
    assert alone.argmax() == 1


def test_few_rows_are_those_that_move_the_scores() -> None:
    """Never more than asked for, in ascending order of their hashes, and the strongest ones."""
    texts, members = drawn(90)
    counted = Counted(texts)
    model = fit_linear(counted.features, everything(texts), members, seed=1, off_topic=False)
    ids = counted.features.ids
    whole = table(model, counted.features, most=10**6)
    assert len(whole.rows) == ids + len(whole.hashes)
    for most in (0, 1, 10):
        made = table(model, counted.features, most)
        assert len(made.hashes) == most
        assert (np.diff(made.hashes.astype(np.int64)) > 0).all()
        np.testing.assert_array_equal(made.rows[:ids], whole.rows[:ids])
        assert set(made.hashes.tolist()) <= set(whole.hashes.tolist())
        assert made.content() == made.hashes.astype("<u4").tobytes()
    effect = counted.features.values.getnnz(axis=0)[ids:] * abs(model.weights[ids:]).max(axis=1)
    strongest = counted.features.hashes[int(effect.argmax())]
    assert table(model, counted.features, 1).hashes.tolist() == [int(strongest)]


def test_the_norm_takes_the_length_out_of_the_scores() -> None:
    """A text that says the same in twice as many words has no higher score for it."""
    texts, members = drawn(60)
    model = fit_linear(Counted(texts).features, everything(texts), members, seed=1, off_topic=False)
    assert model.logits(Counted(texts).features).max() < 4


def test_an_output_without_texts_is_never_the_best() -> None:
    """And one that all texts have always is above 0; nothing fails."""
    texts, members = drawn(30)
    members = np.column_stack([members, np.zeros(30, bool), np.ones(30, bool)])
    counted = Counted(texts)
    logits = fit_linear(counted.features, everything(texts), members, seed=1, off_topic=False).logits(counted.features)
    assert (logits[:, 3] == -1).all()
    assert (logits[:, 4] == 1).all()


def test_two_labels_are_opposites() -> None:
    """Each has its own output."""
    texts, members = drawn(40, labels=2)
    counted = Counted(texts)
    logits = fit_linear(counted.features, everything(texts), members, seed=1, off_topic=False).logits(counted.features)
    assert logits.shape == (40, 2)
    assert ((logits[:, 0] > 0) == members[:, 0]).all()
    np.testing.assert_allclose(logits[:, 0], -logits[:, 1], atol=0.05)


def test_no_text_is_scored_by_a_model_that_was_fitted_on_it() -> None:
    """40 texts of words of their own with random labels, each twice. Out of fold the labels cannot be guessed; a model that
    was fitted on the text, or on its copy, is right about all of them."""
    groups = np.repeat(np.arange(40), 2)
    texts = [[f"oven{group}q", f"dough{group}q", f"bread{group}q"] for group in groups.tolist()]
    members = np.eye(2, dtype=bool)[np.random.default_rng(0).permutation(np.arange(40) % 2)[groups]]
    features, fitted = Counted(texts).features, np.ones(80, bool)
    folds = (groups % 5).astype(np.int32)
    right = out_of_fold_logits(features, members, folds, fitted, seed=1, off_topic=False).argmax(
        axis=1
    ) == members.argmax(axis=1)
    assert right.mean() < 0.7
    apart = out_of_fold_logits(features, members, (np.arange(80) % 5).astype(np.int32), fitted, seed=1, off_topic=False)
    assert (apart.argmax(axis=1) == members.argmax(axis=1)).mean() > 0.8  # so the folds make the difference


def test_out_of_fold_models_are_fitted_on_their_own_texts_only() -> None:
    """Copies that are not for them are scored, and change none of their scores."""
    one, two = ["oven", "dough"], ["boat", "sail"]
    # A copy of each text that says the opposite: fitted on, it would leave nothing to distinguish the labels by.
    doubled = [one, two, two, one] * 10
    members = np.eye(2, dtype=bool)[[0, 0, 1, 1] * 10]
    folds = (np.repeat(np.arange(20), 2) % 5).astype(np.int32)
    fitted = np.array([True, False] * 20)
    logits = out_of_fold_logits(Counted(doubled).features, members, folds, fitted, seed=1, off_topic=False)
    right = logits.argmax(axis=1) == members.argmax(axis=1)
    assert right[fitted].all()
    assert not right[~fitted].any()


def test_a_fold_without_texts_of_a_label_is_scored() -> None:
    """All texts of a label are in one fold: no model of the fold has seen it, and the scores are still numbers."""
    texts, members = drawn(30)
    folds = np.where(members[:, 2], 0, 1 + np.arange(30) % 2).astype(np.int32)
    logits = out_of_fold_logits(Counted(texts).features, members, folds, np.ones(30, bool), seed=1, off_topic=False)
    assert np.isfinite(logits).all()
    assert (logits[members[:, 2], 2] == -1).all()


@pytest.mark.parametrize("products", [0, 10**12], ids=["many texts", "few texts"])
def test_the_same_seed_gives_the_same_model(products: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever threads do, and with the faster method for many texts too."""
    monkeypatch.setattr(linear, "_MANY_PRODUCTS", products)
    texts, members = drawn(300)
    features = Counted(texts).features
    weights = [fit_linear(features, everything(texts), members, seed=1, off_topic=False).weights for _ in range(4)]
    for other in weights[1:]:
        np.testing.assert_array_equal(weights[0], other)


def test_the_method_for_many_texts_classifies_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is less exact and as good."""
    monkeypatch.setattr(linear, "_MANY_PRODUCTS", 0)
    texts, members = drawn(300)
    features = Counted(texts).features
    logits = fit_linear(features, everything(texts), members, seed=1, off_topic=False).logits(features)
    assert (logits.argmax(axis=1) == members.argmax(axis=1)).mean() > 0.95


def test_off_topic_texts_change_no_label() -> None:
    """The outputs of labels are those of a model without them, the last output says which texts they are."""
    texts, members = drawn(60)
    others = [[f"zebra{number}q", "the", "quartz"] for number in range(40)]
    counted = Counted([*texts, *others], unknown=["quartz", *(text[0] for text in others)])
    wide = np.zeros((100, 4), bool)
    wide[:60, :3] = members
    wide[60:, 3] = True
    model = fit_linear(counted.features, np.arange(100), wide, seed=1, off_topic=True)
    alone = fit_linear(counted.features, np.arange(60), members, seed=1, off_topic=False)
    np.testing.assert_allclose(model.weights[:, :3], alone.weights, atol=1e-3)
    logits = model.logits(counted.features)
    assert ((logits[:, 3] > 0) == wide[:, 3]).mean() > 0.95


def test_unknown_tokens_count_in_the_norm_only() -> None:
    """A text with many of them has lower scores, whatever they are, and they speak for no label."""
    texts, members = drawn(60)
    counted = Counted([*texts, ["oven", "dough"], ["oven", "dough", *(f"q{number}" for number in range(20))]])
    model = fit_linear(counted.features, everything(texts), members, seed=1, off_topic=False)
    assert not model.weights[1].any()
    assert model.squares[1] > 0


def test_fewer_rows_can_be_taken_from_a_table() -> None:
    """They are those of a table that was made with so many."""
    texts, members = drawn(90)
    counted = Counted(texts, unknown=["kneading", "hull"])
    model = fit_linear(counted.features, everything(texts), members, seed=1, off_topic=False)
    whole = table(model, counted.features, most=200)
    for most in (0, 7, 10**6):
        smaller, made = whole.most_useful(most), table(model, counted.features, min(most, 200))
        np.testing.assert_array_equal(smaller.hashes, made.hashes)
        np.testing.assert_array_equal(smaller.rows, made.rows)
