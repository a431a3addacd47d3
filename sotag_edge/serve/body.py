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

_SHAPE = 'send {"text": "..."} or {"texts": ["...", "..."]}'


class Question(NamedTuple):
    """``documents``: one per text, with an error in place of what is no text. ``is_list``: whether the client sent a list.
    ``model``: the name of the model, if the client named one."""

    documents: list[Document]
    is_list: bool
    model: str | None


async def question(request: Request, options: Options) -> Question:
    """What a request to tag asks. Raises ``HTTPException`` with a sentence for the client."""
    content = await whole_body(request, options.most_bytes)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/plain":
        return Question([document(1, content.decode(errors="replace"))], False, request.query_params.get("model"))
    return _question(_parsed(content), options)


async def whole_body(request: Request, most_bytes: int) -> bytes:
    """The body of a request. Raises ``HTTPException`` if it is too large; then what is still sent is thrown away, so that
    the client reads the answer and not an error of its connection."""
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() else 0
    parts: list[bytes] = []
    if size <= most_bytes:
        size = 0
        try:
            async for part in request.stream():
                size += len(part)
                if size > most_bytes:
                    break
                parts.append(part)
        except ClientDisconnect as error:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "the request ended early") from error
    if size > most_bytes:
        raise HTTPException(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body is longer than {most_bytes:,} bytes: send fewer texts at a time",
        )
    return b"".join(parts)


def document(number: int, text: object) -> Document:
    """The document of a text, as the command ``classify --text`` makes it."""
    source = f"text:{number}"
    if not isinstance(text, str):
        return Document(source, error=InputError(f"{source} is not a text but {json.dumps(text)[:40]}"))
    return checked(Document(source, text))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"the body is not JSON ({error}): {_SHAPE}") from error


def _question(value: Any, options: Options) -> Question:
    if not isinstance(value, dict) or ("text" in value) == ("texts" in value):
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"the body has not one of 'text' and 'texts': {_SHAPE}")
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
