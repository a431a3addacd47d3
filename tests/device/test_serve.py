"""The endpoint of ``serve``: what it answers, and what it refuses."""

from __future__ import annotations

import json
import shutil
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conftest import FIXTURE, MULTI_LABEL, Run
from tests.device.serving import Server, serving

TEXTS = [
    "knead the bread dough",
    "prune the rose bushes, then water them",
    "",
    "trim the sail é \N{WHITE SMILING FACE}",
    "x" * 5000,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


def commands_answers(run: Run, model: Path, texts: list[str]) -> list[dict[str, Any]]:
    named = [argument for text in texts for argument in ("--text", text)]
    done = run("classify", "--model", model, "--to", "jsonl", *named)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_answers_are_those_of_the_command(server: Server, run: Run) -> None:
    """One text is answered with the object of ``--to jsonl``, a list with those of all, in order."""
    expected = commands_answers(run, FIXTURE, TEXTS)
    for text, answer in zip(TEXTS, expected, strict=True):
        assert server.classify({"text": text}).json == answer | {"source": "text:1"}
    assert server.classify({"texts": TEXTS}).json == {"schema_version": 1, "results": expected}
    assert server.classify({"texts": []}).json == {"schema_version": 1, "results": []}


def test_a_body_of_plain_text_is_one_text(server: Server) -> None:
    """As curl sends a file, whatever the rest of the content type is."""
    answer = server.classify(TEXTS[0].encode(), content_type="text/plain; charset=utf-8")
    assert answer.json == server.classify({"text": TEXTS[0]}).json


def test_the_charset_of_a_plain_text_counts(server: Server) -> None:
    """Without one it is UTF-8; other bytes are refused."""
    latin = "knead the d\xf4ugh".encode("latin-1")
    answer = server.classify(latin, content_type="text/plain; charset=ISO-8859-1")
    assert answer.json == server.classify({"text": "knead the d\xf4ugh"}).json
    for kind in ("text/plain", "text/plain; charset=none", "text/plain; charset=base64"):
        refused = server.classify(latin, content_type=kind)
        assert (refused.status, "send UTF-8" in refused.json["error"]) == (400, True)


def test_an_element_that_is_no_text_has_an_error_in_its_place(server: Server) -> None:
    """The others are answered; so is text that is none, such as a picture read as text."""
    results = server.classify({"texts": ["bake bread", 3, None, "\0\1\2\3" * 50, "\ud800 sail"]}).json["results"]
    assert [result["source"] for result in results] == [f"text:{number}" for number in range(1, 6)]
    assert ["error" in result for result in results] == [False, True, True, True, False]
    assert results[1]["error"] == "text:2 is not a text but 3"
    assert "control characters" in results[3]["error"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b'{"text":', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not one of 'text' and 'texts'"),
        ({"words": "bake"}, "not one of 'text' and 'texts'"),
        ({"text": "bake", "texts": []}, "not one of 'text' and 'texts'"),
        ({"text": 3}, "'text' is not a text"),
        ({"texts": "bake"}, "'texts' is not a list"),
        ({"text": "bake", "model": "none"}, "no model 'none' answers here; the models are model"),
        ({"text": "bake", "model": 3}, "'model' is not the name of a model"),
        ({"text": "bake", "modle": "none"}, "unknown field 'modle' (known: text, texts, model)"),
    ],
)
def test_a_body_of_another_shape_is_refused_with_a_sentence(server: Server, body: Any, words: str) -> None:
    answer = server.classify(body)
    assert answer.status == 400
    assert words in answer.json["error"]


def test_other_pages_and_methods_are_refused_with_a_sentence(server: Server) -> None:
    assert server.ask("GET", "/classify").status == 405
    assert "POST only" in server.ask("GET", "/classify").json["error"]
    assert server.ask("GET", "/nothing").status == 404
    assert "POST /classify" in server.ask("GET", "/nothing").json["error"]
    slash = server.ask("GET", "/models/")
    assert (slash.status, "location" in slash.headers) == (404, False)
    assert "POST" in server.ask("PUT", "/").json["error"]


def test_models_health_and_description(server: Server) -> None:
    """What a program needs to know of a server, without a text."""
    (model,) = server.ask("GET", "/models").json["models"]
    assert (model["name"], model["labels"], model["kind"]) == (
        "model",
        ["baking", "gardening", "sailing"],
        "single-label",
    )
    assert server.ask("GET", "/health").json["status"] == "ok"
    described = server.ask("GET", "/openapi.json").json
    assert described["openapi"].startswith("3.1")
    fields = set(described["components"]["schemas"]["Result"]["properties"])
    assert set(server.classify({"text": ""}).json) <= fields
    for path, methods in described["paths"].items():
        for method in methods:
            assert server.ask(method.upper(), path).status in (200, 400), path


