"""``sotag-edge info``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sotag_edge.bundle import METRICS, Bundle, Manifest, device_bytes, read_file
from sotag_edge.cli import options
from sotag_edge.decision import MultiLabel
from sotag_edge.errors import ModelError
from sotag_edge.models import find
from sotag_edge.terminal import print_rows


def info(model: options.ModelArgument = None, to: options.FactsFormat = "table") -> None:
    """Show the tags of a model, its needs, and its measured accuracy.

    Example: sotag-edge info default
    """
    bundle = Bundle.read(find(model))
    manifest = bundle.manifest
    early_exit = manifest.early_exit
    facts = {
        "path": str(bundle.path),
        "labels": list(manifest.labels),
        "tokenizer": manifest.input.tokenizer.value,
        "max_tokens": manifest.input.max_tokens,
        "early_exit": early_exit and asdict(early_exit),
        "vocabulary": len(bundle.vocabulary),
        "kind": manifest.decision.kind,
        "off_topic": manifest.off_topic,
        "temperature": manifest.decision.temperature,
        **_thresholds(manifest),
        "recipe": manifest.recipe,
        "bytes": device_bytes(bundle.path),
        "operators": _object(manifest.graph.get("operators")),
        "minimum_runtime": manifest.graph.get("minimum_runtime"),
        "accuracy": _accuracies(bundle.path),
        "trained_on": manifest.training_data.get("name"),
        "licence": manifest.training_data.get("licence"),
        "made_with": dict(manifest.made_with),
    }
    if to == "json":
        print(json.dumps(facts, indent=2))
    else:
        print_facts(facts | {"early_exit": str(early_exit or "none")})


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print a table with one row per fact."""
    print_rows(("", ""), [(name.replace("_", " "), _in_words(value)) for name, value in facts.items()])


def _thresholds(manifest: Manifest) -> dict[str, Any]:
    decision = manifest.decision
    if isinstance(decision, MultiLabel):
        return {"thresholds": dict(zip(manifest.labels, decision.thresholds, strict=True))}
    return {"threshold": decision.threshold}


def _in_words(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {entry}" for key, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "not stated" if value is None else value


def _object(value: Any) -> dict[str, Any]:
    """A JSON object from a file without a hash; empty if it is something else."""
    return value if isinstance(value, dict) else {}


def _accuracies(folder: Path) -> dict[str, Any]:
    """The measured accuracy on each view of the test texts; of a multi-label model the micro-F1."""
    try:
        metrics = _object(json.loads(read_file(folder / METRICS)))
    except (ModelError, ValueError, RecursionError):
        return {}
    views = {view: _object(figures) for view, figures in _object(metrics.get("evaluation")).items()}
    return {view: figures.get("accuracy", figures.get("micro_f1")) for view, figures in views.items()}
