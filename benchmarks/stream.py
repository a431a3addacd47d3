"""A long stream through ``sotag-edge classify``: is every line answered, in order, in how much memory, and by two processes?

A part of ``make bench``: gives the lines of Markdown for docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

SHORT, LONG, PARALLEL = 1_000, 1_000_000, 100_000


def lines_of(texts: Sequence[str], count: int) -> Iterator[bytes]:
    """So many lines, the texts over and over."""
    flat = [text.replace("\n", " ").encode() + b"\n" for text in texts]
    for number in range(count):
        yield flat[number % len(flat)]


def stream(command: Sequence[str], texts: Sequence[str], count: int) -> tuple[float, float]:
    """Seconds and peak megabytes of a process that is given ``count`` lines.

    Raises ``SystemExit`` unless it answers each of them in its place, as it answered the same text before.
    """
    with tempfile.NamedTemporaryFile() as file:
        measured = [sys.executable, str(Path(__file__).parent / "spawn.py"), file.name, *command]
        _feed_and_check(measured, texts, count)
        report = json.loads(Path(file.name).read_bytes())
    return report["seconds"], report["peak_mb"]


def _feed_and_check(command: Sequence[str], texts: Sequence[str], count: int) -> None:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def feed() -> None:
        with process.stdin as pipe:
            pipe.writelines(lines_of(texts, count))

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    answers: list[bytes] = []
    number = 0
    for number, row in enumerate(process.stdout, start=1):
        source, answer = row.split(b"\t", maxsplit=1)
        if len(answers) < len(texts):
            answers.append(answer)
        if source != b"stdin:%d" % number or answer != answers[(number - 1) % len(texts)]:
            raise SystemExit(f"line {number} is answered out of its place: {row!r}")
    feeder.join()
    if process.wait() or number != count:
        raise SystemExit(f"{number} answers to {count} lines, exit code {process.returncode}")


def report(texts: Sequence[str]) -> list[str]:
    """Memory of a short and a long stream, and the gain of a second process."""
    command = [str(Path(sys.executable).parent / "sotag-edge"), "classify"]
    _, few = stream(command, texts, SHORT)
    seconds, many = stream(command, texts, LONG)
    one, _ = stream([*command, "--jobs", "1"], texts, PARALLEL)
    two, _ = stream([*command, "--jobs", "2"], texts, PARALLEL)
    sentences = (
        f"{LONG:,} short lines through a pipe are all answered, in order: {LONG / seconds:,.0f} a second.",
        f"The process's peak memory is {many:.1f} MB, for {SHORT:,} lines {few:.1f} MB: {many / few:.2f} times as much.",
        f"`--jobs 2` tags {PARALLEL:,} lines {one / two:.2f} times as fast as `--jobs 1`, on {os.cpu_count()} cores.",
    )
    return [" ".join(sentences)]
