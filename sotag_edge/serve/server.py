"""``serve``: listens on an address, and answers in this process or in several."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from sotag_edge.errors import UsageError
from sotag_edge.serve.endpoint import Endpoint
from sotag_edge.serve.front import LOG, Front
from sotag_edge.serve.metrics import Metrics
from sotag_edge.serve.options import Options
from sotag_edge.serve.protocol import LimitedProtocol

_BACKLOG = 1024  # connections that the system has accepted and no process yet
_FEW = 4  # connections that a process takes before another one has its turn
_GRACE = 0.5  # seconds, as below
ENDING = (signal.SIGINT, signal.SIGTERM)
"""The signals that end a server."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that accepts connections. Raises ``UsageError`` for an address that cannot be had."""
    place = f"port {port} of {host}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # subtle: the protocol is named. asyncio sends small packets at once on such a socket only; on others an answer in
        # two packets waits 40 ms for the client's delayed acknowledgement (measured: 22 requests a second).
        listener = socket.socket(family, kind, protocol)
        if os.name == "posix":  # on Windows it would share the port with another program
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(f"{host!r} is no address: --host is 127.0.0.1, 0.0.0.0 or a name of this machine") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"{place} is in use by another program: choose another one with --port") from error
        if error.errno == errno.EACCES:
            raise UsageError(f"{place} is not allowed: choose one above 1023 with --port") from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise UsageError(
                f"{host} is not an address of this machine: --host is 127.0.0.1, 0.0.0.0 or one of its own"
            ) from error
        raise UsageError(f"{place} cannot be used: {error.strerror}") from error
    return listener


def answer(listener: socket.socket, options: Options, ready: Callable[[], object], folder: Path | None = None) -> None:
    """Answer requests until SIGTERM or SIGINT. ``ready`` is called when it can; ``folder``: as for ``Metrics``.

    Raises the errors of ``Endpoint``.
    """
    logging.basicConfig(format="sotag-edge: %(message)s", level=logging.WARNING)
    LOG.setLevel(logging.INFO if options.log_requests else logging.WARNING)
    # Its warnings are about requests, and anybody can make it log as many as they like.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    endpoint = Endpoint(options, Metrics(folder))
    config = uvicorn.Config(
        Front(endpoint),
        http=partial(LimitedProtocol, seconds=options.seconds),  # type: ignore[arg-type]
        ws="none",
        loop="asyncio",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG if folder is None else _FEW,
        timeout_keep_alive=options.seconds,  # type: ignore[arg-type]  # any number
    )
    _Server(config, endpoint, listener, ready).run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, which ends in two steps.

    A client may be sending a request while the server closes the connection, and would get no answer. So the server first
    stops to accept connections and answers everything, each answer with "connection: close", and then closes what is idle.
    """

    def __init__(
        self, config: uvicorn.Config, endpoint: Endpoint, listener: socket.socket, ready: Callable[[], object]
    ) -> None:
        super().__init__(config)
        self._endpoint, self._listener, self._ready = endpoint, listener, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start. subtle: asyncio takes as many connections at a time as the backlog has places. With all that wait taken by
        the first process, the others have none (measured with 16: 14 and 2); so the backlog grows afterwards only."""
        await super().startup(sockets)
        self._listener.listen(_BACKLOG)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, with everything answered that was accepted.

        subtle: to accept goes before the pause. A client whose connection is closed with its answer connects again, and what
        is accepted last would be closed before it is read (measured with 64 clients: 35 requests without an answer).
        """
        self._endpoint.ending = True
        await self._accept_last()
        await asyncio.sleep(_GRACE)
        await super().shutdown(sockets)

    async def _accept_last(self) -> None:
        """Accept what waits for it, however much (asyncio would take a few at a time), and nothing more."""
        waiting: list[socket.socket] = []
        with suppress(OSError):  # there are no more
            while len(waiting) < _BACKLOG:
                waiting.append(self._listener.accept()[0])
        for server in self.servers:
            server.close()
        made: Any = self.config.http_protocol_class
        protocol = partial(made, config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        loop = asyncio.get_running_loop()
        for connection in waiting:
            connection.setblocking(False)
        accepted = (loop.connect_accepted_socket(protocol, connection) for connection in waiting)
        await asyncio.gather(*accepted, return_exceptions=True)  # one may have gone

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End, once; uvicorn drops all requests at the second Ctrl-C."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on a signal. Unlike uvicorn's, it is not raised again: a server that was told to end has done its work."""
        numbers = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
        usual = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in usual.items():
                signal.signal(number, handler)
