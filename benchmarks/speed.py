"""Accuracy and speed of all systems: each in a process of its own, all of them alive at once, in turns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import page
from environments import Environment
from samples import LENGTHS, Texts
from systems import OURS
from turns import Round, Worker, percentiles, take_turns

from sotag_edge.bundle import device_bytes

PLAIN = "fasttext-plain"
_PART = 200  # texts in a turn: tens of milliseconds
_SLOW = ("tfidf", "nb-svm")  # left out of titles and curves


@contextmanager
def workers(
    here: Mapping[str, Environment], release: Environment | None, rivals: Mapping[str, Path], texts: Texts
) -> Iterator[dict[str, Worker]]:
    """A process for each system, by its name in the results."""
    started: dict[str, Worker] = {}
    sets = texts.sets()
    environments = [(f"{model}, {name}", model, each) for name, each in here.items() for model in OURS]
    if release is not None:
        environments.append((f"default, {page.RELEASE}", "default", release))
    try:
        for name, model, environment in environments:
            started[name] = Worker(environment.python, model, model, sets, environment.folder)
        for name, folder in {**rivals, PLAIN: rivals["fasttext"]}.items():
            started[name] = Worker(Path(sys.executable), name, str(folder), sets, folder)
        yield started
    finally:
        for worker in started.values():
            worker.close()


def systems(
    here: Mapping[str, Environment],
    release: Environment | None,
    rivals: Mapping[str, Path],
    texts: Texts,
    rounds: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """``systems``: the figures of each system. ``agreement``: of fastText's two feedings. ``wall_to_cpu``: of all turns."""
    count = len(texts.test)
    with workers(here, release, rivals, texts) as started:
        say("one by one")
        one = take_turns(started, "one", "test", count, rounds, _PART)
        fast = {name: worker for name, worker in started.items() if name not in (*_SLOW, PLAIN)}
        say("titles")
        titles = take_turns(fast, "one", "titles", count, rounds, _PART)
        say("all at once")
        without_plain = {name: worker for name, worker in started.items() if name != PLAIN}
        at_once = take_turns(without_plain, "all", "test", count, rounds, count)
        say("lengths")
        lengths = {
            length: take_turns(fast, "one", str(length), len(texts.samples[length]), rounds, _PART)
            for length in LENGTHS
        }
    found: dict[str, dict[str, Any]] = {}
    for name, turns in one.items():
        p50, p99 = percentiles(turns)
        found[name] = {"accuracy": _right(turns[0], texts.labels), "p50": p50, "p99": p99, "one": _speeds(turns)}
        found[name]["bytes"] = _bytes(name, here, release, rivals)
    for key, rows in (("all", at_once), ("titles", titles)):
        for name, turns in rows.items():
            found[name][key] = _speeds(turns)
    for name in fast:
        found[name]["lengths"] = {
            str(length): [1e6 * turn.cpu / len(turn.labels) for turn in rows[name]] for length, rows in lengths.items()
        }
    every = [turn for rows in (one, titles, at_once) for turns in rows.values() for turn in turns]
    agreed = zip(one["fasttext"][0].labels, one[PLAIN][0].labels, strict=True)
    return {
        "systems": found,
        "agreement": sum(fed == plain for fed, plain in agreed) / count,
        "wall_to_cpu": sum(turn.wall for turn in every) / sum(turn.cpu for turn in every),
    }


def _speeds(turns: Sequence[Round]) -> list[float]:
    """Texts per second of the processor's time, for each round."""
    return [len(turn.labels) / turn.cpu for turn in turns]


def _right(turn: Round, labels: Sequence[str]) -> float:
    return sum(guess == label for guess, label in zip(turn.labels, labels, strict=True)) / len(labels)


def _bytes(name: str, here: Mapping[str, Environment], release: Environment | None, rivals: Mapping[str, Path]) -> int:
    """What a device must have on disk of a system's model."""
    model, _, environment = name.partition(", ")
    if not environment:
        folder = rivals["fasttext"] if name == PLAIN else rivals[name]
        return sum(file.stat().st_size for file in folder.iterdir())
    home = release if release is not None and environment == page.RELEASE else here[environment]
    return device_bytes(home.model(model))