@pytest.mark.parametrize("jobs", [1, 2])
def test_metrics_count_requests_and_texts_of_all_processes(tmp_path: Path, jobs: int) -> None:
    """By page, status and kind of answer."""
    with serving(tmp_path, "--jobs", str(jobs)) as server:
        for _ in range(20):
            server.classify({"texts": ["knead the bread dough", "", 3]})
        server.classify({})
        metrics = server.ask("GET", "/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    lines = metrics.body.decode().splitlines()
    for line in (
        'sotag_edge_requests_total{path="/classify",status="200"} 20.0',
        'sotag_edge_requests_total{path="/classify",status="400"} 1.0',
        'sotag_edge_texts_total{answer="tag"} 20.0',
        'sotag_edge_texts_total{answer="unknown"} 20.0',
        'sotag_edge_texts_total{answer="error"} 20.0',
        'sotag_edge_request_seconds_count{path="/classify"} 21.0',
    ):
        assert line in lines


def test_a_request_chooses_among_several_models(tmp_path: Path, run: Run) -> None:
    """By name; the first one answers the others. The answers are those of the command with this model."""
    other = shutil.copytree(MULTI_LABEL, tmp_path / "other")
    with serving(tmp_path, "--model", str(other)) as server:
        assert [model["name"] for model in server.ask("GET", "/models").json["models"]] == ["model", "other"]
        (single,), (multi,) = (commands_answers(run, model, TEXTS[:1]) for model in (FIXTURE, other))
        assert server.classify({"text": TEXTS[0]}).json == single
        assert server.classify({"text": TEXTS[0], "model": "other"}).json == multi
        assert server.ask("POST", "/classify?model=other", {"text": TEXTS[0]}).json == multi
        assert server.ask("POST", "/classify?model=none", {"text": TEXTS[0]}).status == 400
        assert server.ask("POST", "/classify?model=other", TEXTS[0].encode(), content_type="text/plain").json == multi


def test_the_threshold_is_that_of_the_command(tmp_path: Path) -> None:
    """0 never answers unknown."""
    with serving(tmp_path, "--threshold", "0") as server:
        assert server.classify({"text": ""}).json["label"] != "unknown"


def test_a_token_is_asked_for(tmp_path: Path) -> None:
    """As a bearer token or as a password, on every page but the one for watching."""
    with serving(tmp_path, "--token", "s3cret") as server:
        assert server.ask("GET", "/health").status == 200
        for path in ("/", "/models", "/metrics", "/openapi.json", "/nothing"):
            assert server.ask("GET", path).status == 401
        refused = server.classify({"text": "bake"})
        assert (refused.status, refused.headers["www-authenticate"][:5]) == (401, "Basic")
        for value in (
            "Bearer",
            "Bearer wrong",
            "Basic \xe9",
            "Bearer \xe9",
            "Basic /w==",
            "s3cret",
            "Basic s3cret",
            "Basic " + b64encode(b"s3cret:").decode(),
        ):
            assert server.classify({"text": "bake"}, authorization=value).status == 401
        for value in ("Bearer s3cret", "bearer s3cret", "Basic " + b64encode(b"me:s3cret").decode()):
            assert server.classify({"text": "bake"}, authorization=value).status == 200


def test_the_variable_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """The metrics of one process need no folder."""
    with serving(tmp_path, PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "nothing")) as server:
        assert server.ask("GET", "/metrics").status == 200


def test_the_page_shows_an_error_as_a_page(tmp_path: Path) -> None:
    """With the status of the refusal."""
    with serving(tmp_path, "--max-bytes", "100") as server:
        for body, status in (
            (b"text=" + b"x" * 200, 413),
            (b"&".join([b"a=b"] * 20), 400),
            (b"text=a&model=none", 400),
        ):
            refused = server.ask("POST", "/", body)
            assert refused.status == status
            assert b'<p role="alert">' in refused.body


def test_no_text_is_logged(tmp_path: Path) -> None:
    """Not with the log of requests either, which has page, status and time; nor of a broken request."""
    with serving(tmp_path, "--log-requests") as server:
        server.classify({"text": "confidential dough"})
        server.classify(b'{"text": "confidential dough')
        server.ask("GET", "/confidential?dough")
        server.ask("POST", "/", urlencode({"text": "confidential dough"}).encode())
        server.end()
        logged = server.log.read_text(encoding="utf-8")
    assert "confidential" not in logged
    assert "POST /classify 200" in logged
    assert "GET other 404" in logged


def test_small_packets_are_sent_at_once() -> None:
    """asyncio does so only where the listening socket names its protocol; elsewhere an answer may wait for 40 ms."""
    from sotag_edge.serve.server import listening

    with listening("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_in_use_is_an_error_with_the_remedy(server: Server, run: Run) -> None:
    done = run("serve", "--model", FIXTURE, "--port", str(server.port))
    assert done.returncode == 2
    assert done.stderr == (
        f"sotag-edge: port {server.port} of 127.0.0.1 is in use by another program: choose another one with --port\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--model", "nothing"], 3, "no model 'nothing'"),
        (["--host", "no.such.host.invalid"], 2, "--host is 127.0.0.1, 0.0.0.0 or"),
        (["--host", "x" * 70], 2, "--host is 127.0.0.1, 0.0.0.0 or"),
        (["--timeout", "nan"], 2, "--timeout"),
        (["--token", ""], 2, "the token must be"),
        (["--model", str(FIXTURE), "--model", str(FIXTURE)], 2, "two models are called 'model'"),
        (["--jobs", "0"], 2, "--jobs"),
    ],
)
def test_a_server_that_cannot_start_says_why(run: Run, arguments: list[str], code: int, words: str) -> None:
    done = run("serve", "--port", "0", *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_of_the_network_without_a_token_is_warned_of(tmp_path: Path) -> None:
    """The local one is not."""
    network = ["--host", "0.0.0.0"]  # noqa: S104  # of the tests' machine, for a moment
    for arguments, is_warned in ((network, True), ([*network, "--token", "a"], False), ([], False)):
        with serving(tmp_path, *arguments) as server:
            assert server.ask("GET", "/health").status == 200
            assert ("--token asks for a secret" in server.log.read_text(encoding="utf-8")) == is_warned
