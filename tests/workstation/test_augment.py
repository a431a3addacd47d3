"""Copies of the training texts, and what they teach."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy
import pytest

from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.learn import augment, teacher
from sotag_convert.learn import training_set as lessons
from sotag_convert.learn.presets import PRESETS
from sotag_edge.tokenizer import TokenizerMode


@pytest.mark.parametrize(
    ("label", "masked", "named"),
    [
        ("java", "import blank.util.list; in blankx.swing", "import java.util.list; in javax.swing"),
        ("python", "c:/blank27/lib and 'blank'", "c:/python27/lib and 'python'"),
        ("javascript", 'type="text/blank" target="_blank"', 'type="text/javascript" target="_blank"'),
        ("rust", "why does blank do this? fill the blanks", "why does rust do this? fill the blanks"),
    ],
)
def test_unmask_names_the_tag_in_code_by_its_label(label: str, masked: str, named: str) -> None:
    """Within code the name is the label; other uses of the same letters stay."""
    assert augment.unmask(masked, "blank", label, random.Random(0)) == named


def test_unmask_spells_as_people_do() -> None:
    """Within a sentence a text has one of the usual spellings, all of which come up."""
    draw = random.Random(0)
    found = {augment.unmask("a loop in blank, or two", "blank", "csharp", draw) for _ in range(100)}
    assert found == {f"a loop in {spelling}, or two" for spelling in augment.SPELLINGS["csharp"]}


def test_copies_are_parts_of_the_text() -> None:
    """The first copy is the text itself, the beginning is its beginning, each segment stands in it as it is."""
    text = " ".join(f"word{number}" for number in range(90))
    whole, title, start, *segments = augment.copies(text, "any", None, TokenizerMode.CODE, random.Random(0))
    assert whole.tokens == text.split()
    assert (whole.taught, title.taught, start.taught) == (True, True, False)
    assert text.startswith(" ".join(title.tokens))
    assert text.startswith(" ".join(start.tokens))
    assert 6 <= len(start.tokens) <= 24
    assert segments
    for segment in segments:
        assert not segment.taught
        assert " ".join(segment.tokens) in text
        assert 22 <= len(segment.tokens) <= 68


def small_dataset(texts_per_label: int) -> Dataset:
    topics = {"kitchen": "oven dough bread", "harbour": "boat sail anchor"}
    texts = [f"{topic} number {n} here" for topic in topics.values() for n in range(texts_per_label)]
    targets = [label for label in range(2) for _ in range(texts_per_label)]
    return Dataset("small", tuple(topics), Examples(tuple(texts), tuple(targets)), None)


def test_the_teacher_scores_texts_it_did_not_see() -> None:
    """A text whose words no other text has gets no certain score, for its own label is not what the teacher read."""
    tokens = [["oven", "dough"]] * 4 + [["boat", "sail"]] * 4 + [["zebra"]]
    numbers = numpy.array([0] * 4 + [1] * 5)
    scores = teacher.out_of_fold_scores(tokens, numbers, 2, numpy.arange(9), numpy.ones(9, bool), seed=1)
    assert scores is not None
    numpy.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert (scores[:8].argmax(axis=1) == numbers[:8]).all()
    assert scores[8].max() < scores[:8].max(axis=1).min()


def test_copies_of_a_text_share_its_fold() -> None:
    """No copy of a text has a part in the ratios that another one learns with."""
    data = small_dataset(60)
    prepared = lessons.prepare(data.train, data, PRESETS["default"], seed=1)
    families = len(prepared.ids) // 120
    assert len(prepared.ids) == 120 * families
    folds = prepared.folds.reshape(120, families)
    assert (folds == folds[:, :1]).all()
    assert len(set(folds[:, 0])) == lessons.FOLDS


def test_texts_of_none_of_the_labels_teach_to_be_unsure() -> None:
    """They come last, with the same target for each label and no label; their words take no place in the vocabulary."""
    data = replace(small_dataset(60), others=("zebra quartz", "quartz"))
    prepared = lessons.prepare(data.train, data, PRESETS["default"], seed=1)
    assert (prepared.targets[-2:] == 0.5).all()
    assert {*prepared.numbers.tolist()} == {0, 1, -1}
    assert prepared.numbers.tolist().count(-1) == 2 * lessons._OTHERS
    assert prepared.folds[-2 * lessons._OTHERS :].tolist() == [0, 1] * lessons._OTHERS
    many = replace(data, others=("zebra quartz",) * 200)
    assert lessons.prepare(many.train, many, PRESETS["default"], seed=1).numbers.tolist().count(-1) == 200
    assert len(prepared.ids) == len(prepared.folds) == len(prepared.targets)
    assert "quartz" not in prepared.vocabulary.tokens
    assert len(lessons.prepare(data.train, data, PRESETS["seed"], seed=1).ids) == 120


def test_questions_of_our_own_are_learned_from() -> None:
    """They join the texts with their copies; the preset that learns from the texts alone leaves them out."""
    data = small_dataset(30)
    more = replace(data, own=Examples(("sextant fix", "sextant"), (1, 1)))
    alone, joined = (lessons.prepare(found.train, found, PRESETS["default"], seed=1) for found in (data, more))
    assert len(joined.ids) - len(alone.ids) == 2 * len(alone.ids) // 60
    assert "sextant" in joined.vocabulary.tokens
    assert len(lessons.prepare(more.train, more, PRESETS["seed"], seed=1).ids) == 60


def test_a_rare_telling_token_is_known() -> None:
    """Of a small vocabulary half is for tokens that tell a label, however rare; a frequent one that tells nothing goes."""
    noise = [f"word{n}" for n in range(40)]
    texts = [[*noise, "boat"] if n % 2 else [*noise, "oven"] for n in range(8)]
    numbers = numpy.array([n % 2 for n in range(8)])
    vocabulary = lessons._telling_vocabulary(texts, numbers, numpy.ones(8, bool), 14)
    assert len(vocabulary) == 14
    assert {"boat", "oven"} <= set(vocabulary.tokens)


@pytest.mark.parametrize("texts_per_label", [1, 2, 3])
def test_very_little_data_is_enough(texts_per_label: int) -> None:
    """Lessons can be made of one text a label, without a teacher then, and with nothing left out."""
    data = small_dataset(texts_per_label)
    prepared = lessons.prepare(data.train, data, PRESETS["default"], seed=1)
    assert set(prepared.targets.ravel().tolist()) == {0, 1}
    assert (prepared.folds == lessons.FOLDS).all()
    numpy.testing.assert_allclose(prepared.targets.sum(axis=1), 1, atol=1e-6)
    for sets in lessons.fold_ratios(prepared, PRESETS["default"].network(2, len(prepared.vocabulary))).values():
        assert numpy.isfinite(sets).all()


def test_many_labels_fit_into_few_channels() -> None:
    """Ratios of more labels than channels keep the channels' shape, the same directions for every set."""
    sets = numpy.random.default_rng(1).normal(size=(3, 40, 20)).astype(numpy.float32)
    narrowed = teacher.narrow(sets, 8)
    assert narrowed.shape == (3, 40, 8)
    numpy.testing.assert_allclose(teacher.narrow(sets[[0, 0, 2]], 8)[0], narrowed[0], atol=1e-5)
