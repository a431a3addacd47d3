"""uvicorn's HTTP protocol with the limits that it leaves out: on connections, on slow requests, on answers nobody reads.

Without them a client that sends half a request holds its connection for ever. And an answer is sent at once, not in two
parts. There is no pipelining: what arrives while a request is answered is thrown away, and the connection closed with the
answer; a client may send it again, as it must where any server closes a connection.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

MOST_CONNECTIONS = 512
"""Of one process; a process has 1,024 files on most systems."""
_MOST_HEAD = 1 << 16  # bytes of a request besides its body
_COUNTS_HEADS = hasattr(AutoHTTPProtocol, "on_body")  # httptools has no limit; h11 has its own
_REFUSAL = (
    "HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
    "connection: close\r\n{header}\r\n{body}"
)

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol
else:
    _Protocol = AutoHTTPProtocol


class _JoinedWrites:
    """A transport that sends what is written in one step of the event loop at once.

    uvicorn writes the head and the body of an answer; to send is the most expensive part of a short request (measured: 0.2
    of 0.9 ms, twice).
    """

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        """``seconds``: in which what is written must be read, once the transport is closed."""
        self._transport, self._seconds = transport, seconds
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
        """Send what is written, and close; if nobody reads it, give up."""
        self._send()
        self._transport.close()
        if self._transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(self._seconds, self._transport.abort)

    def _send(self) -> None:
        if self._written:
            self._transport.write(b"".join(self._written))
            self._written.clear()


class LimitedProtocol(_Protocol):
    """One connection. ``seconds``: in which a request must arrive, from its first byte to its last; the first byte must
    arrive in the same time after the connection or the last answer, and a client must read on in it."""

    def __init__(self, *arguments: Any, seconds: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._seconds = seconds
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._is_begun = False
        self._head = 0  # bytes of the request besides its body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a connection over the limit; expect a request of the others."""
        super().connection_made(_JoinedWrites(transport, self._seconds))  # type: ignore[arg-type]
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections: try again", "retry-after: 1\r\n")
        else:
            self._expect()

    def data_received(self, data: bytes) -> None:
        """Read on in a request."""
        if self._is_answering():
            self.cycle.keep_alive = False
            return
        if not self._is_begun:
            self._is_begun = True
            self._expect()
        self._head += len(data) if _COUNTS_HEADS else 0
        super().data_received(data)
        if self._is_answering():
            self._head = 0
            _cancel(self._late)
        elif self._head > _MOST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head of the request is too long")

    def on_body(self, body: bytes) -> None:
        """A part of the body, as httptools calls it."""
        self._head -= len(body)
        super().on_body(body)  # type: ignore[misc]  # the type is that of h11's protocol

    def on_response_complete(self) -> None:
        """Expect the next request; its beginning may be there already."""
        super().on_response_complete()
        if not self._is_answering() and not self.transport.is_closing():
            self._is_begun = False
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        _cancel(self._late)
        _cancel(self._unread)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read its answer: wait for a while."""
        super().pause_writing()
        self._unread = asyncio.get_running_loop().call_later(self._seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads on."""
        super().resume_writing()
        _cancel(self._unread)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuse what is not HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, "the request is not valid HTTP")

    def _is_answering(self) -> bool:
        """Whether a whole request is not answered yet."""
        if getattr(self, "pipeline", None):  # httptools: requests that came in one packet
            return True
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _expect(self) -> None:
        """A request, or the rest of it, within the time."""
        _cancel(self._late)
        self._late = asyncio.get_running_loop().call_later(
            self._seconds, self._refuse, HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time"
        )

    def _refuse(self, status: HTTPStatus, sentence: str, header: str = "") -> None:
        """End the connection, with an answer if none has begun."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = json.dumps({"error": sentence})
            answer = _REFUSAL.format(
                status=status.value, phrase=status.phrase, length=len(body), header=header, body=body
            )
            self.transport.write(answer.encode())
        self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    """Cancel a timer, if there is one."""
    if timer is not None:
        timer.cancel()
