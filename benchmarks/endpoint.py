"""``sotag-edge serve`` in processes of its own, for ``load.py`` and ``abuse.py``: its address, its memory, its metrics."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from environments import ROOT
from turns import ENVIRONMENT

HOST = "127.0.0.1"
COMMAND = [sys.executable, "-m", "sotag_edge"]  # of this checkout, if started in its folder
MODEL = ROOT / "models" / "default"
_SECONDS = 60  # in which the server starts, ends, and answers
_START = 2  # seconds, from the first answer until the other processes of a server are there
_COUNT = re.compile(r'^sotag_edge_requests_total\{path="/classify",status="(\d+)"\} ([\d.e+]+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int

    def connect(self) -> HTTPConnection:
        """A new connection."""
        return HTTPConnection(HOST, self.port, timeout=_SECONDS)

    def megabytes(self) -> float:
        """The resident memory of all its processes."""
        return sum(map(_resident, _family(self.process.pid))) / 1e3

    def counts(self) -> dict[str, int]:
        """The number of requests to tag so far, by the status of the answer."""
        connection = self.connect()
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
        connection.close()
        return {status: int(float(number)) for status, number in _COUNT.findall(metrics)}

    def end(self) -> None:
        """End it with SIGTERM, unless it has ended."""
        self.process.terminate()
        try:
            self.process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def endpoint(*options: str) -> Iterator[Endpoint]:
    """A server with these options on a free port, until the block ends. Raises ``SystemExit`` if it does not start."""
    command = [*COMMAND, "serve", "--model", str(MODEL), "--port", "0", *options]
    with tempfile.TemporaryDirectory() as scratch, Path(scratch, "log.txt").open("w+b") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=log, env=ENVIRONMENT)
        server = Endpoint(process, 0)
        try:
            server = Endpoint(process, _port(process, Path(log.name)))
            server.counts()
            time.sleep(_START)
            yield server
        finally:
            server.end()


def request_of(body: bytes) -> bytes:
    """The request to tag a text, as it is sent."""
    headers = f"Host: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"POST /classify HTTP/1.1\r\n{headers}\r\n".encode() + body


def bodies_of(texts: Sequence[str]) -> list[bytes]:
    """The body of a request for each text: one line."""
    return [json.dumps({"text": text}).encode() for text in texts]


def answers_of(texts: Sequence[str]) -> list[bytes]:
    """The answer of the command ``classify`` to each text, as the endpoint must send it: its source is ``text:1``."""
    command = [*COMMAND, "classify", "--model", str(MODEL), "--from", "jsonl", "--to", "jsonl"]
    given = b"".join(body + b"\n" for body in bodies_of(texts))
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, check=True, env=ENVIRONMENT)
    lines = done.stdout.splitlines(keepends=True)
    return [re.sub(rb'"source": "stdin:\d+"', b'"source": "text:1"', line, count=1) for line in lines]


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port, which the server names when it listens."""
    for _ in range(_SECONDS * 20):
        if match := re.search(r"http://[\d.]+:(\d+)", log.read_text(encoding="utf-8")):
            return int(match[1])
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit(f"the server does not start: {log.read_text(encoding='utf-8')}")


def _family(process: int) -> list[int]:
    """A process and all that it has started."""
    file = Path(f"/proc/{process}/task/{process}/children")
    children = [int(number) for number in file.read_text(encoding="ascii").split()] if file.exists() else []
    return [process, *(member for child in children for member in _family(child))]


def _resident(process: int) -> int:
    """The resident memory of a process in KB; 0 if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
