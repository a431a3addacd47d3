"""A size in bytes -> the preset whose bundle has it: the vocabulary, the rows of the linear branch and the network.

``plan`` estimates before training, for any texts; ``rows_within`` counts the rows when the vocabulary is known. The error of
the estimate is measured on the exported bundle, see ``next_rows`` and publish.py. Sizes are those of the files that a device
needs: ``model.tflite`` by the recipe ``mixed``, ``vocab.txt``, ``features.bin`` and ``model.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sotag_convert.data.dataset import Dataset
from sotag_convert.learn.presets import Preset
from sotag_convert.network.architectures import ConvLstmNetwork, NetworkSettings
from sotag_convert.network.bounds import MOST_WEIGHTS
from sotag_convert.recipes import Recipe
from sotag_edge.errors import UsageError
from sotag_edge.features import MOST_FEATURES
from sotag_edge.vocabulary import Vocabulary

_GRAPH = 15_950  # the operators and the alignment; measured on six networks with 2 to 1,001 outputs: 15,650 to 16,074
_LONG_ROW = 8  # columns of an int8 embedding that has a scale per row, see network/layers.py
_HASH, _SCALE_AND_SQUARE = 4, 4  # bytes of a row, besides a byte per output
_TOKEN = 12  # bytes in vocab.txt with the line's end: English tokens have about 8
_MANIFEST = 2_300  # bytes of model.json without labels, with a golden text of 40 tokens
_LABEL, _SCORE, _THRESHOLD = 6, 18, 13  # bytes in model.json around a label, with its golden score, for its threshold
_STEPS, _STEP = range(-700, 700), 1.01
_LARGEST_VOCABULARY = 4  # times the preset's
_FEWEST_TOKENS, _FEWEST_BUCKETS, _FEWEST_UNITS, _FEWEST_CHANNELS = 100, 100, 8, 4
_UNUSED = 0.01  # of a size: what is not worth another export, which takes 20 s


def plan_for(max_size: int | None, dataset: Dataset, preset: Preset) -> Preset:
    """The ``plan`` for a data set; the preset as it is without a size. Raises ``UsageError``."""
    if max_size is None:
        return preset
    several = dataset.multi_label
    off_topic = bool(preset.off_topic_repeats) and not several
    return plan(preset, max_size, dataset.labels, dataset.name, multi_label=several, off_topic=off_topic)


def plan(
    preset: Preset, max_size: int, labels: Sequence[str], name: str, *, multi_label: bool, off_topic: bool
) -> Preset:
    """The largest version of a preset whose bundle has at most ``max_size`` bytes, whatever the texts are.

    ``labels``, ``name``: of the data set; ``off_topic``: whether the network has an output for off-topic texts. The network
    is never larger than the preset's; the vocabulary and the table may be. Raises ``UsageError`` with the smallest possible
    size if ``max_size`` is below it, or for a preset without a linear branch.
    """
    if preset.rows is None or preset.recipe is not Recipe.MIXED:
        raise UsageError("this preset has one size: a largest size needs the preset default or tiny")
    outputs = len(labels) + off_topic
    overhead = _manifest_bytes(labels, name, multi_label=multi_label)
    room = max_size - overhead - _slack(max_size, outputs)
    fitting = [step for step in _STEPS if _largest(_scaled(preset, _STEP**step), outputs) <= room]
    if not fitting:
        smallest = overhead + _largest(_scaled(preset, _STEP ** _STEPS[0]), outputs)
        kilobytes = math.ceil((smallest + _slack(0, outputs)) * 1.0011 / 1000)
        raise UsageError(
            f"the smallest model for {len(labels):,} tags has about {kilobytes:,}KB, which is more than "
            f"{max_size:,} bytes: allow a larger size, or use fewer tags"
        )
    return replace(_scaled(preset, _STEP ** fitting[-1]), room=room)


def _largest(scaled: Preset, outputs: int) -> int:
    """The largest size without ``model.json`` that a preset can have, whatever its tokens are.

    Beyond all limits if a network may not have so many weights.
    """
    rows = scaled.rows or 0
    try:
        settings = _with_rows(scaled.network(outputs, scaled.vocabulary), scaled.vocabulary + rows)
    except ValueError:
        return 2**62
    return model_bytes(settings) + (scaled.vocabulary_bytes or 0) + _HASH * rows


def model_bytes(settings: NetworkSettings) -> int:
    """The size of ``model.tflite`` by the recipe ``mixed``; wrong by at most 300 bytes where it was measured.

    Raises ``ValueError`` for a network without a linear branch.
    """
    if not isinstance(settings, ConvLstmNetwork):
        raise ValueError("this network has no linear branch")
    channels = settings.embedding + settings.ratios
    embeddings = _embedding_bytes(settings.vocabulary, settings.embedding)
    embeddings += _embedding_bytes(settings.buckets, settings.ratios)
    halves = (settings.kernel * channels + 1) * settings.filters
    halves += 4 * settings.units * (settings.filters + settings.units + 1)
    halves += (settings.units + 1) * settings.labels
    return _GRAPH + embeddings + 2 * halves + settings.rows * (settings.labels + _SCALE_AND_SQUARE)


def rows_within(room: int, settings: NetworkSettings, vocabulary: Vocabulary) -> int:
    """How many pairs and n-grams have a row in ``room`` bytes beside a network and a vocabulary."""
    fixed = model_bytes(_with_rows(settings, len(vocabulary))) + len(vocabulary.to_bytes())
    weights = MOST_WEIGHTS - _with_rows(settings, len(vocabulary)).weights()
    return max(0, min((room - fixed) // row_bytes(settings.labels), weights // (settings.labels + 1), MOST_FEATURES))


def row_bytes(outputs: int) -> int:
    """The size of the row of a pair or an n-gram, with its hash."""
    return outputs + _SCALE_AND_SQUARE + _HASH


def next_rows(measured: int, max_size: int, rows: int, most: int, outputs: int) -> int | None:
    """The number of rows to export again with, because a bundle with ``rows`` rows has ``measured`` bytes.

    ``most``: the rows that there are. ``None`` if the bundle stays as it is: it is not above ``max_size``, and nearly as
    large or complete.
    """
    room = max_size - measured
    if room >= 0 and (room <= max(_UNUSED * max_size, row_bytes(outputs)) or rows == most):
        return None
    return max(0, min(most, rows + (room - _slack(max_size, outputs)) // row_bytes(outputs)))


def _slack(max_size: int, outputs: int) -> int:
    """The bytes that stay free, because the numbers in model.json have another length after each export."""
    return 64 + 2 * outputs + max_size // 1000


def _manifest_bytes(labels: Sequence[str], name: str, *, multi_label: bool) -> int:
    texts = sum(len(json.dumps(label, ensure_ascii=False).encode()) for label in labels)
    each = _LABEL + _SCORE + (_THRESHOLD if multi_label else 0)
    return _MANIFEST + len(json.dumps(name, ensure_ascii=False).encode()) + 2 * texts + each * len(labels)


def _embedding_bytes(rows: int, columns: int) -> int:
    return rows * columns + 2 * (rows if columns >= _LONG_ROW else columns)


def _scaled(preset: Preset, factor: float) -> Preset:
    """A preset with ``factor`` times the table, and a vocabulary and a network to suit."""
    most = preset.vocabulary * min(_LARGEST_VOCABULARY, factor if factor < 1 else factor**0.5)
    vocabulary = max(min(_FEWEST_TOKENS, preset.vocabulary), round(most))
    return replace(
        preset,
        vocabulary=vocabulary,
        vocabulary_bytes=vocabulary * _TOKEN,
        rows=max(1, round((preset.rows or 0) * factor)),
        network=partial(_network, preset.network, min(1.0, factor)),
    )


def _network(network: Callable[[int, int], NetworkSettings], part: float, outputs: int, tokens: int) -> NetworkSettings:
    """A preset's network with ``part`` of its buckets, and of its layers the root of that."""
    settings = network(outputs, tokens)
    if not isinstance(settings, ConvLstmNetwork):
        return settings

    def shrunk(value: int, fewest: int, share: float) -> int:
        return max(min(value, fewest), round(value * share))

    return replace(
        settings,
        embedding=shrunk(settings.embedding, _FEWEST_CHANNELS, part**0.5),
        ratios=shrunk(settings.ratios, _FEWEST_CHANNELS, part**0.5),
        buckets=shrunk(settings.buckets, _FEWEST_BUCKETS, part),
        filters=shrunk(settings.filters, _FEWEST_UNITS, part**0.5),
        units=shrunk(settings.units, _FEWEST_UNITS, part**0.5),
    )


def _with_rows(settings: NetworkSettings, rows: int) -> ConvLstmNetwork:
    """The settings with a linear branch. Raises ``ValueError`` for a network that has none, or for too many weights."""
    if not isinstance(settings, ConvLstmNetwork):
        raise ValueError("this network has no linear branch")
    return replace(settings, rows=rows)
