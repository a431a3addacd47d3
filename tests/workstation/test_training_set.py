"""The training set: copies, targets, folds, off-topic texts, and the ratios that embeddings start from."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from sotag_convert.data.dataset import Dataset, Examples, Origin
from sotag_convert.learn.augment import Augmentation
from sotag_convert.learn.calibrate import members_of
from sotag_convert.learn.corpus import Ragged
from sotag_convert.learn.presets import PRESETS, Preset
from sotag_convert.learn.ratios import fold_ratios
from sotag_convert.learn.training_set import (
    FOLDS,
    TrainingSet,
    build_training_set,
    for_network,
    input_settings,
)
from sotag_convert.network.architectures import ConvLstmNetwork
from sotag_edge.errors import InputError
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode
from sotag_edge.vocabulary import Vocabulary

PLAIN = replace(
    PRESETS["default"],
    augmentation=None,
    teacher_share=0.0,
    informative_vocabulary=False,
    extra_texts=False,
    off_topic_repeats=0,
    rows=None,
    ratios=False,
)
TOPICS = {"kitchen": "oven dough bread", "harbour": "boat sail anchor"}
GARDEN = TOPICS | {"garden": "soil seeds roses"}


def small_dataset(texts_per_label: int, topics: dict[str, str] = TOPICS, words: int = 0) -> Dataset:
    """Texts of six tokens, or of so many more that are a text's own."""
    texts, targets = [], []
    for label, topic in enumerate(topics.values()):
        for number in range(texts_per_label):
            own = " ".join(f"x{label}y{number}z{word}" for word in range(words))
            texts.append(f"{topic} number {number} here {own}".strip())
            targets.append(label)
    return Dataset("small", tuple(topics), Examples.single(texts, targets), None)


def build(data: Dataset, preset: Preset, seed: int = 1) -> TrainingSet:
    return build_training_set(data.train, data, preset, seed)


def lists(ids: Ragged) -> list[list[int]]:
    return [array.tolist() for array in ids]


def test_without_settings_texts_are_as_they_are() -> None:
    """One list of ids per text, in order, its label as the target, the most frequent tokens as the vocabulary."""
    data = replace(small_dataset(10), extra=Examples.single(("sextant",), (1,)), off_topic=("zebra",))
    built = build(data, PLAIN)
    assert built.vocabulary.tokens == Vocabulary.learn([text.split() for text in data.train.texts], 5000).tokens
    assert lists(built.ids) == [PLAIN.input.ids(text, built.vocabulary) for text in data.train.texts]
    assert built.targets.tolist() == built.members.tolist() == [[1, 0]] * 10 + [[0, 1]] * 10
    assert (built.labels, built.labelled, built.off_topic, built.features) == (2, 20, False, None)
    assert built.fitted.all()


def test_augmentation_joins_the_different_copies_of_each_text() -> None:
    """The copies of a text follow each other, with its label; a text too short to cut is there once."""
    preset = replace(PLAIN, augmentation=Augmentation(1, 2))
    built = build(small_dataset(10, words=60), preset)
    owners = [max(array.tolist()) for array in built.ids]
    assert 2 * 10 * 4 <= len(built.ids) <= 2 * 10 * 6
    half = int(built.members[:, 0].sum())
    assert built.targets.tolist() == [[1, 0]] * half + [[0, 1]] * (len(owners) - half)
    assert not built.fitted.all()
    assert len(set(map(tuple, lists(built.ids)))) == len(built.ids)
    assert len(build(small_dataset(10), preset).ids) == 20


@dataclass(frozen=True, slots=True)
class Renamed(Origin):
    """An origin whose texts have a version with the labels in place of "here"."""

    def versions(self, text: str, labels: Sequence[str], draw: random.Random) -> list[str]:
        """The text, and the text with its labels."""
        return [text, text.replace("here", " ".join(labels))]


def test_versions_of_a_text_are_trained_on_with_augmentation() -> None:
    """They come from the origin of the data set, which gets each text's label; without augmentation it is not asked."""
    data = replace(small_dataset(10), origin=Renamed())
    built = build(data, replace(PLAIN, augmentation=Augmentation(0, 0)))
    assert len(built.ids) == 40  # the text, and its version; title and beginning are the same
    assert [text[-1] for text in lists(built.ids)[1::2]] == built.vocabulary.ids(["kitchen"] * 10 + ["harbour"] * 10)
    assert "kitchen" not in build(data, PLAIN).vocabulary.tokens


