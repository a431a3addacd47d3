"""A bundle and texts -> their scores on the device runtime: runs ``sotag_edge`` in a process without TensorFlow.

The process is needed: with TensorFlow loaded in the same process, tflite-runtime 2.14 fails on every model with
"ValueError: vector::reserve" (measured with TensorFlow 2.21). It is also what a user's process looks like. It writes each
text's scores and answer at once, as bytes: as JSON, those of 100,000 texts and 100 labels would take gigabytes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from array import array
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
    """``scores``: calibrated, shape [texts, labels]. ``answers``: the labels that each text is answered with, none if it is
    ``unknown``, of the same shape. ``operators``: the names of the graph's operators."""

    scores: NDArray[np.float32]
    answers: NDArray[np.bool_]
    operators: list[str]

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Whether each text got a label, not ``unknown``."""
        return np.asarray(self.answers.any(axis=1))


def run(folder: Path, texts: Sequence[str]) -> Run:
    """Classify texts with the bundle in ``folder``. Raises ``ModelError`` if the runtime cannot load or run it."""
    with tempfile.TemporaryFile() as output:
        run_module(
            "sotag_convert.export.device_run",
            str(folder),
            failure="the TFLite runtime cannot run the written model",
            seconds=_SECONDS + len(texts),  # a text takes milliseconds, also on a small computer
            stdin=json.dumps(list(texts)),
            stdout=output,
        )
        output.seek(0)
        header = json.loads(output.readline())
        rows = np.fromfile(output, _row(header["labels"]))
    return Run(np.ascontiguousarray(rows["scores"]), np.ascontiguousarray(rows["answers"]), header["operators"])


def _row(labels: int) -> np.dtype[np.void]:
    """What is written of a text."""
    return np.dtype([("scores", np.float32, (labels,)), ("answers", np.bool_, (labels,))])


def _main(folder: str) -> None:
    classifier = Classifier.load(Path(folder))  # a string without a separator would be a name
    numbers = {label: number for number, label in enumerate(classifier.labels)}
    output = sys.stdout.buffer
    output.write(json.dumps({"labels": len(numbers), "operators": classifier.operators()}).encode() + b"\n")
    for prediction in classifier.classify_many(json.load(sys.stdin)):
        answer = bytearray(len(numbers))
        for label in prediction.labels:
            answer[numbers[label]] = True
        output.write(array("f", prediction.scores.values()).tobytes() + answer)


if __name__ == "__main__":
    try:
        _main(sys.argv[1])
    except SotagEdgeError as error:
        sys.exit(str(error))
