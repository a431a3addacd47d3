"""Writes a bundle: exported, run on the device runtime, measured. It appears whole or not at all."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sotag_convert.data.dataset import LabelledTexts
from sotag_convert.export import device_run
from sotag_convert.export.converter import export
from sotag_convert.export.parity import Parity, check_parity, drawn_text, sample_texts
from sotag_convert.network.network import Network
from sotag_convert.recipes import Recipe
from sotag_convert.report.card import card
from sotag_convert.report.evaluate import evaluate_bundle
from sotag_convert.staging import staged
from sotag_edge.bundle import MODEL, VOCABULARY, Golden, InputSettings, Manifest
from sotag_edge.decision import SingleLabel
from sotag_edge.vocabulary import Vocabulary

KERAS_MODEL = "model.keras"
METRICS = "metrics.json"
CARD = "README.md"
_GOLDEN_TOKENS = 40


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that a bundle is made from. ``metrics``: those of the training run; the others are as in ``Manifest``."""

    labels: Sequence[str]
    input: InputSettings
    decision: SingleLabel
    vocabulary: Vocabulary
    network: Network
    preset: str | None
    seed: int | None
    training_data: Mapping[str, Any]
    metrics: Mapping[str, Any]


def publish(source: Source, recipe: Recipe, output: Path, labelled: LabelledTexts | None, *, force: bool) -> Parity:
    """Export ``source`` with a recipe, check the result on the device runtime, and only then move it to ``output``.

    It is measured on the ``labelled`` texts, or only compared with Keras on texts drawn from the vocabulary if there are
    none. Raises ``ModelError``; then nothing is published.
    """
    with staged(output, force) as folder:
        manifest = _write_model(source, recipe, folder)
        metrics = dict(source.metrics)
        if labelled:
            examples = labelled.examples
            parity = check_parity(folder, source.network, examples.texts, examples.targets, recipe)
            metrics["verification"] = {"on": labelled.name, **parity.to_json()}
            evaluations = evaluate_bundle(folder, source.labels, labelled)
            metrics["evaluation"] = {view: evaluation.to_json() for view, evaluation in evaluations.items()}
        else:
            samples = sample_texts(source.vocabulary, source.input.max_tokens)
            parity = check_parity(folder, source.network, samples, None, recipe)
            metrics["verification"] = {"on": "samples", **parity.to_json()}
        text = json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"
        (folder / METRICS).write_text(text, encoding="utf-8")
        (folder / CARD).write_text(card(output.resolve().name, manifest, metrics), encoding="utf-8")
    return parity


def _write_model(source: Source, recipe: Recipe, folder: Path) -> Manifest:
    """Write the weights, the vocabulary, the graph and the manifest."""
    source.network.save(folder / KERAS_MODEL)
    (folder / VOCABULARY).write_bytes(source.vocabulary.to_bytes())
    network = source.network.describe()
    graph = export(folder / KERAS_MODEL, network, recipe, folder / MODEL)
    manifest = Manifest(
        labels=tuple(source.labels),
        input=source.input,
        decision=source.decision,
        recipe=recipe.value,
        preset=source.preset,
        seed=source.seed,
        training_data=source.training_data,
        network=network,
        graph=graph,
        made_with={name: version(name) for name in ("sotag-edge", "tensorflow", "tf_keras")},
    )
    manifest.write(folder)  # the golden text is classified with it
    manifest = replace(manifest, golden=_golden(folder, source))
    manifest.write(folder)
    return manifest


def _golden(folder: Path, source: Source) -> Golden:
    """A text of the model's own vocabulary with its scores on this machine."""
    text = drawn_text(source.vocabulary, _GOLDEN_TOKENS, random.Random(1))
    scores = device_run.run(folder, [text]).scores[0]
    return Golden(text, dict(zip(source.labels, scores.round(6).tolist(), strict=True)))
