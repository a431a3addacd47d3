"""A bundle and texts -> their explanations, and how long texts take, on the device runtime; see device_run.py.

Runs ``sotag_edge`` in a process without TensorFlow. Times are those of one text after the other, on one core.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sotag_convert.export.isolated import run_module
from sotag_edge.classifier import Classifier
from sotag_edge.errors import SotagEdgeError
from sotag_edge.explain import Effect, explain

_SECONDS = 600


class Explained(NamedTuple):
    """A text as the tokenizer reads it, a label's score, and the effect on it of each token that the network reads."""

    text: str
    score: float
    effects: tuple[Effect, ...]


class Explanations(NamedTuple):
    """``explained``: one per text; ``milliseconds``: how long each of the timed texts took."""

    explained: tuple[Explained, ...]
    milliseconds: tuple[float, ...]


def explanations(folder: Path, texts: Sequence[tuple[str, str]], timed: Sequence[str]) -> Explanations:
    """Explain ``texts``, pairs of a text and the label to explain, and measure how long the texts ``timed`` take.

    ``folder``: of the bundle. Raises ``ModelError`` if the runtime cannot load or run it.
    """
    output = run_module(
        "sotag_convert.export.device_explain",
        str(folder),
        failure="the TFLite runtime cannot explain the model's answers",
        seconds=_SECONDS + len(timed),
        stdin=json.dumps({"texts": list(texts), "timed": list(timed)}),
    )
    found = json.loads(output)
    return Explanations(
        tuple(
            Explained(explained["text"], explained["score"], tuple(Effect(*effect) for effect in explained["effects"]))
            for explained in found["explained"]
        ),
        tuple(found["milliseconds"]),
    )


def _main(folder: str) -> None:
    classifier = Classifier.load(Path(folder))  # a string without a separator would be a name
    given = json.load(sys.stdin)
    explained = []
    for text, label in given["texts"]:
        explanation = explain(classifier, text, label)
        effects = [[effect.token, effect.start, effect.end, effect.effect] for effect in explanation.effects]
        explained.append({"text": explanation.text, "score": explanation.score, "effects": effects})
    for text in given["timed"]:  # graphs are made for new lengths
        classifier.classify(text)
    json.dump(
        {"explained": explained, "milliseconds": [_time(classifier, text) for text in given["timed"]]}, sys.stdout
    )


def _time(classifier: Classifier, text: str) -> float:
    start = time.perf_counter()
    classifier.classify(text)
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    try:
        _main(sys.argv[1])
    except SotagEdgeError as error:
        sys.exit(str(error))
