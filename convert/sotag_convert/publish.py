"""Writes a bundle, exported and verified: whole or not at all, and never over another one unless told to."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sotag_convert.data.dataset import Labelled
from sotag_convert.export import device_run as device
from sotag_convert.export.converter import export
from sotag_convert.export.parity import Parity, check_parity, drawn_text, sample_texts
from sotag_convert.network.network import Network
from sotag_convert.recipes import Recipe
from sotag_convert.report.card import card
from sotag_convert.report.evaluate import evaluate_bundle
from sotag_convert.staging import staged
from sotag_edge import bundle
from sotag_edge.bundle import InputSettings, ScoreSettings
from sotag_edge.vocabulary import Vocabulary

KERAS_MODEL = "model.keras"
METRICS = "metrics.json"
CARD = "README.md"
_GOLDEN_TOKENS = 40


@dataclass(frozen=True, slots=True)
class Source:
    """What a bundle is made of. ``about``: preset, seed and training data, for the manifest; ``metrics``: of the run."""

    labels: Sequence[str]
    input: InputSettings
    scores: ScoreSettings
    vocabulary: Vocabulary
    network: Network
    about: Mapping[str, Any]
    metrics: Mapping[str, Any]


def publish(source: Source, recipe: Recipe, output: Path, labelled: Labelled | None, *, force: bool) -> Parity:
    """Export ``source`` by a recipe, verify what was written on the device runtime, and only then put it in place.

    Verified on ``labelled`` texts, or on samples where there are none. Raises ``ModelError``; then nothing is published.
    """
    with staged(output, force) as folder:
        source.network.save(folder / KERAS_MODEL)
        (folder / bundle.VOCABULARY).write_bytes(source.vocabulary.to_bytes())
        network = source.network.describe()
        graph = export(folder / KERAS_MODEL, network, recipe, folder / bundle.MODEL)
        manifest = {
            "labels": list(source.labels),
            "tokenizer": {"mode": source.input.tokenizer.value},
            "sequence": {"max_tokens": source.input.max_tokens, "pad_to": source.input.pad_to},
            "scores": asdict(source.scores),
            "recipe": recipe.value,
            **source.about,
            "network": network,
            "graph": graph,
            "made_with": {name: version(name) for name in ("sotag-edge", "tensorflow", "tf_keras")},
        }
        write_manifest(folder, manifest)
        manifest["golden"] = _golden(folder, source)
        write_manifest(folder, manifest)
        metrics = dict(source.metrics)
        if labelled:
            result = check_parity(folder, source.network, labelled.examples.texts, labelled.examples.targets, recipe)
            metrics["verification"] = {"on": labelled.name, **result.to_json()}
            evaluations = evaluate_bundle(folder, source.labels, labelled)
            metrics["evaluation"] = {view: evaluation.to_json() for view, evaluation in evaluations.items()}
        else:
            samples = sample_texts(source.vocabulary, source.input.max_tokens)
            result = check_parity(folder, source.network, samples, None, recipe)
            metrics["verification"] = {"on": "samples", **result.to_json()}
        write_json(folder / METRICS, metrics)
        (folder / CARD).write_text(card(output.resolve().name, manifest, metrics), encoding="utf-8")
    return result


def _golden(folder: Path, source: Source) -> dict[str, Any]:
    """A text of the model's own vocabulary and its scores here, by which a device can tell that it computes the same."""
    text = drawn_text(source.vocabulary, _GOLDEN_TOKENS, random.Random(1))
    scores = device.run(folder, [text]).scores[0]
    return {"text": text, "scores": dict(zip(source.labels, scores.round(6).tolist(), strict=True))}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON for people and machines: indented, UTF-8, keys in the order given."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``model.json``: the manifest given, the schema version before it and the hashes of the files behind it."""
    files = {}
    for name in (bundle.MODEL, bundle.VOCABULARY):
        content = (folder / name).read_bytes()
        files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    write_json(folder / bundle.MANIFEST, {"schema_version": bundle.SCHEMA_VERSION, **manifest, "files": files})
