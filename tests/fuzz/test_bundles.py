"""Any bundle: damaged manifests, vocabularies and models, each with its right hash.

``make fuzz`` runs it. No bundle may raise anything but a ``ModelError``, or end the process.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge import Classifier, ModelError
from sotag_edge.bundle import FILES, Bundle
from sotag_edge.trial import CACHE_VARIABLE
from tests.conftest import FIXTURE, LINEAR_BRANCH, MULTI_LABEL, OFF_TOPIC

_MODELS = (FIXTURE, MULTI_LABEL, OFF_TOPIC, LINEAR_BRANCH)
_FIELDS = sorted({field for model in _MODELS for field in json.loads((model / "model.json").read_bytes())})
_INNER = ["mode", "max_tokens", "sha256", "kind", "off_topic", "temperature", "threshold", "thresholds"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=4,
)
_EDITS = st.lists(st.tuples(st.integers(0, 1 << 15), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6)
_FILES = [(model, path.name) for model in _MODELS for path in sorted(model.iterdir()) if path.name in FILES]
_TEXTS = ["", "knead the bread dough", "breads and doughy ovens", "sow the seeds in the soil " * 30]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A copy of the fixture model, and a cache of its own."""
    with tempfile.TemporaryDirectory() as place:
        before = os.environ.get(CACHE_VARIABLE)
        os.environ[CACHE_VARIABLE] = f"{place}/cache"
        yield Path(shutil.copytree(FIXTURE, Path(place, "model")))
        os.environ.pop(CACHE_VARIABLE)
        if before is not None:
            os.environ[CACHE_VARIABLE] = before


def edited(content: bytes, edits: list[tuple[int, bytes]]) -> bytes:
    """The content with some bytes overwritten."""
    for place, piece in edits:
        start = place % len(content)
        content = content[:start] + piece + content[start + len(piece) :]
    return content


def check(folder: Path, manifest: Any) -> None:
    """Load the bundle and tag some texts: answers, or a ``ModelError`` of one sentence."""
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    fault = ""
    try:
        classifier = Classifier.load(folder)
        for text in _TEXTS:
            answer = classifier.classify(text)
            assert set(answer.scores) == set(classifier.labels) >= set(answer.labels)
            assert (answer.labels == ()) == (answer.reason is not None)
    except ModelError as error:
        fault = str(error)
    assert not fault or str(folder) in fault


def restored(folder: Path, model: Path) -> dict[str, Any]:
    """The manifest of a fixture, with its files in the folder."""
    for name in FILES:
        if (model / name).exists():
            shutil.copy(model / name, folder)
    manifest: dict[str, Any] = json.loads((model / "model.json").read_bytes())
    return manifest


@given(st.sampled_from(_MODELS), st.sampled_from(_FIELDS), st.text(max_size=12) | st.sampled_from(_INNER), _JSON)
def test_any_manifest(folder: Path, model: Path, field: str, inner: str, value: Any) -> None:
    """A field of it, or one within a field, is something else."""
    manifest = restored(folder, model)
    if isinstance(manifest.get(field), dict):
        manifest[field][inner] = value
    else:
        manifest[field] = value
    check(folder, manifest)


@given(st.sampled_from(_FILES), _EDITS)
def test_any_file(folder: Path, file: tuple[Path, str], edits: list[tuple[int, bytes]]) -> None:
    """Some bytes of a file are others, and its hash is right."""
    model, name = file
    manifest = restored(folder, model)
    content = edited((model / name).read_bytes(), edits)
    (folder / name).write_bytes(content)
    if name == "model.json":
        with suppress(ModelError):
            Bundle.read(folder)
        return
    manifest["files"][name]["sha256"] = hashlib.sha256(content).hexdigest()
    check(folder, manifest)


@given(st.binary(max_size=400))
def test_any_features(folder: Path, content: bytes) -> None:
    """Hashes in any order, none, too many for the model's table, or bytes that are none: answers, or a ``ModelError``."""
    manifest = restored(folder, LINEAR_BRANCH)
    (folder / "features.bin").write_bytes(content)
    manifest["files"]["features.bin"]["sha256"] = hashlib.sha256(content).hexdigest()
    check(folder, manifest)
