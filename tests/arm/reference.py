"""The scores of the shipped models on this machine, and their comparison with those of an emulated system."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
MODELS = ("default", "tiny")
TOLERANCE = 2e-5  # both models compute in float; measured between runtimes and processors: 8e-6


class ArmError(Exception):
    """A fault of a system, in a sentence."""


def compare(here: list[dict[str, Any]], there: list[dict[str, Any]], model: str) -> float:
    """The largest difference of a score. Raises ``ArmError`` above the tolerance, or for another label of clear margin."""
    if len(here) != len(there):
        raise ArmError(f"{model}: {len(there)} answers to {len(here)} texts")
    largest = 0.0
    for ours, theirs in zip(here, there, strict=True):
        difference = max(abs(score - theirs["scores"][label]) for label, score in ours["scores"].items())
        largest = max(largest, difference)
        first, second = sorted(ours["scores"].values())[-1:-3:-1]
        if ours["label"] != theirs["label"] and first - second > 2 * TOLERANCE:
            raise ArmError(f"{model} answers {theirs['label']} at {ours['source']}, and {ours['label']} on x86-64")
    if largest > TOLERANCE:
        raise ArmError(f"{model}: a score differs by {largest:.6f} from x86-64's, more than {TOLERANCE}")
    return largest


def texts() -> list[str]:
    """200 texts: the questions of the repository, whole and cut, so that many lengths occur."""
    lines = (ROOT / "benchmarks" / "questions.jsonl").read_text(encoding="utf-8").split("\n")
    whole = [json.loads(line)["text"].replace("\n", " ") for line in lines if line]
    return [*whole[::4], *(text[: len(text) // 2] for text in whole[2::4])][:200]


def reference_results(work: Path) -> dict[str, list[dict[str, Any]]]:
    """Copy the models and the texts to ``work``, and give each model's results for the texts on this machine."""
    (work / "texts.txt").write_text("".join(f"{text}\n" for text in texts()), encoding="utf-8")
    results = {}
    for model in MODELS:
        shutil.copytree(ROOT / "models" / model, work / model, ignore=shutil.ignore_patterns("*.keras"))
        command = [sys.executable, "-m", "sotag_edge", "classify", "--best-guess", "--to", "jsonl"]
        command += ["-m", str(work / model)]
        done = subprocess.run(command, input=(work / "texts.txt").read_bytes(), capture_output=True, check=False)
        if done.returncode:
            raise ArmError(f"{model} on this machine: {done.stderr.decode().strip()}")
        results[model] = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return results
