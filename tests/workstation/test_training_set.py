"""The training set: copies, targets, folds, vocabulary, off-topic texts, and the ratios that embeddings start from."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

import numpy as np
import pytest

from sotag_convert.data.dataset import Dataset, Examples, Origin
from sotag_convert.learn import training_set as training_sets
from sotag_convert.learn.augment import Augmentation
from sotag_convert.learn.presets import PRESETS, Preset
from sotag_convert.learn.training_set import FOLDS, OFF_TOPIC, TrainingSet, build_training_set, fold_ratios
from sotag_convert.network.architectures import ConvLstmNetwork
from sotag_edge.errors import InputError
from sotag_edge.vocabulary import Vocabulary

PLAIN = replace(
    PRESETS["default"],
    augmentation=None,
    teacher_share=0.0,
    informative_vocabulary=False,
    extra_texts=False,
    off_topic_repeats=0,
    ratios=False,
)
TOPICS = {"kitchen": "oven dough bread", "harbour": "boat sail anchor"}


def small_dataset(texts_per_label: int) -> Dataset:
    texts = [f"{topic} number {n} here" for topic in TOPICS.values() for n in range(texts_per_label)]
    targets = [label for label in range(2) for _ in range(texts_per_label)]
    return Dataset("small", tuple(TOPICS), Examples.single(tuple(texts), tuple(targets)), None)


def build(data: Dataset, preset: Preset, seed: int = 1) -> TrainingSet:
    return build_training_set(data.train, data, preset, seed)


def test_without_settings_texts_are_as_they_are() -> None:
    """One list of ids per text, in order, its label as the target, the most frequent tokens as the vocabulary."""
    data = replace(small_dataset(10), extra=Examples.single(("sextant",), (1,)), off_topic=("zebra",))
    built = build(data, PLAIN)
    assert built.vocabulary.tokens == Vocabulary.learn([text.split() for text in data.train.texts], 5000).tokens
    assert built.ids == [PLAIN.input.ids(text, built.vocabulary) for text in data.train.texts]
    assert built.targets.tolist() == [[1, 0]] * 10 + [[0, 1]] * 10
    assert built.labels.tolist() == [0] * 10 + [1] * 10


def test_augmentation_joins_the_copies_of_each_text() -> None:
    """The copies of a text follow each other, with its label; nothing else changes the targets."""
    built = build(small_dataset(10), replace(PLAIN, augmentation=Augmentation(1, 2)))
    assert len(built.ids) == 20 * 6
    assert built.labels.tolist() == [0] * 60 + [1] * 60
    assert set(built.targets.ravel().tolist()) == {0, 1}


@dataclass(frozen=True, slots=True)
class Renamed(Origin):
    """An origin whose texts have a version with the label in place of "here"."""

    def versions(self, text: str, label: str, draw: random.Random) -> list[str]:
        """The text with its label."""
        return [text.replace("here", label)]


def test_versions_of_a_text_are_trained_on_with_augmentation() -> None:
    """They come from the origin of the data set, which gets the label of each text; without augmentation nothing asks it."""
    data = replace(small_dataset(10), origin=Renamed())
    built = build(data, replace(PLAIN, augmentation=Augmentation(0, 0)))
    family = len(built.ids) // 20
    assert [text[-1] for text in built.ids[1::family]] == built.vocabulary.ids(["kitchen"] * 10 + ["harbour"] * 10)
    assert "kitchen" not in build(data, PLAIN).vocabulary.tokens


@pytest.mark.parametrize("augmentation", [None, Augmentation()])
def test_the_teacher_has_its_share_of_the_target(augmentation: Augmentation | None) -> None:
    """A share of the target is the teacher's score, the rest is the label; with and without augmentation."""
    data = small_dataset(20)
    preset = replace(PLAIN, augmentation=augmentation)
    labels = build(data, preset).targets
    teacher = build(data, replace(preset, teacher_share=1.0)).targets
    mixed = build(data, replace(preset, teacher_share=0.3)).targets
    assert abs(labels - teacher).min(axis=1).min() > 0
    np.testing.assert_allclose(mixed, 0.7 * labels + 0.3 * teacher, atol=1e-6)


def test_the_teacher_scores_out_of_fold() -> None:
    """Labels that no other text helps to guess are not in the scores, with all copies of a text in the same fold."""
    topics = [f"oven{n} dough{n} bread{n} salt{n}" for n in range(40)]
    labels = np.random.default_rng(0).permutation(40) % 2
    data = Dataset("random", ("a", "b"), Examples.single(tuple(topics), tuple(labels.tolist())), None)
    built = build(data, replace(PLAIN, augmentation=Augmentation(), teacher_share=1.0))
    assert (built.targets.argmax(axis=1) == built.labels).mean() < 0.7


