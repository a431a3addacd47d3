"""Training texts -> what the network learns from: a vocabulary, ids, and for each text a target for each label.

With a teacher (see teacher.py) the texts are joined by their copies (augment.py), the targets lean on the teacher's
scores, and embeddings start from Naive-Bayes log-count ratios; texts that have none of the labels are joined with a target
that is the same for each ("outlier exposure", Hendrycks et al., ICLR 2019). Without, the targets are the labels alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import chi2

from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.learn import augment, teacher
from sotag_convert.learn.presets import Preset
from sotag_convert.network.architectures import NetworkSettings
from sotag_convert.network.network import Scores
from sotag_edge.errors import InputError
from sotag_edge.tokenizer import tokenize
from sotag_edge.vocabulary import Vocabulary

FOLDS = 5
_SMOOTHING = 0.3
# How often each text of none of the labels is learned from, at most, and as long as they are no more than a tenth of all: of
# the off-topic texts of benchmarks/questions.jsonl 0.53 were unknown when each was learned from once, 0.65 at 20.
_OTHERS = 20
# Texts of each label, below which nothing is taken out of fold: what a few texts say of the one left out is mostly wrong,
# and a network that learned from it, 5 texts a label, answered each of them with the other label.
_ENOUGH = 8
_RATIO_SCALE = 0.3  # brings log-count ratios, -5 to 5, near the size of a fresh embedding's numbers


@dataclass(frozen=True, slots=True)
class Lessons:
    """``ids``: one list a text or copy. ``targets``: shape [texts, labels], rows sum to 1. ``numbers``: each text's label,
    -1 where it has none. ``folds``: which of ``FOLDS`` parts each is in; a text and its copies are in the same
    one. With too few texts all are in ``FOLDS``: none is left out of the ratios it learns with."""

    vocabulary: Vocabulary
    ids: list[list[int]]
    targets: Scores
    numbers: NDArray[numpy.int64]
    folds: NDArray[numpy.int32]


def prepare(examples: Examples, dataset: Dataset, preset: Preset, seed: int) -> Lessons:
    """The lessons of a preset on some examples of a data set, and on the texts that it has besides its examples.

    Raises ``InputError`` where all texts are empty.
    """
    if preset.teacher:
        examples = examples.joined(dataset.own)
    enough = numpy.bincount(examples.targets, minlength=len(dataset.labels)).min() >= _ENOUGH
    families = _families(examples, dataset, preset, random.Random(seed))
    copies = [copy for family in families for copy in family]
    tokens = [copy.tokens for copy in copies]
    if not any(tokens):
        raise InputError("there is nothing to learn from: all texts are empty")
    groups = numpy.repeat(numpy.arange(len(families)), [len(family) for family in families])
    numbers = numpy.array(examples.targets)[groups]
    vocabulary = Vocabulary.learn(tokens, preset.vocabulary)
    targets: Scores = numpy.eye(len(dataset.labels), dtype=numpy.float32)[numbers]
    if preset.teacher:
        taught = numpy.array([copy.taught for copy in copies])
        vocabulary = _telling_vocabulary(tokens, numbers, taught, preset.vocabulary)
        scores = None
        if enough:
            scores = teacher.out_of_fold_scores(tokens, numbers, len(dataset.labels), groups, taught, seed)
        if scores is not None:
            targets = (1 - preset.teacher) * targets + preset.teacher * scores
    folds = numpy.random.default_rng(seed).integers(0, FOLDS, len(families)).astype(numpy.int32)[groups]
    if not enough:
        folds[:] = FOLDS  # the set of all texts
    ids = [preset.input.ids_of(text, vocabulary) for text in tokens]
    if preset.teacher:
        repeats = max(1, min(_OTHERS, len(ids) // (10 * max(1, len(dataset.others)))))
        count = len(dataset.others) * repeats
        ids += [preset.input.ids(text, vocabulary) for text in dataset.others] * repeats
        even = numpy.full((count, len(dataset.labels)), 1 / len(dataset.labels), numpy.float32)
        targets = numpy.concatenate([targets, even])
        numbers = numpy.concatenate([numbers, numpy.full(count, -1)])
        folds = numpy.concatenate(
            [folds, numpy.tile(numpy.arange(len(dataset.others), dtype=numpy.int32) % FOLDS, repeats)]
        )
    return Lessons(vocabulary, ids, targets, numbers, folds)


def _families(examples: Examples, dataset: Dataset, preset: Preset, draw: random.Random) -> list[list[augment.Copy]]:
    """For each text its copies; without a teacher, itself alone."""
    mode = preset.input.tokenizer
    if not preset.teacher:
        return [[augment.Copy(tokenize(text, mode), taught=False)] for text in examples.texts]
    labels = [dataset.labels[target] for target in examples.targets]
    pairs = zip(examples.texts, labels, strict=True)
    return [augment.copies(text, label, dataset.mask, mode, draw) for text, label in pairs]


def _telling_vocabulary(
    texts: Sequence[Sequence[str]], numbers: NDArray[numpy.int64], taught: NDArray[numpy.bool_], size: int
) -> Vocabulary:
    """A vocabulary of which one half are the most frequent tokens, and the other those that tell most of the labels.

    Frequency alone leaves out "sqlalchemy", four times in 8,000 texts and always with python, for words of one long listing.
    On a validation split the log loss of titles fell from 0.504 to 0.495, of whole texts from 0.256 to 0.253.
    """
    frequent = Vocabulary.learn(texts, size // 2)
    parts = [text for text, is_taught in zip(texts, taught, strict=True) if is_taught]
    vectorizer = CountVectorizer(analyzer=list, binary=True)
    statistic, _ = chi2(vectorizer.fit_transform(parts), numbers[taught])
    names = vectorizer.get_feature_names_out()
    ranked = [names[place] for place in numpy.argsort(-statistic, kind="stable")]  # ties in alphabetical order
    known = set(frequent.tokens)
    telling = [token for token in ranked if token not in known]
    return Vocabulary([*frequent.tokens, *telling[: size - len(frequent)]])


def fold_ratios(lessons: Lessons, settings: NetworkSettings) -> dict[str, NDArray[numpy.float32]]:
    """Log-count ratios for the embeddings of a network that start from some: by name, shape [FOLDS + 1, rows, channels].

    Set ``n`` is of the texts outside fold ``n``, for the texts in it to learn with; the last one is of all texts. With
    ratios that a text has itself had a part in, the network trusts them too much: on a validation split 0.5 points less.
    """
    features = [settings.features(ids) for ids in lessons.ids]
    found = {}
    for name, (rows, channels) in settings.ratio_tables().items():
        counts = teacher.presence([text[name] for text in features], rows)
        parts = [lessons.folds != fold for fold in range(FOLDS + 1)]
        sets = [
            teacher.log_count_ratios(counts[part], lessons.numbers[part], lessons.targets.shape[1], _SMOOTHING)
            for part in parts
        ]
        found[name] = _RATIO_SCALE * teacher.narrow(numpy.stack(sets), channels)
    return found
