"""The report page: ``--report`` of ``evaluate`` and ``train``, in a browser."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sotag_convert.cli.report import write_evaluation, write_training
from sotag_convert.data.settings import DEFAULT
from sotag_convert.learn.presets import PRESETS
from sotag_convert.progress import SilentProgress
from sotag_convert.report.content import Report, training_report
from sotag_convert.report.evaluate import measure_model
from sotag_convert.report.evaluation import measure_single
from sotag_convert.report.history import History
from sotag_convert.report.page import page, write_report
from sotag_convert.training import TrainingReport, train_dataset
from sotag_edge.bundle import Manifest
from sotag_edge.errors import SotagEdgeError
from tests.browser import Visit, visit
from tests.conftest import FIXTURE, MULTI_LABEL, OFF_TOPIC, Run
from tests.workstation.small import SMALL, SMALL_BRANCH, noisy_dataset

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(2)</script><!--<script>"
TEXTS = [
    ("baking", "knead the bread dough and heat the oven"),
    ("baking", "how much yeast goes into the loaf"),
    ("baking", "prune the roses, then sow the seeds in the soil"),
    ("gardening", "sow the seeds in the soil"),
    ("gardening", "prune the roses and water the soil"),
    ("gardening", "reef the sail, the wind is strong on the boat"),
    ("sailing", "reef the sail in the wind"),
    ("sailing", "knead the dough for the bread in the oven"),
]


def written(path: Path, texts: list[tuple[str, str]]) -> Path:
    """Labelled texts as a file."""
    lines = [json.dumps({"text": text, "label": label}) for label, text in texts]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of the fixture models' three labels, some with the wrong one; three copies, so that there are a few."""
    folder = tmp_path_factory.mktemp("data")
    return written(folder / "texts.jsonl", [(label, f"{text} {n}") for label, text in TEXTS for n in range(3)])


def evaluated(model: Path, data: Path, folder: Path) -> Path:
    """The report of ``evaluate``."""
    measured = measure_model(str(model), str(data), DEFAULT, print)
    write_evaluation(folder / "report.html", str(model), [str(data)], measured)
    return folder / "report.html"


@pytest.fixture(scope="module")
def single(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report about a model of one tag per text."""
    return evaluated(FIXTURE, data, tmp_path_factory.mktemp("single"))


@pytest.fixture(scope="module")
def several(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report about a model of several tags per text."""
    return evaluated(MULTI_LABEL, data, tmp_path_factory.mktemp("several"))


@pytest.fixture
def opened(browser: Browser, single: Path) -> Iterator[Visit]:
    """The report about a model of one tag per text, with its charts drawn."""
    with visit(browser, single.as_uri()) as visited:
        wait(visited)
        yield visited


def wait(visited: Visit) -> None:
    visited.page.wait_for_selector("html[data-drawn]", timeout=20_000)


def marks(visited: Visit) -> dict[str, int]:
    """The number of things drawn in each chart, by its name."""
    return dict(
        visited.page.evaluate(
            "[...document.querySelectorAll('[data-chart]')].map(chart => [chart.dataset.chart,"
            " chart.querySelectorAll('svg .mark-rect path, svg .mark-symbol path, svg .mark-line path, svg .mark-rule line')"
            ".length])"
        )
    )


def unreachable(visited: Visit) -> int:
    """The number of parts that are scrolled by themselves, but not with the keyboard."""
    number: int = visited.page.evaluate(
        "[...document.querySelectorAll('*')].filter(e => e.tabIndex < 0 && getComputedStyle(e).overflowX === 'auto'"
        " && (e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight)).length"
    )
    return number


@pytest.mark.parametrize("kind", ["single", "several"])
def test_the_page_is_whole_and_asks_for_nothing(browser: Browser, kind: str, request: pytest.FixtureRequest) -> None:
    """From a file: every chart is drawn, the console has no error, and nothing but the page itself is loaded."""
    file: Path = request.getfixturevalue(kind)
    with visit(browser, file.as_uri()) as visited:
        wait(visited)
        assert visited.errors == []
        assert visited.requests == [file.as_uri()]
        drawn = marks(visited)
    curve, *_ = {"single": ["coverage", "confusion"], "several": ["thresholds"]}[kind]
    assert {"comparison", "calibration", "scores", curve} <= set(drawn)
    assert all(drawn.values()), drawn


def test_the_policy_forbids_what_is_not_the_page_s(opened: Visit) -> None:
    """A script that gets into the page does not run, and an image is not asked for."""
    image = "<img src='http://127.0.0.1:9/x' onerror='window.hacked = 1'>"
    with opened.page.expect_event("requestfailed") as failed:
        opened.page.evaluate("image => document.body.insertAdjacentHTML('beforeend', image)", image)
    assert failed.value.failure == "csp"
    opened.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hacked = 2'}))"
    )
    assert opened.page.evaluate("window.hacked") is None


