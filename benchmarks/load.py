"""``make bench-serve``: the endpoint under load and abuse; writes a section of docs/benchmarks.md.

wrk sends the texts from a process of its own, and shares the cores with the server. Each run is compared with a bare loop
over the same texts just before and after it. ``--quick`` checks in minutes that everything works, and writes to build/bench
instead. ``--page`` writes the page from the last results.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import abuse
import accuracy
import load_page
import sections
from endpoint import HOST, MODEL, Endpoint, answers_of, bodies_of, endpoint
from environments import BUILD, ROOT
from samples import texts_of
from turns import BENCH

from sotag_convert.data.load import load
from sotag_convert.data.settings import DataSettings
from sotag_edge import Classifier, machine

CONNECTIONS = (1, 16, 256)
_COMPARED = 16  # connections of the run that compares each answer
_PAUSE = 0.05  # seconds between two requests of the slow client
Row = dict[str, Any]


@dataclass(slots=True)
class Texts:
    """A set of texts, with the body of the request and the expected answer for each, also in files for wrk."""

    texts: list[str]
    folder: Path
    bodies: list[bytes] = field(init=False)
    answers: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.bodies, self.answers = bodies_of(self.texts), answers_of(self.texts)
        self.folder.mkdir()
        for name, lines in (("bodies", self.bodies), ("answers", self.answers)):
            (self.folder / name).write_bytes(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))


class SlowClient(threading.Thread):
    """Sends the texts in turn, some 20 a second, and compares each answer with the command's."""

    def __init__(self, server: Endpoint, texts: Texts) -> None:
        super().__init__(daemon=True)
        self._server, self._texts = server, texts
        self._ends = threading.Event()
        self.compared = 0
        self.difference = ""

    def run(self) -> None:
        """Until ``end``, or the first difference. A text that is answered with 503 is sent again."""
        connection = self._server.connect()
        expected = cycle(
            zip(range(1, len(self._texts.texts) + 1), self._texts.bodies, self._texts.answers, strict=True)
        )
        number, body, answer = next(expected)
        try:
            while not self._ends.wait(_PAUSE):
                connection.request("POST", "/classify", body, {"content-type": "application/json"})
                response = connection.getresponse()
                content = response.read()
                if response.status == 503:
                    continue
                if (response.status, content) != (200, answer):
                    self.difference = f"text {number}: {response.status} {content!r}, expected {answer!r}"
                    return
                self.compared += 1
                number, body, answer = next(expected)
        except Exception as error:  # of a thread, which nobody would see
            self.difference = f"text {number}: {error!r}"
        finally:
            connection.close()

    def end(self) -> None:
        """Raise ``SystemExit`` if there was a difference."""
        self._ends.set()
        self.join()
        if self.difference:
            raise SystemExit(f"an answer differs from the command's: {self.difference}")


