"""The files of a bundle: their names, their sizes, and their contents, bounded and checked by their hashes."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sotag_edge.errors import ModelError
from sotag_edge.features import FEATURES

Facts = Mapping[str, Any]

SCHEMA_VERSION = 3
"""The version that is written."""
_READABLE = (1, 2, SCHEMA_VERSION)
MANIFEST = "model.json"
MODEL = "model.tflite"
VOCABULARY = "vocab.txt"
METRICS = "metrics.json"
FILES = (MODEL, VOCABULARY, FEATURES, MANIFEST)
"""The files that a device needs; only a model with a linear branch has features."""
_LIMITS = {
    MANIFEST: 4 * 1024**2,
    VOCABULARY: 64 * 1024**2,
    FEATURES: 16 * 1024**2,
    MODEL: 512 * 1024**2,
    METRICS: 64 * 1024**2,
}  # bytes


def read_file(path: Path) -> bytes:
    """The content of a file of a bundle, by its name. Raises ``ModelError``, unread, if it is too large or no file."""
    limit = _LIMITS[path.name]
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path} is not a file")
        if status.st_size > limit:
            raise ModelError(f"{path} has {status.st_size:,} bytes; the largest that is read has {limit:,}")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # the latter: a NUL in the path
        raise ModelError(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from error


def read_json(path: Path) -> Facts:
    """The content of a manifest. Raises ``ModelError`` if it is not JSON, or of a version that is not known."""
    content_bytes = read_file(path)
    try:
        content = json.loads(content_bytes)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not valid JSON: {error}") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version not in _READABLE:
        raise ModelError(
            f"{path} has schema version {version!r}, but this sotag-edge reads versions {_READABLE[0]} to {_READABLE[-1]}: "
            "train or convert the model again, or install the sotag-edge that wrote it"
        )
    checked: Facts = content
    return checked


def checked_file(path: Path, expected: str) -> bytes:
    """The content of a file with this SHA-256. Raises ``ModelError`` if it has another."""
    content = read_file(path)
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(
            f"{path} is not the file that {MANIFEST} describes (its SHA-256 differs): copy the model again"
        )
    return content


def bundle_digest(folder: Path) -> str:
    """The ``digest`` of the bundle in a folder, of which nothing else is read. Raises ``ModelError``."""
    return hashlib.sha256(read_file(folder / MANIFEST)).hexdigest()


def device_bytes(folder: Path) -> int:
    """The size in bytes of the files in a bundle that a device needs."""
    return sum((folder / name).stat().st_size for name in FILES if (folder / name).exists())
