"""The parts of ``benchmarks/own_tags.py`` that need no network: splits, results file and page."""

from __future__ import annotations

import doctest
import importlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

MODULES = [
    "own_tags_sources",
    "own_tags_data",
    "own_tags_scores",
    "own_tags_memory",
    "own_tags_rivals",
    "sections",
]


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts import one another by name."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def load(name: str) -> Any:
    return importlib.import_module(name)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_are_right(name: str) -> None:
    result = doctest.testmod(load(name))
    assert result.attempted
    assert not result.failed


def examples(count: int, labels: int = 3) -> list[Any]:
    """Texts with an uneven number per label; two texts per group."""
    data = load("own_tags_data")
    return [
        data.Example(f"text number {number}", f"label {min(labels - 1, number.bit_count() % 5)}", f"{number // 2}")
        for number in range(count)
    ]


def test_a_subset_has_as_many_texts_of_each_label() -> None:
    """A label with fewer texts has all of them; without a size the subset is everything."""
    data = load("own_tags_data")
    train = examples(200)
    counts = Counter(example.label for example in train)
    size = min(counts.values()) + 5
    chosen = Counter(example.label for example in data.subset(train, size, seed=1))
    assert chosen == {label: min(size, count) for label, count in counts.items()}
    assert len(set(chosen.values())) == 2
    assert data.subset(train, None, seed=1) == train


def test_subsets_are_nested_repeatable_and_differ_by_seed() -> None:
    """The small subset of a seed is a part of the large one."""
    data = load("own_tags_data")
    train = examples(200)
    small, large = (data.subset(train, size, seed=1) for size in (5, 25))
    assert set(small) < set(large)
    assert data.subset(train, 5, seed=1) == small
    assert set(data.subset(train, 5, seed=2)) != set(small)


def test_a_split_keeps_groups_together_whatever_the_order() -> None:
    """No group is on both sides, about a quarter is for the test, and neither order nor copies change it."""
    data = load("own_tags_data")
    texts = examples(1000)
    train, test = data.split(texts, 0.25, seed=1)
    assert {example.group for example in train}.isdisjoint(example.group for example in test)
    assert len(train) + len(test) == 1000
    assert 200 < len(test) < 300
    assert data.split([*reversed(texts), *texts], 0.25, seed=1) == (train, test)


def test_a_written_split_is_read_back(tmp_path: Path) -> None:
    """Commas, quotes and other scripts survive."""
    data = load("own_tags_data")
    written = [data.Example('a, "b"', "c#,asp.net"), data.Example("日本語", "ja")]
    data.write(tmp_path / "train.csv", written)
    assert data.read(tmp_path / "train.csv") == (['a, "b"', "日本語"], ["c#,asp.net", "ja"])


def test_only_sizes_that_differ_are_measured() -> None:
    """With at most 60 texts per tag, 100 per tag would be all of them; several tags per text are measured on all."""
    data = load("own_tags_data")
    train = tuple(data.Example(f"text {number}", "a" if number < 60 else "b") for number in range(70))
    dataset = data.DataSet("set", "texts", train, (), ())
    assert data.sizes(dataset) == [5, 10, 25, None]
    assert data.sizes(data.DataSet("set", "texts", train, (), (), multi_label=True)) == [None]


def test_a_set_without_its_source_says_what_is_missing(tmp_path: Path) -> None:
    sources = load("own_tags_sources")
    with pytest.raises(sources.AbsentError, match="--data"):
        sources.titles(None)
    with pytest.raises(sources.AbsentError, match=r"no titles at .*so_titles"):
        sources.titles(tmp_path)


DATA = {"system": "data", "about": "texts", "tags": 20, "train": 5000, "test": 1000, "off_topic": 500}
ROWS: list[dict[str, Any]] = [
    {"set": "one", "multi_label": False} | DATA,
    {"set": "several", "multi_label": True} | DATA,
    *(
        {
            "set": "one",
            "size": size,
            "draw": draw,
            "system": system,
            "accuracy": accuracy,
            "macro_f1": 0.5,
            "bytes": 9000,
        }
        for size, draw, system, accuracy in [
            ("100", 1, "sotag-edge", 0.84),
            ("100", 2, "sotag-edge", 0.86),
            ("100", 1, "svc", 0.83),
            ("100", 1, "fasttext", 0.7),
            ("100", 1, "fasttext-subwords", 0.6),
            ("100", 1, "char-svc", 0.875),
            ("25", 1, "svc", 0.5),
        ]
    ),
    {"set": "one", "size": "25", "draw": 1, "system": "sotag-edge", "error": "exit code 2: too few texts"},
    {"set": "several", "size": "all", "draw": 1, "system": "lr", "micro_f1": 0.61, "macro_f1": 0.4, "bytes": 9000},
    {"set": "memory", "size": "20", "system": "sotag-edge", "texts": 20, "file_mb": 1, "seconds": 120, "peak_mb": 900},
]


