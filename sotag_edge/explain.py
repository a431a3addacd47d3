"""Text -> the effect of each of its tokens: by how much the score drops without the token.

A token is left out by making it unknown, so the text keeps its length; training drops words in the same way. Each effect is
measured separately, so they do not add up to the score.
"""

from __future__ import annotations

from dataclasses import dataclass

from sotag_edge.classifier import Classifier
from sotag_edge.decision import Prediction
from sotag_edge.tokenizer import spans
from sotag_edge.vocabulary import UNKNOWN_ID


@dataclass(frozen=True, slots=True)
class Effect:
    """A token, its place in ``Explanation.text``, and how much it adds to the score of the best guess."""

    token: str
    start: int
    end: int
    effect: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """``text``: the text as the tokenizer reads it. ``effects``: one per token that the network reads, in order."""

    prediction: Prediction
    text: str
    effects: tuple[Effect, ...]


def explain(classifier: Classifier, text: str) -> Explanation:
    """Explain the tag of a text. Runs the network once per token that it reads; without a linear branch only for those of
    the vocabulary, because the others change nothing."""
    bundle = classifier.bundle
    prediction = classifier.classify(text)
    best = classifier.labels.index(prediction.best_guess)
    shown, places = spans(text, bundle.manifest.input.tokenizer)
    read = classifier.read(text)
    score = classifier.scores(read)[best]  # as those without a token are computed: in one piece
    tokens = bundle.manifest.input.tokens(text)[: len(read.ids)]
    effects = []
    for position, (start, end) in enumerate(places[: min(len(tokens), bundle.manifest.input.max_tokens)]):
        effect = 0.0
        if read.ids[position] != UNKNOWN_ID or read.rows is not None:
            without = bundle.input_of([*tokens[:position], "", *tokens[position + 1 :]])
            effect = score - classifier.scores(without)[best]
        effects.append(Effect(shown[start:end], start, end, effect))
    return Explanation(prediction, shown, tuple(effects))
