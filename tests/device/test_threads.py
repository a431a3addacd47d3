"""One classifier in several threads, in other processes, and with what is not a text."""

from __future__ import annotations

import copy
import hashlib
import multiprocessing
import operator
import pickle
import threading
from pathlib import Path

import pytest

from sotag_edge import Classifier, ModelError
from sotag_edge.explain import explain
from tests.conftest import FIXTURE

TEXTS = [" ".join(["bread", "soil", "sail", "dough", "wind"][: 1 + n % 5] * (1 + n % 13)) for n in range(200)]


def pickled_and_loaded(classifier: Classifier) -> Classifier:
    """What another process gets."""
    loaded: Classifier = pickle.loads(pickle.dumps(classifier))  # noqa: S301  # our own
    return loaded


def test_threads_give_what_one_gives() -> None:
    """Thousands of texts of different lengths, in four threads at once: no error, and each answer is the same."""
    classifier = Classifier.load(FIXTURE)
    expected = [classifier.classify(text) for text in TEXTS]
    faults: list[object] = []

    def work(first: int) -> None:
        try:
            numbers = [n % len(TEXTS) for n in range(first, first + 3000)]
            faults.extend(n for n in numbers if classifier.classify(TEXTS[n]) != expected[n])
        except BaseException as error:
            faults.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number * 50,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.parametrize("make", [copy.deepcopy, copy.copy, pickled_and_loaded])
def test_a_copy_answers_alike(make: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With its threshold and its labels, from another directory too."""
    monkeypatch.chdir(FIXTURE.parent)
    classifier = Classifier.load("./model", threshold=0.9, only=["sailing", "baking"])
    monkeypatch.chdir(tmp_path)
    other = make(classifier)  # type: ignore[operator]
    assert [other.classify(text) for text in TEXTS[:9]] == [classifier.classify(text) for text in TEXTS[:9]]


def test_another_process_gets_it() -> None:
    """As a program with a pool of its own passes it."""
    classifier = Classifier.load(FIXTURE)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        (answer,) = pool.map(classifier.classify, ["bread dough"])
    assert answer == classifier.classify("bread dough")


def test_a_pickle_of_a_changed_model_is_refused(model_copy: Path) -> None:
    """What is loaded is the model that was pickled, or nothing."""
    classifier = Classifier.load(model_copy)
    manifest = (model_copy / "model.json").read_text()
    (model_copy / "model.json").write_text(manifest.replace('"baking"', '"cooking"'))
    with pytest.raises(ModelError, match="its files have changed"):
        pickled_and_loaded(classifier)
    (model_copy / "vocab.txt").write_text((model_copy / "vocab.txt").read_text() + "more\n")
    with pytest.raises(ModelError):
        pickled_and_loaded(classifier)
    content = (model_copy / "vocab.txt").read_bytes()
    before = hashlib.sha256((FIXTURE / "vocab.txt").read_bytes()).hexdigest()
    (model_copy / "model.json").write_text(manifest.replace(before, hashlib.sha256(content).hexdigest()))
    with pytest.raises(ModelError, match="its files have changed"):
        pickled_and_loaded(classifier)


def test_a_classifier_shows_its_model() -> None:
    """In an interactive session."""
    assert repr(Classifier.load(FIXTURE)).startswith(f"<Classifier {str(FIXTURE)!r}: 3 labels, ")


@pytest.mark.parametrize("value", [None, float("nan"), 3, b"bread dough", ["bread dough"]])
def test_what_is_no_text_is_a_type_error(value: object) -> None:
    """A missing value of a table, a number, bytes, a list; alone, among others, and to explain."""
    classifier = Classifier.load(FIXTURE)
    with pytest.raises(TypeError, match=f"a text must be a str, not {type(value).__name__}"):
        classifier.classify(value)  # type: ignore[arg-type]
    answers = classifier.classify_many(["bread dough", value])  # type: ignore[list-item]
    assert next(answers).label == "baking"
    with pytest.raises(TypeError, match="a text must be a str"):
        next(answers)
    with pytest.raises(TypeError, match="a text must be a str"):
        explain(classifier, value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["abc", b"abc", ""])
def test_a_single_text_is_not_several(value: object) -> None:
    """Its letters would be tagged."""
    with pytest.raises(TypeError, match=f"not a single {type(value).__name__}"):
        Classifier.load(FIXTURE).classify_many(value)  # type: ignore[arg-type]


def test_answers_have_a_length_where_the_texts_have() -> None:
    """So that a progress bar knows the end; a stream has none, and is read lazily."""
    classifier = Classifier.load(FIXTURE)
    answers = classifier.classify_many(TEXTS)
    assert len(answers) == len(TEXTS)  # type: ignore[arg-type]
    next(answers)
    assert operator.length_hint(answers) == len(TEXTS) - 1
    assert len(list(answers)) == len(TEXTS) - 1
    with pytest.raises(TypeError):
        len(classifier.classify_many(iter(TEXTS)))  # type: ignore[arg-type]