def test_the_page_shows_means_differences_and_failures() -> None:
    """The mean of two draws beside the others, the smaller size first, and a training that failed as one."""
    section = load("own_tags_page").render(ROWS)
    assert "| one | 100 | .850 | .700 | .600 | .830 | .875 | +2.0 | -2.5 |" in section
    assert "| one | 25 | failed |  |  | .500 |  |  |  |" in section
    assert section.index("| one | 25 |") < section.index("| one | 100 |")
    assert "- one, 25 texts per tag, sotag-edge: exit code 2: too few texts" in section
    assert "Of 1 comparisons with the best of the three, 1 are at most one point below it and 1 above it." in section
    assert "threshold .5 | .610 | .400 |" in section
    assert "takes 2 minutes" in section


def test_the_section_is_replaced_and_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    """Written twice, and carried over by ``make bench``, which writes the rest of the page anew."""
    sections, page = load("sections"), load("own_tags_page")
    file = tmp_path / "benchmarks.md"
    file.write_text("# Benchmarks\n\nOurs.\n", encoding="utf-8")
    sections.update(file, "serve", "Fast.")
    sections.update(file, "own-tags", page.render(ROWS))
    sections.update(file, "own-tags", page.render(ROWS[:1]))
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# Benchmarks\n\nOurs.\n\n<!-- serve -->\nFast.\n<!-- /serve -->\n")
    assert text.count("<!-- own-tags -->") == text.count("## Your own tags") == 1
    assert "| several |" not in text
    assert sections.with_sections_of("# Benchmarks\n\nOurs.\n", text) == text
    assert sections.with_sections_of("# New\n", "# Old\n") == "# New\n"


def test_a_stopped_run_continues(tmp_path: Path) -> None:
    """A result in the file is not measured again, a failed one is; the last line of a measurement counts."""
    own_tags = load("own_tags")
    file = tmp_path / "results.jsonl"
    key = {"set": "one", "size": "25", "draw": 1, "system": "svc"}
    own_tags.Results(file).add(key | {"error": "killed"})
    assert not own_tags.Results(file).has("one", "25", 1, "svc")
    own_tags.Results(file).add(key | {"accuracy": 0.5})
    results = own_tags.Results(file)
    assert results.has("one", "25", 1, "svc")
    assert not results.has("one", "25", 2, "svc")
    assert list(results.rows.values()) == [key | {"accuracy": 0.5}]
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2


def test_the_splits_of_a_set_are_written_once(tmp_path: Path) -> None:
    """A folder per size and draw, with training, test and off-topic texts; an existing one stays as it is."""
    own_tags, data = load("own_tags"), load("own_tags_data")
    train, test = data.split(examples(200), 0.25, seed=1)
    dataset = data.DataSet("set", "texts", train, test, ("another topic",))
    folders = {(size, draw): folder for size, draw, folder in own_tags.prepare(dataset, tmp_path, draws=2)}
    names = [folder.name for folder in folders.values()]
    assert names[:3] == ["set-5", "set-5-2", "set-10"]
    assert names[-1] == "set-all"
    texts, labels = data.read(folders["5", 1] / "train.csv")
    assert set(Counter(labels).values()) == {5}
    assert set(texts) != set(data.read(folders["5", 2] / "train.csv")[0])
    assert data.read(folders["5", 1] / "off-topic.csv") == (["another topic"], ["unknown"])
    (folders["5", 1] / "train.csv").write_text("text,label\nkept,label 1\n", encoding="utf-8")
    list(own_tags.prepare(dataset, tmp_path, draws=2))
    assert data.read(folders["5", 1] / "train.csv")[0] == ["kept"]


def test_a_bundle_is_measured_on_the_device_runtime(tmp_path: Path, fixture_model: Path) -> None:
    """Accuracy, size, and the shares of answered and of refused texts, of the fixture model."""
    ours, data = load("own_tags_ours"), load("own_tags_data")
    texts = ["knead the bread dough", "bake the loaf in a hot oven", "water the seedlings in the garden"]
    labels = ["baking", "baking", "gardening"]
    data.write(tmp_path / "test.csv", map(data.Example, texts, labels))
    data.write(tmp_path / "off-topic.csv", [data.Example("?! ...", "unknown")])
    figures = ours.measure(str(fixture_model), tmp_path, multi_label=False)
    assert figures["accuracy"] == figures["answered"] == 1
    assert figures["off_topic_unknown"] == 1
    assert figures["bytes"] > (fixture_model / "model.tflite").stat().st_size
    json.dumps(figures)


def test_a_command_gives_its_output_and_cost_or_its_error(tmp_path: Path) -> None:
    """Of a command that fails: its exit code and the last line of its standard error."""
    ours = load("own_tags_ours")
    output, effort = ours.run([sys.executable, "-c", "print(1)"], tmp_path)
    assert output == "1\n"
    assert effort["peak_mb"] > 1
    failing = "import sys; print('first', file=sys.stderr); sys.exit('last')"
    with pytest.raises(ours.FailedError, match=r"^exit code 1: last$"):
        ours.run([sys.executable, "-c", failing], tmp_path)
