"""The pages of the endpoint: what each of them answers. ``front.py`` is in front of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sotag_edge import __version__
from sotag_edge.bundle import device_bytes
from sotag_edge.classifier import Classifier
from sotag_edge.document import Document, Result
from sotag_edge.formats.fields import SCHEMA_VERSION, Layout
from sotag_edge.formats.jsonl import Writer
from sotag_edge.page import policy, style
from sotag_edge.serve.body import RETRY, Bodies, document, question
from sotag_edge.serve.metrics import Metrics
from sotag_edge.serve.openapi import openapi
from sotag_edge.serve.options import Options
from sotag_edge.serve.queue import Queue
from sotag_edge.serve.try_page import try_page

_JSON = "application/json"
_MOST_FIELDS = 10  # of a form


class Endpoint:
    """The pages, and what they share. ``ending``: whether the server answers its last requests."""

    def __init__(self, options: Options, metrics: Metrics) -> None:
        """Load the models. Raises the errors of ``Classifier.load``."""
        self.options, self.metrics = options, metrics
        self.ending = False
        self._models = {path.name: Classifier.load(path, options.threshold) for path in options.models}
        self._writers = {
            name: Writer(io.StringIO(), Layout(model.answerable, multi_label=model.is_multi_label))
            for name, model in self._models.items()
        }
        self._default = options.models[0].name
        self._queue = Queue(options.queue)
        self._bodies = Bodies(options.most_bytes)
        self._page_headers = {"content-security-policy": f"{policy(style())}; frame-ancestors 'none'"}

    def routes(self) -> list[Route]:
        """The pages by path."""
        return [
            Route("/classify", self.classify, methods=["POST"]),
            Route("/models", self.models),
            Route("/health", self.health),
            Route("/metrics", self.show_metrics),
            Route("/openapi.json", self.describe),
            Route("/", self.try_it, methods=["GET", "POST"]),
        ]

    async def classify(self, request: Request) -> Response:
        """Tag a text or a list of texts."""
        asked = question(await self._bodies.whole(request), request, self.options)
        name = self._chosen(asked.model)
        line, model = self._writers[name].line, self._models[name]
        with self._place():
            lines = [line(await self._result(model, document)) for document in asked.documents]
        if asked.is_list:
            lines = [f'{{"schema_version": {SCHEMA_VERSION}, "results": [\n', ",".join(lines), "]}\n"]
        return Response("".join(lines), media_type=_JSON)

    async def models(self, request: Request) -> Response:  # noqa: ARG002
        """The models that answer, the default one first."""
        entries = [
            {
                "name": name,
                "labels": list(model.labels),
                "kind": model.decision.kind,
                "max_tokens": model.max_tokens,
                "bytes": device_bytes(model.bundle.path),
            }
            for name, model in self._models.items()
        ]
        return JSONResponse({"schema_version": 1, "models": entries})

    async def health(self, request: Request) -> Response:  # noqa: ARG002
        """Whether requests are welcome."""
        if self.ending:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "the server ends", RETRY)
        return JSONResponse({"status": "ok", "version": __version__})

    async def show_metrics(self, request: Request) -> Response:  # noqa: ARG002
        """The metrics of all processes."""
        content, kind = self.metrics.shown()
        return Response(content, headers={"content-type": kind})

    async def describe(self, request: Request) -> Response:  # noqa: ARG002
        """The OpenAPI description."""
        return JSONResponse(openapi(self.options))

    async def try_it(self, request: Request) -> Response:
        """The page to try a model; with the explanation of a text, if one was sent."""
        status, page = HTTPStatus.OK, ""
        try:
            page = await self._tried(request) if request.method == "POST" else try_page(self._models, self._default)
        except HTTPException as error:
            status, page = HTTPStatus(error.status_code), try_page(self._models, self._default, error=error.detail)
        return HTMLResponse(page, status, self._page_headers)

    async def _tried(self, request: Request) -> str:
        content = await self._bodies.whole(request)
        try:
            form = parse_qs(content.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "the form has other fields than this page") from error
        text = form.get("text", [""])[0].replace("\r\n", "\n")  # as browsers send line ends
        name = self._chosen(form["model"][0] if "model" in form else None)
        read = document(1, text)
        if read.error:
            return try_page(self._models, name, text, error=str(read.error))
        with self._place():
            return try_page(self._models, name, text, await self._queue.explain(self._models[name], read.text))

    def _chosen(self, name: str | None) -> str:
        if name is None:
            return self._default
        if name not in self._models:
            raise HTTPException(
                HTTPStatus.BAD_REQUEST, f"no model {name!r} answers here; the models are {', '.join(self._models)}"
            )
        return name

    @contextmanager
    def _place(self) -> Iterator[None]:
        """A place in the queue, which the metrics show."""
        with self._queue.place(), self.metrics.waiting.track_inprogress():
            yield

    async def _result(self, model: Classifier, asked: Document) -> Result:
        if asked.error:
            self.metrics.text("error")
            return Result(asked.source, error=str(asked.error))
        answer = await self._queue.classify(model, asked.text)
        self.metrics.text("unknown" if answer.reason else "tag")
        return Result(asked.source, answer)
