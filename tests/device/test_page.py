"""The page of an explanation, ``explain --to html``: escaped, without scripts, readable."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sotag_edge import Classifier
from sotag_edge.explain import Effect, explain
from sotag_edge.page import explained, highlighted, page, text_of
from tests.browser import visit
from tests.conftest import FIXTURE, MULTI_LABEL, OFF_TOPIC, Run

HOSTILE = '<img src=x onerror="document.title=1"></script><script>document.title=1</script>&amp;\u202e'


class Text(HTMLParser):
    """The text of a page, and its tags with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text, self.tags = "", []
        self.feed(source)
        self.close()

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_highlighted_text_is_the_text() -> None:
    """Whatever it has in it: tokens, what is between them, and the rest; only what HTML does not allow is replaced."""
    classifier = Classifier.load(FIXTURE)
    for text in ("Knead  the <b>bread</b>\tdough & wait.\n\nThen bake it!", HOSTILE, "", "\0\ud800 sail \x1b[1m"):
        explanation = explain(classifier, text)
        shown = Text(highlighted(explanation.text, explanation.effects)).text
        assert shown == re.sub("[\0\x1b\ud800\u202e]", "\ufffd", explanation.text)


def test_words_are_marked_by_the_size_of_their_effect() -> None:
    """In three strengths and two directions; a small effect is not marked, and what was not read is another colour."""
    effects = [0.5, 0.2, 0.05, 0.005, -0.05, -0.2, -0.5]
    words = [Effect("w", 2 * place, 2 * place + 1, effect) for place, effect in enumerate(effects)]
    tags = Text(highlighted("w " * 8, words)).tags
    marks = ["for-3", "for-2", "for-1", "against-1", "against-2", "against-3"]
    assert [attributes["class"] for _, attributes in tags] == [*marks, "unread"]
    assert tags[0][1]["title"] == "+0.50"


def test_labels_and_texts_are_escaped(model_copy: Path) -> None:
    """A model's labels come from a stranger; so may its name."""
    manifest = json.loads((model_copy / "model.json").read_bytes())
    manifest["labels"] = [HOSTILE, "<b>", '"quoted"']
    manifest.pop("golden", None)
    (model_copy / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    classifier = Classifier.load(model_copy)
    shown = explained(explain(classifier, f"knead the dough {HOSTILE}"), classifier.labels)
    parsed = Text(page("<title>", shown))
    assert {tag for tag, _ in parsed.tags}.isdisjoint({"img", "script", "b"})
    assert "</script>" in parsed.text


@pytest.mark.parametrize("model", [FIXTURE, MULTI_LABEL, OFF_TOPIC])
def test_the_page_of_the_command_has_the_answer(run: Run, model: Path) -> None:
    """The tag or tags with their scores, the explained text, and a policy that allows no script."""
    text = "trim the sail, then knead the dough"
    answer = json.loads(run("classify", "--model", model, "--to", "jsonl", "--text", text).stdout)
    done = run("explain", "--model", model, "--text", text, "--to", "html")
    parsed = Text(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert ", ".join(answer.get("labels") or [answer["label"]]) in parsed.text
    for label, score in answer["scores"].items():
        assert label in parsed.text
        assert f"{score:.4f}" in parsed.text
    assert text in parsed.text
    (policy,) = [of["content"] for tag, of in parsed.tags if of.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy


def test_the_page_is_written_to_a_file(run: Run, tmp_path: Path) -> None:
    """Whole, or not at all: an older one stays if there is nothing to explain."""
    arguments = ["explain", "--model", FIXTURE, "--to", "html", "--output", "page.html"]
    assert run(*arguments, "--text", "knead the dough").stdout == ""
    written = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert written == run(*arguments[:-2], "--text", "knead the dough").stdout
    assert run(*arguments, "nothing.txt").returncode == 1
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == written


def test_an_unknown_text_is_explained_with_its_reason(run: Run) -> None:
    shown = Text(run("explain", "--model", FIXTURE, "--text", "zzz", "--to", "html").stdout).text
    assert "unknown" in shown
    assert "too little text; the best guess is" in shown
    assert "No single word changes the score" in shown


def test_many_scores_are_folded() -> None:
    """The best ones are seen at once."""
    classifier = Classifier.load(FIXTURE)
    explanation = explain(classifier, "knead")
    scores = {f"label-{number}": number / 100 for number in range(100)}
    object.__setattr__(explanation.prediction, "scores", scores)
    shown = explained(explanation, list(scores))
    assert shown.index("label-99") < shown.index("<details><summary>95 more") < shown.index("label-0<")


def test_text_of_keeps_lines() -> None:
    assert text_of("a\r\nb\rc\n\td") == "a\nb\nc\n\td"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1400])
def test_a_browser_shows_the_page(browser: object, run: Run, tmp_path: Path, width: int, dark: bool) -> None:
    """Without an error or a request; the style is applied, in light and dark; nothing is wider than the window."""
    model = Path(shutil.copytree(FIXTURE, tmp_path / HOSTILE.replace("/", "")))
    done = run("explain", "--model", model, "--text", f"knead the dough {HOSTILE}" * 9, "--to", "html")
    file = tmp_path / "page.html"
    file.write_text(done.stdout, encoding="utf-8")
    with visit(browser, file.as_uri(), width=width, dark=dark) as seen:  # type: ignore[arg-type]
        assert seen.page.locator("mark").count() > 0
        color = seen.page.evaluate("getComputedStyle(document.querySelector('mark')).backgroundColor")
        paper = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert color != "rgba(0, 0, 0, 0)"
        assert paper == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")
        assert seen.page.title() == "baking"
        assert (seen.errors, seen.requests, seen.overflow()) == ([], [file.as_uri()], 0)
