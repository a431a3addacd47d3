"""``make bench``: ours beside fastText and scikit-learn on the same texts; writes docs/benchmarks.md and its plots.

Times are of one machine and one moment; the ratios are what counts. Systems take turns, and each ratio is computed within a
round. ``--quick`` checks in minutes that everything works: it writes to build/bench instead. ``--page`` writes the page from
the last results. The sections of ``make bench-serve`` and ``make bench-own-tags`` stay as they are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import accuracy
import commands
import page
import plots
from environments import BUILD, PREVIOUS, ROOT, RUNTIMES, AbsentError, Environment, device, previous
from samples import Texts, texts_of
from sections import with_sections_of
from speed import systems
from turns import BENCH, ENVIRONMENT

from sotag_convert.data.dataset import Dataset
from sotag_convert.data.load import load
from sotag_convert.data.settings import DataSettings
from sotag_edge import machine

RESULTS = "results.json"
LOOP_LINES = 30_000
QUESTIONS = 4  # a question takes as long as four short lines
RIVALS = ("fasttext", "tfidf", "nb-svm")
QUICK = {"rounds": 1, "starts": 3, "texts": 400, "lines": 10_000, "longest": 10_000}


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def learn(dataset: Dataset) -> dict[str, Path]:
    """The folder of each other system, which learns once from the same texts."""
    labels = [dataset.labels[target] for target in dataset.train.targets]
    given = json.dumps({"texts": dataset.train.texts, "labels": labels})
    folders = BUILD / "rivals" / hashlib.sha256(given.encode()).hexdigest()[:12]
    for system in RIVALS:
        if not (folders / system).is_dir():
            say(f"teaching {system}")
            scratch = folders / f"{system}.new"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            command = [sys.executable, str(BENCH / "serve.py"), "learn", system, str(scratch)]
            subprocess.run(command, input=given, encoding="utf-8", check=True, env=ENVIRONMENT)
            scratch.rename(folders / system)
    return {system: folders / system for system in RIVALS}


def environments(commit: str, *, anew: bool) -> tuple[dict[str, Environment], Environment | None, list[str]]:
    """This project with each runtime, the previous release, and a sentence for each that cannot be made here."""
    skipped: list[str] = []

    def made(make: Callable[..., Environment], name: str) -> Environment | None:
        try:
            return make(name, anew=anew)
        except AbsentError as error:
            skipped.append(str(error))
            return None

    here = {runtime: environment for runtime in RUNTIMES if (environment := made(device, runtime))}
    return here, made(previous, commit), skipped


def measured_commands(
    here: Mapping[str, Environment],
    release: Environment | None,
    rivals: Mapping[str, Path],
    texts: Texts,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Starts, streams, processes and memory."""
    short = [entry["text"] for entry in accuracy.questions()[:140]]
    counts = [count for count in (1, 2, 4, 8, 16) if count <= machine.cores()]
    sizes = [10**power for power in range(3, 8) if 10**power <= options.longest]
    found: dict[str, Any] = {"jobs": {}, "jobs_short": {}, "loop": {}, "memory": {}}
    say("cold starts")
    started = dict(here) if release is None else {**here, page.RELEASE: release}
    found["starts"] = commands.starts(started, rivals, texts.test[0], options.starts)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        many = commands.write_lines(folder / "many.txt", short, options.lines)
        questions = commands.write_lines(folder / "questions.txt", texts.test, options.lines // QUESTIONS)
        few = commands.write_lines(folder / "few.txt", short, min(LOOP_LINES, options.lines))
        for name, environment in here.items():
            say(f"--jobs, the stream and memory: {name}")
            if len(counts) > 1:
                found["jobs"][name] = commands.jobs(environment, questions, counts, options.rounds)
                found["jobs_short"][name] = commands.jobs(environment, many, counts, options.rounds)
            found["loop"][name] = commands.beside_loop(environment, few, options.rounds)
            found["memory"][name] = commands.memory(environment, short, sizes, folder)
    return found


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, measured now."""
    dataset = load("stackoverflow-16k", DataSettings(archive=options.archive), say=say)
    rivals = learn(dataset)
    texts = texts_of(dataset, options.texts)
    say("environments")
    here, release, skipped = environments(options.previous, anew=not options.quick)
    if not here:
        raise SystemExit(" ".join(skipped))
    results: dict[str, Any] = {
        "machine": f"{platform.machine()}, {machine.cpu()}, {machine.cores()} cores, Python {platform.python_version()}",
        "commit": options.previous,
        "rounds": options.rounds,
        "starts_each": options.starts,
        "train": len(dataset.train.texts),
        "texts": len(texts.test),
        "tokens": {"test": texts.mean_tokens(texts.test), "titles": texts.mean_tokens(texts.titles)},
        "lines": {
            "jobs": options.lines // QUESTIONS,
            "jobs_short": options.lines,
            "loop": min(LOOP_LINES, options.lines),
        },
        "skipped": skipped,
        "megabytes": {name: environment.megabytes() for name, environment in here.items()},
    }
    if release is not None:
        results["megabytes"][page.RELEASE] = release.megabytes()
        results["release_runtime"] = release.runtime
    results |= systems(here, release, rivals, texts, options.rounds, say)
    results |= measured_commands(here, release, rivals, texts, options)
    say("tokens read and questions")
    results["tokens_read"] = accuracy.tokens_read(ROOT / "models" / "default", texts.test, texts.labels, options.rounds)
    results["questions"] = accuracy.own_questions(ROOT / "models")
    return results | {"growth": page.growth(results)}


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    add = parser.add_argument
    add("--archive", type=Path, help="a local copy of the Stack Overflow archive [default: the download]")
    add("--rounds", type=int, default=9, help="rounds of everything that is compared [default: 9]")
    add("--starts", type=int, default=21, help="rounds of cold starts [default: 21]")
    add("--texts", type=int, help="only the first so many test texts")
    add("--lines", type=int, default=200_000, help="lines for --jobs [default: 200,000]")
    add("--longest", type=int, default=1_000_000, help="lines of the longest stream [default: 1,000,000]")
    add("--previous", default=PREVIOUS, help=f"the commit of the previous release [default: {PREVIOUS}]")
    add("--quick", action="store_true", help="a few minutes; writes to build/bench")
    add("--page", action="store_true", help="only write the page, from the last results")
    if "--quick" in arguments:
        parser.set_defaults(**QUICK)
    return parser.parse_args(arguments)


def main() -> None:
    """Learn and make what is missing, measure, write the results, the plots and the page."""
    options = options_of(sys.argv[1:])
    folder = BUILD / "quick" if options.quick else ROOT / "docs"
    results_file = (BUILD / "quick" if options.quick else BUILD) / RESULTS
    results_file.parent.mkdir(parents=True, exist_ok=True)
    if not options.page:
        results_file.write_text(json.dumps(measure(options), indent=1), encoding="utf-8")
    results = json.loads(results_file.read_text(encoding="utf-8"))
    written = plots.draw(results, folder)
    docs = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    text = with_sections_of(page.render(results, written), docs)
    (folder / "benchmarks.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
