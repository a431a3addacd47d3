"""Systems in processes of their own take turns at the same texts, so that a ratio compares neighbours in time."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
_OF_THE_CALLER = ("PYTHONPATH", "SOTAG_EDGE_MODEL", "SOTAG_EDGE_TO", "SOTAG_EDGE_JOBS", "SOTAG_EDGE_COLOR")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in _OF_THE_CALLER} | {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""For all processes that are measured: one thread, and no code or settings but those of their own environment."""


@dataclass(slots=True)
class Round:
    """What one system did in one round. ``cpu`` and ``wall``: seconds; ``micros``: of each text, by the clock."""

    cpu: float = 0
    wall: float = 0
    labels: list[str] = field(default_factory=list)
    micros: list[float] = field(default_factory=list)

    def add(self, answer: Mapping[str, Any]) -> None:
        """Add one turn."""
        self.cpu += answer["cpu"]
        self.wall += answer["wall"]
        self.labels += answer["labels"]
        self.micros += answer["micros"]


class Worker:
    """A process of ``serve.py``."""

    def __init__(self, python: Path, system: str, place: str, sets: Mapping[str, Sequence[str]], home: Path) -> None:
        """``home``: the folder that our code must come from. Raises ``SystemExit`` if it comes from elsewhere."""
        self._process = subprocess.Popen(
            [str(python), str(BENCH / "serve.py"), "turns", system, place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=ENVIRONMENT,
        )
        origin = self._ask(sets)
        if origin and not Path(origin).is_relative_to(home):
            raise SystemExit(f"{origin} was imported instead of a module in {home}")

    def tag(self, way: str, texts: str, start: int, stop: int) -> Mapping[str, Any]:
        """One turn; see ``serve.py``."""
        answer: dict[str, Any] = self._ask([way, texts, start, stop])
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None  # noqa: S101  # for mypy
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, value: object) -> Any:
        process = self._process
        assert process.stdin is not None  # noqa: S101  # for mypy
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(json.dumps(value) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{process.args!r} ended early")
        return json.loads(line)


def take_turns(
    workers: Mapping[str, Worker], way: str, texts: str, count: int, rounds: int, part: int
) -> dict[str, list[Round]]:
    """The rounds of each worker over the first ``count`` texts of a set, in turns of ``part`` texts.

    Who is first changes from turn to turn.
    """
    names = list(workers)
    found: dict[str, list[Round]] = {name: [] for name in names}
    turn = 0
    for _ in range(rounds):
        for name in names:
            found[name].append(Round())
        for start in range(0, count, part):
            first = turn % len(names)
            turn += 1
            for name in names[first:] + names[:first]:
                found[name][-1].add(workers[name].tag(way, texts, start, min(start + part, count)))
    return found


def percentiles(rounds: Sequence[Round]) -> tuple[float, float]:
    """The median and the 99th percentile of the microseconds per text: the medians of all rounds."""
    values = [statistics.quantiles(one.micros, n=100) for one in rounds]
    return statistics.median(value[49] for value in values), statistics.median(value[98] for value in values)
