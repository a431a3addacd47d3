"""The features of the linear branch: the rows of a text, ``features.bin``, and a model with a branch from end to end."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge import Classifier, ModelError, trial
from sotag_edge.bundle import Bundle
from sotag_edge.decision import Reason
from sotag_edge.features import FEATURES, MOST_FEATURES, Features, ngram_hashes, pair_hash
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode
from sotag_edge.vocabulary import UNKNOWN_ID, Vocabulary
from tests.conftest import LINEAR_BRANCH, Run

VOCABULARY = Vocabulary(["[PAD]", "[UNK]", "sort", "a", "list"])
SETTINGS = InputSettings(TokenizerMode.CODE, max_tokens=20)
FIRST = len(VOCABULARY)


def pair(one: str, two: str) -> int:
    first, second = VOCABULARY.ids([one, two])
    return pair_hash(first, second)


def features_of(*hashes: int) -> tuple[Features, list[int]]:
    """Features that list these hashes, and the row of each."""
    listed = sorted(set(hashes))
    features = Features(np.array(listed, "<u4").tobytes(), FIRST)
    return features, [FIRST + listed.index(number) for number in hashes]


def counted(features: Features, text: str) -> list[tuple[int, int]]:
    """The rows of a text with their counts, in ascending order."""
    tokens = SETTINGS.tokens(text)
    return sorted(zip(*features.rows(tokens, SETTINGS.ids_of(tokens, VOCABULARY)), strict=True))


def rows(features: Features, text: str) -> list[int]:
    """Those of features with weights: without the row of unknown tokens."""
    return [row for row, _ in counted(features, text) if row != 1]


def test_tokens_have_the_row_of_their_id_and_their_count() -> None:
    """An unknown token has the row of ``[UNK]``, each by itself; padding has none."""
    features, _ = features_of()
    assert counted(features, "list sort zebra list a sort") == [(1, 1), (2, 2), (3, 1), (4, 2)]
    assert counted(features, "zebra quartz zebra") == [(1, 1), (1, 2)]
    assert len(features) == 0


def test_pairs_of_known_neighbours_have_a_row_and_a_count() -> None:
    """In their order; a pair with an unknown token, or one whose hash is not listed, has none."""
    features, (sort_a, a_sort) = features_of(pair("sort", "a"), pair("a", "sort"))
    assert rows(features, "sort a list") == [2, 3, 4, sort_a]
    assert counted(features, "sort a sort a")[2:] == sorted([(sort_a, 2), (a_sort, 1)])
    assert rows(features, "sort zebra a") == [2, 3]
    assert pair("sort", "a") != pair("a", "sort")


def test_only_unknown_tokens_are_cut_into_ngrams() -> None:
    """Those of a known token are in its own row already; the count is that of the token."""
    features, row_of = features_of(*ngram_hashes("listed"), *ngram_hashes("list"))
    assert counted(features, "list") == [(4, 1)]
    of_listed = sorted(row_of[: len(ngram_hashes("listed"))])
    assert counted(features, "listed") == [(1, 1), *((row, 1) for row in of_listed)]
    assert counted(features, "listed listed") == [(1, 2), *((row, 2) for row in of_listed)]


def test_ngrams_count_for_each_token() -> None:
    """Two unknown tokens that share an n-gram have its row twice, as in training."""
    shared = ngram_hashes("unlisted")[-1]  # the longest n-gram at the end
    features, (row,) = features_of(shared)
    assert counted(features, "unlisted enlisted unlisted") == [(1, 1), (1, 2), (row, 1), (row, 2)]


def test_a_text_without_tokens_has_the_row_of_padding() -> None:
    """The empty text, and nothing but padding; unknown words have their row at least."""
    features, _ = features_of(pair("sort", "a"))
    for text in ("", "   "):
        assert counted(features, text) == [(0, 1)]
    assert features.rows([], [0, 0]) == [[0], [1]]
    assert Features(b"", FIRST).rows(["zebra"], [1]) == [[1], [1]]


def test_a_long_unknown_token_is_not_remembered_whole() -> None:
    """Its n-grams end after 30 characters, so tokens with the same beginning have the same rows."""
    features = Features(b"", 2)
    for ending in ("a", "b", "c"):
        token = "x" * 30 + ending * 100_000
        assert features.rows([token], [UNKNOWN_ID]) == [[UNKNOWN_ID], [1]]
    assert [len(token) for token in features._of_tokens] == [30]


def test_tokens_beyond_the_limit_have_no_features() -> None:
    """The bundle hands over one token more than it reads."""
    features, _ = features_of(*ngram_hashes("zebra"))
    tokens = SETTINGS.tokens("sort " * 20 + "zebra")
    assert len(tokens) == 21
    assert features.rows(tokens, SETTINGS.ids_of(tokens, VOCABULARY)) == [[2], [20]]


def test_a_hash_beyond_the_last_one_is_not_found() -> None:
    """Nor one below the first; the place that the search returns is not in the list."""
    number = pair("sort", "a")
    for listed in ([number - 1], [number + 1], [0, 2**32 - 1]):
        features, _ = features_of(*listed)
        assert rows(features, "sort a") == [2, 3]


def test_ngrams_of_a_token() -> None:
    """Three to five characters, the ends marked, of the first 30 characters; none of a single one."""
    assert len(ngram_hashes("ab")) == 3  # <ab ab> <ab>
    assert ngram_hashes("c") == []
    assert len(ngram_hashes("aaaa")) == 9
    assert len(set(ngram_hashes("aaaa"))) == 8  # "aaa" is there twice
    assert ngram_hashes("x" * 31) == ngram_hashes("x" * 30)
    assert len(ngram_hashes("\ud800\ud801x")) == 6  # no UTF-8 has them


def test_hashes_stay_as_they_are() -> None:
    """Published models list them."""
    factor = 0x9E3779B1
    codes = [ord(character) for character in "<ab>"]
    rolled = codes[0]
    for code in codes[1:]:
        rolled = (rolled * factor + code) % 2**32
    assert ngram_hashes("ab")[-1] == rolled
    assert [pair_hash(2, 3), pair_hash(3, 2)] == [2913840135, 3513907709]


@given(st.text(max_size=60), st.lists(st.integers(0, 2**32 - 1), max_size=40))
def test_any_text_has_rows_in_range(text: str, hashes: list[int]) -> None:
    """At least one, and the same ones each time."""
    features, _ = features_of(*hashes, *ngram_hashes("list"), pair("sort", "a"))
    found = counted(features, text)
    assert found
    assert all(0 <= row < FIRST + len(features) and 1 <= count <= 20 for row, count in found)
    assert counted(features, text) == found


# features.bin


@pytest.mark.parametrize("size", [1, 3, 5, 4 * MOST_FEATURES + 4])
def test_a_file_that_is_no_list_of_hashes_is_refused(size: int) -> None:
    """It has another number of bytes, or too many."""
    with pytest.raises(ModelError, match=f"{size:,} bytes are not a list of at most 4,000,000 hashes of 4 bytes"):
        Features(bytes(size), FIRST)


@pytest.fixture
def branch_copy(tmp_path: Path) -> Path:
    """A copy of the model with a linear branch, to damage."""
    return Path(shutil.copytree(LINEAR_BRANCH, tmp_path / "branch"))


def with_features(folder: Path, content: bytes) -> None:
    """Write another ``features.bin``, with its right hash."""
    (folder / FEATURES).write_bytes(content)
    manifest = json.loads((folder / "model.json").read_bytes())
    manifest["files"][FEATURES]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "model.json").write_text(json.dumps(manifest))


def test_damaged_features_are_a_sentence(branch_copy: Path) -> None:
    """With the file: its hash differs, it is missing, or it is no list of hashes."""
    content = (branch_copy / FEATURES).read_bytes()
    (branch_copy / FEATURES).write_bytes(content[:-4] + b"\0\0\0\0")
    with pytest.raises(ModelError, match=r"features\.bin is not the file that model\.json describes"):
        Bundle.read(branch_copy)
    (branch_copy / FEATURES).unlink()
    with pytest.raises(ModelError, match=r"features\.bin cannot be read"):
        Bundle.read(branch_copy)
    with_features(branch_copy, content + b"\0")
    with pytest.raises(ModelError, match=r"features\.bin: 901 bytes are not a list"):
        Bundle.read(branch_copy)


def test_more_hashes_than_rows_are_a_sentence(branch_copy: Path) -> None:
    """The graph has no row for them: classifying ends with an error, and the process goes on."""
    with_features(branch_copy, np.sort(np.array(ngram_hashes("zebra") * 300, "<u4")).tobytes())
    with pytest.raises(ModelError):
        Classifier.load(branch_copy).classify("zebra")


@pytest.mark.parametrize("listed", [False, True])
def test_features_and_graph_belong_together(branch_copy: Path, fixture_model: Path, listed: bool) -> None:
    """A graph with two inputs needs features, and a graph with one has none."""
    if listed:  # the graph of a model without a branch
        shutil.copy(fixture_model / "model.tflite", branch_copy)
    else:
        (branch_copy / FEATURES).unlink()
    manifest = json.loads((branch_copy / "model.json").read_bytes())
    content = (branch_copy / "model.tflite").read_bytes()
    manifest["files"]["model.tflite"]["sha256"] = hashlib.sha256(content).hexdigest()
    if not listed:
        del manifest["files"][FEATURES]
    (branch_copy / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="no single tensor of"):
        Classifier.load(branch_copy).classify("bread")


# A model with a branch

TEXTS = [
    ("knead the dough in the oven", "baking"),
    ("breads and ovens", "baking"),  # by their n-grams only
    ("when a anchor", "sailing"),
    ("when a", "sailing"),  # by the pair only
    ("gardening", "gardening"),
]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """The model with a linear branch."""
    return Classifier.load(LINEAR_BRANCH)


@pytest.mark.parametrize(("text", "label"), TEXTS)
def test_the_branch_classifies(classifier: Classifier, text: str, label: str) -> None:
    """By known words, by pairs of them, and by the n-grams of words that are in no vocabulary."""
    assert classifier.classify(text).scores[label] > 0.5


def test_without_features_the_scores_are_those_of_the_network(classifier: Classifier) -> None:
    """Here the network has no weights: every label has the same score."""
    for text in ("", "zqzqzq", "?", "a when"):  # the pair has the other order
        assert list(classifier.classify(text).scores.values()) == pytest.approx([1 / 3] * 3)
    assert classifier.classify("zqzqzq").reason is not Reason.OFF_TOPIC


def test_scores_do_not_depend_on_the_text_before(classifier: Classifier) -> None:
    """Neither their lengths nor the number of rows; one text or many."""
    texts = [text for text, _ in TEXTS] * 3
    alone = [Classifier.load(LINEAR_BRANCH).classify(text).scores for text in texts[:5]] * 3
    assert [prediction.scores for prediction in classifier.classify_many(texts)] == alone


def test_a_classifier_with_a_branch_can_be_pickled(classifier: Classifier) -> None:
    """For other processes, before and after its first text."""
    fresh = Classifier.load(LINEAR_BRANCH)
    fresh.classify("breads")
    for one in (Classifier.load(LINEAR_BRANCH), fresh):
        again = pickle.loads(pickle.dumps(one))  # noqa: S301  # our own
        assert again.classify("breads and ovens") == classifier.classify("breads and ovens")


def test_the_commands_work_with_a_branch(run: Run, tmp_path: Path) -> None:
    """classify, in one process and in several, explain, verify and info."""
    lines = "".join(f"{text}\n" for text, _ in TEXTS * 40)
    done = run("classify", "-m", LINEAR_BRANCH, "--best-guess", input=lines)
    assert [line.split("\t")[1] for line in done.stdout.splitlines()] == [label for _, label in TEXTS] * 40
    assert run("classify", "-m", LINEAR_BRANCH, "--best-guess", "--jobs", "2", input=lines).stdout == done.stdout
    explained = json.loads(run("explain", "-m", LINEAR_BRANCH, "--to", "json", "--text", "the breads").stdout)
    assert "breads" in json.dumps(explained)
    verified = run("verify", LINEAR_BRANCH)
    assert verified.returncode == 0, verified.stderr
    size = sum((LINEAR_BRANCH / name).stat().st_size for name in ("model.tflite", "vocab.txt", "model.json", FEATURES))
    assert str(size) in run("info", LINEAR_BRANCH, "--to", "json").stdout


def test_a_strange_model_with_a_branch_is_tried_first(branch_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its graph gets rows too, in a process of its own."""
    monkeypatch.setenv(trial.CACHE_VARIABLE, str(branch_copy.parent / "cache"))
    assert Classifier.load(branch_copy).classify("breads").scores["baking"] > 0.5
