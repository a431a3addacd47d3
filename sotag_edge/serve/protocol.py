"""uvicorn's HTTP protocol with the limits that it leaves out: on connections, on slow requests, on answers nobody reads.

Without them a client that sends half a request holds its connection for ever. And an answer is sent at once, not in two
parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

MOST_CONNECTIONS = 512
"""Of one process; a process has 1,024 files on most systems."""
_MOST_HEAD = 1 << 16  # bytes
_REFUSAL = "HTTP/1.1 {}\r\ncontent-length: 0\r\nconnection: close\r\n{}\r\n"

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol
else:
    _Protocol = AutoHTTPProtocol


class _JoinedWrites:
    """A transport that sends what is written in one step of the event loop at once.

    uvicorn writes the head and the body of an answer; to send is the most expensive part of a short request (measured: 0.2
    of 0.9 ms, twice).
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        """All but writing and closing is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send the data at the end of this step."""
        if not self._written:
            asyncio.get_running_loop().call_soon(self._send)
        self._written.append(data)

    def close(self) -> None:
        """Send what is written, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._written:
            self._transport.write(b"".join(self._written))
            self._written.clear()


class LimitedProtocol(_Protocol):
    """One connection. ``seconds``: in which a request must arrive, from the connection or its first byte to its last; and
    in which a client must read on."""

    def __init__(self, *arguments: Any, seconds: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._seconds = seconds
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a connection over the limit; expect a request of the others."""
        super().connection_made(_JoinedWrites(transport))  # type: ignore[arg-type]
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse("503 Service Unavailable", "retry-after: 1\r\n")
        else:
            self._late = self._after(self._refuse_late)

    def data_received(self, data: bytes) -> None:
        """Expect the rest of a request."""
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._head = 0
            if not cycle.more_body:
                self._late = _cancel(self._late)
                return
        else:
            self._head += len(data)
            if self._head > _MOST_HEAD:
                self._refuse("431 Request Header Fields Too Large")
        self._late = self._late or self._after(self._refuse_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._late, self._unread = _cancel(self._late), _cancel(self._unread)
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection, also one whose last answer is not read."""
        super().timeout_keep_alive_handler()
        self._unread = self._unread or self._after(self.transport.abort)

    def _after(self, call: Callable[[], Any]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._seconds, call)

    def _refuse_late(self) -> None:
        self._refuse("408 Request Timeout")

    def _refuse(self, status: str, header: str = "") -> None:
        """End the connection, with an answer if none has begun."""
        self._late = None
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_REFUSAL.format(status, header).encode())
        self.transport.close()
        self._unread = self._unread or self._after(self.transport.abort)


def _cancel(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Cancel a timer; and ``None``, in its place."""
    if timer is not None:
        timer.cancel()
    return None
