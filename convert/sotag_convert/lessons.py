"""Training texts -> what the network learns from: a vocabulary, ids, and for each text a target for each label.

With a teacher (see teacher.py) the texts are joined by their copies (augment.py), the targets lean on the teacher's
scores, and the embeddings start from Naive-Bayes log-count ratios. Without, the targets are the labels alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

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
    labels = [dataset.labels[target] for target in examples.targets]
    copies = [[text] for text in examples.texts]
    if preset.teacher:
        copies = augment.copies(examples.texts, labels, dataset.mask, seed)
    texts = list(chain.from_iterable(copies))
    groups = numpy.repeat(numpy.arange(len(copies)), [len(group) for group in copies])
    numbers = numpy.array(examples.targets)[groups]
    tokens = [tokenize(text, preset.input.tokenizer) for text in texts]
    vocabulary = Vocabulary.learn(tokens, preset.vocabulary)
    targets: Scores = numpy.eye(len(dataset.labels), dtype=numpy.float32)[numbers]
    if preset.teacher:
        taught = teacher.out_of_fold_scores(tokens, numbers, groups, seed)
        if taught is not None:
            targets = (1 - preset.teacher) * targets + preset.teacher * taught
    return Lessons(vocabulary, [preset.input.ids(text, vocabulary) for text in texts], targets, numbers)


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
