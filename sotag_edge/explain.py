"""Text -> the effect of each of its tokens: by how much the score drops without the token.

A token is left out by making it unknown, so the text keeps its length; training drops words in the same way. Each effect is
measured separately, so they do not add up to the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sotag_edge.classifier import Classifier
from sotag_edge.decision import Prediction
from sotag_edge.errors import UsageError
from sotag_edge.tokenizer import spans
from sotag_edge.vocabulary import UNKNOWN_ID

LEAST = 0.01
"""The smallest effect on a score that is shown."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A token, its place in ``Explanation.text``, and how much it adds to the score of the explained label."""

    token: str
    start: int
    end: int
    effect: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """``label``, ``score``: what is explained. ``text``: as the tokenizer reads it. ``effects``: one per token that the
    network reads, in order."""

    prediction: Prediction
    label: str
    score: float
    text: str
    effects: tuple[Effect, ...]


def explain(classifier: Classifier, text: str, label: str | None = None) -> Explanation:
    """Explain the score of a label, by default of the best guess. Runs the network once per token that it reads; without a
    linear branch only for those of the vocabulary, because the others change nothing.

    Raises ``UsageError`` for a label that the model does not have.
    """
    bundle = classifier.bundle
    if label is not None and label not in classifier.labels:
        raise UsageError(f"the model has no tag {label!r}; {_near(label, classifier.labels)}")
    prediction = classifier.classify(text)
    label = label if label is not None else prediction.best_guess
    explained = classifier.labels.index(label)
    shown, places = spans(text, bundle.manifest.input.tokenizer)
    read = classifier.read(text)
    score = classifier.scores(read)[explained]  # as those without a token are computed: in one piece
    tokens = bundle.manifest.input.tokens(text)[: len(read.ids)]
    effects = []
    for position, (start, end) in enumerate(places[: min(len(tokens), bundle.manifest.input.max_tokens)]):
        effect = 0.0
        if read.ids[position] != UNKNOWN_ID or read.rows is not None:
            without = bundle.input_of([*tokens[:position], "", *tokens[position + 1 :]])
            effect = score - classifier.scores(without)[explained]
        effects.append(Effect(shown[start:end], start, end, effect))
    return Explanation(prediction, label, score, shown, tuple(effects))


def _near(label: str, labels: Sequence[str]) -> str:
    """A sentence about the labels that somebody may have meant."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in labels}
    near = get_close_matches(label.lower(), by_lower, n=3)
    return f"did you mean {' or '.join(repr(by_lower[name]) for name in near)}?" if near else "'info' lists its tags"
