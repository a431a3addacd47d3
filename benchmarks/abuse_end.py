"""The end of the endpoint under load: whether every request that it has accepted is answered."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from itertools import cycle
from typing import Any

from endpoint import HOST, Endpoint, endpoint

_KEPT = 64  # connections
_PATIENCE = 120.0  # seconds
Row = dict[str, Any]


def end_under_load(requests: list[bytes], jobs: int, seconds: float) -> Row:
    """SIGTERM, while clients that keep their connections send requests."""
    with endpoint("--jobs", str(jobs)) as server:
        load = _Load(server, requests)
        threading.Timer(seconds, server.process.send_signal, [signal.SIGTERM]).start()
        asyncio.run(load.run())
        code = server.process.wait(_PATIENCE)
    return {
        "jobs": jobs,
        "connections": _KEPT,
        "answered": load.answered,
        "lost": load.lost,
        "unaccepted": load.unaccepted,
        "code": code,
    }


class _Load:
    """Clients with one connection each, which send one request after another, and connect again when they are closed, until
    they are refused. ``lost``: requests without an answer, of connections that had answers. ``unaccepted``: requests without
    an answer on new connections: a few may be accepted by the system for the server, and not by the server any more.
    """

    def __init__(self, server: Endpoint, requests: list[bytes]) -> None:
        self._server = server
        self._requests = cycle(requests)
        self.answered = self.lost = self.unaccepted = 0

    async def run(self) -> None:
        """Until all are refused."""
        await asyncio.wait_for(asyncio.gather(*(self._client() for _ in range(_KEPT))), _PATIENCE)

    async def _client(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with socket.socket() as connection:
                connection.setblocking(False)
                try:
                    await loop.sock_connect(connection, (HOST, self._server.port))
                except OSError:
                    return
                await self._talk(connection)

    async def _talk(self, connection: socket.socket) -> None:
        """Requests on one connection, until one of the two ends closes it."""
        loop = asyncio.get_running_loop()
        is_new = True
        while not _is_closed(connection):
            content = b""
            try:
                # At once, so that the server cannot close the connection after the look at it.
                if connection.send(request := next(self._requests)) < len(request):
                    return
                while not _is_whole(content) and (part := await loop.sock_recv(connection, 65536)):
                    content += part
            except OSError:
                content = b""
            if not _is_whole(content):
                self.unaccepted += is_new
                self.lost += not is_new
                return
            self.answered += 1
            is_new = False
            if b"\r\nconnection: close\r\n" in content:
                return


def _is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed a connection that waits for nothing."""
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _is_whole(content: bytes) -> bool:
    """Whether it is a whole answer.

    >>> head = b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n"
    >>> _is_whole(head), _is_whole(head + b"{"), _is_whole(head + b"{}")
    (False, False, True)
    """
    head, end, body = content.partition(b"\r\n\r\n")
    return bool(end) and len(body) >= int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
