"""The fixture models are what their scripts make."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from sotag_convert.export import device_run as device
from sotag_convert.network.architectures import settings_from
from sotag_edge.bundle import Bundle
from tests.conftest import LINEAR_BRANCH, MULTI_LABEL, OFF_TOPIC, STEPS
from tests.fixtures.make_model import EARLY_EXIT, SENTENCES, make
from tests.fixtures.make_model import STEPS as STEPS_PRESET
from tests.fixtures.make_outputs import PAIR, WORDS, make_linear_branch, make_multi_label, make_off_topic


def test_the_fixture_model_is_what_its_script_makes(fixture_model: Path, tmp_path: Path) -> None:
    """Made again, it has the same manifest but for what follows the weights, the same vocabulary, and tags alike."""
    make(tmp_path / "model")
    committed, made = Bundle.read(fixture_model), Bundle.read(tmp_path / "model")
    # The golden scores follow the weights, and those follow the processor.
    kept = [
        dataclasses.replace(bundle.manifest, hashes={}, golden=None, made_with={}, network={})
        for bundle in (committed, made)
    ]
    assert kept[0] == kept[1]
    # The committed one is of schema version 1, whose networks had fewer settings.
    assert settings_from(committed.manifest.network) == settings_from(made.manifest.network)
    # It was made when the copies of a short text, all alike, were counted each, so that its tokens have another order.
    assert sorted(committed.vocabulary.tokens) == sorted(made.vocabulary.tokens)
    texts = [text for sentences in SENTENCES.values() for text in sentences]
    before, after = (device.run(bundle.path, texts).scores for bundle in (committed, made))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    assert abs(before - after).max() < 0.1


def test_the_fixture_model_that_reads_in_steps_is_what_its_script_makes(tmp_path: Path) -> None:
    """Made again, it has the same manifest but for what follows the weights, the same vocabulary, and tags alike."""
    make(tmp_path / "steps", STEPS_PRESET, EARLY_EXIT)
    committed, made = Bundle.read(STEPS), Bundle.read(tmp_path / "steps")
    kept = [dataclasses.replace(bundle.manifest, hashes={}, golden=None) for bundle in (committed, made)]
    assert kept[0] == kept[1]
    assert committed.vocabulary.tokens == made.vocabulary.tokens
    texts = [text for sentences in SENTENCES.values() for text in sentences]
    before, after = (device.run(bundle.path, texts).scores for bundle in (committed, made))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    assert abs(before - after).max() < 0.1


@pytest.mark.parametrize(
    ("committed", "make_again"),
    [(MULTI_LABEL, make_multi_label), (OFF_TOPIC, make_off_topic), (LINEAR_BRANCH, make_linear_branch)],
)
def test_the_models_of_other_outputs(committed: Path, make_again: Callable[[Path], None], tmp_path: Path) -> None:
    """Made again, they have the same manifest but for the bytes of the graph, which follow the converter, and scores."""
    make_again(tmp_path)
    before, after = Bundle.read(committed), Bundle.read(tmp_path)
    kept = [dataclasses.replace(bundle.manifest, hashes={}, golden=None) for bundle in (before, after)]
    assert kept[0] == kept[1]
    assert before.vocabulary.tokens == after.vocabulary.tokens
    assert (before.features and before.features._content) == (after.features and after.features._content)
    texts = [" ".join(own[:count]) for own in WORDS.values() for count in range(4)] + ["breads", " ".join(PAIR)]
    scores = [device.run(path, texts).scores for path in (committed, tmp_path)]
    assert abs(scores[0] - scores[1]).max() < 1e-6
