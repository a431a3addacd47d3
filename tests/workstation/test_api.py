"""The public Python API of the workstation side."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import sotag_convert
from sotag_convert.data.dataset import Examples
from sotag_convert.data.stratify import fold_of_each
from sotag_convert.learn.presets import PRESETS
from sotag_convert.recipes import RECIPES, Recipe, RecipeSettings
from sotag_convert.report.baseline import cross_validated_baseline
from sotag_convert.report.evaluation import SingleLabelEvaluation
from sotag_convert.source import Source
from sotag_edge.bundle import Bundle
from sotag_edge.errors import InputError, ModelError, SotagEdgeError, UsageError
from tests.workstation.small import LABELS, SMALL, noisy_texts


@pytest.fixture(autouse=True)
def _small_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "small", SMALL)


def test_train_convert_and_evaluate(tmp_path: Path) -> None:
    """Texts and labels become a model; it is exported again, and measured; `unknown` marks off-topic texts."""
    texts, labels = noisy_texts(120)
    test_texts, test_labels = noisy_texts(30, seed=2)
    report = sotag_convert.train(
        [*texts, "a zebra"],
        [*labels, "unknown"],
        tmp_path / "mine",
        preset="small",
        test_texts=test_texts,
        test_labels=test_labels,
    )
    assert (report.output, report.interrupted, report.parity.texts) == (tmp_path / "mine", False, 30)
    assert Bundle.read(tmp_path / "mine").manifest.labels == ("harbour", "kitchen")
    evaluation = sotag_convert.evaluate(tmp_path / "mine", test_texts, test_labels)
    assert evaluation.texts == 30
    assert evaluation.figure == pytest.approx(report.parity.accuracy)
    assert report.evaluation is not None
    assert report.evaluation.figure == evaluation.figure
    assert report.summary.baseline is not None
    figures = json.loads((tmp_path / "mine" / "metrics.json").read_bytes())
    assert figures["evaluation"]["as given"]["baseline"] == pytest.approx(report.summary.baseline, abs=1e-5)
    beside = f"{evaluation.interval[1]:.4f}) | {report.summary.baseline:.4f} |"
    assert beside in (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    assert evaluation.off_topic_unknown is None
    parity = sotag_convert.convert(
        tmp_path / "mine", tmp_path / "again", "float32", texts=test_texts, labels=test_labels
    )
    assert parity.accuracy is not None
    before, after = (Bundle.read(tmp_path / name).manifest for name in ("mine", "again"))
    assert after.recipe == "float32"
    for name in ("labels", "input", "decision", "preset", "seed", "training_data", "network"):
        assert getattr(after, name) == getattr(before, name)


def test_without_test_texts_the_figures_are_those_of_the_cross_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A linear branch and few texts: each text is measured by a model of other texts; so is the baseline."""
    monkeypatch.setitem(PRESETS, "small", replace(SMALL, rows=200, epochs=1))
    texts, labels = noisy_texts(60)
    report = sotag_convert.train(texts, labels, tmp_path / "mine", preset="small")
    summary, evaluation = report.summary, report.evaluation
    assert isinstance(evaluation, SingleLabelEvaluation)
    assert (evaluation.on, evaluation.texts) == ("texts in 3-fold cross-validation", 60)
    assert (summary.is_of_published, summary.texts_per_tag) == (False, (("harbour", 30), ("kitchen", 30)))
    assert summary.linear is not None
    assert summary.lstm is not None
    assert summary.both is not None
    assert evaluation.accuracy == pytest.approx(max(summary.linear, summary.both), abs=1e-5)
    fold_of = fold_of_each([(LABELS.index(label),) for label in labels], 3, 1)
    examples = Examples.single(texts, map(LABELS.index, labels))
    assert summary.baseline == cross_validated_baseline(examples, fold_of)
    card = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    assert "In cross-validation with 3 folds (60 texts" in card
    assert f"; that of the baseline: {summary.baseline:.4f}." in card
    assert Source.read(tmp_path / "mine").metrics["training"]["baseline"] == pytest.approx(summary.baseline, abs=1e-5)


