"""Labelled texts and a preset -> the training set: a vocabulary, and of each text its ids, features, target and fold.

A preset may augment the texts (augment.py), mix the out-of-fold scores of a linear model into the targets (distillation),
start embeddings from log-count ratios (ratios.py), and add off-topic texts: in single-label data they have an output of
their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.learn import calibrate
from sotag_convert.learn.augment import Augmentation, Copy, augment
from sotag_convert.learn.corpus import Numbers, Ragged, Types
from sotag_convert.learn.linear import FeatureCounts, count_features, fit_linear, out_of_fold_logits
from sotag_convert.learn.presets import Preset
from sotag_convert.learn.teacher import out_of_fold_scores
from sotag_convert.learn.vocabulary import choose_vocabulary
from sotag_convert.network.network import Scores
from sotag_edge.errors import InputError
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import tokenize
from sotag_edge.vocabulary import UNKNOWN_ID, Vocabulary

FOLDS = 5
_OFF_TOPIC_PART = 10  # off-topic texts are repeated while they are at most a tenth of the other texts
# Texts of a label, below which nothing is computed for it out of fold: the statistics of a few texts are mostly wrong about
# the held-out one. With 5 texts per label, a network trained on them answered each text with the other label.
ENOUGH = 8
_MOST_OF_ENSEMBLE = 2_000_000  # texts times outputs; of 1,000,000 the ensemble takes ten minutes and 3 GB
_MOST_DISTILLED = 20_000_000  # texts times outputs; of a million texts their labels say enough
_SAMPLE = 10_000  # texts whose length is looked at
_LONG, _SHORTEST = 256, 32  # tokens
_COVERED = (0.9, 0.98)  # of the texts are read to their end; the second share unless these are long texts


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The texts that a network is trained on: the labelled ones with their copies, then the off-topic ones.

    ``ids``: of each text. ``targets``: shape [texts, outputs], the probability of each output. ``members``: which outputs
    each text has, of the same shape. ``folds``: the fold of each text, from 0 to ``FOLDS`` - 1, the same for all copies of a
    text. ``features``: of each text, for the linear branch; ``None`` without one. ``fitted``: the texts that linear models
    are fitted on. ``off_topic``: whether the last output is that of off-topic texts. ``independent``: whether a text may
    have several labels. ``labelled``: how many are not off-topic. ``types``: of each text, until the targets are known.
    """

    input: InputSettings
    vocabulary: Vocabulary
    ids: Ragged
    targets: Scores | NDArray[np.bool_]
    members: NDArray[np.bool_]
    folds: NDArray[np.int32]
    features: FeatureCounts | None
    fitted: NDArray[np.bool_]
    off_topic: bool
    independent: bool
    labelled: int
    types: Ragged | None = None

    @property
    def labels(self) -> int:
        """The number of outputs that are labels."""
        return int(self.members.shape[1]) - self.off_topic


class _Copies(NamedTuple):
    """``types``: of each copy; ``owners``: the number of its text; ``fitted``: whether linear models are fitted on it."""

    types: Ragged
    owners: NDArray[np.int64]
    fitted: NDArray[np.bool_]


