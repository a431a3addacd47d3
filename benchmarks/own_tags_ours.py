"""Our side of ``own_tags.py``: ``sotag-edge train`` with its default settings, then the bundle on the device runtime.

``python benchmarks/own_tags_ours.py MODEL FOLDER single|several`` measures a bundle and prints the figures as JSON. It runs
in a process of its own, with the Python of the training.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import own_tags_scores as scores
from own_tags_data import read, tags_of

BENCH = Path(__file__).parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_MESSAGE = 300  # characters kept of an error


class FailedError(Exception):
    """A command failed; the message has its exit code and its last line on standard error."""


def run(command: list[str], folder: Path) -> tuple[str, dict[str, float]]:
    """Run a command in a folder: its output, its seconds, and the peak memory of its largest process in MB.

    Raises ``FailedError``.
    """
    with tempfile.NamedTemporaryFile() as report:
        done = subprocess.run(
            [sys.executable, str(BENCH / "spawn.py"), report.name, *command],
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            messages = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
            raise FailedError(f"exit code {done.returncode}: {messages[-1][-_MESSAGE:]}")
        figures = json.loads(Path(report.name).read_bytes())
    return done.stdout.decode(), {"seconds": round(figures["seconds"], 1), "peak_mb": round(figures["peak_mb"])}


def train(python: str, data: Path, model: Path, multi_label: bool = False) -> dict[str, float]:
    """Train a model with the default settings: seconds and peak memory. Raises ``FailedError``."""
    command = [python, "-m", "sotag_edge", "train", str(data.resolve()), "--field", "text", "--label-field", "label"]
    command += ["--label-separator", ","] if multi_label else []
    return run([*command, "--output", str(model.resolve())], model.parent)[1]


def result(python: str, folder: Path, multi_label: bool) -> dict[str, Any]:
    """Train on ``train.csv``, measure on ``test.csv`` and ``off-topic.csv``. Raises ``FailedError``."""
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch, "model")
        effort = train(python, folder / "train.csv", model, multi_label)
        kind = "several" if multi_label else "single"
        output, _ = run([python, __file__, str(model), str(folder.resolve()), kind], BENCH)
    return json.loads(output) | effort


def measure(model: str, folder: Path, multi_label: bool) -> dict[str, Any]:
    """The figures of a bundle. ``answered``: the share of the test texts that are not answered ``unknown``."""
    from sotag_edge import Classifier
    from sotag_edge.bundle import device_bytes

    texts, labels = read(folder / "test.csv")
    classifier = Classifier.load(model)
    answers = list(classifier.classify_many(texts))
    if multi_label:
        rankings = [sorted(answer.scores, key=answer.scores.__getitem__, reverse=True) for answer in answers]
        own = [tags_of(label, True) for label in labels]
        figures = scores.several(own, [answer.labels for answer in answers], rankings)
    else:
        figures = scores.single(labels, [answer.best_guess for answer in answers])
    others = [classifier.classify(text) for text in read(folder / "off-topic.csv")[0]]
    return figures | {
        "bytes": device_bytes(Path(model)),
        "answered": round(sum(answer.reason is None for answer in answers) / len(answers), 4),
        "off_topic_unknown": round(sum(answer.reason is not None for answer in others) / len(others), 4),
    }


if __name__ == "__main__":
    json.dump(measure(sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "several"), sys.stdout)
