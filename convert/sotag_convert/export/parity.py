"""The Keras network against the written bundle, run on the device runtime: agreement, accuracy, bytes.

That a model converted proves nothing. What is compared is what a user gets: ``sotag_edge`` loads the bundle from its
folder, in a process without TensorFlow, and tags text by text at their own lengths; Keras tags them in padded batches.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy

from sotag_convert.data.stackoverflow import extra_texts
from sotag_convert.export import device_run as device
from sotag_convert.learn.calibrate import calibrated
from sotag_convert.network.network import Network
from sotag_convert.recipes import RECIPES, Recipe
from sotag_edge import bundle as bundles
from sotag_edge.errors import ModelError
from sotag_edge.vocabulary import Vocabulary

_DRAWN_TEXTS = 200
_EVERY = 20
_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"


@dataclass(frozen=True, slots=True)
class Verification:
    """What the comparison found. Accuracies are shares of ``texts``, ``None`` where the texts had no labels.

    Of the largest difference of a score from Keras', text by text: ``typical_difference`` is what 99 % of the texts stay
    below, ``largest_difference`` that of the worst.
    """

    texts: int
    agreement: float
    typical_difference: float
    largest_difference: float
    keras_accuracy: float | None
    accuracy: float | None
    bytes: int

    def to_json(self) -> dict[str, float | int | None]:
        """The fields, rounded for ``metrics.json``."""
        return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(self).items()}


def verify(
    folder: Path, network: Network, texts: Sequence[str], targets: Sequence[int] | None, recipe: Recipe
) -> Verification:
    """Compare and measure; raises ``ModelError`` when the typical difference is above the recipe's tolerance, or the
    graph has no fused LSTM (a loop in its place is 5 to 20 times slower).

    ``texts``: one or more; ``targets``: the label numbers of the same texts.
    """
    bundle = bundles.read(folder)
    tolerance = RECIPES[recipe].tolerance
    ids = [bundle.input.ids(text, bundle.vocabulary) for text in texts]
    expected = calibrated(network.scores(ids).astype(numpy.float64), bundle.scores)
    found, _, operators = device.run(folder, texts)
    if operators.count(_LSTM) != 1:
        raise ModelError(
            f"the graph has {operators.count(_LSTM)} fused LSTM operators, not one: {', '.join(operators)}"
        )
    keras_labels, device_labels = expected.argmax(axis=1), found.argmax(axis=1)
    differences = abs(expected - found).max(axis=1)
    result = Verification(
        texts=len(texts),
        agreement=float((keras_labels == device_labels).mean()),
        typical_difference=float(numpy.quantile(differences, 0.99)),
        largest_difference=float(differences.max()),
        keras_accuracy=None if targets is None else float((keras_labels == targets).mean()),
        accuracy=None if targets is None else float((device_labels == targets).mean()),
        bytes=bundles.size(folder),
    )
    if not result.typical_difference <= tolerance:  # a NaN fails too
        raise ModelError(
            f"the written model does not do what the Keras network does: of {len(texts)} texts one in a hundred has a score "
            f"that differs by {result.typical_difference:.3f} or more, and may by {tolerance}; nothing was published"
        )
    return result


def sample_texts(vocabulary: Vocabulary, max_tokens: int) -> list[str]:
    """Texts to verify with where no data is at hand: written questions, and texts drawn from the model's vocabulary.

    The drawn ones have every length up to a few dozen tokens and then some up to ``max_tokens``, frequent tokens most.
    """
    questions = [text for text, _ in extra_texts()[::_EVERY]]
    draw = random.Random(0)
    lengths = [*range(1, 41), *(draw.randint(1, max_tokens) for _ in range(_DRAWN_TEXTS - 40))]
    return questions + [drawn_text(vocabulary, length, draw) for length in lengths]


def drawn_text(vocabulary: Vocabulary, length: int, draw: random.Random) -> str:
    """A text of so many of the vocabulary's tokens, the frequent ones most."""
    words = vocabulary.tokens[2:] or ("",)
    return " ".join(draw.choices(words, [1 / rank for rank in range(1, len(words) + 1)], k=length))