@pytest.mark.parametrize("augmentation", [None, Augmentation()])
@pytest.mark.parametrize("rows", [None, 50])
def test_the_linear_model_has_its_share_of_the_target(augmentation: Augmentation | None, rows: int | None) -> None:
    """A share of the target is its score, the rest is the label; with and without augmentation and a branch."""
    data = small_dataset(20)
    preset = replace(PLAIN, augmentation=augmentation, rows=rows)
    labels = build(data, preset).targets
    linear = build(data, replace(preset, teacher_share=1.0)).targets
    mixed = build(data, replace(preset, teacher_share=0.3)).targets
    assert abs(labels - linear).min(axis=1).min() > 0
    np.testing.assert_allclose(mixed, 0.7 * labels + 0.3 * linear, atol=1e-6)


def test_the_linear_model_scores_out_of_fold() -> None:
    """Labels that no other text helps to guess are not in the scores, with all copies of a text in the same fold."""
    topics = [" ".join(f"oven{n}w{word}" for word in range(30)) for n in range(40)]
    labels = np.random.default_rng(0).permutation(40) % 2
    data = Dataset("random", ("a", "b"), Examples.single(topics, labels.tolist()), None)
    built = build(data, replace(PLAIN, augmentation=Augmentation(), teacher_share=1.0))
    assert len(built.ids) > 200
    assert (built.targets.argmax(axis=1) == built.members.argmax(axis=1)).mean() < 0.7


def test_one_rare_label_changes_no_other() -> None:
    """Its texts keep their labels as targets and it has no ratios; the other labels have both, and the same vocabulary."""
    preset = replace(PRESETS["default"], off_topic_repeats=0)
    data = small_dataset(20)
    rare = replace(data, labels=(*data.labels, "rare"), train=data.train.joined(Examples.single(("a zebra",), (2,))))
    alone, built = build(data, preset), build(rare, preset)
    assert set(alone.vocabulary.tokens) == set(built.vocabulary.tokens) - {"a", "zebra"}
    assert built.targets[-1].tolist() == [0, 0, 1]
    others = built.targets[:-1]
    assert not set(others[:, :2].ravel().tolist()) & {0, 1}
    np.testing.assert_allclose(others[:, :2], alone.targets, atol=0.1)
    for sets in fold_ratios(built, preset.network(3, len(built.vocabulary))).values():
        assert not sets[..., 2].any()
        assert sets[FOLDS, :, :2].any()


def test_few_texts_of_every_label_have_their_labels_as_targets() -> None:
    """Below 8 texts per label nothing is out of fold; from there on the targets have the linear model's scores."""
    preset = replace(PRESETS["default"], off_topic_repeats=0)
    for texts in (1, 2, 7):
        built = build(small_dataset(texts), preset)
        assert set(built.targets.ravel().tolist()) == {0, 1}
        for sets in fold_ratios(built, preset.network(2, len(built.vocabulary))).values():
            assert not sets.any()
    assert not set(build(small_dataset(8), preset).targets.ravel().tolist()) & {0, 1}


def test_copies_of_a_text_share_its_fold() -> None:
    """No copy of a text has a part in the ratios that another copy is trained with; every fold has texts."""
    built = build(small_dataset(60, words=40), replace(PRESETS["default"], teacher_share=0.0))
    names = [token.partition("z")[0] if "z" in token else "" for token in built.vocabulary.tokens]
    folds: dict[str, set[int]] = {}
    for ids, fold in zip(built.ids, built.folds.tolist(), strict=True):
        for name in {names[number] for number in ids.tolist()} - {""}:
            folds.setdefault(name, set()).add(fold)
    assert len(folds) == 120
    assert all(len(of_text) == 1 for of_text in folds.values())
    assert set(built.folds.tolist()) == set(range(FOLDS))


def test_off_topic_texts_have_an_output_of_their_own() -> None:
    """The last one; they come last, and their words take no place in the vocabulary."""
    data = replace(small_dataset(60), off_topic=("zebra quartz", "quartz"))
    built = build(data, replace(PLAIN, off_topic_repeats=3))
    assert (built.off_topic, built.labels, built.labelled, len(built.ids)) == (True, 2, 120, 122)
    assert built.members[120:].tolist() == [[False, False, True]] * 2
    assert not built.members[:120, 2].any()
    assert "quartz" not in built.vocabulary.tokens


def test_off_topic_texts_of_multi_label_data_have_no_label() -> None:
    """They need no output: all of their scores are low."""
    data = replace(small_dataset(60), off_topic=("zebra quartz",), multi_label=True)
    built = build(data, replace(PLAIN, off_topic_repeats=3))
    assert (built.off_topic, built.independent, built.labels) == (False, True, 2)
    assert built.members[-1].tolist() == [False, False]


