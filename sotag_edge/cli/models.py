"""``sotag-edge models``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sotag_edge.bundle import Bundle, device_bytes
from sotag_edge.cli import options
from sotag_edge.errors import ModelError
from sotag_edge.models import available
from sotag_edge.terminal import print_rows


def models(to: options.FactsFormat = "table") -> None:
    """List the models that --model finds by name, with their folders.

    Example: sotag-edge models
    """
    entries = [_described(path) for path in available()]
    if to == "json":
        print(json.dumps(entries, indent=2))
        return
    rows = [
        (
            entry["name"],
            ", ".join(entry["labels"]) if "labels" in entry else entry["error"],
            entry.get("bytes", ""),
            entry["path"],
        )
        for entry in entries
    ]
    print_rows(("model", "tags", "bytes", "folder"), rows)


def _described(path: Path) -> dict[str, Any]:
    """An entry of the list. A damaged model is listed with its fault."""
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
