"""``sotag-edge info``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sotag_edge.bundle import METRICS, Bundle, Manifest, device_bytes, read_file
from sotag_edge.cli import options
from sotag_edge.cli.words import first_of, percent, size_in_words
from sotag_edge.decision import MultiLabel
from sotag_edge.errors import ModelError
from sotag_edge.models import find
from sotag_edge.terminal import print_rows

_MOST_THRESHOLDS = 10


def info(model: options.ModelArgument = None, to: options.FactsFormat = "table") -> None:
    """Show the tags of a model, its needs, and its measured accuracy.

    Example: sotag-edge info default
    """
    bundle = Bundle.read(find(model))
    views = _views(bundle.path)
    facts = _facts(bundle, views)
    if to == "json":
        print(json.dumps(facts, indent=2))
    else:
        print_facts(_in_table(facts, bundle.manifest, views))


def _facts(bundle: Bundle, views: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Everything, as programs read it."""
    manifest = bundle.manifest
    return {
        "path": str(bundle.path),
        "labels": list(manifest.labels),
        "tokenizer": manifest.input.tokenizer.value,
        "max_tokens": manifest.input.max_tokens,
        "early_exit": manifest.early_exit and asdict(manifest.early_exit),
        "vocabulary": len(bundle.vocabulary),
        "kind": manifest.decision.kind,
        "off_topic": manifest.off_topic,
        "temperature": manifest.decision.temperature,
        **_thresholds(manifest),
        "recipe": manifest.recipe,
        "bytes": device_bytes(bundle.path),
        "operators": _object(manifest.graph.get("operators")),
        "minimum_runtime": manifest.graph.get("minimum_runtime"),
        "accuracy": {view: figures.get("accuracy", figures.get("micro_f1")) for view, figures in views.items()},
        "trained_on": manifest.training_data.get("name"),
        "licence": manifest.training_data.get("licence"),
        "made_with": dict(manifest.made_with),
    }


def _in_table(facts: dict[str, Any], manifest: Manifest, views: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The same for people: few words, no long lists, a row per view of the measured texts."""
    rows: dict[str, Any] = {}
    for name, value in facts.items():
        if name == "labels":
            rows["tags"] = first_of(value)
        elif name == "off_topic":
            rows["off-topic output"] = value
        elif name == "early_exit":
            rows[name] = _early_exit(manifest)
        elif name == "thresholds" and len(value) > _MOST_THRESHOLDS:
            rows[name] = f"one per tag, from {min(value.values())} to {max(value.values())}"
        elif name == "bytes":
            rows["size"] = size_in_words(value)
        elif name == "accuracy":
            rows |= {f"measured on {view}": _measured(figures) for view, figures in views.items()} or {name: None}
        else:
            rows[name] = value
    return rows


def _early_exit(manifest: Manifest) -> str:
    early = manifest.early_exit
    if early is None:
        return "none"
    return (
        f"a text of over {2 * early.tokens} tokens is answered after {early.tokens}, from a score of {early.score} on"
    )


def _measured(figures: Mapping[str, Any]) -> str | None:
    """The figures of a view: what there is, and is a number. The file has no hash."""
    shares = {name: value for name, value in figures.items() if _is_share(value)}
    parts = []
    for field, name in (("accuracy", "accuracy"), ("micro_f1", "micro-F1")):
        if field in shares:
            parts.append(f"{name} {percent(shares[field])}{_interval(figures.get('interval'))}")
    for field, words in (
        ("baseline", "baseline {}"),
        ("answered", "{} answered"),
        ("off_topic_unknown", "{} of off-topic texts unknown"),
    ):
        if field in shares:
            parts.append(words.format(percent(shares[field])))
    if "off_topic_auroc" in shares:
        parts.append(f"AUROC {shares['off_topic_auroc']:.3f}")
    if isinstance(figures.get("texts"), int):
        parts.append(f"{figures['texts']:,} texts")
    return "; ".join(parts) or None


def _interval(value: Any) -> str:
    match value:
        case [low, high] if _is_share(low) and _is_share(high):
            return f" ({percent(low)} - {percent(high)})"
    return ""


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= 1


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


def _views(folder: Path) -> dict[str, dict[str, Any]]:
    """The figures on each view of the test texts."""
    try:
        metrics = _object(json.loads(read_file(folder / METRICS)))
    except (ModelError, ValueError, RecursionError):
        return {}
    return {view: _object(figures) for view, figures in _object(metrics.get("evaluation")).items()}
