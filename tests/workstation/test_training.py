"""What a training run publishes: its calibration, its refit, its golden text, its figures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sotag_convert import training
from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.export import device_run
from sotag_convert.learn.fit import Epoch, History
from sotag_convert.learn.presets import PRESETS
from sotag_convert.progress import SilentProgress
from sotag_convert.training import train_dataset
from sotag_edge.bundle import Bundle
from sotag_edge.errors import UsageError
from tests.workstation.small import SMALL, noisy_dataset


@dataclass
class Recorder(SilentProgress):
    """A progress that keeps its lines."""

    lines: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.lines.append(text)

    warn = say


@pytest.fixture(autouse=True)
def _small_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "small", SMALL)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two bundles of the same data and seed, without and with a refit."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "small", SMALL)
        for name, refit in (("once", False), ("refitted", True)):
            train_dataset(noisy_dataset(240), folder / name, preset="small", refit=refit)
    return {name: folder / name for name in ("once", "refitted")}


def test_the_fitted_calibration_is_published(runs: dict[str, Path]) -> None:
    """On noisy texts the network is too sure of itself or too modest: temperature and threshold are not the defaults."""
    decision = Bundle.read(runs["once"]).manifest.decision
    assert decision.temperature != 1
    assert 0.3 < decision.threshold < 1


def test_a_refit_keeps_the_calibration_and_trains_on_all_texts(runs: dict[str, Path]) -> None:
    """Its scores are calibrated by the first run, the only one with validation texts; its weights are others."""
    once, refitted = (Bundle.read(folder) for folder in runs.values())
    assert refitted.manifest.decision == once.manifest.decision
    assert refitted.model != once.model
    assert (once.manifest.training_data["texts"], refitted.manifest.training_data["texts"]) == (180, 240)
    metrics = [json.loads((folder / "metrics.json").read_bytes()) for folder in runs.values()]
    for name in ("epochs", "kept_epoch", "validation_texts", "validation_accuracy"):
        assert metrics[0]["training"][name] is not None
    assert metrics[0]["training"]["validation_texts"] == metrics[1]["training"]["validation_texts"] == 60
    assert metrics[0]["training"]["kept_epoch"] == metrics[1]["training"]["kept_epoch"]
    assert "refit_seconds" in metrics[1]["training"]
    # The refitted network was trained on the validation texts, so it is not measured on them.
    assert [entry["verification"]["on"] for entry in metrics] == ["validation texts", "samples"]
    assert metrics[0]["verification"]["texts"] == 60


def test_the_golden_scores_belong_to_their_labels(runs: dict[str, Path]) -> None:
    """A fresh classification gives the golden text the very scores of the manifest, label by label."""
    for folder in runs.values():
        bundle = Bundle.read(folder)
        golden = bundle.manifest.golden
        assert golden is not None
        first, second = golden.scores.values()
        assert abs(first - second) > 0.01  # swapped scores would show
        scores = device_run.run(folder, [golden.text]).scores[0]
        assert dict(zip(bundle.manifest.labels, scores, strict=True)) == pytest.approx(golden.scores, abs=1e-5)


@pytest.mark.parametrize("kept", [1, 3])
def test_a_refit_runs_the_epochs_that_were_kept(kept: int) -> None:
    """The second run has as many epochs as the first one kept, whatever the preset says, and no validation texts."""
    data = noisy_dataset(40)
    epochs = tuple(Epoch(number, 1, 1.0) for number in range(1, 5))
    first = training._Run(data.train, data.train, None, None, History(epochs, kept, False), 1)  # type: ignore[arg-type]
    progress = Recorder()
    second = training._refit(first, data, SMALL, 1, progress)
    assert second is not None
    assert len(second.history.epochs) == kept
    assert second.training == data.train
    assert second.held_out is None
    assert any(line.startswith(f"epoch {kept}/{kept}") for line in progress.lines)


def test_the_same_seed_gives_the_same_network() -> None:
    """Two runs of one seed have the same weights and vocabulary, another seed has other weights."""
    data = noisy_dataset(40)
    runs = [training._run(data.train, None, data, SMALL, 1, seed, SilentProgress()) for seed in (5, 5, 6)]
    weights = [np.concatenate([w.ravel() for w in run.network.model.get_weights()]) for run in runs]
    assert runs[0].training_set.vocabulary.tokens == runs[1].training_set.vocabulary.tokens
    np.testing.assert_array_equal(weights[0], weights[1])
    assert weights[0].shape != weights[2].shape or (weights[0] != weights[2]).any()


def test_ctrl_c_during_the_refit_keeps_the_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted in its second run, the network of the first is published, with the number of its own texts."""
    first = [training._run]

    def once(*arguments: object) -> object:
        if not first:
            raise KeyboardInterrupt
        return first.pop()(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "_run", once)
    report = train_dataset(noisy_dataset(60), tmp_path / "mine", preset="small", epochs=1, refit=True)
    assert report.interrupted
    assert Bundle.read(tmp_path / "mine").manifest.training_data["texts"] == 45


def test_test_texts_measure_the_model(tmp_path: Path) -> None:
    """With test texts, these and not the validation texts are measured on; without calibration texts nothing is fitted."""
    data = noisy_dataset(40)
    test = Examples.single(data.train.texts[:6], data.train.targets[:6])
    report = train_dataset(Dataset("d", data.labels, data.train, test), tmp_path / "m", preset="small", validation=0)
    assert not report.interrupted
    assert report.parity.texts == 6
    manifest = Bundle.read(tmp_path / "m").manifest
    assert (manifest.decision.temperature, manifest.decision.threshold) == (1, 0)
    assert json.loads((tmp_path / "m" / "metrics.json").read_bytes())["verification"]["on"] == "test texts"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, not 0"),
        ({"validation": 1.0}, "validation must be from 0 to below 1"),
        ({"validation": -0.1}, "validation must be from 0 to below 1"),
        ({"preset": "huge"}, "unknown preset 'huge'"),
        ({"refit": True, "validation": 0}, "refit needs validation texts"),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path: Path, settings: dict[str, object], words: str) -> None:
    """Before anything is trained, in words that fit Python and the command line alike."""
    with pytest.raises(UsageError, match=words) as caught:
        train_dataset(noisy_dataset(8), tmp_path / "mine", **({"preset": "small"} | settings))  # type: ignore[arg-type]
    assert "--" not in str(caught.value)
    assert not (tmp_path / "mine").exists()
