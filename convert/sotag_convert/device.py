"""Texts -> the scores that a device gives them: runs ``sotag_edge`` in a process of its own, without TensorFlow.

Of its own because it must be: with TensorFlow loaded in the same process, tflite-runtime 2.14 fails on every model with
"ValueError: vector::reserve" (measured with TensorFlow 2.21). It is also what a user's process looks like.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy
from numpy.typing import NDArray

from sotag_edge.classifier import Classifier
from sotag_edge.errors import ModelError, SotagEdgeError


def scores(folder: Path, texts: Sequence[str]) -> NDArray[numpy.float64]:
    """The scores of texts by the bundle in ``folder``, shape [texts, labels]. Raises ``ModelError`` if it cannot run."""
    child = subprocess.run(
        [sys.executable, "-m", "sotag_convert.device", str(folder)],
        input=json.dumps(list(texts)),
        capture_output=True,
        encoding="utf-8",
    )
    if child.returncode < 0:
        raise ModelError(f"the TFLite runtime crashed on the written model (signal {-child.returncode})")
    if child.returncode != 0:
        reason = child.stderr.strip().splitlines() or ["no reason given"]
        raise ModelError(f"the written model does not run: {reason[-1]}")
    return numpy.array(json.loads(child.stdout))


if __name__ == "__main__":
    try:
        classifier = Classifier.load(sys.argv[1])
        answers = classifier.classify_many(json.load(sys.stdin))
        json.dump([list(answer.scores.values()) for answer in answers], sys.stdout)
    except SotagEdgeError as error:
        sys.exit(str(error))
