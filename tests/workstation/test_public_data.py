"""The public data sets: what is in which part, and which texts are left out."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from sotag_convert.data import sotitle, stackoverflow, stackoverflow_16k
from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.data.load import load_labelled
from sotag_convert.data.public import PUBLIC
from sotag_convert.data.settings import DataSettings
from sotag_convert.data.stackoverflow import own_texts
from sotag_convert.data.stackoverflow_text import StackOverflow
from sotag_edge.errors import InputError
from tests.workstation.public_files import hashes, packed, table
from tests.workstation.public_sets import FILES, NONE, PARTS, SHORT, load_from

LABELS = ("csharp", "java", "javascript", "python")


def without_own(examples: Examples) -> list[tuple[str, str]]:
    """The texts and their labels, but for those of this project."""
    own = {text for text, _ in own_texts()}
    pairs = zip(examples.texts, examples.targets, strict=True)
    return [(text, LABELS[target]) for text, target in pairs if text not in own]


def counts(pairs: list[tuple[str, str]], word: str) -> list[int]:
    """How many of the texts that begin with a word each label has."""
    counted = Counter(label for text, label in pairs if text.startswith(word))
    return [counted[label] for label in LABELS]


def test_the_texts_are_joined(copies: Path) -> None:
    """Most are trained on, balanced: as many of each label as there are of the rarest one. Each has its own label."""
    dataset = load_from(copies)
    assert (dataset.name, dataset.labels, type(dataset.origin)) == ("stackoverflow", LABELS, StackOverflow)
    extra = without_own(dataset.extra)
    assert dataset.validation is not None
    assert counts(without_own(dataset.train), "a question in train/") == [9] * 4
    assert counts(extra, "Question") == [30 - 3 - 3] * 4
    assert counts(extra, "Title") == [7] * 4
    assert all(f" of {label}" in text for text, label in extra if text.startswith(("Question", "Title")))
    validation = without_own(dataset.validation)
    assert counts(validation, "a question in train/") == [1] * 4
    assert counts(validation, "Question") == [3] * 4
    assert counts(validation, "Title") == [3] * 4
    [questions, titles] = dataset.further_tests
    assert (questions.name, titles.name) == ("real questions", "real titles")
    assert counts(without_own(questions.examples), "Question") == [3] * 4
    assert questions.off_topic == ()


def test_long_texts_are_whole_questions(copies: Path) -> None:
    """The title and the body, two lines apart."""
    texts = [text for text, _ in without_own(load_from(copies).extra) if text.startswith("Question")]
    title, body = texts[0].split("\n\n")
    assert body == f"The body of a {title}"


def test_there_are_at_most_so_many_titles(copies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """25,000 of each label, in no order: neither they nor the questions are the first ones of their files."""
    monkeypatch.setattr(stackoverflow, "_TITLES", 5)
    extra = without_own(load_from(copies).extra)
    assert counts(extra, "Title") == [5] * 4
    for kind, count in (("Title", 5), ("Question", 24)):
        texts = [text.split("\n")[0] for text, label in extra if text.startswith(kind) and label == "csharp"]
        assert len(texts) == count
        assert texts != sorted(texts, key=lambda text: int(text.split()[1]))


def test_the_tags_of_a_title_decide_where_it_is(copies: Path) -> None:
    """With one of the four tags it has its label, with none it is off-topic, with several it is in no part."""
    dataset = load_from(copies)
    own = {text for text, _ in own_texts()}
    assert set(without_own(dataset.extra)) >= {("Sort the shelf?", "java"), ("Count the spoons", "python")}
    assert [text for text in dataset.off_topic if text not in own] == ["Knead the dough"]
    assert dataset.validation is not None
    assert ("Water the roses", "javascript") in without_own(dataset.validation)
    assert dataset.validation_off_topic == ("Paint the hull",)
    titles = dataset.further_tests[1]
    assert without_own(titles.examples) == [("Anchor here", "csharp")]
    assert titles.off_topic == ("Bake bread",)
    everything = " ".join(text for part in parts_of(dataset).values() for text in part)
    for text in ("Call one from the other", "Reef the sail", "Salt the soup", "In no part"):
        assert text not in everything


def test_the_texts_of_this_project_are_trained_on(copies: Path) -> None:
    """With their labels, and the off-topic ones."""
    dataset = load_from(copies)
    labelled = {(text, label) for text, label in own_texts() if label != "unknown"}
    assert set(zip(dataset.extra.texts, (LABELS[n] for n in dataset.extra.targets), strict=True)) >= labelled
    assert set(dataset.off_topic) >= {text for text, label in own_texts() if label == "unknown"}


def parts_of(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """The texts by what they are for."""
    assert dataset.validation is not None
    assert dataset.test is not None
    parts = {
        "train": dataset.train.texts + dataset.extra.texts + dataset.off_topic,
        "validation": dataset.validation.texts + dataset.validation_off_topic,
        "test": dataset.test.texts,
    }
    return parts | {test.name: test.examples.texts + test.off_topic for test in dataset.further_tests}


def test_no_text_is_in_two_parts(copies: Path) -> None:
    """Nor twice in one of them."""
    parts = parts_of(load_from(copies))
    assert min(map(len, parts.values())) > 1
    for one, other in combinations(parts, 2):
        assert not {*parts[one]} & {*parts[other]}, (one, other)
    for part in parts.values():
        assert len(set(part)) == len(part)


def test_duplicates_are_left_out(copies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By letters and digits: of two titles the first stays, and none that repeats a tagged title, whatever its part is."""
    files = FILES | {
        "data/JS/valid_title.csv": table(
            ["QUESTION 1, OF PYTHON", "TITLE 1 of JavaScript", "Only here", "only: here!"]
        ),
        "data/Java/valid_title.csv": table(["SORT the shelf", "anchor HERE!", "reef the sail", "In no part"]),
    }
    monkeypatch.setattr(sotitle, "SHA256", hashes(files))
    packed(copies, files)
    dataset = load_from(copies)
    texts = [text for part in parts_of(dataset).values() for text in part]
    assert "Only here" in texts
    assert "TITLE 1 of JavaScript" in texts  # train comes last
    assert "QUESTION 1, OF PYTHON" in texts  # the python folder comes later
    assert "In no part" in texts  # it is in no part of the tagged titles
    assert not {"Title 1 of javascript", "only: here!", "SORT the shelf", "anchor HERE!", "reef the sail"} & set(texts)
    assert not any(text.startswith("Question 1 of python") for text in texts)