def wrk(
    server: Endpoint, texts: Texts, connections: int, threads: int, seconds: float, *, compare: bool = False
) -> subprocess.Popen[str]:
    """Start wrk. ``compare``: the answers, see load.lua."""
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s", "--latency"]
    command += ["-s", str(BENCH / "load.lua"), f"http://{HOST}:{server.port}", "--", str(texts.folder / "bodies")]
    command += [str(threads), *([str(texts.folder / "answers")] if compare else [])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")


def results_of(process: subprocess.Popen[str]) -> tuple[Row, str]:
    """What wrk has measured when it ends, and the differences. Raises ``SystemExit`` if it fails."""
    output, _ = process.communicate()
    start = output.find('{"requests"')
    if process.returncode or start < 0:
        raise SystemExit(f"wrk failed with exit code {process.returncode}: {output}")
    line, _, differences = output[start:].partition("\n")
    return json.loads(line), differences


def loop(classifier: Classifier, texts: Sequence[str], seconds: float) -> float:
    """Texts per second of a bare loop."""
    start = time.perf_counter()
    for number, text in enumerate(cycle(texts)):
        classifier.classify(text)
        if (passed := time.perf_counter() - start) > seconds:
            return (number + 1) / passed
    raise AssertionError  # of no texts


def timed(server: Endpoint, texts: Texts, connections: int, seconds: float) -> Row:
    """One run of wrk beside the slow client."""
    before, cpu = server.counts(), _cpu()
    client = SlowClient(server, texts)
    process = wrk(server, texts, connections, min(connections, machine.cores()), seconds)
    client.start()
    time.sleep(seconds / 10)
    early = server.megabytes()
    time.sleep(seconds * 0.85)
    late = server.megabytes()
    row, _ = results_of(process)
    client.end()
    counts = {status: number - before.get(status, 0) for status, number in server.counts().items()}
    row["wrk_cpu"] = (_cpu() - cpu) / row["seconds"] / machine.cores()
    row["errors"] += sum(number for status, number in counts.items() if status not in ("200", "503"))
    return row | {"connections": connections, "compared": client.compared, "megabytes": [early, late]}


def compared(server: Endpoint, texts: Texts, seconds: float) -> int:
    """The number of answers that wrk has compared with the command's. Raises ``SystemExit`` if one differs."""
    row, differences = results_of(wrk(server, texts, _COMPARED, _COMPARED, seconds, compare=True))
    if differences:
        number, _, answer = differences.partition("\t")
        expected = texts.answers[int(number) - 1]
        raise SystemExit(f"text {number}: the answer differs from the command's: {answer!r}, expected {expected!r}")
    return int(row["requests"]) - int(row["refused"])


def measured(texts: Texts, seconds: float) -> Row:
    """All runs over a set of texts, with one server."""
    classifier = Classifier.load(MODEL)
    short = min(max(seconds / 6, 1), 10)
    with endpoint("--jobs", str(machine.cores())) as server:
        results_of(wrk(server, texts, max(CONNECTIONS), machine.cores(), 2))  # warms up
        loops, runs = [loop(classifier, texts.texts, short)], []
        for connections in CONNECTIONS:
            say(f"{connections} connections")
            runs.append(timed(server, texts, connections, seconds))
            loops.append(loop(classifier, texts.texts, short))
            runs[-1]["loop"] = statistics.fmean(loops[-2:])
        number = compared(server, texts, short)
    characters = statistics.fmean(map(len, texts.texts))
    return {"texts": len(texts.texts), "characters": characters, "runs": runs, "compared": number}


def measure(options: argparse.Namespace) -> Row:
    """Everything, measured now."""
    sets = {"short questions": [entry["text"] for entry in accuracy.questions()]}
    if options.archive:
        dataset = load("stackoverflow-16k", DataSettings(archive=options.archive), say=say)
        sets["Stack Overflow questions"] = texts_of(dataset, None).test
    results: Row = {
        "machine": f"{platform.machine()}, {machine.cpu()}, Python {platform.python_version()}",
        "cores": machine.cores(),
        "seconds": options.seconds,
        "sets": {},
    }
    with tempfile.TemporaryDirectory() as scratch:
        for name, texts in sets.items():
            say(f"{name}: {len(texts):,} texts")
            results["sets"][name] = measured(Texts(texts, Path(scratch, name)), options.seconds)
    results["abuse"] = abuse.measure(quick=options.quick, say=say)
    return results


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    add = parser.add_argument
    add("--archive", type=Path, help="a local copy of the Stack Overflow archive [default: only the short questions]")
    add("--seconds", type=float, default=60, help="of each run [default: 60]")
    add("--quick", action="store_true", help="runs of 3 seconds; writes to build/bench")
    add("--page", action="store_true", help="only write the page, from the last results")
    if "--quick" in arguments:
        parser.set_defaults(seconds=3)
    return parser.parse_args(arguments)


def main() -> None:
    """Measure, write the results and the section of the page. Raises ``SystemExit`` if something is not as it must be."""
    options = options_of(sys.argv[1:])
    if shutil.which("wrk") is None:
        raise SystemExit("the load comes from wrk, which is not installed: apt install wrk")
    folder = BUILD / "quick" if options.quick else BUILD
    folder.mkdir(parents=True, exist_ok=True)
    results_file = folder / "serve.json"
    if not options.page:
        results_file.write_text(json.dumps(measure(options), indent=1), encoding="utf-8")
    results = json.loads(results_file.read_text(encoding="utf-8"))
    text = load_page.render(results)
    docs = ROOT / "docs" / "benchmarks.md"
    if options.quick:
        docs = Path(shutil.copy(docs, folder / "serve.md"))
    sections.update(docs, "serve", text)
    print(text)
    if faults := load_page.faults(results):
        raise SystemExit("\n".join(faults))


def _cpu() -> float:
    """Seconds of the processor that ended child processes have used: wrk's, while the server runs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