def test_the_words_of_a_mistake_are_marked(opened: Visit) -> None:
    """The texts with a wrong answer, the surest first, with the words that led to it."""
    mistakes = opened.page.locator("article.mistake")
    assert mistakes.count() == 9
    scores = [float(score) for score in opened.page.locator("article .score").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    baked = mistakes.filter(has_text="knead the dough").first
    assert "sailing answered baking" in baked.inner_text()
    assert "dough" in baked.locator("mark[class^=for]").all_inner_texts()


def test_tables_are_sorted_with_the_keyboard(opened: Visit) -> None:
    """Enter on a column's head sorts by numbers, a second time the other way; the head says which way."""

    def column(number: int) -> list[str]:
        return opened.page.locator(f"table.sortable tbody tr > :nth-child({number})").all_inner_texts()

    assert column(1) == ["baking", "gardening", "sailing"]
    head = opened.page.locator("table.sortable thead th", has_text="texts")
    head.get_by_role("button").focus()
    opened.page.keyboard.press("Enter")
    assert column(2) == ["6", "9", "9"]
    assert head.get_attribute("aria-sort") == "ascending"
    opened.page.keyboard.press("Enter")
    assert column(2) == ["9", "9", "6"]
    assert head.get_attribute("aria-sort") == "descending"
    opened.page.locator("table.sortable thead th", has_text="tag").get_by_role("button").click()
    assert column(1) == ["baking", "gardening", "sailing"]
    assert head.get_attribute("aria-sort") is None


def test_a_column_with_some_numbers_is_sorted_as_text(opened: Visit) -> None:
    """Tags such as "9", "10" and "1x": as numbers and as text by turns they would have no order."""
    firsts = "document.querySelectorAll('table.sortable tbody th')"
    for values in (["1x", "9", "10"], ["10", "1x", "9"], ["9", "10", "1x"]):
        opened.page.evaluate(f"values => {firsts}.forEach((cell, n) => cell.dataset.value = values[n])", values)
        for head in ("texts", "tag"):  # so that it is ascending each time
            opened.page.locator("table.sortable thead th", has_text=head).get_by_role("button").click()
        assert opened.page.evaluate(f"[...{firsts}].map(cell => cell.dataset.value)") == ["10", "1x", "9"]


def test_the_printed_page(opened: Visit) -> None:
    """On paper, which is light, there is nothing to scroll or to open, and a wide chart is as wide as the page."""
    opened.page.set_viewport_size({"width": 300, "height": 900})
    opened.page.emulate_media(media="print", color_scheme="dark")
    opened.page.wait_for_selector("html[data-drawn=dark]")
    svg = opened.page.locator(".chart.wide svg").bounding_box()
    assert svg is not None
    assert svg["x"] + svg["width"] <= 300
    assert opened.page.locator("summary:visible").count() == 0
    assert opened.page.evaluate(
        "[...document.querySelectorAll('main *')].every(e => getComputedStyle(e).overflowX === 'visible'"
        " || e.closest('svg'))"
    )
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("kind", ["single", "several"])
def test_a_narrow_page_is_not_scrolled_sideways(browser: Browser, kind: str, request: pytest.FixtureRequest) -> None:
    """At 390 pixels wide tables are scrolled by themselves; so that the keyboard can, they take the focus."""
    with visit(browser, request.getfixturevalue(kind).as_uri(), width=390) as visited:
        wait(visited)
        for details in visited.page.locator("details").all():
            details.locator("summary").click()
        assert visited.overflow() <= 0
        assert unreachable(visited) == 0


def test_charts_follow_the_colours_of_the_page(browser: Browser, single: Path) -> None:
    """Light, and dark, also when this changes while the page is open."""
    label = "document.querySelector('[data-chart=comparison] svg text').getAttribute('fill')"
    with visit(browser, single.as_uri(), dark=True) as visited:
        visited.page.wait_for_selector("html[data-drawn=dark]")
        dark = visited.page.evaluate(label)
        visited.page.emulate_media(color_scheme="light")
        visited.page.wait_for_selector("html[data-drawn=light]")
        assert visited.page.evaluate(label) != dark
        assert visited.page.locator("[data-chart=comparison] svg").count() == 1


def test_without_javascript_the_figures_are_there(browser: Browser, single: Path) -> None:
    """Each chart has its figures in a table, and a sentence says so."""
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(single.as_uri())
    assert "need JavaScript" in opened.inner_text("header")
    assert opened.locator("figure").count() == opened.locator("figure details table").count() > 4
    context.close()


def test_the_report_names_no_folder_of_the_user(single: Path, data: Path) -> None:
    """It is passed on: of the model and the texts it has the names."""
    content = single.read_text(encoding="utf-8")
    assert f"<bdi>{data.name}</bdi>" in content
    assert str(data.parent) not in content
    assert str(FIXTURE.parent) not in content


def test_few_texts_are_a_caution(single: Path, run: Run, data: Path) -> None:
    """Of a model that is only measured, too, on the page and on the terminal."""
    shown = run("evaluate", FIXTURE, data)
    assert shown.stderr == ""
    for sentence in (
        "24 texts are too few to know the accuracy: it is somewhere from ",
        "6 texts, and 2 more tags have under 10: so few show little about a tag.",
    ):
        assert sentence in single.read_text(encoding="utf-8")
        assert sentence in shown.stdout


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report about a model with hostile tags and facts, and on hostile texts."""
    folder = tmp_path_factory.mktemp("hostile")
    model = folder / "<b>model"
    model.mkdir()
    for file in FIXTURE.iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((model / "model.json").read_text(encoding="utf-8"))
    names = dict(zip(manifest["labels"], (IMAGE, SCRIPT, "sailing"), strict=True))
    manifest["labels"] = list(names.values())
    manifest["golden"]["scores"] = {names[label]: score for label, score in manifest["golden"]["scores"].items()}
    manifest["training_data"] |= {"licence": IMAGE, "name": SCRIPT, "texts": IMAGE}
    manifest["made_with"] = {IMAGE: SCRIPT}
    (model / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    texts = [
        (names[label], f"{text} {IMAGE} {SCRIPT} \u2028 \x00 \u202e {n}") for label, text in TEXTS for n in range(2)
    ]
    return evaluated(model, written(folder / "texts.jsonl", texts), folder)


def test_hostile_texts_and_tags_do_not_run(browser: Browser, hostile: Path) -> None:
    """They are text: no element of theirs is in the page, no alert is shown, also not in a tooltip."""
    with visit(browser, hostile.as_uri()) as visited:
        alerts: list[str] = []
        visited.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
        wait(visited)
        visited.page.locator("[data-chart=confusion] svg .mark-rect path").first.hover(
            position={"x": 29, "y": 26}, force=True
        )
        visited.page.wait_for_selector("#vg-tooltip-element.visible")
        assert IMAGE in visited.page.inner_text("#vg-tooltip-element")
        assert visited.page.locator("img").count() == 0
        assert visited.page.locator("script").count() == 3
        assert IMAGE in visited.page.inner_text("main")
        assert "alert(2)" in visited.page.inner_text("article.mistake >> nth=0")
        assert (alerts, visited.errors) == ([], [])
        assert all(marks(visited).values())


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)


def test_hostile_texts_are_escaped_without_a_policy_too(hostile: Path) -> None:
    """The page itself has no element of theirs: the policy is a second wall."""
    elements = _Elements()
    content = hostile.read_text(encoding="utf-8")
    elements.feed(content)
    assert elements.names.count("script") == 3
    assert "img" not in elements.names
    assert elements.names.count("h1") == 1
    (embedded,) = re.findall(r'<script type="application/json" id="charts">(.*?)</script>', content, re.DOTALL)
    assert not re.search(r"[<>&\u2028\u2029]", embedded)
    assert IMAGE in json.dumps(json.loads(embedded))


def test_a_hundred_tags_fit(browser: Browser, tmp_path: Path) -> None:
    """The page stays below 3 MB, and a confusion of each tag with each other is drawn; a narrow window scrolls to all."""
    labels = [f"a-tag-with-the-number-{number}" for number in range(100)]
    targets = np.repeat(np.arange(100), 200)
    scores = np.random.default_rng(1).dirichlet(np.ones(100), len(targets))
    found = measure_single(scores, np.ones(len(targets), bool), targets.tolist(), labels)
    views = {"as given": found}
    report = Report(tmp_path, "texts", "2026-01-01", Manifest.read(FIXTURE), 1, History(), views, None, {}, (), None)
    write_report(report, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
    with visit(browser, (tmp_path / "report.html").as_uri(), width=390) as visited:
        wait(visited)
        assert marks(visited)["confusion"] > 8_000
        assert visited.overflow() <= 0
        assert unreachable(visited) == 0


def test_evaluate_writes_a_report_beside_its_output(run: Run, data: Path, tmp_path: Path) -> None:
    """What is printed is the same with and without; an older report is replaced; off-topic texts have their figures."""
    texts = written(tmp_path / "texts.jsonl", [*TEXTS, ("unknown", "zebra quartz"), ("unknown", "knead the bread")])
    (tmp_path / "report.html").write_text("old", encoding="utf-8")
    plain = run("evaluate", OFF_TOPIC, texts, "--to", "json")
    done = run("evaluate", OFF_TOPIC, texts, "--to", "json", "--report", "report.html")
    assert (done.returncode, done.stderr) == (0, plain.stderr)
    assert done.stdout == plain.stdout
    content = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1><bdi>off-topic</bdi></h1>" in content
    assert "of the off-topic texts are answered" in content
    assert "ms (median)" in content
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


@pytest.mark.parametrize("command", ["evaluate", "train"])
@pytest.mark.parametrize(
    ("report", "reason"), [("missing/report.html", "missing is not a folder"), (".", ". is a directory: name a file")]
)
def test_a_report_that_cannot_be_written_is_refused_at_once(
    run: Run, tmp_path: Path, command: str, report: str, reason: str
) -> None:
    """Before anything is read: the data do not exist, and nobody notices."""
    arguments = {"evaluate": [FIXTURE, "nowhere.csv"], "train": ["nowhere.csv", "--output", "./mine"]}[command]
    done = run(command, *arguments, "--report", report)
    assert done.returncode == 2
    assert reason in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_a_missing_extra_is_named(command: str, tmp_path: Path) -> None:
    """Before anything is read, with the command to install it; without --report it is not needed."""
    code = (
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'vl_convert' else find(name)\n"
        "from sotag_edge.__main__ import main\n"
        "main()\n"
    )
    arguments = {"evaluate": [str(FIXTURE), "nowhere.csv"], "train": ["nowhere.csv", "--output", "./mine"]}[command]
    done, without = (
        subprocess.run(
            [sys.executable, "-c", code, command, *arguments, *report],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
        )
        for report in (["--report", "r.html"], [])
    )
    assert (done.returncode, without.returncode) == (4, 1)
    assert "vl-convert-python must be installed for this command: pip install 'sotag-edge[report]'" in done.stderr
    assert "no data at nowhere.csv" in without.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainingReport]:
    """Small models: measured on validation texts, and in cross-validation only."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "small", SMALL)
        patch.setitem(PRESETS, "branch", SMALL_BRANCH)
        return {
            "split": train_dataset(noisy_dataset(240), folder / "split", preset="small"),
            "folds": train_dataset(noisy_dataset(120), folder / "folds", preset="branch"),
        }


def test_a_trained_model_has_a_report(browser: Browser, trained: dict[str, TrainingReport], tmp_path: Path) -> None:
    """On its validation texts, with the baseline, the training texts of each tag, and the curves of the training."""
    write_training(tmp_path / "report.html", ["noisy"], trained["split"], SilentProgress())
    with visit(browser, (tmp_path / "report.html").as_uri()) as visited:
        wait(visited)
        drawn = marks(visited)
        words = visited.page.inner_text("body")
        assert visited.errors == []
    assert {"loss", "validation", "coverage", "confusion"} <= set(drawn)
    assert all(drawn.values()), drawn
    assert "validation texts of noisy" in words
    assert f"{trained['split'].summary.baseline:.4f}" in words
    assert "also chose the epoch" in words


def test_a_cross_validated_model_has_figures_of_others(trained: dict[str, TrainingReport]) -> None:
    """The report says so, and has neither mistakes nor curves of scores: no text was answered by this model."""
    done = trained["folds"]
    report = training_report(done.output, "noisy", done.summary, done.measured)
    content = page(report)
    assert report.evaluation == done.evaluation
    assert report.details is None
    assert "models that were trained on parts of the texts" in content
    assert "cross-validation" in content
    assert 'data-chart="confusion"' in content
    assert 'data-chart="calibration"' not in content
    assert 'id="mistakes"' not in content


def test_a_model_that_was_not_measured_has_a_report(trained: dict[str, TrainingReport], tmp_path: Path) -> None:
    """Its size, its settings and the curves of its training."""
    done = trained["split"]
    report = training_report(done.output, "noisy", replace(done.summary, evaluation=None), {})
    write_report(report, tmp_path / "report.html")
    content = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The model was not measured" in content
    assert 'data-chart="loss"' in content


def test_the_model_outlives_a_report_that_fails(trained: dict[str, TrainingReport], tmp_path: Path) -> None:
    """One sentence that names the model, exit code 1; an older report stays."""
    done = trained["split"]
    with pytest.raises(SotagEdgeError, match=r"the model in .* is complete, but not its report") as caught:
        write_training(tmp_path / "removed" / "report.html", ["noisy"], done, SilentProgress())
    assert caught.value.exit_code == 1
    assert (done.output / "model.tflite").is_file()


def test_a_trained_model_is_measured_again(run: Run, tmp_path: Path) -> None:
    """``train --test`` names the file that was measured. ``evaluate`` knows the baseline of the same texts, and those that
    the model was trained on."""
    train = written(tmp_path / "mine.jsonl", [(label, f"{text} {n}") for label, text in TEXTS for n in range(12)])
    texts = [(label, f"{text} {n}") for label, text in TEXTS for n in range(20, 23)]
    test = written(tmp_path / "other.jsonl", texts)
    fewer = written(tmp_path / "fewer.jsonl", texts[1:])
    options = ["--preset", "seed", "--epochs", "1", "--validation", "0.3", "--output", "./model"]
    done = run("train", train, "--test", test, *options, "--report", "trained.html")
    assert done.returncode == 0, done.stderr
    content = (tmp_path / "trained.html").read_text(encoding="utf-8")
    assert "24 test texts of <bdi>other.jsonl</bdi>" in content
    pages = {}
    for data in (test, fewer, train):
        done = run("evaluate", "./model", data, "--report", "report.html")
        assert ("trained on these texts" in done.stderr) is (data == train)
        pages[data] = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert ("trained on these texts" in pages[data]) is (data == train)
        assert ("linear model of TF-IDF" in pages[data]) is (data == test)
    figure = "linear model of TF-IDF</dt><dd>"
    assert pages[test].split(figure)[1][:6] == content.split(figure)[1][:6]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_train_with_a_full_disk(run: Run, tmp_path: Path) -> None:
    """The whole command: the model is there, the sentence is printed, the exit code is 1."""
    texts = written(tmp_path / "texts.jsonl", [(label, f"{text} {n}") for label, text in TEXTS for n in range(3)])
    options = ["--preset", "seed", "--epochs", "1", "--validation", "0.3", "--output", "./mine"]
    done = run("train", texts, *options, "--report", "/dev/full")
    assert done.returncode == 1, done.stderr
    assert "complete, but not its report" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "mine" / "model.tflite").is_file()
