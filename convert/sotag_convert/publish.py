"""Writes a bundle into a folder: exported, run on the device runtime, measured. staging.py puts the folder in its place."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sotag_convert.data.dataset import LabelledTexts
from sotag_convert.export import device_run
from sotag_convert.export.converter import export
from sotag_convert.export.parity import Parity, check_parity, drawn_text, sample_texts
from sotag_convert.interrupts import deferred_interrupts
from sotag_convert.learn.sizing import next_rows
from sotag_convert.recipes import Recipe
from sotag_convert.report.card import card
from sotag_convert.report.evaluate import Measured, measure_bundle
from sotag_convert.report.evaluation import Evaluation
from sotag_convert.run_state import write_whole
from sotag_convert.source import KERAS_MODEL, Source, metrics_text, write_metrics
from sotag_edge.bundle import METRICS, MODEL, Golden, Manifest, device_bytes, read_file
from sotag_edge.errors import ModelError

CARD = "README.md"
_GOLDEN_TOKENS = 40
_MOST_CONFUSED = 100  # labels; the table of confusions of more would be the largest part of a bundle
_MOST_EXPORTS = 4  # to get to a size; the first one nearly always has it


class Published(NamedTuple):
    """How a bundle compares with Keras; what it answered on labelled texts, by view, if there were any."""

    parity: Parity
    measured: Mapping[str, Measured]

    @property
    def evaluation(self) -> Evaluation | None:
        """The figures of the first view."""
        return next((measured.evaluation for measured in self.measured.values()), None)


class SizeLimit(NamedTuple):
    """The largest size of a bundle, and how it is met: ``source`` makes one with another number of rows than ``rows``, at
    most ``most_rows``."""

    most_bytes: int
    rows: int
    most_rows: int
    source: Callable[[int], Source]


def publish(
    source: Source,
    recipe: Recipe,
    folder: Path,
    name: str,
    labelled: LabelledTexts | None,
    limit: SizeLimit | None = None,
) -> Published:
    """Export ``source`` with a recipe into ``folder``, which exists, and check the result on the device runtime.

    ``name``: the title of the card. The model is measured on the ``labelled`` texts, or only compared with Keras on texts
    drawn from the vocabulary if there are none. With a ``limit`` it has as many rows as fit. Raises ``ModelError``.
    """
    source, manifest = _export_within(limit, source, recipe, folder)
    metrics = dict(source.metrics)
    measured: Mapping[str, Measured] = {}
    if labelled:
        examples = labelled.examples
        parity = check_parity(folder, source.network, examples.texts, examples, recipe)
        metrics["verification"] = {"on": labelled.name, **parity.to_json()}
        measured = measure_bundle(folder, labelled)
        metrics["evaluation"] = {view: published_figures(entry.evaluation) for view, entry in measured.items()}
    else:
        samples = sample_texts(source.vocabulary, source.input.max_tokens)
        parity = check_parity(folder, source.network, samples, None, recipe)
        metrics["verification"] = {"on": "samples", **parity.to_json()}
    write_metrics(folder, metrics)
    (folder / CARD).write_text(card(name, manifest, metrics), encoding="utf-8")
    return Published(parity, measured)


def published_figures(evaluation: Evaluation) -> dict[str, Any]:
    """The figures for ``metrics.json``: without the confusions of many labels."""
    figures = evaluation.to_json()
    if len(evaluation.labels) > _MOST_CONFUSED:
        figures.pop("confusion", None)
    return figures


def add_baseline(folder: Path, baseline: float) -> None:
    """Write the figure of the baseline into the metrics and the card of a model that was published, each file whole.

    It stands beside the figure of the same texts: the first view of the labelled texts, else the validation texts. Raises
    ``OSError`` or ``ModelError`` if the folder is not what it was.
    """
    metrics = json.loads(read_file(folder / METRICS))
    views = metrics.get("evaluation")
    beside = next(iter(views.values())) if views else metrics["training"]
    beside["baseline"] = round(baseline, 5)
    text = card(folder.resolve().name, Manifest.read(folder), metrics)
    with deferred_interrupts():
        write_whole(folder / METRICS, metrics_text(metrics).encode())
        write_whole(folder / CARD, text.encode())


def _export_within(limit: SizeLimit | None, source: Source, recipe: Recipe, folder: Path) -> tuple[Source, Manifest]:
    """Export, and again with more or fewer rows while the bundle is above the limit, or has room for more rows."""
    manifest = _export(source, recipe, folder)
    if limit is None:
        return source, manifest
    rows = limit.rows
    for _ in range(_MOST_EXPORTS - 1):
        better = next_rows(device_bytes(folder), limit.most_bytes, rows, limit.most_rows, manifest.outputs)
        if better is None or better == rows:
            break
        rows = better
        source = limit.source(rows)
        manifest = _export(source, recipe, folder)
    if device_bytes(folder) > limit.most_bytes:
        raise ModelError(
            f"the exported model has {device_bytes(folder):,} bytes, and {limit.most_bytes:,} are allowed: nothing was "
            "published; allow a larger size"
        )
    return source, manifest


def _export(source: Source, recipe: Recipe, folder: Path) -> Manifest:
    """Write the graph, and the manifest with the golden text."""
    source.write(folder, recipe)
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