@pytest.mark.parametrize("topics", [TOPICS, GARDEN], ids=["two", "three"])
def test_general_texts_that_resemble_a_label_are_left_out(topics: dict[str, str]) -> None:
    """The user's own off-topic texts are all used, whatever they resemble; so are general ones of other words."""
    alike = "oven dough bread"
    data = replace(small_dataset(20, topics), off_topic=(alike,), general=("zebra quartz", alike, "a violin"))
    built = build(data, replace(PLAIN, rows=50, off_topic_repeats=3))
    assert len(built.ids) - built.labelled == 3
    known = built.vocabulary.ids(alike.split())
    assert [text == known for text in lists(built.ids)[-3:]] == [True, False, False]
    assert built.features is not None
    assert (
        built.features.values.shape[0] == len(built.targets) == len(built.folds) == len(built.fitted) == len(built.ids)
    )


@pytest.mark.parametrize(("repeats", "count"), [(1, 1), (5, 5), (12, 12), (13, 12), (50, 12)])
def test_the_network_sees_few_off_topic_texts_several_times(repeats: int, count: int) -> None:
    """As often as the preset says, while they are at most a tenth of the others."""
    preset = replace(PLAIN, off_topic_repeats=repeats)
    built = for_network(build(replace(small_dataset(60), off_topic=("zebra quartz",)), preset), preset, seed=1)
    assert len(built.ids) == len(built.targets) == 120 + count
    assert built.members[120:, 2].all()


def test_the_network_sees_some_of_many_off_topic_texts() -> None:
    """A tenth of the others: with more of them a network finds nearly everything off-topic. Each is another one."""
    texts = tuple(" ".join(["here"] * (1 + n)) for n in range(25))
    preset = replace(PLAIN, off_topic_repeats=20)
    built = build(replace(small_dataset(60), off_topic=texts), preset)
    assert len(built.ids) == 145
    reduced = for_network(built, preset, seed=1)
    assert len(reduced.ids) == 132
    assert len(set(reduced.ids.lengths[120:].tolist())) == 12
    assert reduced.features is None
    without = replace(PLAIN, off_topic_repeats=0)
    assert len(for_network(build(replace(small_dataset(60), off_topic=texts), without), without, seed=1).ids) == 120


def test_extra_texts_are_trained_on_where_the_preset_uses_them() -> None:
    """They follow the texts, with their labels."""
    data = replace(small_dataset(30), extra=Examples.single(("sextant fix", "loaf"), (1, 0)))
    built = build(data, replace(PLAIN, extra_texts=True))
    assert built.members.argmax(axis=1).tolist() == [0] * 30 + [1] * 30 + [1, 0]
    assert "sextant" in built.vocabulary.tokens
    assert "sextant" not in build(data, PLAIN).vocabulary.tokens


def test_extra_texts_have_an_augmentation_of_their_own() -> None:
    """Without one they are there once, and as they are; the other texts have the copies that they have without them."""
    extra = [" ".join(f"here {name}{word}" for word in range(60)) for name in ("sextant", "loaf")]
    data = replace(small_dataset(20, words=60), origin=Renamed())
    with_extra = replace(data, extra=Examples.single(extra, (1, 0)))
    preset = replace(PLAIN, extra_texts=True, augmentation=Augmentation(2, 1))
    few, none = (replace(preset, extra_augmentation=chosen) for chosen in (Augmentation(0, 1, title=False), None))
    count = len(build(data, preset).ids)
    plain, some = build(with_extra, none), build(with_extra, few)
    assert len(plain.ids) == count + 2
    assert lists(plain.ids)[-2:] == [plain.input.ids(text, plain.vocabulary) for text in extra]
    # The text, its version and a segment.
    assert len(some.ids) == count + 2 * 3
    assert some.members[-6:].argmax(axis=1).tolist() == [1] * 3 + [0] * 3
    assert some.fitted[-6:].tolist() == [True, True, False] * 2
    assert len(build(with_extra, replace(few, extra_texts=False)).ids) == count


def test_the_length_is_that_of_the_training_texts() -> None:
    """Of the extra texts, which may be ten times as many titles, it would be too short."""
    data = replace(small_dataset(5, words=60), extra=Examples.single(("a loaf",) * 1000, (0,) * 1000))
    assert build(data, replace(PLAIN, extra_texts=True)).input.max_tokens == build(data, PLAIN).input.max_tokens == 96


def test_extra_texts_stay_out_of_the_validation() -> None:
    """The split is made of the training texts, and every extra text is in the training set."""
    data = replace(small_dataset(30), extra=Examples.single(tuple(f"sextant{n}" for n in range(9)), (1,) * 9))
    train, kept = data.train.split(0.2, seed=1)
    assert not any("sextant" in text for text in kept.texts)
    built = build_training_set(train, data, replace(PLAIN, extra_texts=True), seed=1)
    assert len(built.ids) == 48 + 9


