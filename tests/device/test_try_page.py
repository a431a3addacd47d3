"""The page of ``serve`` to try a model, in a browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser import visit
from tests.conftest import FIXTURE, MULTI_LABEL
from tests.device.serving import Server, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<img src=x onerror=\"document.title='run'\"></textarea><script>document.title='run'</script>"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a second model, whose labels are hostile."""
    folder = tmp_path_factory.mktemp("server")
    other = Path(shutil.copytree(MULTI_LABEL, folder / "other"))
    manifest = json.loads((other / "model.json").read_bytes())
    manifest["labels"] = [HOSTILE, "b", "c"]
    manifest.pop("golden", None)
    (other / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    with serving(folder, "--model", str(other)) as server:
        yield server


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1400])
def test_a_text_is_explained_with_the_keyboard_only(browser: Browser, server: Server, width: int, dark: bool) -> None:
    """The text field has the focus; Tab leads to the button. Everything comes from the server's own page."""
    address = f"http://127.0.0.1:{server.port}/"
    with visit(browser, address, width=width, dark=dark) as seen:
        seen.page.wait_for_function("document.activeElement.id === 'text'")
        seen.page.keyboard.insert_text("knead the bread dough\n\nthen <b>bake</b> it")
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_selector(".answer")
        assert seen.page.inner_text(".answer strong") == "baking"
        assert seen.page.inner_text(".text") == "knead the bread dough\n\nthen <b>bake</b> it"
        assert seen.page.locator("mark").count() > 0
        assert seen.page.input_value("#text") == "knead the bread dough\n\nthen <b>bake</b> it"
        score = server.classify({"text": "knead the bread dough\n\nthen <b>bake</b> it"}).json["score"]
        assert f"{score:.4f}" in seen.page.inner_text(".scores")
        assert seen.requests == [address, address]
        assert (seen.errors, seen.overflow()) == ([], 0)


def test_hostile_texts_and_labels_do_not_run(browser: Browser, server: Server) -> None:
    """They are shown as they are."""
    with visit(browser, f"http://127.0.0.1:{server.port}/") as seen:
        seen.page.select_option("#model", "other")
        seen.page.fill("#text", f"knead the dough {HOSTILE}")
        seen.page.click("button")
        seen.page.wait_for_selector(".answer")
        assert seen.page.locator("img, script").count() == 0
        assert "run" not in seen.page.title().replace(HOSTILE, "")
        assert HOSTILE in seen.page.inner_text("body")
        assert seen.page.input_value("#text") == f"knead the dough {HOSTILE}"
        assert seen.page.input_value("#model") == "other"
        assert seen.errors == []


def test_an_error_is_said_on_the_page(browser: Browser, server: Server) -> None:
    """For what is no text; an empty field is not sent at all."""
    with visit(browser, f"http://127.0.0.1:{server.port}/") as seen:
        seen.page.click("button")
        assert seen.page.locator(".answer").count() == 0
        seen.page.fill("#text", "\ufffd" * 20)
        seen.page.click("button")
        assert "is not text in UTF-8" in seen.page.inner_text("[role=alert]")


def test_the_policy_allows_no_script_and_no_frame(server: Server) -> None:
    """Also for a fault of the escaping."""
    for method in ("GET", "POST"):
        policy = server.ask(method, "/", b"text=dough" if method == "POST" else None).headers["content-security-policy"]
        assert re.match(r"default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'", policy)
        assert "frame-ancestors 'none'" in policy


def test_a_page_asks_for_the_token(browser: Browser, tmp_path: Path) -> None:
    """The browser asks for it, as a password."""
    with serving(tmp_path, "--token", "s3cret") as server:
        context = browser.new_context(http_credentials={"username": "", "password": "s3cret"})
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.fill("#text", "knead the bread dough")
        page.click("button")
        assert page.inner_text(".answer strong") == "baking"
        context.close()


def test_the_single_model_is_described(server: Server, tmp_path: Path) -> None:
    """With its tags; there is nothing to choose."""
    assert b"<select" in server.ask("GET", "/").body
    with serving(tmp_path) as single:
        body = single.ask("GET", "/").body.decode()
    assert "The model model answers with baking, gardening, sailing, or unknown." in body
    assert "<select" not in body
    assert FIXTURE.name == "model"
