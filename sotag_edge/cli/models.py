"""``sotag-edge models``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from sotag_edge.bundle import Bundle, device_bytes
from sotag_edge.cli import options
from sotag_edge.cli.process import warn
from sotag_edge.cli.words import first_of, size_in_words
from sotag_edge.errors import ModelError
from sotag_edge.models import CHECKPOINT, available, is_checkpoint, own, remove
from sotag_edge.terminal import print_rows

Remove = Annotated[
    Optional[str],
    typer.Option(
        "--remove",
        metavar="NAME",
        autocompletion=lambda: [path.name for path in own()],
        help="Remove a model of your own, without asking.",
    ),
]


def models(to: options.FactsFormat = "table", removed: Remove = None) -> None:
    """List the models that --model finds by name, with their folders; or remove one of your own.

    Your own models are in $SOTAG_EDGE_MODELS, or in the system's folder for data.

    Example: sotag-edge models

    Example: sotag-edge models --remove mine
    """
    if removed is not None:
        warn(f"removed the model {removed!r} from {remove(removed).parent}")
        return
    entries = [_described(path) for path in available()]
    if to == "json":
        print(json.dumps(entries, indent=2))
        return
    rows = [
        (
            entry["name"],
            first_of(entry["labels"]) if "labels" in entry else entry["error"],
            size_in_words(entry["bytes"]) if "bytes" in entry else "",
            entry["path"],
        )
        for entry in entries
    ]
    print_rows(("model", "tags", "size", "folder"), rows)


def _described(path: Path) -> dict[str, Any]:
    """An entry of the list. A damaged model is listed with its fault, a checkpoint with the command that exports it."""
    if is_checkpoint(path):
        command = ["sotag-edge", "convert", path.name, "--output", path.name.removesuffix(CHECKPOINT)]
        return {"name": path.name, "path": str(path), "error": f"a checkpoint, to export: {shlex.join(command)}"}
    try:
        bundle = Bundle.read(path)
    except ModelError as error:
        return {"name": path.name, "path": str(path), "error": str(error)}
    return {
        "name": path.name,
        "path": str(path),
        "labels": list(bundle.manifest.labels),
        "bytes": device_bytes(path),
    }