def test_empty_texts_are_refused() -> None:
    """There is nothing to train on."""
    data = Dataset("empty", ("a", "b"), Examples.single(("", " "), (0, 1)), None)
    with pytest.raises(InputError, match="all texts are empty"):
        build(data, PLAIN)


def test_an_empty_text_among_others_is_one_unknown_token() -> None:
    """As on the device."""
    data = replace(small_dataset(3), train=small_dataset(3).train.joined(Examples.single(("",), (0,))))
    assert lists(build(data, PLAIN).ids)[-1] == [1]


@pytest.mark.parametrize(("tokens", "longest"), [(5, 32), (32, 32), (33, 64), (500, 512), (3000, 1024)])
def test_the_length_follows_the_texts(tokens: int, longest: int) -> None:
    """They are read to their end, between 32 and 1,024 tokens; one long text of a hundred changes nothing."""
    texts = ["word " * tokens] * 99 + ["word " * 4000]
    assert input_settings(texts, PLAIN).max_tokens == longest


def test_the_length_is_at_most_the_presets() -> None:
    """Where more tokens would cost time and gain nothing."""
    fast = replace(PLAIN, input=PRESETS["fast"].input)
    assert input_settings(["word " * 900] * 100, fast) == replace(fast.input, max_tokens=384)
    assert input_settings(["word " * 40] * 100, fast) == replace(fast.input, max_tokens=64)


@pytest.mark.parametrize(("short", "long", "longest"), [(20, 150, 160), (20, 900, 256), (500, 900, 512)])
def test_nearly_all_short_texts_are_read_to_their_end(short: int, long: int, longest: int) -> None:
    """One in twenty is long: up to 256 tokens of it are read, or as many as nine of ten texts have."""
    assert input_settings(["word " * short] * 95 + ["word " * long] * 5, PLAIN).max_tokens == longest


def test_a_fixed_window_is_not_changed() -> None:
    """A network for padded texts has the length that it was built for."""
    preset = replace(PLAIN, input=InputSettings(TokenizerMode.WHITESPACE, 100, 100))
    assert input_settings(["word"], preset) == preset.input


def test_members_of_several_labels() -> None:
    """Each text has the labels of its set, or none."""
    assert members_of(Examples(("a", "b", "c"), ((0, 2), (), (1,))), 3).tolist() == [
        [True, False, True],
        [False, False, False],
        [False, True, False],
    ]


def test_the_same_seed_gives_the_same_training_set() -> None:
    """Segments and folds are drawn from the seed."""
    data = small_dataset(20, words=50)
    one, two, other = (build(data, PRESETS["default"], seed) for seed in (5, 5, 6))
    assert lists(one.ids) == lists(two.ids)
    assert (one.folds.tolist(), one.targets.tolist()) == (two.folds.tolist(), two.targets.tolist())
    assert lists(one.ids) != lists(other.ids)
    assert one.folds.tolist() != other.folds.tolist()


NETWORK = ConvLstmNetwork(2, 7, embedding=4, ratios=2, buckets=11, filters=4, units=4)


def folded() -> TrainingSet:
    """24 texts of two labels in five folds, and two off-topic ones."""
    draw = np.random.default_rng(4)
    labels = np.array([0, 1] * 12 + [2] * 2)
    members = np.eye(3, dtype=bool)[labels]
    return TrainingSet(
        InputSettings(TokenizerMode.CODE, 32),
        Vocabulary(["[PAD]", "[UNK]", *"abcde"]),
        Ragged.of(draw.integers(1, 7, 5) for _ in labels),
        members.astype(np.float32),
        members,
        np.array([n % FOLDS for n in range(24)] + [0, 1], np.int32),
        None,
        np.ones(26, bool),
        off_topic=True,
        independent=False,
        labelled=24,
    )


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
    last = np.array([False, False, False, False, True])
    features = [set(NETWORK.features(ids, last)[table].tolist()) for ids in training_set.ids]
    for fold in range(FOLDS + 1):
        kept = [number for number in range(26) if training_set.folds[number] != fold]
        assert len(kept) == (26 if fold == FOLDS else 26 - int((training_set.folds == fold).sum()))
        texts = [features[number] for number in kept]
        labels = [int(training_set.members[number].argmax()) for number in kept]
        expected = [[ratio(texts, labels, row, rows, label) for label in range(2)] for row in range(rows)]
        np.testing.assert_allclose(sets[fold], expected, rtol=1e-4, atol=1e-6)
