"""``sotag-edge models`` and ``sotag-edge info``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

from sotag_edge import bundle as bundles
from sotag_edge.errors import ModelError


def models(
    to: Annotated[Literal["table", "json"], typer.Option("--to", help="The output's form.")] = "table",
) -> None:
    """List the models that can be named with --model, and where they are.

    Example: sotag-edge models
    """
    found = [_described(path) for path in bundles.available()]
    if to == "json":
        print(json.dumps(found, indent=2))
        return
    from sotag_edge.terminal import print_models

    print_models(found)


def _described(path: Path) -> dict[str, Any]:
    """A model in a list: one that is damaged is listed too, with what is wrong."""
    try:
        bundle = bundles.read(path)
    except ModelError as error:
        return {"name": path.name, "path": str(path), "error": str(error)}
    return {"name": path.name, "path": str(path), "labels": list(bundle.labels), "bytes": bundles.size(path)}


def info(
    model: Annotated[
        Optional[str], typer.Argument(envvar="SOTAG_EDGE_MODEL", help="A model's folder or name. [default: 'default']")
    ] = None,
    to: Annotated[Literal["table", "json"], typer.Option("--to", help="The output's form.")] = "table",
) -> None:
    """Show what a model knows, what it needs, and what it was measured to do.

    Example: sotag-edge info default
    """
    bundle = bundles.read(bundles.find(model))
    manifest = bundle.manifest
    graph, data = (_object(manifest.get(name)) for name in ("graph", "training_data"))
    found = {
        "path": str(bundle.path),
        "labels": list(bundle.labels),
        "tokenizer": bundle.input.tokenizer.value,
        "max_tokens": bundle.input.max_tokens,
        "vocabulary": len(bundle.vocabulary),
        "temperature": bundle.scores.temperature,
        "threshold": bundle.scores.threshold,
        "recipe": manifest.get("recipe"),
        "bytes": bundles.size(bundle.path),
        "operators": _object(graph.get("operators")),
        "minimum_runtime": graph.get("minimum_runtime"),
        "accuracy": _accuracies(bundle.path),
        "trained_on": data.get("name"),
        "licence": data.get("licence"),
        "made_with": manifest.get("made_with"),
    }
    if to == "json":
        print(json.dumps(found, indent=2))
        return
    from sotag_edge.terminal import print_info

    print_info(found)


def _object(value: Any) -> dict[str, Any]:
    """What should be an object in a file that has no hash, or is not read to classify; empty where it is something else."""
    return value if isinstance(value, dict) else {}


def _accuracies(folder: Path) -> dict[str, Any]:
    """What was measured, by the view of the texts."""
    try:
        metrics = _object(json.loads((folder / "metrics.json").read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}
    return {view: _object(figures).get("accuracy") for view, figures in _object(metrics.get("evaluation")).items()}
