"""Runs one system in a process of its own: ``python benchmarks/serve.py learn|once|turns NAME PLACE``.

``learn`` and ``once`` read a JSON object with "texts" and, to learn, "labels". ``turns`` is driven by ``turns.py`` and reads
one JSON value per line. The first is the sets of texts, by name. Each further one is a request: how to tag ("one": one by
one, "all": all at once), the name of a set, and the first and last text of a part of it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from systems import LEARN, LOAD, OURS, Tag, TagAll

_WARM_UP = 20  # texts, so that a turn does not begin with the caches of the system before


def one_by_one(tag: Tag, texts: Sequence[str]) -> dict[str, Any]:
    """The processor's and the clock's seconds, the labels, and the microseconds of each text."""
    labels, micros = [], []
    for text in texts[:_WARM_UP]:
        tag(text)
    cpu, wall = time.process_time(), time.perf_counter()
    for text in texts:
        start = time.perf_counter_ns()
        labels.append(tag(text))
        micros.append((time.perf_counter_ns() - start) / 1000)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "labels": labels, "micros": micros}


def all_at_once(tag_all: TagAll, texts: Sequence[str]) -> dict[str, Any]:
    """The processor's and the clock's seconds, and the labels."""
    tag_all(texts[:_WARM_UP])
    cpu, wall = time.process_time(), time.perf_counter()
    labels = tag_all(texts)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "labels": labels, "micros": []}


def origin(name: str) -> str:
    """Where the code of a system of ours is imported from; empty for the others."""
    if name not in OURS:
        return ""
    import sotag_edge

    return str(sotag_edge.__file__)


def turns(name: str, place: str) -> None:
    """Load a system, then answer requests until the input ends."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sets = json.loads(sys.stdin.readline())
    tag, tag_all = LOAD[name](place)
    print(json.dumps(origin(name)), flush=True)
    for line in sys.stdin:
        way, texts, start, stop = json.loads(line)
        chosen = sets[texts][start:stop]
        answer = one_by_one(tag, chosen) if way == "one" else all_at_once(tag_all, chosen)
        print(json.dumps(answer), flush=True)


def main() -> None:
    """The command line."""
    action, name, place = sys.argv[1:4]
    if action == "turns":
        turns(name, place)
        return
    given = json.load(sys.stdin)
    if action == "learn":
        LEARN[name](given["texts"], given["labels"], Path(place))
    else:
        print(LOAD[name](place)[0](given["texts"][0]), flush=True)
        os._exit(0)  # how a process ends is not compared


if __name__ == "__main__":
    main()
