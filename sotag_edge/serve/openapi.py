"""The description of the endpoint in the format of OpenAPI 3.1, for ``GET /openapi.json``."""

from __future__ import annotations

from typing import Any

from sotag_edge import __version__
from sotag_edge.decision import MultiLabel, Reason, SingleLabel
from sotag_edge.serve.options import Options

_TEXT = {"type": "string"}
_SCORE = {"type": "number", "minimum": 0, "maximum": 1}
_MODEL = {**_TEXT, "description": "The name of a model, see GET /models. By default the first one."}
_RESULT = {
    "type": "object",
    "description": "An answer, or an error in its place. The fields are those of `sotag-edge classify --to jsonl`.",
    "required": ["source"],
    "properties": {
        "source": {**_TEXT, "description": "text:1 for the first text, and so on."},
        "label": {**_TEXT, "description": "A label of the model, the best one if there are several, or 'unknown'."},
        "labels": {"type": "array", "items": _TEXT, "description": "All labels, with a multi-label model."},
        "score": _SCORE,
        "scores": {"type": "object", "additionalProperties": _SCORE},
        "reason": {"enum": [reason.value for reason in Reason], "description": "Why the answer is 'unknown'."},
        "truncated": {"const": True, "description": "The network read to its limit and the text goes on."},
        "error": {**_TEXT, "description": "Why this text was not tagged; the others were."},
    },
}
_ERROR = {"type": "object", "required": ["error"], "properties": {"error": _TEXT}}


def openapi(options: Options) -> dict[str, Any]:
    """The description of a server with these options."""
    model = {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "labels": {"type": "array", "items": _TEXT},
            "kind": {"enum": [SingleLabel.kind, MultiLabel.kind]},
            "max_tokens": {"type": "integer"},
            "bytes": {"type": "integer"},
        },
    }
    models = {
        "type": "object",
        "properties": {"schema_version": {"const": 1}, "models": {"type": "array", "items": model}},
    }
    health = {"type": "object", "properties": {"status": {"const": "ok"}, "version": _TEXT}}
    paths = {
        "/classify": {"post": _classify(options)},
        "/models": {"get": _get("The models that answer, the default one first.", _json(models))},
        "/health": {"get": {**_get("Whether the server answers; 503 while it ends.", _json(health)), "security": []}},
        "/metrics": {
            "get": _get("Counts and times in the text format of Prometheus.", {"text/plain": {"schema": _TEXT}})
        },
        "/": {"get": _get("A page to try a model.", {"text/html": {"schema": _TEXT}})},
    }
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "sotag-edge", "version": __version__, "description": "Tags texts."},
        "paths": paths,
        "components": {"schemas": {"Result": _RESULT, "Error": _ERROR}},
    }
    if options.token is not None:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"token": []}]
    return described


def _classify(options: Options) -> dict[str, Any]:
    one = {"type": "object", "required": ["text"], "properties": {"text": _TEXT, "model": _MODEL}}
    several = {
        "type": "object",
        "required": ["texts"],
        "properties": {"texts": {"type": "array", "items": _TEXT, "maxItems": options.most_texts}, "model": _MODEL},
    }
    result = {"$ref": "#/components/schemas/Result"}
    results = {
        "type": "object",
        "properties": {"schema_version": {"const": 1}, "results": {"type": "array", "items": result}},
    }
    failures = {
        "400": "The body is not as described.",
        "401": "The token is missing or wrong.",
        "408": "The request did not arrive in time.",
        "431": "The head of the request is too long.",
        "500": "The server failed.",
        "413": f"More than {options.most_bytes:,} bytes or {options.most_texts:,} texts.",
        "503": "The queue is full, or the server ends: try again after the seconds of Retry-After.",
    }
    return {
        "summary": "Tag one text or several.",
        "parameters": [{"name": "model", "in": "query", "schema": _MODEL}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"oneOf": [one, several]}},
                "text/plain": {"schema": {**_TEXT, "description": "One text, as it is."}},
            },
        },
        "responses": {
            "200": {"description": "One result per text, in order.", "content": _json({"oneOf": [result, results]})},
            **{
                status: {"description": text, "content": _json({"$ref": "#/components/schemas/Error"})}
                for status, text in failures.items()
            },
        },
    }


def _get(summary: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": summary, "content": content}}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
