"""The fixture model is what its script makes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sotag_convert.export import device_run as device
from sotag_edge.bundle import Bundle
from tests.fixtures.make_model import SENTENCES, make


def test_the_fixture_model_is_what_its_script_makes(fixture_model: Path, tmp_path: Path) -> None:
    """Made again, it has the same manifest but for what follows the weights, the same vocabulary, and tags alike."""
    make(tmp_path / "model")
    committed, made = Bundle.read(fixture_model), Bundle.read(tmp_path / "model")
    # The golden scores follow the weights, and those follow the processor.
    kept = [dataclasses.replace(bundle.manifest, hashes={}, golden=None, made_with={}) for bundle in (committed, made)]
    assert kept[0] == kept[1]
    assert committed.vocabulary.tokens == made.vocabulary.tokens
    texts = [text for sentences in SENTENCES.values() for text in sentences]
    before, after = (device.run(bundle.path, texts).scores for bundle in (committed, made))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    assert abs(before - after).max() < 0.1
