"""Results of ``load.py`` -> its section of docs/benchmarks.md, and what is not as it must be. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_FLAT = 1.05  # times the memory that it had
_LATE = 0.1  # of the clients may connect between the last connection that is accepted and the end
_UPLOADED = 1.25  # the same, while bodies that are too large arrive
Row = Mapping[str, Any]


def render(results: Row) -> str:
    """The text of the section."""
    lines = ["## The endpoint", "", _head(results), "", *_runs(results), "", _compared(results), "", "Under abuse:", ""]
    lines += [f"- {sentence}" for sentence in _abuse(results["abuse"])]
    if found := faults(results):
        lines += ["", "Not as it must be:", "", *(f"- {fault}" for fault in found)]
    return "\n".join(lines)


def faults(results: Row) -> list[str]:
    """A sentence for each figure that is not as it must be.

    >>> run = {"connections": 16, "errors": 2, "compared": 60, "megabytes": [100.0, 100.5]}
    >>> faults({"sets": {"short": {"runs": [run]}}, "abuse": {}})
    ['short, 16 connections: 2 errors']
    """
    return [
        *(
            f"{name}, {run['connections']} connections: {fault}"
            for name, texts in results["sets"].items()
            for run in texts["runs"]
            for fault in _faults_of_run(run)
        ),
        *_faults_of_abuse(results["abuse"]),
    ]


def _faults_of_run(run: Row) -> Iterator[str]:
    early, late = run["megabytes"]
    if run["errors"]:
        yield f"{run['errors']} errors"
    if not run["compared"]:
        yield "no answer was compared"
    if late > early * _FLAT:
        yield f"the memory grew from {early:.1f} to {late:.1f} MB"


def _faults_of_abuse(abuse: Row) -> Iterator[str]:
    if (half := abuse.get("half")) and (half["refused"] < half["clients"] or not half["answered"]):
        yield f"half requests: {half['refused']} of {half['clients']} were answered with 408"
    if large := abuse.get("large"):
        before, most, _ = large["megabytes"]
        if large["refused"] < large["bodies"] or not large["answered"]:
            yield f"large bodies: {large['refused']} of {large['bodies']} were answered with 413"
        if most > before * _UPLOADED:
            yield f"large bodies: the memory grew from {before:.1f} to {most:.1f} MB"
    if (many := abuse.get("many")) and (many["other"] or not many["refused"] or not many["answered"]):
        yield f"many connections: {many['other']} were neither held nor refused with 503, or the server did not recover"
    for end in abuse.get("ends", []):
        lost = end["lost"] + (end["unaccepted"] if end["unaccepted"] > end["connections"] * _LATE else 0)
        if lost or end["code"]:
            yield f"the end with --jobs {end['jobs']}: {lost} requests lost, exit code {end['code']}"


def _head(results: Row) -> str:
    cores, seconds = results["cores"], results["seconds"]
    return (
        f"Written by `make bench-serve` on {results['machine']}. `sotag-edge serve --jobs {cores}` answers `wrk`, which "
        f"sends one text per request, for {seconds:g} seconds per row. Server and `wrk` share the {cores} cores, and `wrk` "
        "takes the share of them that the table shows: with clients on other machines the ratios would be higher. The ratio "
        "is that to a bare loop over the same texts, `Classifier.classify` in one process without HTTP, measured before and "
        "after each row."
    )


def _runs(results: Row) -> list[str]:
    head = "| texts | connections | requests a second | to the loop | p50, p99 ms | 200 | 503 | other errors "
    rows = [f"{head}| `wrk`'s share | MB after a tenth, at the end |", "|---" * 10 + "|"]
    for name, texts in results["sets"].items():
        for run in texts["runs"]:
            rate, refused = run["requests"] / run["seconds"], run["refused"] / run["requests"]
            good = rate * (1 - refused)
            early, late = run["megabytes"]
            cells = [name, f"{run['connections']}", f"{rate:,.0f}", f"{good / run['loop']:.2f}x"]
            cells += [f"{run['p50']:.2f}, {run['p99']:.2f}", f"{1 - refused:.2%}", f"{refused:.2%}", f"{run['errors']}"]
            cells += [f"{run['wrk_cpu']:.0%}", f"{early:.1f}, {late:.1f}"]
            rows.append(f"| {' | '.join(cells)} |")
    return rows


def _compared(results: Row) -> str:
    sets = results["sets"]
    texts = " and ".join(f"{row['texts']:,} {name} ({row['characters']:,.0f} characters)" for name, row in sets.items())
    slow = sum(run["compared"] for row in sets.values() for run in row["runs"])
    fast = sum(row["compared"] for row in sets.values())
    return (
        f"The texts are {texts} on average. Requests and latencies are those of all answers; the ratio counts those with "
        "200. 503 is the answer to a request that finds no place in the queue of its process; `wrk` asks again at once. MB "
        "is the resident memory of all processes. Answers are those of `sotag-edge classify`, byte by byte: "
        f"{slow:,} were compared in another client during the runs, and {fast:,} in `wrk` in runs of their own."
    )


def _abuse(abuse: Row) -> Iterator[str]:
    slow, half, large, many = (abuse[name] for name in ("slow", "half", "large", "many"))
    yield (
        f"{slow['clients']} clients each send a byte a second, for {slow['seconds']:g} seconds. A normal client is answered "
        f"all {slow['asked']:,} times; its p99 is {slow['beside']:.1f} ms, and {slow['alone']:.1f} ms without them."
    )
    yield (
        f"{half['clients']} clients send half a request. With `--timeout {half['timeout']:g}`, {half['refused']} are "
        f"answered with 408 and closed, all within {half['seconds']:.1f} seconds. A normal client is answered meanwhile."
    )
    before, most, end = large["megabytes"]
    yield (
        f"{large['bodies']} bodies of {large['bytes'] / 1e6:.0f} MB at once, half of them without their length: "
        f"{large['refused']} are answered with 413. The memory of all processes is {before:.1f} MB before, {most:.1f} MB at "
        f"most, and {end:.1f} MB afterwards."
    )
    yield (
        f"{many['connections']:,} connections are opened one after another and not closed: {many['held']:,} are held, and "
        f"{many['refused']:,} refused with 503. When they are closed, the server answers within {many['seconds']:.1f} s."
    )
    for end in abuse["ends"]:
        yield (
            f"SIGTERM with `--jobs {end['jobs']}`, while {end['connections']} clients that keep their connections send "
            f"requests: of {end['answered'] + end['lost']:,} requests on accepted connections, {end['lost']} have no "
            f"answer. {end['unaccepted']} more were sent on new connections, in the moment of the end, and have none. The "
            f"exit code is {end['code']}."
        )
