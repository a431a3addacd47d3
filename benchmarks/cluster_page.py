"""Results of ``cluster.py`` -> its section of docs/benchmarks.md, and the capacity of docs/scale.md."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

_MOST_CPU = 1.25  # times that of classify
_LEAST_SPEED = 1.8  # of two workers, times one
_MEASURED = 2  # workers of the job whose start is measured
_FLAT = 1.1  # times the memory with a quarter of the texts
_POSTS = 60_000_000  # the whole public dump
_WORKERS = (1, 2, 8, 10, 100)
_PARTITIONS = 2000  # of 30,000 posts each
Row = Mapping[str, Any]


def render(results: Row) -> str:
    """The text of the section."""
    lines = ["## A cluster", "", _head(results), ""]
    lines += [
        "|  | seconds | processor s | to `classify -j 2` | without the start | MB per Python worker |",
        "|---|---|---|---|---|---|",
    ]
    start = results["overhead"]["start"]["cpu"]
    for name, texts in results["sets"].items():
        lines += _rows(name, texts, start)
    lines += ["", *(_sentence(name, texts, results) for name, texts in results["sets"].items())]
    lines += ["", _overhead(results)]
    if found := faults(results):
        lines += ["", "Not as it must be:", "", *(f"- {fault}" for fault in found)]
    return "\n".join(lines)


def _head(results: Row) -> str:
    return (
        f"Written by `make bench-cluster` on {results['machine']}, {results['cores']} cores. Parquet to Parquet, 8 parts. "
        "Seconds are those of the whole command, from its start to its end. A Spark cluster of processes on this machine: a "
        "master and workers with one core each; its processor time is that of the driver, the executors and the Python "
        "workers. Memory is what a Python worker shares with no other process, at most."
    )


def _rows(name: str, texts: Row, start: float) -> Iterator[str]:
    reference = texts["commands"][-1]["cpu"]
    yield f"| **{texts['rows']:,} {name} texts of {texts['characters']:,.0f} characters** | | | | | |"
    for run in texts["commands"]:
        times = f"{run['seconds']:.1f} | {run['cpu']:.1f} | {run['cpu'] / reference:.2f}x"
        yield f"| `classify --jobs {run['jobs']}` | {times} | | |"
    for run in texts["jobs"]:
        workers = "1 worker" if run["workers"] == 1 else f"{run['workers']} workers"
        # The start of one worker was not measured.
        without = f"{(run['cpu'] - start) / reference:.2f}x" if run["workers"] == _MEASURED else ""
        yield (
            f"| Spark, {workers} | {run['seconds']:.1f} | {run['cpu']:.1f} | {run['cpu'] / reference:.2f}x | {without} "
            f"| {run['worker_megabytes']:.0f} |"
        )
    quarter = texts["quarter"]
    memory = f"{quarter['worker_megabytes']:.0f}"
    yield f"| Spark, 2 workers, a quarter of them | {quarter['seconds']:.1f} | {quarter['cpu']:.1f} | | | {memory} |"


def _sentence(name: str, texts: Row, results: Row) -> str:
    one, two = texts["jobs"]
    first, second = texts["commands"]
    return (
        f"- {name}: two workers tag {one['tagging'] / two['tagging']:.2f} times as fast as one, and `--jobs 2` is "
        f"{first['seconds'] / second['seconds']:.2f} times as fast as `--jobs 1` on these {results['cores']} cores. Every "
        "id is there once, with the label and the score of the command, to the bit; also with "
        f"{texts['killed']['kills']} processes killed in the middle, an executor and a Python worker."
    )


def _overhead(results: Row) -> str:
    start, task = start_and_task(results)
    cpu = results["overhead"]["start"]["cpu"]
    return (
        f"A job of two rows takes {start:.1f} seconds and {cpu:.1f} of the processor, nearly all of it Java's, and each "
        f"further task {1000 * task:.0f} ms of a worker."
    )


def start_and_task(results: Row) -> tuple[float, float]:
    """Seconds of a job without texts, and of a worker for each task.

    >>> start_and_task({"overhead": {"start": {"seconds": 9, "workers": 2}, "tasks": 400, "many": {"seconds": 13}}})
    (9, 0.02)
    """
    overhead = results["overhead"]
    start = overhead["start"]["seconds"]
    return start, max(0.0, overhead["many"]["seconds"] - start) * overhead["start"]["workers"] / overhead["tasks"]


def faults(results: Row) -> list[str]:
    """A sentence for each figure that is not as it must be."""
    return [f"{name}: {fault}" for name, texts in results["sets"].items() for fault in _faults(texts)]


def _faults(texts: Row) -> Iterator[str]:
    one, two = texts["jobs"]
    for run in (*texts["jobs"], texts["killed"]):
        if not run["equal"]:
            yield f"{run['missing']} rows are missing, {run['doubled']} doubled, or answers differ"
    if two["cpu"] > _MOST_CPU * texts["commands"][-1]["cpu"]:
        yield f"the processor time is {two['cpu'] / texts['commands'][-1]['cpu']:.2f} times that of classify"
    if one["tagging"] < _LEAST_SPEED * two["tagging"]:
        yield f"two workers are {one['tagging'] / two['tagging']:.2f} times as fast as one"
    if two["worker_megabytes"] > _FLAT * texts["quarter"]["worker_megabytes"]:
        yield "the memory of a Python worker grows with the number of texts"
    if texts["killed"]["kills"] < 2 or texts["killed"]["exit_code"]:
        yield f"with processes killed: {texts['killed']}"


def capacity(results: Row) -> str:
    """What 60 million posts take: on one machine, and on workers of one core, from the figures above."""
    texts = results["sets"]["long"]
    command = texts["commands"][0]
    per_post = command["cpu"] / texts["rows"]
    short = results["sets"]["short"]
    java = max(0.0, short["jobs"][-1]["cpu"] - short["jobs"][-1]["python"] - _java_at_start(results)) / short["rows"]
    in_spark = per_post + java
    start, task = start_and_task(results)
    head = (
        f"From the figures of {results['machine']}: {1e6 * per_post:.0f} µs of a core per post with `classify`, "
        f"{1e6 * in_spark:.0f} µs of a worker with Spark, {start:.0f} s to start a job, {1000 * task:.0f} ms per task, "
        f"{_PARTITIONS:,} partitions of {_POSTS // _PARTITIONS:,} posts."
    )
    lines = [
        head,
        "",
        "| where | cores | time for 60 million posts |",
        "|---|---|---|",
        f"| one laptop, `classify --jobs 4` | 4 | {_time(_POSTS * per_post / 4)} |",
    ]
    for workers in _WORKERS:
        seconds = start + math.ceil(_PARTITIONS / workers) * (_POSTS / _PARTITIONS * in_spark + task)
        name = "1 worker" if workers == 1 else f"{workers} workers"
        lines.append(f"| Spark, {name} | {workers} | {_time(seconds)} |")
    return "\n".join(lines)


def _java_at_start(results: Row) -> float:
    start = results["overhead"]["start"]
    return float(start["cpu"] - start["python"])


def _time(seconds: float) -> str:
    """A duration in the unit that suits it.

    >>> _time(90), _time(5400), _time(45)
    ('2 minutes', '1.5 hours', '45 seconds')
    """
    if seconds < 60:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 3600 else f"{seconds / 3600:.1f} hours"
