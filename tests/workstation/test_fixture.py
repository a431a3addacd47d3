"""The fixture model is what its script makes."""

from __future__ import annotations

from pathlib import Path

from sotag_convert.export import device_run as device
from sotag_edge import bundle as bundles
from tests.fixtures.make_model import SENTENCES, make


def test_the_fixture_model_is_what_its_script_makes(fixture_model: Path, tmp_path: Path) -> None:
    """Made again, it has the same manifest but for what follows the weights, the same vocabulary, and tags alike."""
    make(tmp_path / "model")
    committed, made = bundles.read(fixture_model), bundles.read(tmp_path / "model")
    changing = {"files", "golden", "made_with"}  # the golden scores follow the weights, which follow the processor
    kept = [{k: v for k, v in bundle.manifest.items() if k not in changing} for bundle in (committed, made)]
    assert kept[0] == kept[1]
    assert committed.vocabulary.tokens == made.vocabulary.tokens
    texts = [text for sentences in SENTENCES.values() for text in sentences]
    before, after = (device.run(bundle.path, texts).scores for bundle in (committed, made))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    assert abs(before - after).max() < 0.1
