"""Writes a bundle: whole or not at all, and never over another one unless told to. Decides nothing about its content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sotag_edge import bundle
from sotag_edge.errors import UsageError

KERAS_MODEL = "model.keras"
METRICS = "metrics.json"
CARD = "README.md"


def refuse_existing(output: Path, force: bool) -> None:
    """Raise ``UsageError`` if something is there already, or if its parent folder cannot be written to."""
    if os.path.lexists(output) and not force:
        raise UsageError(f"{output} exists already: choose another --output, or replace it with --force")
    if output.exists() and not (output / bundle.MANIFEST).is_file() and any_content(output):
        raise UsageError(f"{output} is not a model, and --force replaces models only: choose another --output")
    try:
        output.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error
    if not os.access(output.absolute().parent, os.W_OK):
        raise UsageError(f"{output} cannot be written: there is no permission to write in its parent folder")


def any_content(path: Path) -> bool:
    """Whether a path is a file, or a directory with something in it."""
    return not path.is_dir() or any(path.iterdir())


@contextmanager
def staged(output: Path, force: bool) -> Iterator[Path]:
    """A scratch folder that takes the place of ``output`` when the block ends well, and vanishes when it does not."""
    refuse_existing(output, force)
    parent = output.absolute().parent
    scratch = Path(tempfile.mkdtemp(dir=parent, prefix=f".{output.name}-"))
    try:
        folder = scratch / "bundle"
        folder.mkdir()
        yield folder
        refuse_existing(output, force)  # it may have appeared while the network was trained
        if os.path.lexists(output):
            output.rename(scratch / "replaced")
        folder.rename(output)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


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


def bytes_on_device(folder: Path) -> int:
    """The size of what a device needs: model, vocabulary and manifest."""
    return sum((folder / name).stat().st_size for name in (bundle.MODEL, bundle.VOCABULARY, bundle.MANIFEST))
