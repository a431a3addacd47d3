"""A bundle and texts -> their scores on the device runtime: runs ``sotag_edge`` in a process without TensorFlow.

The process is needed: with TensorFlow loaded in the same process, tflite-runtime 2.14 fails on every model with
"ValueError: vector::reserve" (measured with TensorFlow 2.21). It is also what a user's process looks like.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sotag_convert.export.isolated import run_module
from sotag_edge.classifier import Classifier
from sotag_edge.errors import SotagEdgeError

_SECONDS = 600


class Run(NamedTuple):
    """``scores``: calibrated, shape [texts, labels]. ``answered``: whether each text got a label, not ``unknown``.
    ``operators``: the names of the graph's operators."""

    scores: NDArray[np.float64]
    answered: list[bool]
    operators: list[str]


def run(folder: Path, texts: Sequence[str]) -> Run:
    """Classify texts with the bundle in ``folder``. Raises ``ModelError`` if the runtime cannot load or run it."""
    failure = "the TFLite runtime cannot run the written model"
    seconds = _SECONDS + len(texts)  # a text takes milliseconds, also on a small computer
    answer = json.loads(
        run_module(
            "sotag_convert.export.device_run",
            str(folder),
            failure=failure,
            seconds=seconds,
            stdin=json.dumps(list(texts)),
        )
    )
    return Run(np.array(answer["scores"]), answer["answered"], answer["operators"])


def _main(folder: str) -> None:
    classifier = Classifier.load(folder)
    predictions = list(classifier.classify_many(json.load(sys.stdin)))
    answer = {
        "scores": [[prediction.scores[label] for label in classifier.labels] for prediction in predictions],
        "answered": [prediction.reason is None for prediction in predictions],
        "operators": classifier.operators(),
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    try:
        _main(sys.argv[1])
    except SotagEdgeError as error:
        sys.exit(str(error))