def build_training_set(examples: Examples, dataset: Dataset, preset: Preset, seed: int) -> TrainingSet:
    """The training set of a preset, from some examples of a data set and its extra and off-topic texts.

    Raises ``InputError`` if all texts are empty.
    """
    settings = input_settings(examples.texts, preset)
    extra = len(dataset.extra) if preset.extra_texts else 0
    if extra:
        examples = examples.joined(dataset.extra)
    types = Types()
    copies = _copies(examples, extra, dataset, replace(preset, input=settings), types, seed)
    if not len(copies.types.values):
        raise InputError("there is nothing to train on: all texts are empty")
    label_members = calibrate.members_of(examples, len(dataset.labels))
    vocabulary = choose_vocabulary(
        types.tokens,
        copies.types,
        copies.fitted,
        label_members[copies.owners],
        preset.vocabulary,
        informative=preset.informative_vocabulary,
        most_bytes=preset.vocabulary_bytes,
    )
    off_topic = _off_topic(dataset, preset, settings, types)
    all_types = Ragged.of([*copies.types, *off_topic])
    members, is_output = _with_off_topic(label_members[copies.owners], len(off_topic), dataset)
    folds = np.random.default_rng(seed).integers(0, FOLDS, len(examples) + len(off_topic)).astype(np.int32)
    folds = folds[np.concatenate([copies.owners, np.arange(len(examples), len(folds))])]
    fitted = np.concatenate([copies.fitted, np.ones(len(off_topic), bool)])
    ids_of_types = np.array(vocabulary.ids(types.tokens), np.int32)
    ids = Ragged(ids_of_types[all_types.values], all_types.starts).filled(UNKNOWN_ID)
    features = None
    is_ensemble = _is_ensemble(preset, int(fitted.sum()), members.shape[1], dataset.multi_label)
    if preset.rows or dataset.general or (preset.teacher_share and not is_ensemble):
        features = count_features(all_types, types.tokens, ids_of_types, len(vocabulary), preset.linear)
    built = TrainingSet(
        settings,
        vocabulary,
        ids,
        members,
        members,
        folds,
        features,
        fitted,
        off_topic=is_output,
        independent=dataset.multi_label,
        labelled=len(copies.owners),
        types=all_types,
    )
    built = _without_on_topic(built, len(off_topic) - len(dataset.off_topic), seed)
    return replace(_distilled(built, types.tokens, preset, seed), types=None)


