"""Training texts -> what the network learns from: a vocabulary, ids, and for each text a target for each label.

With a teacher (see teacher.py) the texts are joined by their copies (augment.py), the targets lean on the teacher's
scores, and the embeddings start from Naive-Bayes log-count ratios. Without, the targets are the labels alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from sotag_convert import augment, teacher
from sotag_convert.dataset import Dataset, Examples
from sotag_convert.network import Network, Scores
from sotag_convert.presets import Preset
from sotag_edge.tokenizer import tokenize
from sotag_edge.vocabulary import Vocabulary

_RATIO_SCALE = 0.3  # brings log-count ratios, -5 to 5, near the size of a fresh embedding's numbers


@dataclass(frozen=True, slots=True)
class Lessons:
    """``ids``: one list a text; ``targets``: shape [texts, labels], rows sum to 1; ``numbers``: each text's label."""

    vocabulary: Vocabulary
    ids: list[list[int]]
    targets: Scores
    numbers: NDArray[numpy.int64]


def prepare(examples: Examples, dataset: Dataset, preset: Preset, seed: int) -> Lessons:
    """The lessons of a preset on some examples of a data set."""
    families = _families(examples, dataset, preset, random.Random(seed))
    copies = [copy for family in families for copy in family]
    tokens = [copy.tokens for copy in copies]
    groups = numpy.repeat(numpy.arange(len(families)), [len(family) for family in families])
    numbers = numpy.array(examples.targets)[groups]
    vocabulary = Vocabulary.learn(tokens, preset.vocabulary)
    targets: Scores = numpy.eye(len(dataset.labels), dtype=numpy.float32)[numbers]
    if preset.teacher:
        # The teacher learns from whole texts and beginnings: segments would triple its time.
        whole = numpy.array([not copy.segment for copy in copies])
        taught = teacher.out_of_fold_scores(tokens, numbers, groups, whole, seed)
        if taught is not None:
            targets = (1 - preset.teacher) * targets + preset.teacher * taught
    return Lessons(vocabulary, [preset.input.ids_of(text, vocabulary) for text in tokens], targets, numbers)


def _families(examples: Examples, dataset: Dataset, preset: Preset, draw: random.Random) -> list[list[augment.Copy]]:
    """For each text its copies; without a teacher, itself alone."""
    mode = preset.input.tokenizer
    if not preset.teacher:
        return [[augment.Copy(tokenize(text, mode))] for text in examples.texts]
    labels = [dataset.labels[target] for target in examples.targets]
    pairs = zip(examples.texts, labels, strict=True)
    return [augment.copies(text, label, dataset.mask, mode, draw) for text, label in pairs]


def start_from_ratios(network: Network, lessons: Lessons) -> None:
    """Set the first channels of each embedding to the log-count ratios of its tokens, or of its buckets of bigrams."""
    features = [network.settings.features(ids) for ids in lessons.ids]
    for name in features[0]:
        layer = network.model.get_layer(name)
        (table,) = layer.get_weights()
        counts = teacher.presence([text[name] for text in features], len(table))
        ratios = teacher.log_count_ratios(counts, lessons.numbers, lessons.targets.shape[1])
        channels = teacher.narrow(ratios, network.settings.bigram_embedding)
        table[:, : channels.shape[1]] = _RATIO_SCALE * channels
        layer.set_weights([table])
