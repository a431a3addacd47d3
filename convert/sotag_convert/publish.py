"""Writes a bundle, exported and verified: whole or not at all, and never over another one unless told to."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sotag_convert.card import card
from sotag_convert.export import export
from sotag_convert.network import Network
from sotag_convert.recipes import Recipe
from sotag_convert.verify import Verification, sample_texts, verify
from sotag_edge import bundle
from sotag_edge.bundle import InputSettings
from sotag_edge.errors import UsageError
from sotag_edge.vocabulary import Vocabulary

KERAS_MODEL = "model.keras"
METRICS = "metrics.json"
CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Source:
    """What a bundle is made of. ``about``: preset, seed and training data, for the manifest; ``metrics``: of the run."""

    labels: Sequence[str]
    input: InputSettings
    vocabulary: Vocabulary
    network: Network
    about: Mapping[str, Any]
    metrics: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts to verify with, and the numbers of their labels."""

    name: str
    texts: Sequence[str]
    targets: Sequence[int]


def publish(source: Source, recipe: Recipe, output: Path, labelled: Labelled | None, *, force: bool) -> Verification:
    """Export ``source`` by a recipe, verify what was written on the device runtime, and only then put it in place.

    Verified on ``labelled`` texts, or on samples where there are none. Raises ``ModelError``; then nothing is published.
    """
    with staged(output, force) as folder:
        source.network.save(folder / KERAS_MODEL)
        (folder / bundle.VOCABULARY).write_bytes(source.vocabulary.to_bytes())
        network = source.network.describe()
        export(folder / KERAS_MODEL, network, recipe, folder / bundle.MODEL)
        manifest = {
            "labels": list(source.labels),
            "tokenizer": {"mode": source.input.tokenizer.value},
            "sequence": {"max_tokens": source.input.max_tokens, "pad_to": source.input.pad_to},
            "recipe": recipe.value,
            **source.about,
            "network": network,
            "made_with": {name: version(name) for name in ("sotag-edge", "tensorflow", "tf_keras")},
        }
        write_manifest(folder, manifest)
        texts = labelled.texts if labelled else sample_texts(source.vocabulary, source.input.max_tokens)
        result = verify(folder, source.network, texts, labelled.targets if labelled else None, recipe)
        metrics = {
            **source.metrics,
            "verification": {"on": labelled.name if labelled else "samples", **result.to_json()},
        }
        write_json(folder / METRICS, metrics)
        (folder / CARD).write_text(card(output.resolve().name, manifest, metrics), encoding="utf-8")
    return result


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