def test_copies_of_a_text_share_its_fold() -> None:
    """No copy of a text has a part in the ratios that another copy is trained with; every fold has texts."""
    built = build(small_dataset(60), PRESETS["default"])
    folds = built.folds.reshape(120, len(built.ids) // 120)
    assert (folds == folds[:, :1]).all()
    assert set(folds[:, 0].tolist()) == set(range(FOLDS))
    assert np.bincount(folds[:, 0]).min() > 10


def test_off_topic_texts_have_the_same_target_for_each_label() -> None:
    """They come last, with no label and their own folds; their words take no place in the vocabulary."""
    data = replace(small_dataset(60), off_topic=("zebra quartz", "quartz"))
    built = build(data, replace(PRESETS["default"], off_topic_repeats=3))
    assert (built.targets[-6:] == 0.5).all()
    assert built.labels.tolist().count(OFF_TOPIC) == 6
    assert built.labels[-6:].tolist() == [OFF_TOPIC] * 6
    assert built.folds[-6:].tolist() == [0, 1] * 3
    assert len(built.ids) == len(built.folds) == len(built.targets) == len(built.labels)
    assert "quartz" not in built.vocabulary.tokens
    assert (built.targets[:-6] != 0.5).any(axis=1).all()


def test_off_topic_texts_need_no_other_setting() -> None:
    """They are joined to texts that are as they are, and repeated as often as asked while they are at most a tenth."""
    data = replace(small_dataset(60), off_topic=("zebra quartz",))
    for repeats, count in ((0, 0), (1, 1), (5, 5), (12, 12), (13, 12), (50, 12)):
        built = build(data, replace(PLAIN, off_topic_repeats=repeats))
        assert built.labels.tolist().count(OFF_TOPIC) == count
        assert len(built.ids) == 120 + count


def test_many_off_topic_texts_are_used_once() -> None:
    """Each of them, even where that is more than a tenth."""
    data = replace(small_dataset(60), off_topic=tuple(f"zebra {n}" for n in range(200)))
    built = build(data, replace(PLAIN, off_topic_repeats=20))
    assert built.labels.tolist() == [0] * 60 + [1] * 60 + [OFF_TOPIC] * 200


def test_extra_texts_are_trained_on_where_the_preset_uses_them() -> None:
    """They follow the texts, with their labels, augmented like any other text."""
    data = replace(small_dataset(30), extra=Examples.single(("sextant fix", "loaf"), (1, 0)))
    built = build(data, replace(PLAIN, extra_texts=True))
    assert built.labels.tolist() == [0] * 30 + [1] * 30 + [1, 0]
    assert "sextant" in built.vocabulary.tokens
    assert "sextant" not in build(data, PLAIN).vocabulary.tokens
    augmented = build(data, replace(PLAIN, extra_texts=True, augmentation=Augmentation(1, 0)))
    assert len(augmented.ids) == 62 * 4


def test_extra_texts_stay_out_of_the_validation() -> None:
    """The split is made of the training texts, and every extra text is in the training set."""
    data = replace(small_dataset(30), extra=Examples.single(tuple(f"sextant{n}" for n in range(9)), (1,) * 9))
    train, kept = data.train.split(0.2, seed=1)
    assert not any("sextant" in text for text in kept.texts)
    built = build_training_set(train, data, replace(PLAIN, extra_texts=True), seed=1)
    assert len(built.ids) == 48 + 9


def test_the_informative_vocabulary_has_rare_tokens_of_one_label() -> None:
    """Half of a small vocabulary is for tokens that say most about the label, however rare; half is for frequent ones."""
    noise = " ".join(f"word{n}" for n in range(40))
    texts = tuple(f"{noise} {'boat' if n % 2 else 'oven'}" for n in range(20))
    data = Dataset("noise", ("a", "b"), Examples.single(texts, tuple(n % 2 for n in range(20))), None)
    small = replace(PLAIN, vocabulary=14)
    informative = build(data, replace(small, informative_vocabulary=True)).vocabulary
    assert len(informative) == 14
    assert {"boat", "oven"} <= set(informative.tokens)
    assert len({token for token in informative.tokens if token.startswith("word")}) == 10
    assert build(data, small).vocabulary.tokens == Vocabulary.learn([text.split() for text in texts], 14).tokens
    assert "boat" not in build(data, small).vocabulary.tokens


def test_the_informative_vocabulary_counts_whole_texts_only() -> None:
    """A token says no more about the label because it is in many segments of one text."""
    texts = [["common", "boat"], ["common", "oven"], *[["boat", "start"]] * 9]
    labels = np.array([0, 1, *[0] * 9])
    whole = np.array([True, True, *[False] * 9])
    vocabulary = training_sets._informative_vocabulary(texts, labels, whole, 5)
    assert vocabulary.tokens[2:] == ("boat", "oven", "common")


@pytest.mark.parametrize("texts_per_label", [1, 2, 3, 7])
def test_with_very_little_data_nothing_is_out_of_fold(texts_per_label: int) -> None:
    """One text per label makes a training set; below 8 it has neither a teacher's scores nor ratios of its texts."""
    built = build(small_dataset(texts_per_label), PRESETS["default"])
    assert set(built.targets.ravel().tolist()) == {0, 1}
    assert (built.folds == FOLDS).all()
    for sets in fold_ratios(built, PRESETS["default"].network(2, len(built.vocabulary))).values():
        assert not sets[FOLDS].any()


def test_eight_texts_per_label_are_enough() -> None:
    """From there on targets have the teacher's scores, and texts are in folds."""
    built = build(small_dataset(8), PRESETS["default"])
    assert not set(built.targets.ravel().tolist()) & {0, 1}
    assert (built.folds < FOLDS).all()


def test_empty_texts_are_refused() -> None:
    """There is nothing to train on."""
    data = Dataset("empty", ("a", "b"), Examples.single(("", " "), (0, 1)), None)
    with pytest.raises(InputError, match="all texts are empty"):
        build(data, PLAIN)


def test_the_same_seed_gives_the_same_training_set() -> None:
    """Segments and folds are drawn from the seed."""
    data = replace(
        small_dataset(20),
        train=Examples.single(tuple(" ".join(f"w{n}{m}" for m in range(60)) for n in range(20)), (0, 1) * 10),
    )
    one, two, other = (build(data, PRESETS["default"], seed) for seed in (5, 5, 6))
    assert (one.ids, one.folds.tolist(), one.targets.tolist()) == (two.ids, two.folds.tolist(), two.targets.tolist())
    assert one.ids != other.ids
    assert one.folds.tolist() != other.folds.tolist()


NETWORK = ConvLstmNetwork(2, 7, embedding=4, ratios=2, buckets=11, filters=4, units=4)


def folded() -> TrainingSet:
    """Twelve texts of two labels in five folds, and two off-topic ones."""
    draw = np.random.default_rng(4)
    ids = [draw.integers(1, 7, 5).tolist() for _ in range(14)]
    labels = np.array([0, 1] * 6 + [OFF_TOPIC] * 2)
    folds = np.array([n % FOLDS for n in range(12)] + [0, 1], np.int32)
    vocabulary = Vocabulary(["[PAD]", "[UNK]", *"abcde"])
    return TrainingSet(vocabulary, ids, np.zeros((14, 2), np.float32), labels, folds)


def ratio(texts: list[set[int]], labels: list[int], row: int, rows: int, label: int) -> float:
    """The scaled log-count ratio of one row, counted by hand."""

    def share(of_label: bool) -> float:
        chosen = [text for text, number in zip(texts, labels, strict=True) if (number == label) is of_label]
        return (sum(row in text for text in chosen) + 0.3) / (sum(map(len, chosen)) + 0.3 * rows)

    return 0.3 * math.log(share(of_label=True) / share(of_label=False))


@pytest.mark.parametrize("table", ["tokens", "bigrams"])
def test_ratios_leave_out_the_fold_that_is_trained_with_them(table: str) -> None:
    """Set n has the ratios of the texts outside fold n, by label; the last set has those of all texts."""
    training_set = folded()
    rows = NETWORK.ratio_tables()[table][0]
    sets = fold_ratios(training_set, NETWORK)[table]
    assert sets.shape == (FOLDS + 1, rows, 2)
    features = [set(NETWORK.features(ids)[table]) for ids in training_set.ids]
    for fold in range(FOLDS + 1):
        kept = [number for number in range(14) if training_set.folds[number] != fold]
        assert len(kept) == (14 if fold == FOLDS else 14 - int((training_set.folds == fold).sum()))
        texts, labels = [features[number] for number in kept], [int(training_set.labels[number]) for number in kept]
        expected = [[ratio(texts, labels, row, rows, label) for label in range(2)] for row in range(rows)]
        np.testing.assert_allclose(sets[fold], expected, rtol=1e-4, atol=1e-6)
