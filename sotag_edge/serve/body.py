"""The body of a request -> ``Question``: the documents to tag. Reads no more than is allowed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from sotag_edge.document import Document
from sotag_edge.errors import InputError
from sotag_edge.formats import checked
from sotag_edge.serve.options import Options

RETRY = {"retry-after": "1"}
"""The header of an answer that tells a client to come back, after some seconds."""
_SHAPE = 'send {"text": "..."} or {"texts": ["...", "..."]}, or one text as it is with "Content-Type: text/plain"'
_FIELDS = {"text", "texts", "model"}
_MOST_HELD = 64_000_000  # bytes of bodies that are not complete, in one process


class Question(NamedTuple):
    """``documents``: one per text, with an error in place of what is no text. ``is_list``: whether the client sent a list.
    ``model``: the name of the model, if the client named one."""

    documents: list[Document]
    is_list: bool
    model: str | None


class Bodies:
    """Reads the bodies of all requests of a process, and holds no more of them than a small computer has memory for."""

    def __init__(self, most_bytes: int) -> None:
        """``most_bytes``: of one body."""
        self._most_bytes = most_bytes
        self._held = 0  # bytes

    async def whole(self, request: Request) -> bytes:
        """The body of a request. Raises ``HTTPException`` if it is too large, or if there are too many at a time."""
        announced = request.headers.get("content-length", "")
        self._check(int(announced) if announced.isdecimal() else 0)
        parts: list[bytes] = []
        size = 0
        try:
            async for part in request.stream():
                size += len(part)
                self._held += len(part)
                self._check(size)
                parts.append(part)
        except ClientDisconnect as error:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "the request ended early") from error
        finally:
            self._held -= size
        return b"".join(parts)

    def _check(self, size: int) -> None:
        if size > self._most_bytes:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the body is longer than {self._most_bytes:,} bytes: send less at a time, or serve with --max-bytes",
            )
        if self._held > _MOST_HELD:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "too many long requests: try again", RETRY)


def question(content: bytes, request: Request, options: Options) -> Question:
    """What a request to tag asks. Raises ``HTTPException`` with a sentence for the client."""
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    model = request.query_params.get("model")
    if kind.strip() == "text/plain":
        charset = parameters.partition("charset=")[2].strip(' "') or "utf-8"
        return Question([document(1, _decoded(content, charset))], False, model)
    asked = _question(_parsed(content), options)
    return asked if asked.model else asked._replace(model=model)


def document(number: int, text: object) -> Document:
    """The document of a text, as the command ``classify --text`` makes it."""
    source = f"text:{number}"
    if not isinstance(text, str):
        return Document(source, error=InputError(f"{source} is not a text but {json.dumps(text)[:40]}"))
    return checked(Document(source, text))


def _decoded(content: bytes, charset: str) -> str:
    try:
        return str(content, charset)
    except (LookupError, ValueError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"the body is not text in {charset[:40]}: send UTF-8") from error


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"the body is not JSON ({error}): {_SHAPE}") from error


def _question(value: Any, options: Options) -> Question:
    if not isinstance(value, dict) or ("text" in value) == ("texts" in value):
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"the body has not one of 'text' and 'texts': {_SHAPE}")
    if unknown := sorted(value.keys() - _FIELDS):
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"unknown field {unknown[0]!r} (known: text, texts, model)")
    model = value.get("model")
    if model is not None and not isinstance(model, str):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "'model' is not the name of a model; GET /models lists them")
    if "text" in value:
        if not isinstance(value["text"], str):
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"'text' is not a text: {_SHAPE}")
        return Question([document(1, value["text"])], False, model)
    texts: Sequence[Any] = value["texts"]
    if not isinstance(texts, list):
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"'texts' is not a list: {_SHAPE}")
    if len(texts) > options.most_texts:
        raise HTTPException(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the request has {len(texts):,} texts, and {options.most_texts:,} are the most: send fewer at a time",
        )
    return Question([document(number, text) for number, text in enumerate(texts, start=1)], True, model)
