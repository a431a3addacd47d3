"""What is measured by starting commands: the cold start, ``--jobs``, the stream beside a bare loop, and memory.

All of it reads a file and writes a file, so no other process of the benchmark needs a core meanwhile. Processes that are
compared take turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

from environments import Environment
from systems import OURS
from turns import BENCH, ENVIRONMENT

Command = tuple[list[str], str]
"""The arguments of a process, and its standard input."""
Usage = dict[str, float]
"""``seconds`` by the clock, ``cpu`` seconds of the processor, ``peak_mb`` of memory."""


def run(command: Command, output: Path | None = None) -> Usage:
    """Run a process to its end. ``output``: the file for its standard output. Raises ``CalledProcessError``."""
    arguments, stdin = command
    with tempfile.TemporaryDirectory() as scratch, open(output or os.devnull, "wb") as stdout:
        given, report = Path(scratch, "stdin"), Path(scratch, "report.json")
        given.write_text(stdin, encoding="utf-8")
        with given.open("rb") as stream:
            spawned = [sys.executable, str(BENCH / "spawn.py"), str(report), *arguments]
            subprocess.run(spawned, stdin=stream, stdout=stdout, check=True, env=ENVIRONMENT)
        usage: Usage = json.loads(report.read_bytes())
    return usage


def in_turns(commands: Mapping[str, Command], rounds: int) -> dict[str, list[Usage]]:
    """Each command once per round, after one run that does not count. Who is first changes."""
    names = list(commands)
    for name in names:
        run(commands[name])
    found: dict[str, list[Usage]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            found[name].append(run(commands[name]))
    return found


def write_lines(file: Path, texts: Sequence[str], count: int) -> Path:
    """A file of ``count`` lines, the texts over and over."""
    with file.open("w", encoding="utf-8") as stream:
        stream.writelines(islice(cycle(" ".join(text.split()) + "\n" for text in texts), count))
    return file


def check_answers(lines: Path, answers: Path, count: int, period: int) -> None:
    """Raise ``SystemExit`` unless each line has its answer in its place, the same one as the same text before."""
    first: list[bytes] = []
    number = 0
    with answers.open("rb") as rows:
        for number, row in enumerate(rows, start=1):
            source, answer = row.split(b"\t", maxsplit=1)
            if len(first) < period:
                first.append(answer)
            if source != f"{lines}:{number}".encode() or answer != first[(number - 1) % period]:
                raise SystemExit(f"{lines}: line {number} has a wrong answer: {row!r}")
    if number != count:
        raise SystemExit(f"{lines}: {number:,} answers to {count:,} lines")


def classify(environment: Environment, lines: Path, *options: str) -> Command:
    """The command that tags the lines of a file."""
    return [environment.command, "classify", "--from", "lines", *options, str(lines)], ""


def jobs(environment: Environment, lines: Path, counts: Sequence[int], rounds: int) -> dict[str, list[Usage]]:
    """The runs with each number of processes."""
    return in_turns({str(count): classify(environment, lines, "--jobs", str(count)) for count in counts}, rounds)


def beside_loop(environment: Environment, lines: Path, rounds: int) -> dict[str, list[Usage]]:
    """The runs of the ``command`` and of the bare ``loop``."""
    loop = [str(environment.python), str(BENCH / "loop.py"), str(lines)]
    return in_turns({"command": classify(environment, lines), "loop": (loop, "")}, rounds)


def memory(
    environment: Environment, texts: Sequence[str], counts: Sequence[int], folder: Path
) -> dict[str, list[Usage]]:
    """One run for each number of lines. The answers to all of them are checked."""
    found: dict[str, list[Usage]] = {}
    for count in counts:
        lines = write_lines(folder / f"{count}.txt", texts, count)
        answers = folder / "answers.tsv"
        found[str(count)] = [run(classify(environment, lines), answers)]
        check_answers(lines, answers, count, len(texts))
    return found


def starts(
    environments: Mapping[str, Environment], rivals: Mapping[str, Path], text: str, rounds: int
) -> dict[str, list[Usage]]:
    """The runs of each system for one text, as "model, environment"; and of each floor, as "floor, environment".

    ``rivals``: the folder of each other system. The floor of an environment invokes the graph of its default model.
    """
    given = json.dumps({"texts": [text]})
    with tempfile.TemporaryDirectory() as scratch:
        question = Path(scratch, "question.txt")
        question.write_text(text, encoding="utf-8")
        commands: dict[str, Command] = {}
        for name, environment in environments.items():
            graph = environment.model("default") / "model.tflite"
            commands[f"floor, {name}"] = ([str(environment.python), str(BENCH / "floor.py"), str(graph)], "")
            for model in OURS:
                tag = [environment.command, "classify", "--model", model, str(question)]
                commands[f"{model}, {name}"] = (tag, "")
        for name, folder in rivals.items():
            commands[name] = ([sys.executable, str(BENCH / "serve.py"), "once", name, str(folder)], given)
        return in_turns(commands, rounds)
