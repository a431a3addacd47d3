"""The endpoint under abuse: slow clients, half requests, bodies that are too large, and too many connections.

Each function gives figures for ``load_page.py``, which judges them.
"""

from __future__ import annotations

import resource
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from itertools import cycle
from typing import Any

import accuracy
from abuse_end import end_under_load
from endpoint import HOST, Endpoint, bodies_of, endpoint, request_of

from sotag_edge import machine

_CLIENTS = 200
_UPLOADS, _MUCH = 10, 100_000_000  # bytes
_CONNECTIONS = 10_000
_FILES = 1024  # that a process may have open, on most systems
_PATIENCE = 60.0  # seconds
Row = dict[str, Any]
Say = Callable[[str], None]


def measure(*, quick: bool, say: Say) -> Row:
    """All of it, each with a server of its own."""
    bodies = bodies_of([entry["text"] for entry in accuracy.questions()])
    requests = [request_of(body) for body in bodies]
    found: Row = {}
    say("slow clients")
    found["slow"] = slow_clients(bodies, seconds=3 if quick else 15)
    say("half requests")
    found["half"] = half_requests(requests[0], seconds=2 if quick else 5)
    say("large bodies")
    found["large"] = large_bodies(bodies[0])
    say("many connections")
    found["many"] = many_connections(bodies[0])
    found["ends"] = []
    for jobs in (1, 2):
        say(f"the end, {jobs} jobs")
        found["ends"].append(end_under_load(requests, jobs, seconds=2 if quick else 5))
    return found


def slow_clients(bodies: list[bytes], seconds: float) -> Row:
    """A normal client beside clients that send a byte a second, and before them."""
    request = request_of(bodies[0])
    with endpoint("--jobs", str(machine.cores())) as server:
        before = _milliseconds(server, bodies, seconds)
        with _sockets(server, _CLIENTS) as slow:
            ends = threading.Event()

            def send() -> None:
                for byte in request:
                    for connection in slow:
                        connection.send(bytes([byte]))
                        if ends.wait(1 / len(slow)):
                            return

            sender = threading.Thread(target=send)
            sender.start()
            beside = _milliseconds(server, bodies, seconds)
            ends.set()
            sender.join()
    return {
        "clients": _CLIENTS,
        "seconds": seconds,
        "alone": _p99(before),
        "beside": _p99(beside),
        "asked": len(beside),
    }


def half_requests(request: bytes, seconds: float) -> Row:
    """Clients that send half a request; how long the server waits, and its answers."""
    with endpoint("--jobs", str(machine.cores()), "--timeout", str(seconds)) as server:
        start = time.monotonic()
        with _sockets(server, _CLIENTS) as connections:
            for connection in connections:
                connection.sendall(request[: len(request) // 2])
            answered = _answers(server, request)
            statuses = [_status(_to_the_end(connection)) for connection in connections]
            waited = time.monotonic() - start
    return {
        "clients": _CLIENTS,
        "timeout": seconds,
        "seconds": waited,
        "refused": statuses.count(408),
        "answered": answered,
    }


def large_bodies(body: bytes) -> Row:
    """Bodies of 100 MB at once, half of them without their length; the memory before, at most, and afterwards."""
    statuses: list[int] = []
    with endpoint("--jobs", str(machine.cores())) as server:
        for _ in range(100):
            _answers(server, request_of(body))
        memory = [server.megabytes()]
        uploads = [
            threading.Thread(
                target=lambda n=number: statuses.append(_upload(server, announced=n % 2 == 0)), daemon=True
            )
            for number in range(_UPLOADS)
        ]
        for upload in uploads:
            upload.start()
        while any(upload.is_alive() for upload in uploads):
            memory.append(server.megabytes())
            time.sleep(0.02)
        answered = _answers(server, request_of(body))
        end = server.megabytes()
    return {
        "bodies": _UPLOADS,
        "bytes": _MUCH,
        "refused": statuses.count(413),
        "megabytes": [memory[0], max(memory), end],
        "answered": answered,
    }


def many_connections(body: bytes) -> Row:
    """Connections opened one after another and not closed: those that are refused, and the server afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few, many = (_FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)), _CONNECTIONS + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))  # for the server
    try:
        with endpoint("--jobs", str(machine.cores()), "--timeout", "120") as server:
            most = many if hard == resource.RLIM_INFINITY else min(many, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            with _sockets(server, most - 100) as connections:
                refused, held, other = _sorted(connections)
            start = time.monotonic()
            while not (answered := _answers(server, request_of(body))) and time.monotonic() - start < _PATIENCE:
                time.sleep(0.05)
            waited = time.monotonic() - start
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return {
        "connections": most - 100,
        "refused": refused,
        "held": held,
        "other": other,
        "answered": answered,
        "seconds": waited,
    }


@contextmanager
def _sockets(server: Endpoint, count: int) -> Iterator[list[socket.socket]]:
    """Connections that are opened one after another."""
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            opened += [socket.create_connection((HOST, server.port), timeout=_PATIENCE)]
        yield opened
    finally:
        for connection in opened:
            connection.close()


def _sorted(connections: Iterable[socket.socket]) -> tuple[int, int, int]:
    """The numbers of connections that are refused with 503, that are held, and of others."""
    time.sleep(1)
    refused = held = other = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            status = _status(connection.recv(1000))
        except BlockingIOError:
            held += 1
        except OSError:
            other += 1
        else:
            refused += status == 503
            other += status != 503
    return refused, held, other


def _milliseconds(server: Endpoint, bodies: list[bytes], seconds: float) -> list[float]:
    """The time of each request of a normal client. Raises ``SystemExit`` if one is not answered."""
    connection = server.connect()
    times = []
    end = time.perf_counter() + seconds
    for body in cycle(bodies):
        if (start := time.perf_counter()) > end:
            break
        connection.request("POST", "/classify", body)
        response = connection.getresponse()
        response.read()
        times.append(1000 * (time.perf_counter() - start))
        if response.status != 200:
            raise SystemExit(f"a normal client is answered with {response.status}")
        time.sleep(0.01)
    connection.close()
    return times


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[-1]


def _answers(server: Endpoint, request: bytes) -> bool:
    """Whether the server answers a normal client well."""
    with suppress(OSError), socket.create_connection((HOST, server.port), timeout=_PATIENCE) as connection:
        connection.sendall(request)
        return _status(connection.recv(1000)) == 200
    return False


def _upload(server: Endpoint, *, announced: bool) -> int:
    """The status of the answer to a body that is too large; 0 without one."""
    connection = server.connect()
    parts = cycle([b"x" * 1_000_000])
    body = (next(parts) for _ in range(_MUCH // 1_000_000))
    headers = {"content-length": str(_MUCH)} if announced else {}
    try:
        with suppress(OSError):  # the answer may have come before
            connection.request("POST", "/classify", body, headers, encode_chunked=not announced)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def _to_the_end(connection: socket.socket) -> bytes:
    """All that the server sends until it closes the connection."""
    content = b""
    with suppress(OSError):
        while part := connection.recv(65536):
            content += part
    return content


def _status(content: bytes) -> int:
    """The status of an answer; 0 if it is none."""
    words = content.split(maxsplit=2)
    return int(words[1]) if len(words) > 1 else 0