def input_settings(texts: Sequence[str], preset: Preset) -> InputSettings:
    """How texts become ids: as the preset says, but as long as most of these texts: 98 % of short ones, 90 % of long ones.

    At most the preset's ``max_tokens``; a text that is longer is cut, on the device too.
    """
    settings = preset.input
    if settings.pad_to is not None:
        return settings
    limit = settings.max_tokens
    sample = random.Random(0).sample(texts, _SAMPLE) if len(texts) > _SAMPLE else texts
    lengths = [len(tokenize(text, settings.tokenizer, limit)) for text in sample]
    most, nearly_all = np.quantile(lengths, _COVERED).astype(int) if lengths else (0, 0)
    longest = max(int(most), min(int(nearly_all), _LONG))
    return replace(settings, max_tokens=min(limit, max(_SHORTEST, -(-longest // 32) * 32)))


def _copies(examples: Examples, extra: int, dataset: Dataset, preset: Preset, types: Types, seed: int) -> _Copies:
    """The different copies of each text, only the text itself without augmentation, as long as the network reads them.

    ``extra``: how many of the texts, the last ones, are extra texts.
    """
    draw = random.Random(seed)
    arrays: list[Numbers] = []
    owners, fitted = [], []
    for number, (text, labels) in enumerate(zip(examples.texts, examples.label_sets, strict=True)):
        seen = set()
        augmentation = preset.augmentation if number < len(examples) - extra else preset.extra_augmentation
        for copy in _family(text, labels, augmentation, dataset, preset, draw):
            array = types.of(copy.tokens[: preset.input.max_tokens])
            key = array.tobytes()
            if key not in seen:
                seen.add(key)
                arrays.append(array)
                owners.append(number)
                fitted.append(copy.for_linear)
    return _Copies(Ragged.of(arrays), np.array(owners, np.int64), np.array(fitted, bool))


def _family(
    text: str,
    labels: tuple[int, ...],
    augmentation: Augmentation | None,
    dataset: Dataset,
    preset: Preset,
    draw: random.Random,
) -> Iterable[Copy]:
    if augmentation is None:
        return [Copy(tokenize(text, preset.input.tokenizer, preset.input.max_tokens))]
    versions = dataset.origin.versions(text, [dataset.labels[label] for label in labels], draw)
    return augment(versions, augmentation, preset.input.tokenizer, draw)


def _off_topic(dataset: Dataset, preset: Preset, settings: InputSettings, types: Types) -> list[Numbers]:
    """The types of the off-topic texts that the preset uses, the general ones last."""
    if not preset.off_topic_repeats:
        return []
    limit = settings.max_tokens
    return [types.of(tokenize(text, settings.tokenizer, limit)) for text in (*dataset.off_topic, *dataset.general)]


def _with_off_topic(members: NDArray[np.bool_], off_topic: int, dataset: Dataset) -> tuple[NDArray[np.bool_], bool]:
    """The outputs of all texts, the off-topic ones last, and whether these have an output of their own."""
    none = np.zeros((off_topic, members.shape[1]), bool)
    if not off_topic or dataset.multi_label:
        return np.concatenate([members, none]), False
    column = np.arange(len(members) + off_topic) >= len(members)
    return np.column_stack([np.concatenate([members, none]), column]), True


def _without_on_topic(built: TrainingSet, general: int, seed: int) -> TrainingSet:
    """Without those of the last ``general`` texts that a linear model takes for a label's: it may be about cooking."""
    features, labelled = built.features, built.labelled
    if features is None or general <= 0:
        return built
    rows = np.flatnonzero(built.fitted[:labelled])
    model = fit_linear(features, rows, built.members[rows, : built.labels], seed, off_topic=False)
    kept = np.arange(len(built.ids))
    distances = model.logits(features.take(kept[-general:])).max(axis=1)
    # Of two labels one has a distance above 0 for every text: without evidence both are 0, of three -1/3.
    least = 1 / 3 if built.labels == 2 and not built.independent else 0
    return _taken(built, np.concatenate([kept[:-general], kept[-general:][distances < least]]))


def _taken(built: TrainingSet, numbers: NDArray[np.int64]) -> TrainingSet:
    """The training set of these texts."""
    features = built.features
    return replace(
        built,
        ids=built.ids.take(numbers),
        targets=built.targets[numbers],
        members=built.members[numbers],
        folds=built.folds[numbers],
        fitted=built.fitted[numbers],
        types=built.types and built.types.take(numbers),
        features=features and features.take(numbers),
    )


def _distilled(built: TrainingSet, tokens: Sequence[str], preset: Preset, seed: int) -> TrainingSet:
    """With the teacher's out-of-fold scores in the targets of texts whose labels have enough texts.

    ``tokens``: of each type.
    """
    if not preset.teacher_share or built.members.size > _MOST_DISTILLED:
        return built
    rare = built.members[built.fitted].sum(axis=0) < ENOUGH
    if rare[: built.labels].all():  # with many labels the fits below take minutes
        return built
    fitted, outputs = int(built.fitted.sum()), built.members.shape[1]
    if built.types is not None and _is_ensemble(preset, fitted, outputs, built.independent):
        scores: NDArray[Any] = out_of_fold_scores(built.types, tokens, built.members, built.folds, built.fitted, seed)
    elif built.features is not None:
        scores = _linear_scores(built, built.features, seed)
    else:
        return built
    share = preset.teacher_share * ~(built.members & rare).any(axis=1)
    targets = (1 - share[:, None]) * built.targets + share[:, None] * scores
    return replace(built, targets=targets.astype(np.float32))


def _is_ensemble(preset: Preset, fitted: int, outputs: int, independent: bool) -> bool:
    """Whether the teacher is that of teacher.py. ``fitted``: the number of texts that it is fitted on."""
    return preset.teacher == "ensemble" and not independent and fitted * outputs <= _MOST_OF_ENSEMBLE


def _linear_scores(built: TrainingSet, features: FeatureCounts, seed: int) -> calibrate.Floats:
    """The out-of-fold scores of the linear branch."""
    logits = out_of_fold_logits(features, built.members, built.folds, built.fitted, seed, off_topic=built.off_topic)
    fitted = built.fitted
    mix = calibrate.fit_mix(None, logits[fitted], built.members[fitted], independent=built.independent)
    return mix.scores(None, logits)


def for_network(built: TrainingSet, preset: Preset, seed: int) -> TrainingSet:
    """The training set of the network, which needs no features: off-topic texts are at most a tenth of the others.

    So some are left out, or each is there several times, as often as the preset says at most. With more of them than
    labelled texts a network finds nearly everything off-topic.
    """
    off_topic = np.arange(built.labelled, len(built.ids))
    most = max(1, built.labelled // _OFF_TOPIC_PART)
    if len(off_topic) > most:
        off_topic = np.random.default_rng(seed).permutation(off_topic)[:most]
    elif len(off_topic):
        off_topic = np.tile(off_topic, max(1, min(preset.off_topic_repeats, most // len(off_topic))))
    return _taken(replace(built, features=None), np.concatenate([np.arange(built.labelled), off_topic]))