def test_several_labels_per_text(tmp_path: Path) -> None:
    """Lists of labels make a multi-label model, which is measured as one; an empty list is an off-topic text."""
    texts, first = noisy_texts(60)
    labels = [[label, "odd"] if number % 2 else [label] for number, label in enumerate(first)]
    report = sotag_convert.train(
        [*texts[20:], "a zebra"],
        [*labels[20:], []],
        tmp_path / "mine",
        preset="small",
        test_texts=texts[:20],
        test_labels=labels[:20],
    )
    manifest = Bundle.read(tmp_path / "mine").manifest
    assert manifest.labels == ("harbour", "kitchen", "odd")
    assert manifest.decision.kind == "multi-label"
    assert report.evaluation is not None
    assert (report.evaluation.kind, report.evaluation.on, report.evaluation.texts) == ("multi-label", "test texts", 20)
    assert report.evaluation.figure == pytest.approx(report.parity.accuracy)
    assert report.parity.figure_name == "micro-F1"
    assert report.summary.baseline is not None
    assert "micro-F1 (95 % interval)" in (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    figures = sotag_convert.evaluate(tmp_path / "mine", texts[:20], labels[:20])
    assert figures.figure == report.evaluation.figure


def test_off_topic_texts_are_measured_apart(fixture_model: Path) -> None:
    """They change no accuracy; the share of them that is answered `unknown` is a figure of its own."""
    texts = ["knead the bread dough", "reef the sail", "zebra quartz"]
    evaluation = sotag_convert.evaluate(fixture_model, texts, ["baking", "sailing", "unknown"])
    assert (evaluation.texts, evaluation.figure, evaluation.off_topic_unknown) == (2, 1, 1)


def test_above_its_tolerance_nothing_is_published(
    fixture_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that differs from Keras by more than its recipe allows is not written, and nothing else is left."""
    monkeypatch.setitem(RECIPES, Recipe.DYNAMIC, RecipeSettings(Recipe.DYNAMIC, None, tolerance=1e-9))
    with pytest.raises(ModelError, match="nothing was published"):
        sotag_convert.convert(fixture_model, tmp_path / "out" / "again", "dynamic")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("function", "arguments", "error", "words"),
    [
        ("train", (["a"], []), InputError, "1 texts and 0 labels"),
        ("train", (["a", "b"], ["x", ""]), InputError, "the label of text 2 is empty"),
        ("train", (["a", "b"], ["x", "x"]), InputError, "two or more are needed"),
        ("train", (["a", "b"], ["x", "y"], "{model}"), UsageError, "exists already"),
        ("convert", ("nowhere", "out"), ModelError, "no model 'nowhere'"),
        ("convert", ("{model}", "out", "int3"), UsageError, "unknown recipe 'int3'"),
        ("evaluate", ("{model}", ["a"], ["cooking"]), InputError, "has the labels cooking"),
        ("evaluate", ("{model}", [], []), InputError, "(none)"),
    ],
)
def test_errors_are_sentences_without_options(
    fixture_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    arguments: tuple[object, ...],
    error: type[SotagEdgeError],
    words: str,
) -> None:
    """Each function raises an error of the tree that names no option of the command line, and writes nothing."""
    monkeypatch.chdir(tmp_path)
    filled = [part.format(model=fixture_model) if isinstance(part, str) else part for part in arguments]
    with pytest.raises(error) as caught:
        getattr(sotag_convert, function)(*filled)
    assert words in str(caught.value)
    assert "--" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import sotag_convert` loads neither TensorFlow nor NumPy, and its functions are functions."""
    code = (
        "import sys, sotag_convert; assert callable(sotag_convert.train) and callable(sotag_convert.convert)\n"
        "assert not {'numpy', 'tensorflow', 'sklearn', 'typer'} & set(sys.modules), 'heavy'\n"
        "import sotag_convert.training; assert callable(sotag_convert.train)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
