"""What all requests pass: the token, the words of an error, counting and logging. An ASGI application around the pages."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from base64 import b64decode
from contextlib import suppress
from http import HTTPStatus
from traceback import format_tb

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from sotag_edge.serve.endpoint import Endpoint

LOG = logging.getLogger("sotag_edge.serve")
_LINGER = 5.0  # seconds
_OPEN = "/health"  # without a token, for those who watch the server
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
]
_CLOSE = (b"connection", b"close")
_CHALLENGE = {"www-authenticate": 'Basic realm="sotag-edge", charset="UTF-8"'}


class Front:
    """The application that a server runs. It is always http: a server without lifespan and web sockets."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        routes = endpoint.routes()
        self._paths = frozenset(route.path for route in routes)
        self._pages = Starlette(routes=routes, exception_handlers={HTTPException: _refused, Exception: _failed})
        self._pages.router.redirect_slashes = False  # it would lead to whatever host the request names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        start = time.perf_counter()
        path = scope["path"] if scope["path"] in self._paths else "other"
        headers = Headers(scope=scope)
        answer = _Answer(self._endpoint, receive, send, is_whole=not _has_body(headers))
        try:
            pages = self._pages if path == _OPEN or self._is_allowed(headers) else _UNAUTHORIZED
            await pages(scope, answer.receive, answer.send)
        except Exception as error:  # answered with 500
            # Without the words of the error, which may be those of a text.
            frames = "".join(format_tb(error.__traceback__))
            LOG.error("a fault in %s: %s\n%s", path, type(error).__name__, frames)  # noqa: TRY400
        seconds = time.perf_counter() - start
        self._endpoint.metrics.request(path, answer.status, seconds)
        if self._endpoint.options.log_requests:
            LOG.info("%s %s %s %.1f ms", scope["method"], path, answer.status, 1000 * seconds)

    def _is_allowed(self, headers: Headers) -> bool:
        token = self._endpoint.options.token
        return token is None or hmac.compare_digest(_token_of(headers).encode(), token.encode())


class _Answer:
    """An answer on its way to the client. ``status``: 0 before it begins."""

    def __init__(self, endpoint: Endpoint, receive: Receive, send: Send, *, is_whole: bool) -> None:
        self._endpoint, self._receive, self._send = endpoint, receive, send
        self._is_whole = is_whole  # the request: all of it is received
        self.status = 0

    async def receive(self) -> Message:
        """The next part of the request."""
        message = await self._receive()
        self._is_whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer. subtle: a client that still sends its request would get an error of its connection in
        place of the answer, if the connection were closed at once."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            close = [_CLOSE] if self._endpoint.ending or not self._is_whole else []
            message = {**message, "headers": [*message["headers"], *_HEADERS, *close]}
        elif not (self._is_whole or message.get("more_body", False)):
            await self._send({**message, "more_body": True})
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._throw_away(), _LINGER)
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _throw_away(self) -> None:
        while not self._is_whole:
            await self.receive()


async def _refused(request: Request, refusal: Exception) -> Response:  # noqa: ARG001
    """The answer to a request that cannot be answered as it is."""
    assert isinstance(refusal, HTTPException)  # noqa: S101  # for mypy: Starlette's type is that of all handlers
    status, sentence = refusal.status_code, refusal.detail
    if status == HTTPStatus.NOT_FOUND:
        sentence = (
            "there is no such page; there are POST /classify, GET /models, /health, /metrics, /openapi.json and /"
        )
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        sentence = f"this page answers {refusal.headers['Allow'] if refusal.headers else 'other methods'} only"
    return JSONResponse({"error": sentence}, status, refusal.headers)


async def _failed(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """The answer after a fault of ours, or of the model."""
    return JSONResponse({"error": f"the server failed ({type(error).__name__})"}, HTTPStatus.INTERNAL_SERVER_ERROR)


_UNAUTHORIZED = JSONResponse(
    {"error": "the token is missing or wrong: it is the password, or the header 'Authorization: Bearer TOKEN'"},
    HTTPStatus.UNAUTHORIZED,
    _CHALLENGE,
)


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _token_of(headers: Headers) -> str:
    """The token of a request; a browser asks for it as a password.

    >>> _token_of(Headers({"authorization": "Bearer abc"})), _token_of(Headers({"authorization": "Basic dXNlcjphYmM="}))
    ('abc', 'abc')
    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return value.strip() if scheme.lower() == "bearer" else ""
    with suppress(ValueError):
        return b64decode(value, validate=True).decode().partition(":")[2]
    return ""
