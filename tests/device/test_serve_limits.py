"""What a server withstands: too much, too slow, too many, and its own end."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from contextlib import ExitStack, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.device.serving import SECONDS, Server, serving

BODY = b'{"text": "knead the bread dough"}'
REQUEST = b"POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
MUCH = {"texts": ["knead the bread dough"] * 10_000}  # seconds of work
ROOM = ("--max-texts", "10000", "--max-bytes", "10000000")


@pytest.fixture(params=[False, True], ids=["httptools", "h11"])
def parser(request: pytest.FixtureRequest) -> dict[str, bool]:
    """Which library reads the requests, for ``serving``."""
    return {"without_httptools": request.param}


def read_to_the_end(connection: socket.socket) -> bytes:
    """All that the server sends until it closes the connection."""
    content = b""
    while part := connection.recv(65536):
        content += part
    return content


def wait_until(condition: object, what: str) -> None:
    for _ in range(SECONDS * 20):
        if callable(condition) and condition():
            return
        time.sleep(0.05)
    pytest.fail(f"{what} did not happen")


def in_progress(server: Server) -> float:
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("sotag_edge_requests_in_progress"))


def test_a_body_or_a_list_over_the_limit_is_refused(tmp_path: Path, parser: dict[str, bool]) -> None:
    """Whether its length is announced or not. The client reads the answer, although it is still sending; the next request
    is answered."""
    with serving(tmp_path, "--max-bytes", "2000", "--max-texts", "3", **parser) as server:
        for _ in range(2):
            large = server.classify({"text": "x" * 30_000_000})
            assert (large.status, large.headers["connection"]) == (413, "close")
            assert "2,000 bytes" in large.json["error"]
            assert "4 texts" in server.classify({"texts": ["bake"] * 4}).json["error"]
            assert server.classify({"text": "bake"}).status == 200
        connection = server.connect()
        connection.request("POST", "/classify", iter([b"x" * 1000] * 5000), encode_chunked=True)
        assert connection.getresponse().status == 413


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /classify HTT", REQUEST[:60], REQUEST[:-3], REQUEST + b"GET /hea", REQUEST + REQUEST[:-3]],
    ids=["nothing", "half a line", "half a head", "half a body", "half a second head", "half a second body"],
)
def test_half_a_request_does_not_hold_a_connection(tmp_path: Path, sent: bytes, parser: dict[str, bool]) -> None:
    """It is closed after the time-out, with an answer if it is the first one; others are answered meanwhile."""
    with serving(tmp_path, "--timeout", "0.5", **parser) as server, server.socket() as connection:
        connection.sendall(sent)
        assert server.classify({"text": "bake"}).status == 200
        answer = read_to_the_end(connection)
        assert answer.startswith(b"HTTP/1.1 200 " if sent.startswith(REQUEST) else b"HTTP/1.1 408 ")
        assert answer.count(b"HTTP/1.1 ") <= 2
        assert sent.startswith(REQUEST) or b'{"error": "the request did not arrive in time"}' in answer


def test_half_a_second_request_does_not_hold_a_connection(tmp_path: Path, parser: dict[str, bool]) -> None:
    """Begun after the answer to the first one."""
    with serving(tmp_path, "--timeout", "0.5", **parser) as server, server.socket() as connection:
        connection.sendall(REQUEST)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(REQUEST[:60])
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 408 ")


def test_a_slow_client_is_answered_within_the_time_out(tmp_path: Path, parser: dict[str, bool]) -> None:
    """Byte by byte, but in time; and again on the same connection, which is older than the time-out then."""
    with serving(tmp_path, "--timeout", "1.5", **parser) as server, server.socket() as connection:
        for _ in range(3):
            for byte in REQUEST:
                connection.sendall(bytes([byte]))
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"baking" in answer
            time.sleep(1)


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"GET /",
        b"POST /classify HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        REQUEST + b"GET / HTTP/1.1\r\nHost: a\r\n",
    ],
    ids=["head", "line", "trailers", "second head"],
)
def test_a_head_without_end_is_refused(tmp_path: Path, begun: bytes, parser: dict[str, bool]) -> None:
    """Long before the time-out: it would fill the memory."""
    field = b"y" * 1000 if begun == b"GET /" else b"x-y: " + b"y" * 1000 + b"\r\n"
    with serving(tmp_path, "--timeout", "600", **parser) as server, server.socket() as connection:
        connection.settimeout(2)
        connection.sendall(begun)
        sent = 0
        with suppress(ConnectionError, TimeoutError):  # closed, or not read any more
            while sent < 40_000_000:
                sent += connection.send(field * 100)
        assert sent < 40_000_000
        assert server.ask("GET", "/health").status == 200


def test_what_is_sent_while_a_request_is_answered_is_dropped(tmp_path: Path, parser: dict[str, bool]) -> None:
    """The answer comes, and the connection is closed: a second request cannot replace the answer, or fill the memory."""
    with serving(tmp_path, "--timeout", "1", *ROOM, **parser) as server, server.socket() as connection:
        body = b'{"texts": [' + b",".join([b'"knead the bread dough"'] * 5_000) + b"]}"
        connection.sendall(b"POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        wait_until(lambda: in_progress(server) == 1, "the request")
        connection.sendall(REQUEST + b"GET /hea")
        answer = read_to_the_end(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b'"label"') == 5_000
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("kind", [b"close", b"keep-alive"])
def test_an_answer_that_nobody_reads_does_not_hold_a_connection(
    tmp_path: Path, kind: bytes, parser: dict[str, bool]
) -> None:
    """It is dropped after the time-out, whether the client keeps the connection or not."""
    with serving(tmp_path, "--timeout", "0.5", *ROOM, **parser) as server:
        body = b'{"texts": [' + b",".join([b'"knead the bread dough"'] * 10_000) + b"]}"
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(SECONDS)
            connection.connect(("127.0.0.1", server.port))
            head = b"POST /classify HTTP/1.1\r\nHost: a\r\nConnection: %s\r\nContent-Length: %d\r\n\r\n"
            connection.sendall(head % (kind, len(body)) + body)
            wait_until(lambda: not open_sockets(server, connection), "the end of the connection")
        assert server.ask("GET", "/health").status == 200


def test_answers_to_many_requests_in_one_packet_that_nobody_reads(tmp_path: Path, parser: dict[str, bool]) -> None:
    """The server waits to write them, and not for ever."""
    with serving(tmp_path, "--timeout", "1", **parser) as server, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(SECONDS)
        connection.connect(("127.0.0.1", server.port))
        with suppress(ConnectionError):
            connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 5_000)
        wait_until(lambda: not open_sockets(server, connection), "the end of the connection")
        assert server.ask("GET", "/health").status == 200


def test_unfinished_bodies_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Over 64 MB a client is told to come back; when the others have gone, it is answered."""
    with serving(tmp_path) as server:
        with ExitStack() as held:
            body = b"x" * 999_000
            clients = [held.enter_context(server.socket()) for _ in range(70)]
            for client in clients:
                client.sendall(b"POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + body)
            answered, _, _ = select.select(clients, [], [], SECONDS)
            refused = answered[0].recv(65536)
            assert refused.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1" in refused
        wait_until(lambda: server.classify({"text": "bake " * 1000}).status == 200, "an answer")


def open_sockets(server: Server, connection: socket.socket) -> bool:
    """Whether the server holds its end of a connection; by Linux's list of all connections."""
    if not Path("/proc/net/tcp").exists():
        pytest.skip("the connections of a process can be seen on Linux only")
    port = connection.getsockname()[1]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    theirs = [row for row in rows if row[1].endswith(f":{server.port:04X}") and row[2].endswith(f":{port:04X}")]
    return any(row[3] == "01" for row in theirs)  # established


def test_requests_over_the_queue_are_told_to_come_back(tmp_path: Path) -> None:
    """With 503 and a time; the one that has a place is answered, and afterwards all are."""
    answers = []
    with serving(tmp_path, "--queue", "1", *ROOM) as server:
        client = threading.Thread(target=lambda: answers.append(server.classify(MUCH)))
        client.start()
        wait_until(lambda: in_progress(server) == 1, "the first request")
        refused = server.classify({"text": "bake"})
        client.join()
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert len(answers[0].json["results"]) == 10_000
        assert server.classify({"text": "bake"}).status == 200
        assert in_progress(server) == 0


def test_a_long_list_does_not_delay_other_requests(tmp_path: Path) -> None:
    """Texts of all requests take turns."""
    answers = []
    with serving(tmp_path, *ROOM) as server:
        client = threading.Thread(target=lambda: answers.append(server.classify(MUCH)))
        client.start()
        wait_until(lambda: in_progress(server) == 1, "the first request")
        for _ in range(5):
            assert server.classify({"text": "bake"}).status == 200
        assert not answers
        client.join()
        assert answers[0].status == 200


def test_connections_over_the_limit_are_told_to_come_back(tmp_path: Path) -> None:
    """With 503 and a time. When the others have gone, requests are answered."""
    with serving(tmp_path, "--timeout", "600") as server:
        held = [server.socket() for _ in range(512)]
        with server.socket() as connection:
            assert read_to_the_end(connection).startswith(b"HTTP/1.1 503 ")
        for connection in held:
            connection.close()
        wait_until(lambda: answers_well(server), "an answer")


def answers_well(server: Server) -> bool:
    try:
        return server.ask("GET", "/health").status == 200
    except (OSError, HTTPException):
        return False


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_accepted_is_answered_before_the_end(tmp_path: Path, jobs: int, number: int) -> None:
    """A list in work, and the next request on an open connection, which is then closed; the exit code is 0."""
    answers = []
    with serving(tmp_path, "--jobs", str(jobs), *ROOM) as server:
        client = threading.Thread(target=lambda: answers.append(server.classify(MUCH)))
        client.start()
        wait_until(lambda: in_progress(server) == 1, "the first request")
        with server.socket() as connection:
            connection.sendall(REQUEST)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            server.process.send_signal(number)
            time.sleep(0.1)
            connection.sendall(REQUEST)
            last = read_to_the_end(connection)
        client.join()
        assert server.process.wait(SECONDS) == 0
    assert last.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in last
    assert len(answers[0].json["results"]) == 10_000
    assert "Traceback" not in server.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_accepted_last_is_answered(tmp_path: Path, jobs: int, parser: dict[str, bool]) -> None:
    """Clients connect for each request until they are refused. A few may connect between the last that is accepted and the
    end: 3 of 32 at most, on a busy machine; 28 lost their requests when the server did not look for the last."""
    answers: list[bytes] = []
    unanswered = []

    def connect_again_and_again() -> None:
        with suppress(ConnectionError):  # refused, or reset before anything was sent
            while True:
                with server.socket() as connection:
                    try:
                        connection.sendall(REQUEST.replace(b"Host: a", b"Host: a\r\nConnection: close"))
                        answers.append(read_to_the_end(connection))
                    except ConnectionError as error:
                        unanswered.append(error)

    with serving(tmp_path, "--jobs", str(jobs), **parser) as server:
        clients = [threading.Thread(target=connect_again_and_again) for _ in range(32)]
        for client in clients:
            client.start()
        wait_until(lambda: len(answers) > 100, "a hundred answers")
        server.process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join()
        assert server.process.wait(SECONDS) == 0
    failures = [*map(repr, unanswered), *(answer[:99] for answer in answers if not answer.startswith(b"HTTP/1.1 200 "))]
    assert len(failures) <= 8, failures


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_changes_nothing(tmp_path: Path, jobs: int, number: int) -> None:
    """Nor does it spoil the exit code."""
    answers = []
    with serving(tmp_path, "--jobs", str(jobs), *ROOM) as server:
        client = threading.Thread(target=lambda: answers.append(server.classify(MUCH)))
        client.start()
        wait_until(lambda: in_progress(server) == 1, "the first request")
        for _ in range(2):
            server.process.send_signal(number)
            time.sleep(0.3)
        client.join()
        assert server.process.wait(SECONDS) == 0
    assert len(answers[0].json["results"]) == 10_000


def children(process: int) -> list[int]:
    """The child processes of a process, by Linux's list of them."""
    file = Path(f"/proc/{process}/task/{process}/children")
    if not file.exists():
        pytest.skip("child processes can be seen on Linux only")
    return [int(number) for number in file.read_text(encoding="ascii").split()]


def test_a_process_that_dies_is_replaced(tmp_path: Path) -> None:
    """And the server goes on."""
    with serving(tmp_path, "--jobs", "2") as server:
        wait_until(lambda: len(children(server.process.pid)) == 2, "two processes")
        assert server.classify({"text": "bake"}).status == 200
        os.kill(children(server.process.pid)[0], signal.SIGKILL)
        wait_until(lambda: "is replaced" in server.log.read_text(encoding="utf-8"), "a message")
        wait_until(lambda: len(children(server.process.pid)) == 2, "two processes")
        for _ in range(20):
            assert server.classify({"text": "bake"}).status == 200


def test_no_process_outlives_the_first_one(tmp_path: Path) -> None:
    """Killed without a word, it leaves no process that holds the port, and no folder."""
    before = set(Path("/dev/shm").glob("sotag-edge-*"))  # noqa: S108
    with serving(tmp_path, "--jobs", "2") as server:
        wait_until(lambda: len(children(server.process.pid)) == 2, "two processes")
        workers = children(server.process.pid)
        assert server.classify({"text": "bake"}).status == 200
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: not any(Path(f"/proc/{worker}/exe").exists() for worker in workers), "the end of all")
        assert set(Path("/dev/shm").glob("sotag-edge-*")) <= before  # noqa: S108