def test_excluded_rows_are_in_no_part(copies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in training nor in the tests."""
    monkeypatch.setattr(sotitle, "excluded_rows", lambda: NONE | {"Python/test": range(30), "C#/train": [2]})
    dataset = load_from(copies)
    texts = [text for part in parts_of(dataset).values() for text in part]
    assert sorted(text.split("\n")[0] for text in texts if text.startswith("Question") and "python" in text) == [
        "Question 30 of python",
        "Question 31 of python",
    ]
    assert counts(without_own(dataset.extra), "Question") == [2] * 4
    assert "Title 2 of csharp" not in texts


def test_larger_files_of_a_copy_are_used(copies: Path) -> None:
    """Bodies of the other titles make them questions."""
    bodies = {}
    for label, folder in sotitle.FOLDERS.items():
        bodies[f"data/{folder}/train_body.csv"] = table([f"Now with a body, {n}" for n in range(SHORT[label])])
    packed(copies, FILES | bodies)
    extra = without_own(load_from(copies).extra)
    assert any("Now with a body" in text for text, _ in extra)
    assert counts(extra, "Question")[1] + counts(extra, "Title")[1] == 30 + 11 - 4 - 4


def test_the_benchmark_has_its_own_texts_only(copies: Path) -> None:
    """`stackoverflow-16k` needs no other file, and its validation texts are split off by the training."""
    for archive in (copies, copies / stackoverflow_16k.ARCHIVE):
        dataset = load_from(archive, "stackoverflow-16k")
        assert (dataset.name, dataset.labels, type(dataset.origin)) == ("stackoverflow-16k", LABELS, StackOverflow)
        assert dataset.train.counts(4) == [10] * 4
        assert dataset.test is not None
        assert dataset.test.counts(4) == [1] * 4
        assert (len(dataset.extra), dataset.off_topic, dataset.validation, dataset.further_tests) == (0, (), None, ())


def test_the_topics_are_titles_with_all_their_tags(copies: Path) -> None:
    """In the parts that they are in; those of several of the four tags, too."""
    dataset = load_from(copies, "stackoverflow-topics")
    assert (dataset.name, dataset.multi_label) == ("stackoverflow-topics", True)
    assert dataset.labels == ("arrays", "c#", "java", "javascript", "php", "python", "ruby", "sorting")
    assert dataset.origin.licence == StackOverflow().licence
    tags = [{dataset.labels[number] for number in numbers} for numbers in dataset.train.label_sets]
    assert tags == [set(title.tags) for title in PARTS.train]
    assert dataset.train.texts == tuple(title.text for title in PARTS.train)


def test_the_sources_are_named(copies: Path) -> None:
    """Those of the texts that a model is trained on, with their addresses, for its card."""
    sources = {name: " ".join(load_from(copies, name).origin.sources) for name in PUBLIC}
    assert {
        name: [word in text for word in ("16k", "SOTitle", "100 most", "this project")]
        for name, text in sources.items()
    } == {
        "stackoverflow": [True] * 4,
        "stackoverflow-16k": [True, False, False, False],
        "stackoverflow-topics": [False, False, True, False],
    }


def test_a_model_is_measured_on_the_test_texts_and_on_others(copies: Path) -> None:
    """Their labels have the numbers of the model, which may have more; it must have all of theirs."""
    labels = ("python", "javascript", "cooking", "java", "csharp")
    labelled = load_labelled("stackoverflow", labels, DataSettings(archive=copies))
    assert (labelled.name, type(labelled.origin)) == ("test texts", StackOverflow)
    assert [further.name for further in labelled.further] == ["real questions", "real titles"]
    assert labelled.further[1].off_topic == ("Bake bread",)
    for texts in (labelled, *labelled.further):
        for text, target in zip(texts.examples.texts, texts.examples.targets, strict=True):
            assert labels[target] in text or (text, labels[target]) == ("Anchor here", "csharp")
    with pytest.raises(InputError, match=r"stackoverflow has the labels python, csharp, .* and the model csharp, java"):
        load_labelled("stackoverflow", ("csharp", "java", "javascript"), DataSettings(archive=copies))


def test_topics_are_measured_with_the_numbers_of_the_model(copies: Path) -> None:
    """In ascending order."""
    labels = ("sorting", "ruby", "python", "php", "javascript", "java", "c#", "arrays")
    examples = load_labelled("stackoverflow-topics", labels, DataSettings(archive=copies)).examples
    assert examples.label_sets == ((6, 7), (3,), (4, 6, 7))


def test_more_bodies_change_no_test_text(copies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy with the bodies of all questions has the same ones to measure on; beyond so many, titles stay titles."""
    usual = load_from(copies)
    monkeypatch.setattr(stackoverflow, "_WHOLE", 35)
    bodies = {
        f"data/{folder}/train_body.csv": table([f"The body of a Title {number}" for number in range(SHORT[label])])
        for label, folder in sotitle.FOLDERS.items()
    }
    packed(copies, FILES | bodies)
    more = load_from(copies)
    assert more.further_tests == usual.further_tests
    assert min(counts(without_own(more.extra), "Title")) > 0
    texts = [text for text, _ in without_own(more.extra) if "\n\n" in text]
    assert any(text.startswith("Title") for text in texts)
