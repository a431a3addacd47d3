"""``make bench``: ours beside fastText and scikit-learn, in one environment, on the same texts; writes docs/benchmarks.md.

Times are of this machine and this moment; what is claimed are the ratios, each against something measured in the same run.
Systems take turns, three rounds, one thread each, and the medians are shown. The section of
``make bench-own-tags`` stays as it is.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from own_tags_page import section_of, with_section
from stream import report as streams
from systems import OURS

from sotag_convert.data.dataset import Dataset
from sotag_convert.data.load import load
from sotag_edge import Classifier
from sotag_edge.bundle import FILES, MODEL, Bundle

ROOT = Path(__file__).parent.parent
BENCH = Path(__file__).parent
BUILD = ROOT / "build" / "bench"
PAGE = ROOT / "docs" / "benchmarks.md"
NAMES = {
    "default": "sotag-edge `default`",
    "tiny": "sotag-edge `tiny`",
    "fasttext": "fastText `.ftz`",
    "tfidf": "TF-IDF + LinearSVC",
    "nb-svm": "NB-SVM",
}
ROUNDS, STARTS = 3, 15
LENGTHS = (32, 64, 128, 256, 384, 512, 768)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

_HEAD = (
    "Written by `make bench` on {machine}, Python {python}. Times are of one machine and one moment; compare the ratios. "
    "Every system learned from the same 8,000 texts, with the same tokenizer, ours besides from short questions of the "
    "project's own; each was measured on the same {texts:,} test texts (the language's name masked), one thread each."
)
_COLUMNS = (
    "Texts a second, from raw text: one by one, as a device gets them, and all at once where a system has a way for that "
    "(scikit-learn has; the others take them one by one there too). Start: a whole process that tags one text of a file or "
    "of a pipe; MB: its peak memory. `default` tags {ratio:.2f} times as many texts a second as fastText."
)
_QUESTIONS = (
    "`benchmarks/questions.jsonl` has questions as people type them, titles alone and whole ones, and texts about something "
    "else: recipes, poems, Haskell, SQL, other languages. None is learned from. `steer` was looked at while the rule for "
    "the threshold was chosen; `titles`, `questions` and `off-topic` were written by others than the questions that the "
    "models learned from, and compared models by their totals alone:"
)


def folder_of(system: str) -> Path:
    """Where a system's files are."""
    return ROOT / "models" / system if system in OURS else BUILD / system


def run_system(action: str, system: str, given: dict[str, Any]) -> dict[str, Any]:
    """One action of systems.py in a process of its own."""
    command = [sys.executable, str(BENCH / "systems.py"), action, system, str(folder_of(system))]
    done = subprocess.run(
        command, input=json.dumps(given), stdout=subprocess.PIPE, encoding="utf-8", check=True, env=ENVIRONMENT
    )
    answer: dict[str, Any] = json.loads(done.stdout or "{}")
    return answer


def learn(dataset: Dataset) -> None:
    """Teach the other systems, once."""
    given = {"texts": dataset.train.texts, "labels": [dataset.labels[target] for target in dataset.train.targets]}
    for system in ("fasttext", "tfidf", "nb-svm"):
        if not folder_of(system).is_dir():
            print(f"teaching {system}", file=sys.stderr)
            scratch = folder_of(system).with_suffix(".new")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            command = [sys.executable, str(BENCH / "systems.py"), "learn", system, str(scratch)]
            subprocess.run(command, input=json.dumps(given), encoding="utf-8", check=True, env=ENVIRONMENT)
            scratch.rename(folder_of(system))


def bytes_of(system: str) -> int:
    """What a device must have on disk of a system's model."""
    folder = folder_of(system)
    files = [folder / name for name in FILES if (folder / name).exists()] if system in OURS else folder.iterdir()
    return sum(file.stat().st_size for file in files)


def cold_start(command: Sequence[str], stdin: str, folder: Path) -> tuple[float, float]:
    """Milliseconds and peak megabytes of a process, from nothing to its end."""
    report = folder / "report.json"
    subprocess.run(
        [sys.executable, str(BENCH / "spawn.py"), str(report), *command],
        input=stdin,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
        check=True,
        env=ENVIRONMENT,
    )
    found = json.loads(report.read_bytes())
    return found["seconds"] * 1000, found["peak_mb"]


def starts(text: str, folder: Path) -> dict[str, tuple[float, float]]:
    """Median milliseconds and peak megabytes of each system's process for one text, and of the floor."""
    (folder / "question.txt").write_text(text, encoding="utf-8")
    given = json.dumps({"texts": [text]})
    python = sys.executable
    commands: dict[str, tuple[list[str], str]] = {
        "floor": ([python, str(BENCH / "floor.py"), str(folder_of("default") / MODEL)], ""),
    }
    for system in NAMES:
        if system in OURS:
            classify = str(Path(python).parent / "sotag-edge")
            command = [classify, "classify", "--model", str(folder_of(system)), str(folder / "question.txt")]
        else:
            command = [python, str(BENCH / "systems.py"), "once", system, str(folder_of(system))]
        commands[system] = (command, given)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(STARTS):
        for name, (command, stdin) in commands.items():
            found[name].append(cold_start(command, stdin, folder))
    return {
        name: (statistics.median(ms for ms, _ in runs), statistics.median(mb for _, mb in runs))
        for name, runs in found.items()
    }


