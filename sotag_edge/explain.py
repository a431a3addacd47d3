"""Text -> which of its tokens made the tag: each token's effect is what the score loses when the token is left out.

Left out is "made unknown", so that the text keeps its length; the network was trained with words dropped like that. The
effects are measured one by one, and do not sum to the score.
"""

from __future__ import annotations

from dataclasses import dataclass

from sotag_edge.classifier import Classifier, Prediction
from sotag_edge.tokenizer import spans
from sotag_edge.vocabulary import UNKNOWN_ID


@dataclass(frozen=True, slots=True)
class Effect:
    """A token, where it stands in ``Explanation.text``, and what it adds to the score of the best guess."""

    token: str
    start: int
    end: int
    effect: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """``text``: as the tokenizer reads it. ``effects``: one a token that is read, in order."""

    prediction: Prediction
    text: str
    effects: tuple[Effect, ...]


def explain(classifier: Classifier, text: str) -> Explanation:
    """Why a text has its tag. Costs one inference a token that the model knows."""
    bundle = classifier.bundle
    prediction = classifier.classify(text)
    best = classifier.labels.index(prediction.best_guess)
    shown, places = spans(text, bundle.input.tokenizer)
    ids = bundle.input.ids(text, bundle.vocabulary)
    effects = []
    for number, (start, end) in enumerate(places[: bundle.input.max_tokens]):
        effect = 0.0
        if ids[number] != UNKNOWN_ID:
            without = [*ids[:number], UNKNOWN_ID, *ids[number + 1 :]]
            effect = prediction.score - classifier.scores(without)[best]
        effects.append(Effect(shown[start:end], start, end, effect))
    return Explanation(prediction, shown, tuple(effects))
