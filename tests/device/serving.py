"""A server in a process of its own, for the tests of the endpoint."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIXTURE

pytest.importorskip("uvicorn", reason="the extra [serve] is not installed")
pytest.importorskip("starlette", reason="the extra [serve] is not installed")
pytest.importorskip("prometheus_client", reason="the extra [serve] is not installed")

SECONDS = 30  # in which a process or an answer is there, on a slow machine


@dataclass(frozen=True)
class Answer:
    """Status, headers by name in lower case, and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """``log``: the file of its standard error."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own. A body that is not bytes is sent as JSON."""
        connection = self.connect()
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, content, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer

    def classify(self, body: Any, **headers: str) -> Answer:
        return self.ask("POST", "/classify", body, **headers)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and give the exit code."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@contextmanager
def serving(
    folder: Path, *arguments: str, model: Path | None = FIXTURE, without_httptools: bool = False, **variables: str
) -> Iterator[Server]:
    """Run ``serve`` on a free port, in an empty folder, until the block ends; with more environment variables.

    ``without_httptools``: as on a Raspberry Pi, where h11 reads the requests.
    """
    if without_httptools:
        (folder / "hidden").mkdir()
        (folder / "hidden" / "httptools.py").write_text("raise ImportError\n", encoding="utf-8")
        variables["PYTHONPATH"] = os.pathsep.join([str(folder / "hidden"), os.environ.get("PYTHONPATH", "")])
    log = folder / "log.txt"
    named = ["--model", str(model)] if model else []
    command = [sys.executable, "-m", "sotag_edge", "serve", "--port", "0", *named, *arguments]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stream,
            env=os.environ | variables,
        )
    try:
        yield Server(process, _port(process, log), log)
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port, which the server names when it listens."""
    for _ in range(SECONDS * 20):
        if match := re.search(r"http://[\d.]+:(\d+)", log.read_text(encoding="utf-8")):
            return int(match[1])
        if process.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"the server does not listen: {log.read_text(encoding='utf-8')}")