def curve(texts: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Accuracy and time of the default model by the number of tokens it reads."""
    bundle = Bundle.read(folder_of("default"))
    rows = ["| tokens read | accuracy | µs a text |", "|---|---|---|"]
    for length in LENGTHS:
        inputs = dataclasses.replace(bundle.manifest.input, max_tokens=length)
        cut = dataclasses.replace(bundle, manifest=dataclasses.replace(bundle.manifest, input=inputs))
        classifier = Classifier(cut, threshold=0)
        start = time.perf_counter()
        right = sum(
            answer.label == label for answer, label in zip(classifier.classify_many(texts), labels, strict=True)
        )
        micros = (time.perf_counter() - start) / len(texts) * 1e6
        rows.append(f"| {length} | {right / len(texts):.4f} | {micros:.0f} |")
    return rows


def questions() -> list[dict[str, str]]:
    """The set, label and text of each entry of questions.jsonl."""
    lines = (BENCH / "questions.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def own_questions() -> list[str]:
    """The texts of questions.jsonl, by the shipped models at their own thresholds."""
    rows = ["| texts | number | model | best guess right | answered `unknown` |", "|---|---|---|---|---|"]
    sets: dict[str, list[dict[str, str]]] = {}
    for entry in questions():
        kind = "off-topic" if entry["label"] == "unknown" else "on topic"
        sets.setdefault(entry["set"] if entry["set"] != "steer" else f"steer, {kind}", []).append(entry)
    for name, entries in sets.items():
        for model in OURS:
            classifier = Classifier.load(folder_of(model))
            answers = [classifier.classify(entry["text"]) for entry in entries]
            guesses = zip(answers, entries, strict=True)
            right = sum(answer.best_guess == entry["label"] for answer, entry in guesses) / len(entries)
            unsure = sum(answer.reason is not None for answer in answers) / len(entries)
            shown = "" if "off-topic" in name else f"{right:.1%}"
            rows.append(f"| {name} | {len(entries)} | `{model}` | {shown} | {unsure:.1%} |")
    return rows


def table(found: dict[str, dict[str, float]], start: dict[str, tuple[float, float]]) -> list[str]:
    """The comparison, with the ratios that are claimed."""
    rows = [
        "| | accuracy | bytes | texts/s by one | to TF-IDF | at once | to TF-IDF | p50, p99 µs | start | to floor | MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    floor_ms, floor_mb = start["floor"]
    for system, name in NAMES.items():
        figures, (ms, megabytes) = found[system], start[system]
        speeds = (
            f"{figures[way]:,.0f} | {figures[way] / found['tfidf'][way]:.1f}x" for way in ("one_by_one", "at_once")
        )
        rows.append(
            f"| {name} | {figures['accuracy']:.4f} | {bytes_of(system):,} | {' | '.join(speeds)} "
            f"| {figures['p50']:.0f}, {figures['p99']:.0f} | {ms:.0f} | {ms / floor_ms:.2f}x | {megabytes:.0f} |"
        )
    return [
        *rows,
        f"| floor: numpy, the runtime, typer, one invoke | | | | | | | | {floor_ms:.0f} | 1.00x | {floor_mb:.0f} |",
    ]


def page(dataset: Dataset, say: Callable[[str], None]) -> str:
    """Everything, measured now."""
    if dataset.test is None:
        raise SystemExit("the data set has no test texts")
    labels = [dataset.labels[target] for target in dataset.test.targets]
    given = {"texts": dataset.test.texts, "labels": labels}
    rounds: dict[str, list[dict[str, float]]] = {system: [] for system in NAMES}
    for number in range(ROUNDS):
        for system in NAMES:
            say(f"round {number + 1} of {ROUNDS}: {system}")
            rounds[system].append(run_system("measure", system, given))
    found = {
        system: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for system, runs in rounds.items()
    }
    say("cold starts")
    with tempfile.TemporaryDirectory() as folder:
        start = starts(dataset.test.texts[0], Path(folder))
    ratio = found["default"]["at_once"] / found["fasttext"]["at_once"]
    tokens = Bundle.read(folder_of("default")).manifest.input.max_tokens
    say("lengths and streams")
    lines = [
        "# Benchmarks",
        "",
        _HEAD.format(machine=platform.machine(), python=platform.python_version(), texts=len(labels)),
        "",
        *table(found, start),
        "",
        _COLUMNS.format(ratio=ratio),
        "",
        "## Tokens read",
        "",
        f"The default model reads a text's first {tokens} tokens:",
        "",
        *curve(dataset.test.texts, labels),
        "",
        "## Long streams",
        "",
        *streams([entry["text"] for entry in questions()[:140]]),
        "",
        "## Short questions and texts about something else",
        "",
        _QUESTIONS,
        "",
        *own_questions(),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Learn what is missing, measure, write the page."""

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    dataset = load("stackoverflow")
    learn(dataset)
    text = with_section(page(dataset, say), section_of(PAGE.read_text(encoding="utf-8")))
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
