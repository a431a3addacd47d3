"""The Keras network against the written bundle, run on the device runtime: agreement, differences, accuracy, bytes.

A conversion without an error proves nothing. What is compared is what a user gets: ``sotag_edge`` loads the bundle from its
folder, in a process without TensorFlow, and classifies text by text at their own lengths; Keras gets padded batches.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sotag_convert.data.dataset import Examples
from sotag_convert.export import device_run as device
from sotag_convert.learn.calibrate import Floats, Logits, Members, calibrated, members_of, right_share
from sotag_convert.network.network import Network
from sotag_convert.recipes import RECIPES, Recipe
from sotag_edge.bundle import Bundle, device_bytes
from sotag_edge.decision import Decision, MultiLabel
from sotag_edge.errors import ModelError
from sotag_edge.vocabulary import Vocabulary

_SAMPLES = 200
_SHORT_SAMPLES = 40
_LONGEST_SAMPLE = 2000  # tokens
_LONGEST_TOKEN = 100  # characters
_ROUNDING = 0.02  # of a score; measured on 4,000 texts with int8 embeddings: 0.018
_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"


@dataclass(frozen=True, slots=True)
class Parity:
    """How the device's scores compare with Keras'. Shares of ``texts``, from 0 to 1.

    ``agreement``: the share of texts with the same best label; of a multi-label model, with the same set of labels whose
    scores reach their thresholds. Each text has a largest difference of a score: ``typical_difference`` is what 99 % of the
    texts stay below, ``largest_difference`` that of the worst text. ``keras_accuracy``, ``accuracy``: of Keras and of the
    device; ``None`` without labels. Of a multi-label model they are the micro-F1: ``figure_name`` says which.
    """

    texts: int
    agreement: float
    typical_difference: float
    largest_difference: float
    figure_name: str
    keras_accuracy: float | None
    accuracy: float | None
    bytes: int

    def to_json(self) -> dict[str, float | int | str | None]:
        """The fields, rounded for ``metrics.json``."""
        return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(self).items()}


def check_parity(
    folder: Path, network: Network, texts: Sequence[str], examples: Examples | None, recipe: Recipe
) -> Parity:
    """Compare the bundle in ``folder`` with the network that it was exported from, on one or more texts.

    ``examples``: the texts with their labels, if they have any. Raises ``ModelError`` when the typical difference is above
    the recipe's tolerance, or when the graph has no fused LSTM (a loop in its place is 5 to 20 times slower).
    """
    bundle = Bundle.read(folder)
    run = device.run(folder, texts)
    fused = run.operators.count(_LSTM)
    if fused != 1:
        raise ModelError(f"the graph has {fused} fused LSTM operators and must have one: {', '.join(run.operators)}")
    labels, decision = len(bundle.manifest.labels), bundle.manifest.decision
    inputs = [bundle.input(text) for text in texts]
    rows = None if bundle.features is None else [read.rows for read in inputs if read.rows]
    ids = [read.ids for read in inputs]
    scores = calibrated(network.scores(ids, rows).astype(np.float64), decision)
    # An off-topic output has no label.
    expected = _with_early_exit(scores[:, :labels], run.scores, ids, network, bundle)
    members = None if examples is None else members_of(examples, labels)
    parity = compare(expected, run.scores, members, decision, device_bytes(folder))
    tolerance = RECIPES[recipe].tolerance
    if not parity.typical_difference <= tolerance:  # a NaN fails too
        raise ModelError(
            f"the written model does not compute what the Keras network does: for one text in a hundred of {len(texts)} a "
            f"score differs by {parity.typical_difference:.3f} or more, and {tolerance} is allowed; nothing was published"
        )
    return parity


def _with_early_exit(
    whole: Floats, on_device: Logits, ids: Sequence[Sequence[int]], network: Network, bundle: Bundle
) -> Floats:
    """The scores of whole texts, of those that the device reads no further the scores of their beginnings.

    If the score of a beginning is as close to the early exit's as rounding moves it, the device may have done either.
    """
    manifest = bundle.manifest
    if manifest.early_exit is None:
        return whole
    early, enough = manifest.early_exit, manifest.early_exit.enough(manifest.decision)
    beginnings = [of_text[: early.tokens] for of_text in ids]
    first = calibrated(network.scores(beginnings).astype(np.float64), manifest.decision)[:, : len(manifest.labels)]
    may_stop = [
        early.is_tried(len(of_text)) and bundle.vocabulary.has_words(beginning)
        for of_text, beginning in zip(ids, beginnings, strict=True)
    ]
    best = first.max(axis=1)
    is_close = abs(best - enough) <= _ROUNDING
    is_nearer = abs(on_device - first).max(axis=1) < abs(on_device - whole).max(axis=1)
    stopped = np.array(may_stop) & np.where(is_close, is_nearer, best >= enough)
    return np.where(stopped[:, None], first, whole)


def compare(expected: Floats, scores: Logits, members: Members | None, decision: Decision, size: int) -> Parity:
    """The figures of Keras' scores and the device's, and ``members``, the labels of the texts: all of shape [texts, labels].

    ``size``: the bundle's bytes.
    """
    independent = isinstance(decision, MultiLabel)
    keras, device_answers = (_answers(values, decision) for values in (expected, scores))
    differences = abs(expected - scores).max(axis=1)
    return Parity(
        texts=len(scores),
        agreement=float((keras == device_answers).all(axis=1).mean()),
        typical_difference=float(np.quantile(differences, 0.99)),
        largest_difference=float(differences.max()),
        figure_name="micro-F1" if independent else "accuracy",
        keras_accuracy=None if members is None else right_share(keras, members, independent=independent),
        accuracy=None if members is None else right_share(device_answers, members, independent=independent),
        bytes=size,
    )


def _answers(scores: Logits, decision: Decision) -> Members:
    """The labels that reach their thresholds, or the best one."""
    if isinstance(decision, MultiLabel):
        reached: Members = scores >= np.array(decision.thresholds)
        return reached
    best = np.zeros(scores.shape, np.bool_)
    best[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return best


def sample_texts(vocabulary: Vocabulary, max_tokens: int) -> list[str]:
    """200 texts drawn from the vocabulary, to compare on where there are no labelled ones.

    They have every length from 1 to 40 tokens (fewer if ``max_tokens`` is lower), then random ones up to ``max_tokens``, or
    to 2,000.
    """
    draw = random.Random(0)
    max_tokens = min(max_tokens, _LONGEST_SAMPLE)
    short = range(1, min(_SHORT_SAMPLES, max_tokens) + 1)
    lengths = [*short, *(draw.randint(1, max_tokens) for _ in range(_SAMPLES - len(short)))]
    return [drawn_text(vocabulary, length, draw) for length in lengths]


def drawn_text(vocabulary: Vocabulary, length: int, draw: random.Random) -> str:
    """A text of ``length`` tokens of the vocabulary, the frequent ones most often; none of over 100 characters."""
    words = [token for token in vocabulary.tokens[2:] if len(token) <= _LONGEST_TOKEN] or [""]
    return " ".join(draw.choices(words, [1 / rank for rank in range(1, len(words) + 1)], k=length))
