"""Writes a bundle into a folder: exported, run on the device runtime, measured. staging.py puts the folder in its place."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sotag_convert.data.dataset import LabelledTexts
from sotag_convert.export import device_run
from sotag_convert.export.converter import export
from sotag_convert.export.parity import Parity, check_parity, drawn_text, sample_texts
from sotag_convert.recipes import Recipe
from sotag_convert.report.card import card
from sotag_convert.report.evaluate import evaluate_bundle
from sotag_convert.report.evaluation import Evaluation
from sotag_convert.source import KERAS_MODEL, Source, write_metrics
from sotag_edge.bundle import MODEL, Golden, Manifest

CARD = "README.md"
_GOLDEN_TOKENS = 40
_MOST_CONFUSED = 100  # labels; the table of confusions of more would be the largest part of a bundle


class Published(NamedTuple):
    """How a bundle compares with Keras; its ``evaluation`` on labelled texts, of their first view, if there were any."""

    parity: Parity
    evaluation: Evaluation | None


def publish(source: Source, recipe: Recipe, folder: Path, name: str, labelled: LabelledTexts | None) -> Published:
    """Export ``source`` with a recipe into ``folder``, which exists, and check the result on the device runtime.

    ``name``: the title of the card. The model is measured on the ``labelled`` texts, or only compared with Keras on texts
    drawn from the vocabulary if there are none. Raises ``ModelError``.
    """
    source.write(folder, recipe)
    manifest = _export(source, recipe, folder)
    metrics = dict(source.metrics)
    evaluation = None
    if labelled:
        examples = labelled.examples
        parity = check_parity(folder, source.network, examples.texts, examples, recipe)
        metrics["verification"] = {"on": labelled.name, **parity.to_json()}
        evaluations = evaluate_bundle(folder, labelled)
        evaluation = next(iter(evaluations.values()))
        metrics["evaluation"] = {view: _figures(figures) for view, figures in evaluations.items()}
    else:
        samples = sample_texts(source.vocabulary, source.input.max_tokens)
        parity = check_parity(folder, source.network, samples, None, recipe)
        metrics["verification"] = {"on": "samples", **parity.to_json()}
    write_metrics(folder, metrics)
    (folder / CARD).write_text(card(name, manifest, metrics), encoding="utf-8")
    return Published(parity, evaluation)


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    """The figures for ``metrics.json``."""
    figures = evaluation.to_json()
    if len(evaluation.labels) > _MOST_CONFUSED:
        figures.pop("confusion", None)
    return figures


def _export(source: Source, recipe: Recipe, folder: Path) -> Manifest:
    """Write the graph, and the manifest with the golden text."""
    graph = export(folder / KERAS_MODEL, source.network.describe(), recipe, folder / MODEL)
    manifest = replace(source.manifest(recipe), graph=graph)
    manifest.write(folder)  # the golden text is classified with it
    manifest = replace(manifest, golden=_golden(folder, source))
    manifest.write(folder)
    return manifest


def _golden(folder: Path, source: Source) -> Golden:
    """A text of the model's own vocabulary with its scores on this machine."""
    text = drawn_text(source.vocabulary, _GOLDEN_TOKENS, random.Random(1))
    scores = device_run.run(folder, [text]).scores[0].astype(float)
    return Golden(text, dict(zip(source.labels, scores.round(6).tolist(), strict=True)))
