"""Labelled texts and a preset -> the training set of a network: a vocabulary, and ids with a target for each text.

A preset may augment the texts (augment.py), mix the scores of a teacher into the targets (teacher.py), start embeddings
from log-count ratios, and add off-topic texts with the same target for every label ("outlier exposure", Hendrycks et al.,
ICLR 2019).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import chi2

from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.learn import teacher
from sotag_convert.learn.augment import Copy, augment
from sotag_convert.learn.presets import Preset
from sotag_convert.network.architectures import NetworkSettings
from sotag_convert.network.network import Scores
from sotag_edge.errors import InputError
from sotag_edge.tokenizer import tokenize
from sotag_edge.vocabulary import Vocabulary

FOLDS = 5
OFF_TOPIC = -1
"""The label number of an off-topic text."""
_OFF_TOPIC_PART = 10  # off-topic texts are repeated while they are at most a tenth of the other texts
# Texts per label, below which nothing is computed out of fold: the statistics of a few texts are mostly wrong about the
# held-out one. With 5 texts per label, a network trained on them answered each text with the other label.
_ENOUGH = 8
_SMOOTHING = 0.3
_RATIO_SCALE = 0.3  # brings log-count ratios, -5 to 5, near the size of a fresh embedding's numbers


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The texts that a network is trained on, their copies included.

    ``ids``: one list per text. ``targets``: shape [texts, labels], each row of sum 1. ``labels``: the number of each text's
    label, ``OFF_TOPIC`` if it has none. ``folds``: the fold of each text, from 0 to ``FOLDS`` - 1, the same for all copies
    of a text. With too few texts all labelled texts are in fold ``FOLDS``, so that no ratio is computed from them.
    """

    vocabulary: Vocabulary
    ids: list[list[int]]
    targets: Scores
    labels: NDArray[np.int64]
    folds: NDArray[np.int32]


def build_training_set(examples: Examples, dataset: Dataset, preset: Preset, seed: int) -> TrainingSet:
    """The training set of a preset, from some examples of a data set and its extra and off-topic texts.

    Raises ``InputError`` if all texts are empty.
    """
    if preset.extra_texts:
        examples = examples.joined(dataset.extra)
    enough = np.bincount(examples.targets, minlength=len(dataset.labels)).min() >= _ENOUGH
    families = _families(examples, dataset, preset, random.Random(seed))
    copies = [copy for family in families for copy in family]
    texts = [copy.tokens for copy in copies]
    if not any(texts):
        raise InputError("there is nothing to train on: all texts are empty")
    groups = np.repeat(np.arange(len(families)), [len(family) for family in families])
    labels = np.array(examples.targets)[groups]
    for_teacher = np.array([copy.for_teacher for copy in copies])
    if preset.informative_vocabulary:
        vocabulary = _informative_vocabulary(texts, labels, for_teacher, preset.vocabulary)
    else:
        vocabulary = Vocabulary.learn(texts, preset.vocabulary)
    targets: Scores = np.eye(len(dataset.labels), dtype=np.float32)[labels]
    if preset.teacher_share and enough:
        scores = teacher.out_of_fold_scores(texts, labels, len(dataset.labels), groups, for_teacher, seed)
        if scores is not None:
            targets = (1 - preset.teacher_share) * targets + preset.teacher_share * scores
    folds = np.random.default_rng(seed).integers(0, FOLDS, len(families)).astype(np.int32)[groups]
    if not enough:
        folds[:] = FOLDS
    ids = [preset.input.ids_of(tokens, vocabulary) for tokens in texts]
    return _with_off_topic(TrainingSet(vocabulary, ids, targets, labels, folds), dataset.off_topic, preset)


def _families(examples: Examples, dataset: Dataset, preset: Preset, draw: random.Random) -> list[list[Copy]]:
    """The copies of each text; only the text itself without augmentation."""
    mode, augmentation = preset.input.tokenizer, preset.augmentation
    if augmentation is None:
        return [[Copy(tokenize(text, mode))] for text in examples.texts]
    families = []
    for text, target in zip(examples.texts, examples.targets, strict=True):
        versions = dataset.origin.versions(text, dataset.labels[target], draw)
        families.append(augment(text, versions, augmentation, mode, draw))
    return families


def _informative_vocabulary(
    texts: Sequence[Sequence[str]], labels: NDArray[np.int64], for_teacher: NDArray[np.bool_], size: int
) -> Vocabulary:
    """A vocabulary of the most frequent tokens in one half, and in the other of those that say most about the label.

    Frequency alone leaves out "sqlalchemy", four times in 8,000 texts and always with python, for the words of one long
    listing. On a validation split the log loss of titles fell from 0.504 to 0.495, of whole texts from 0.256 to 0.253.
    """
    frequent = Vocabulary.learn(texts, size // 2)
    whole = [text for text, is_for_teacher in zip(texts, for_teacher, strict=True) if is_for_teacher]
    vectorizer = CountVectorizer(analyzer=list, binary=True)
    statistic, _ = chi2(vectorizer.fit_transform(whole), labels[for_teacher])
    names = vectorizer.get_feature_names_out()
    ranked = [names[place] for place in np.argsort(-statistic, kind="stable")]  # ties in alphabetical order
    known = set(frequent.tokens)
    informative = [token for token in ranked if token not in known]
    return Vocabulary([*frequent.tokens, *informative[: size - len(frequent)]])


def _with_off_topic(training_set: TrainingSet, texts: Sequence[str], preset: Preset) -> TrainingSet:
    """The training set, followed by off-topic texts whose target is the same for every label."""
    if not texts or not preset.off_topic_repeats:
        return training_set
    most = len(training_set.ids) // (_OFF_TOPIC_PART * len(texts))
    repeats = max(1, min(preset.off_topic_repeats, most))
    count, label_count = len(texts) * repeats, training_set.targets.shape[1]
    ids = [preset.input.ids(text, training_set.vocabulary) for text in texts]
    uniform = np.full((count, label_count), 1 / label_count, np.float32)
    folds = np.arange(len(texts), dtype=np.int32) % FOLDS
    return replace(
        training_set,
        ids=training_set.ids + ids * repeats,
        targets=np.concatenate([training_set.targets, uniform]),
        labels=np.concatenate([training_set.labels, np.full(count, OFF_TOPIC)]),
        folds=np.concatenate([training_set.folds, np.tile(folds, repeats)]),
    )


def fold_ratios(training_set: TrainingSet, settings: NetworkSettings) -> dict[str, NDArray[np.float32]]:
    """Log-count ratios for the embeddings of a network that start from them: by name, shape [FOLDS + 1, rows, channels].

    Set ``n`` is computed from the texts outside fold ``n``, and the texts in it are trained with it. The last set is
    computed from all texts, where there are enough for folds. A network trusts ratios too much that a text has had a part
    in: on a validation split it lost 0.5 points.
    """
    label_count = training_set.targets.shape[1]
    features = [settings.features(ids) for ids in training_set.ids]
    parts = [training_set.folds != fold for fold in range(FOLDS + 1)]
    ratios = {}
    for name, (rows, channels) in settings.ratio_tables().items():
        counts = teacher.presence([text[name] for text in features], rows)
        sets = [
            teacher.log_count_ratios(counts[part], training_set.labels[part], label_count, _SMOOTHING) for part in parts
        ]
        ratios[name] = _RATIO_SCALE * teacher.narrow(np.stack(sets), channels)
    return ratios
