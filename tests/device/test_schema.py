"""The versions of ``model.json``: old ones mean what they did, the newest is written, later ones are refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sotag_edge import Classifier, ModelError
from sotag_edge.bundle import Bundle, Manifest
from sotag_edge.decision import MultiLabel, SingleLabel
from tests.conftest import FIXTURE, MULTI_LABEL, OFF_TOPIC, STEPS

LABELS = ("baking", "gardening", "sailing")
Change = Callable[[dict[str, Any]], object]


def changed(folder: Path, *changes: Change) -> Path:
    """A bundle with changes to its manifest."""
    content = json.loads((folder / "model.json").read_text())
    for change in changes:
        change(content)
    (folder / "model.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(params=[FIXTURE, MULTI_LABEL, OFF_TOPIC, STEPS], ids=lambda path: path.name)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return Bundle.read(request.param)


def test_version_1_is_single_label() -> None:
    """The fixture model was written by release 0.1.0."""
    assert json.loads((FIXTURE / "model.json").read_text())["schema_version"] == 1
    manifest = Manifest.read(FIXTURE)
    assert manifest.decision == SingleLabel(temperature=0.8, threshold=0.5)
    assert (manifest.off_topic, manifest.outputs) == (False, 3)


def test_version_1_has_no_outputs_field(model_copy: Path) -> None:
    """One that is there all the same was never read, and is not now."""
    changed(model_copy, lambda content: content.update(outputs={"kind": "multi-label", "off_topic": True}))
    assert Classifier.load(model_copy).classify("knead the bread dough").labels == ("baking",)


def test_what_is_written_is_version_3(bundle: Bundle, tmp_path: Path) -> None:
    """It reads back as it was, also what was read from an older version, and the answers are the same."""
    for name in ("model.tflite", "vocab.txt"):
        (tmp_path / name).write_bytes((bundle.path / name).read_bytes())
    bundle.manifest.write(tmp_path)
    content = json.loads((tmp_path / "model.json").read_text())
    assert content["schema_version"] == 3
    assert content["outputs"] == {"kind": bundle.manifest.decision.kind, "off_topic": bundle.path == OFF_TOPIC}
    again = Bundle.read(tmp_path)
    assert again.manifest == bundle.manifest
    for text in ("knead the dough in my boat and reef the sail", "", "when the other"):
        assert Classifier(again).classify(text) == Classifier(bundle).classify(text)


def test_the_fields_of_version_2() -> None:
    """As docs/model-format.md describes them."""
    content = json.loads((MULTI_LABEL / "model.json").read_text())
    assert content["outputs"] == {"kind": "multi-label", "off_topic": False}
    assert content["scores"] == {"temperature": 1.25, "thresholds": [0.5, 0.6, 0.8]}
    content = json.loads((OFF_TOPIC / "model.json").read_text())
    assert content["outputs"] == {"kind": "single-label", "off_topic": True}
    assert content["scores"] == {"temperature": 1.25, "threshold": 0.5}


@pytest.mark.parametrize("version", [0, 4, 99, "2", None, [2], {}, 1.5])
def test_any_other_version_is_refused(model_copy: Path, version: object) -> None:
    """With what can be done about it."""
    changed(model_copy, lambda content: content.update(schema_version=version))
    with pytest.raises(ModelError) as caught:
        Classifier.load(model_copy)
    assert str(caught.value) == (
        f"{model_copy / 'model.json'} has schema version {version!r}, but this sotag-edge reads versions 1 to 3: "
        "train or convert the model again, or install the sotag-edge that wrote it"
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("outputs", None, "'outputs' is missing or not of type dict"),
        ("outputs", {"off_topic": False}, "'kind' is missing or not of type str"),
        ("outputs", {"kind": ["multi-label"], "off_topic": False}, "'kind' is missing or not of type str"),
        ("outputs", {"kind": "many", "off_topic": False}, "'kind' must be 'single-label' or 'multi-label', not 'many'"),
        ("outputs", {"kind": "multi-label"}, "'off_topic' is missing or not of type bool"),
        ("outputs", {"kind": "multi-label", "off_topic": 0}, "'off_topic' is missing or not of type bool"),
        ("outputs", {"kind": "multi-label", "off_topic": True}, "a multi-label model has no off-topic output"),
        ("outputs", {"kind": "single-label", "off_topic": False}, "'threshold' is missing or not of type int"),
        ("scores", {"temperature": 1}, "'thresholds' is missing or not of type list"),
        ("scores", {"temperature": 1, "thresholds": [0.5, 0.5]}, "2 thresholds are not one for each of 3 labels"),
        ("scores", {"temperature": 1, "thresholds": [0.5] * 4}, "4 thresholds are not one for each of 3 labels"),
        ("scores", {"temperature": 1, "thresholds": [0.5, 0.5, 1.5]}, "threshold must be from 0 to 1, not 1.5"),
        ("scores", {"temperature": 1, "thresholds": [0.5, True, 0.5]}, "'thresholds' is not a list of numbers"),
        ("scores", {"temperature": 1, "thresholds": [0.5, "1", 0.5]}, "'thresholds' is not a list of numbers"),
        (
            "scores",
            {"temperature": 1, "thresholds": [0.5, 10**400, 0.5]},
            "'thresholds' has a number that is too large",
        ),
        ("scores", {"temperature": 0, "thresholds": [0.5] * 3}, "temperature must be from 0.01 to 100, not 0"),
    ],
)
def test_a_damaged_version_2_is_refused(tmp_path: Path, field: str, value: object, words: str) -> None:
    """In one sentence that says where."""
    for file in MULTI_LABEL.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    changed(tmp_path, lambda content: content.update({field: value}))
    with pytest.raises(ModelError) as caught:
        Bundle.read(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'model.json'} is not a valid manifest: ")
    assert words in str(caught.value)


def test_a_manifest_does_not_contradict_itself() -> None:
    """Whoever makes it, also training."""
    manifest = Manifest.read(FIXTURE)
    with pytest.raises(ValueError, match="1 thresholds are not one for each of 3 labels"):
        dataclasses.replace(manifest, decision=MultiLabel(1.0, (0.5,)))
    with pytest.raises(ValueError, match="no off-topic output"):
        dataclasses.replace(manifest, decision=MultiLabel(1.0, (0.5,) * 3), off_topic=True)
