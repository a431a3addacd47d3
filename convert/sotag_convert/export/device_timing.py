"""Bundles and texts -> how long each takes for a text on this machine, in turns, in one process without TensorFlow.

In turns, so that what else the machine does slows all of them. The figures are those of one process and a few seconds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from statistics import median

from sotag_convert.export.isolated import run_module
from sotag_edge.classifier import Classifier
from sotag_edge.errors import SotagEdgeError

_MOST_TEXTS = 200
_SECONDS = 2.0
_FEWEST_TURNS = 20  # also where they take longer
_LIMIT = 600  # seconds


def median_times(folders: Sequence[Path], texts: Sequence[str]) -> list[float]:
    """The median milliseconds per text of each bundle. Raises ``ModelError`` if the runtime cannot run one.

    Up to 200 texts, from the whole of ``texts``, are tagged one at a time.
    """
    sample = texts[:: -(-len(texts) // _MOST_TEXTS)]
    output = run_module(
        "sotag_convert.export.device_timing",
        json.dumps([str(folder) for folder in folders]),
        failure="the TFLite runtime cannot time the models",
        seconds=_LIMIT,
        stdin=json.dumps(list(sample)),
    )
    times: list[float] = json.loads(output)
    return times


def _main(folders: Sequence[str]) -> None:
    classifiers = [Classifier.load(Path(folder)) for folder in folders]
    times: list[list[float]] = [[] for _ in classifiers]
    texts = json.load(sys.stdin)
    turns = [*enumerate(classifiers)]
    for classifier in classifiers:
        for text in texts[:_FEWEST_TURNS]:
            classifier.classify(text)
    end = time.perf_counter() + _SECONDS
    for turn, text in enumerate(cycle(texts)):
        if turn >= _FEWEST_TURNS and time.perf_counter() > end:
            break
        for number, classifier in turns:
            start = time.perf_counter()
            classifier.classify(text)
            times[number].append(time.perf_counter() - start)
        turns.reverse()
    sys.stdout.write(json.dumps([1000 * median(of_one) for of_one in times]))


if __name__ == "__main__":
    try:
        _main(json.loads(sys.argv[1]))
    except SotagEdgeError as error:
        sys.exit(str(error))
