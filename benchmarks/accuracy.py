"""What the shipped models answer: by the number of tokens that they read, and for questions that people typed."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from systems import OURS

from sotag_edge import Classifier
from sotag_edge.bundle import Bundle

BENCH = Path(__file__).parent
_LENGTHS = (32, 64, 128, 256, 384, 512, 768)
Row = dict[str, Any]


def tokens_read(model: Path, texts: Sequence[str], labels: Sequence[str], rounds: int) -> list[Row]:
    """Accuracy and time of a model by the number of tokens that it reads, with the runtime of this process.

    Without its early exit: every text is read to its end, or as far as that.
    """
    bundle = Bundle.read(model)
    classifiers = {}
    for length in _LENGTHS:
        inputs = dataclasses.replace(bundle.manifest.input, max_tokens=length)
        manifest = dataclasses.replace(bundle.manifest, input=inputs, early_exit=None)
        classifiers[length] = Classifier(dataclasses.replace(bundle, manifest=manifest), threshold=0)
    micros: dict[int, list[float]] = {length: [] for length in _LENGTHS}
    right = {}
    for _ in range(rounds):
        for length, classifier in classifiers.items():
            start = time.process_time()
            answers = [classifier.classify(text).label for text in texts]
            micros[length].append((time.process_time() - start) / len(texts) * 1e6)
            right[length] = sum(answer == label for answer, label in zip(answers, labels, strict=True))
    return [
        {"tokens": length, "accuracy": right[length] / len(texts), "micros": statistics.median(micros[length])}
        for length in _LENGTHS
    ]


def questions() -> list[dict[str, str]]:
    """The set, label and text of each entry of questions.jsonl."""
    lines = (BENCH / "questions.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def own_questions(models: Path) -> list[Row]:
    """The texts of questions.jsonl, tagged by the shipped models at their own thresholds."""
    sets: dict[str, list[dict[str, str]]] = {}
    for entry in questions():
        kind = "off-topic" if entry["label"] == "unknown" else "on topic"
        sets.setdefault(entry["set"] if entry["set"] != "steer" else f"steer, {kind}", []).append(entry)
    classifiers = {model: Classifier.load(models / model) for model in OURS}
    rows = []
    for name, entries in sets.items():
        for model, classifier in classifiers.items():
            answers = [classifier.classify(entry["text"]) for entry in entries]
            guesses = zip(answers, entries, strict=True)
            right = sum(answer.best_guess == entry["label"] for answer, entry in guesses) / len(entries)
            unsure = sum(answer.reason is not None for answer in answers) / len(entries)
            row: Row = {"set": name, "number": len(entries), "model": model, "unknown": unsure}
            rows.append(row if "off-topic" in name else row | {"right": right})
    return rows
