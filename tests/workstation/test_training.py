"""What a training run publishes: its calibration, its refit, its golden text, its figures."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from sotag_convert import training
from sotag_convert.data.dataset import Dataset, Examples, LabelledTexts, Origin
from sotag_convert.data.off_topic import off_topic_texts
from sotag_convert.data.stackoverflow_text import StackOverflow
from sotag_convert.export import device_run
from sotag_convert.export.parity import Parity
from sotag_convert.learn import calibrate, cross_validation
from sotag_convert.learn.fit import Epoch, History
from sotag_convert.learn.parts import Parts, fit_parts
from sotag_convert.learn.presets import PRESETS
from sotag_convert.progress import SilentProgress
from sotag_convert.publish import Published
from sotag_convert.recipes import Recipe
from sotag_convert.source import Source
from sotag_convert.training import train_dataset
from sotag_edge.bundle import Bundle
from sotag_edge.decision import SingleLabel
from sotag_edge.errors import UsageError
from tests.workstation.small import SMALL, SMALL_BRANCH, noisy_dataset


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
    """On noisy texts the network is too sure of itself or too modest: its logits have a factor, and there is a threshold."""
    decision = Bundle.read(runs["once"]).manifest.decision
    assert isinstance(decision, SingleLabel)
    training = json.loads((runs["once"] / "metrics.json").read_bytes())["training"]
    assert abs(training["network_share"] - 1) > 0.01
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


@pytest.fixture(scope="module")
def branched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dataset]:
    """A bundle with a linear branch, cross-validated on few texts, and its data set; one tag has a single text."""
    folder = tmp_path_factory.mktemp("branched")
    data = noisy_dataset(36)
    data = replace(
        data,
        labels=(*data.labels, "zoo"),
        train=data.train.joined(Examples.single(["the zebra and the giraffe"], [2])),
        off_topic=("a violin sonata in g minor",),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "branch", SMALL_BRANCH)
        train_dataset(data, folder / "mine", preset="branch")
    return folder / "mine", data


def test_few_texts_are_cross_validated(branched: tuple[Path, Dataset]) -> None:
    """Each text is a validation text once; then all of them are trained on. The accuracy of each part is a figure."""
    folder, data = branched
    training_figures = json.loads((folder / "metrics.json").read_bytes())["training"]
    assert training_figures["folds"] == 3
    assert training_figures["validation_texts"] == len(data.train) == 37
    for name in ("linear_accuracy", "network_accuracy", "validation_accuracy"):
        assert 0 <= training_figures[name] <= 1
    assert training_figures["linear_accuracy"] > 0.6
    assert training_figures["network_share"] >= 0
    assert training_figures["linear_scale"] > 0
    assert "refit_seconds" in training_figures
    assert Bundle.read(folder).manifest.training_data["texts"] == 37
    assert json.loads((folder / "metrics.json").read_bytes())["verification"]["on"] == "samples"


def test_a_branch_is_published(branched: tuple[Path, Dataset]) -> None:
    """With its features, the output for off-topic texts, and the tag that has one text."""
    folder, data = branched
    bundle = Bundle.read(folder)
    assert bundle.features is not None
    assert 0 < len(bundle.features) <= 60
    assert bundle.manifest.off_topic
    assert bundle.manifest.labels == ("harbour", "kitchen", "zoo")
    assert bundle.manifest.network["rows"] == len(bundle.vocabulary) + len(bundle.features)
    assert bundle.manifest.training_data["sha256"] == data.sha256()
    # Most of the general ones, and its own.
    assert 0.5 < bundle.manifest.training_data["off_topic_texts"] / (len(off_topic_texts()) + 1) <= 1
    answers = device_run.run(folder, ["the oven and the dough", "the boat and the sail"])
    assert answers.scores.argmax(axis=1).tolist() == [1, 0]
    assert Source.read(folder).metrics["training"]["folds"] == 3


# What is fitted on which texts. The fits are faked, because one takes seconds: all return the same parts.


@pytest.fixture(scope="module")
def parts() -> Parts:
    """Parts that were fitted on a few texts."""
    data = noisy_dataset(24)
    return fit_parts(data.train, None, data, replace(SMALL_BRANCH, off_topic_repeats=0), 1, 1, SilentProgress())


@dataclass
class Fits:
    """Records the fits of a run, as numbers of training texts, validation texts and epochs, and what is published."""

    parts: Parts
    fits: list[tuple[int, int | None, int]] = field(default_factory=list)
    kept: list[int] = field(default_factory=lambda: [1])
    interrupted_at: int | None = None
    held_out: list[tuple[str, ...]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    labelled: list[LabelledTexts | None] = field(default_factory=list)

    def fit(self, training: Examples, held_out: Examples | None, *others: object) -> Parts:
        """Record a fit, or be interrupted."""
        if len(self.fits) == self.interrupted_at:
            raise KeyboardInterrupt
        self.fits.append((len(training), None if held_out is None else len(held_out), others[2]))  # type: ignore[arg-type]
        self.held_out.append(held_out.texts if held_out else ())
        kept = self.kept[min(len(self.fits), len(self.kept)) - 1]
        history = History((Epoch(1, 1.0, 1.0),), kept, interrupted=False)
        return self.parts._replace(texts=len(training), history=history)

    def publish(
        self, source: Source, recipe: Recipe, folder: Path, name: str, labelled: LabelledTexts | None, limit: object
    ) -> Published:
        """Record what is published."""
        assert limit is None
        source.write(folder, recipe)
        self.sources.append(source)
        self.labelled.append(labelled)
        return Published(Parity(1, 1.0, 0.0, 0.0, "accuracy", None, None, len(name)), {})


@pytest.fixture
def faked(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Fits:
    """The fits of the runs of this test."""
    made = Fits(parts)
    monkeypatch.setattr(cross_validation, "fit_parts", made.fit)
    monkeypatch.setattr(training, "publish", made.publish)
    monkeypatch.setattr(training, "with_baseline", lambda summary, *_: summary)
    monkeypatch.setitem(PRESETS, "branch", replace(SMALL_BRANCH, off_topic_repeats=0))
    return made


def test_the_folds_share_the_texts(faked: Fits, tmp_path: Path) -> None:
    """Three fits with a third of the texts each for validation, and one on all, for as many epochs as they kept."""
    faked.kept = [2, 4, 3]
    data = noisy_dataset(30)
    train_dataset(data, tmp_path / "mine", preset="branch", epochs=9)
    assert faked.fits == [(20, 10, 9)] * 3 + [(30, None, 3)]
    assert sorted(text for texts in faked.held_out for text in texts) == sorted(data.train.texts)
    assert faked.labelled == [None]
    assert faked.sources[0].training_data["texts"] == 30


@pytest.mark.parametrize(("count", "fits"), [(2, 3), (3, 4), (5, 4)])
def test_very_few_texts_are_cross_validated(faked: Fits, tmp_path: Path, count: int, fits: int) -> None:
    """One text per tag; there are as many folds as texts, up to three."""
    train_dataset(noisy_dataset(count), tmp_path / "mine", preset="branch", epochs=1)
    assert len(faked.fits) == fits
    assert all(texts for texts, _, _ in faked.fits)
    assert all(texts is None or texts > 0 for _, texts, _ in faked.fits)


def test_a_split_of_the_data_set_is_used(faked: Fits, tmp_path: Path) -> None:
    """Its validation texts choose, there are no folds, and the model is measured on them."""
    data = replace(noisy_dataset(30), validation=noisy_dataset(8).train)
    train_dataset(data, tmp_path / "mine", preset="branch")
    assert faked.fits == [(30, 8, 2)]
    assert data.validation is not None
    assert faked.held_out == [data.validation.texts]
    assert faked.labelled[0] is not None
    assert (faked.labelled[0].name, len(faked.labelled[0].examples)) == ("validation texts", 8)


def test_a_refit_has_the_validation_texts_of_the_data_set(faked: Fits, tmp_path: Path) -> None:
    """All texts are those too: they are trained on, counted and hashed, and nothing is measured on them."""
    data = replace(noisy_dataset(30), validation=noisy_dataset(8).train)
    train_dataset(data, tmp_path / "mine", preset="branch", refit=True)
    assert faked.fits == [(30, 8, 2), (38, None, 1)]
    assert faked.labelled == [None]
    facts = faked.sources[0].training_data
    assert (facts["texts"], facts["sha256"]) == (38, data.with_validation_texts().sha256())
    assert facts["sha256"] != data.sha256()


def test_a_share_for_validation_is_split_off(faked: Fits, tmp_path: Path) -> None:
    """It is stratified; with a refit the model is not measured on texts that it was fitted on."""
    train_dataset(noisy_dataset(30), tmp_path / "mine", preset="branch", validation=0.2)
    assert faked.fits == [(24, 6, 2)]
    assert faked.labelled[0] is not None
    assert Counter(faked.labelled[0].examples.targets) == {0: 3, 1: 3}
    train_dataset(noisy_dataset(30), tmp_path / "other", preset="branch", validation=0.2, refit=True)
    assert faked.fits[1:] == [(24, 6, 2), (30, None, 1)]
    assert faked.labelled[1] is None


def test_many_texts_are_split(faked: Fits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preset's share of them says enough, and is much faster."""
    monkeypatch.setattr(cross_validation, "_MOST_FOLDED", 20)
    train_dataset(noisy_dataset(24), tmp_path / "mine", preset="branch")
    assert faked.fits == [(18, 6, 2)]


def test_without_a_branch_there_are_no_folds(faked: Fits, tmp_path: Path) -> None:
    """The published network of the first release was chosen on a split."""
    train_dataset(noisy_dataset(24), tmp_path / "mine", preset="small")
    assert faked.fits == [(18, 6, 4)]


def test_without_validation_the_usual_mix_is_published(faked: Fits, tmp_path: Path) -> None:
    """All texts are trained on, and nothing is calibrated."""
    train_dataset(noisy_dataset(24), tmp_path / "mine", preset="branch", validation=0)
    assert faked.fits == [(24, None, 2)]
    (source,) = faked.sources
    assert source.decision == SingleLabel()
    usual = calibrate.usual_mix(independent=False, linear=True)
    figures = source.metrics["training"]
    assert (figures["network_share"], figures["linear_scale"]) == (usual.share, usual.scale)
    assert (figures["validation_texts"], figures["validation_accuracy"]) == (0, None)


def test_ctrl_c_in_a_fold_keeps_the_folds_before(faked: Fits, tmp_path: Path) -> None:
    """Their model is published, and no other is trained; in the first fold there is nothing to keep."""
    faked.interrupted_at = 1
    report = train_dataset(noisy_dataset(30), tmp_path / "mine", preset="branch")
    assert report.interrupted
    assert faked.fits == [(20, 10, 2)]
    assert faked.sources[0].metrics["training"]["folds"] == 1
    assert faked.sources[0].training_data["texts"] == 20
    faked.interrupted_at = 1
    progress = Recorder()
    faked.fits.clear()
    faked.interrupted_at = 0
    with pytest.raises(KeyboardInterrupt):
        train_dataset(noisy_dataset(30), tmp_path / "other", preset="branch", progress=progress)
    assert progress.lines[-1] == "stopped before an epoch was complete: nothing is kept"


@pytest.mark.parametrize("kept", [1, 3])
def test_a_refit_runs_the_epochs_that_were_kept(faked: Fits, tmp_path: Path, kept: int) -> None:
    """The second run has as many epochs as the first one kept, whatever the preset says, and no validation texts."""
    faked.kept = [kept]
    train_dataset(noisy_dataset(40), tmp_path / "mine", preset="small", refit=True)
    assert faked.fits == [(30, 10, 4), (40, None, kept)]


def test_ctrl_c_during_the_refit_keeps_the_first_run(faked: Fits, tmp_path: Path) -> None:
    """Interrupted in its second run, the network of the first is published, with the number of its own texts."""
    faked.interrupted_at = 1
    report = train_dataset(noisy_dataset(60), tmp_path / "mine", preset="small", epochs=1, refit=True)
    assert report.interrupted
    assert faked.sources[0].training_data["texts"] == 45


def test_general_off_topic_texts_are_added(faked: Fits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that ship with the program, unless the origin of the data knows better, or the preset has no use."""
    seen: list[Dataset] = []
    fit = faked.fit
    monkeypatch.setattr(cross_validation, "fit_parts", lambda *a: (seen.append(a[2]), fit(*a))[1])
    everything = len(off_topic_texts())
    for repeats, origin, count in (
        (2, Origin(), everything),
        (0, Origin(), 0),
        (2, StackOverflow(general_off_topic=False), 0),
    ):
        monkeypatch.setitem(PRESETS, "branch", replace(SMALL_BRANCH, off_topic_repeats=repeats))
        data = replace(noisy_dataset(20), off_topic=("a zebra",), origin=origin)
        train_dataset(data, tmp_path / f"{repeats}{count}", preset="branch", validation=0)
        assert (seen[-1].off_topic, len(seen[-1].general)) == (("a zebra",), count)
        assert len(set(seen[-1].general)) == count


def test_the_same_seed_gives_the_same_parts(parts: Parts) -> None:
    """Two runs of one seed have the same weights, table and vocabulary."""
    data = noisy_dataset(24)
    again = fit_parts(data.train, None, data, replace(SMALL_BRANCH, off_topic_repeats=0), 1, 1, SilentProgress())
    assert parts.vocabulary.tokens == again.vocabulary.tokens
    assert parts.table is not None
    assert again.table is not None
    np.testing.assert_array_equal(parts.table.rows, again.table.rows)
    np.testing.assert_array_equal(parts.table.hashes, again.table.hashes)
    for one, other in zip(parts.network.model.get_weights(), again.network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_whole_adds_up_its_parts(parts: Parts) -> None:
    """Its scores are those of the mix of what the parts say about each text, single-label or not."""
    examples = noisy_dataset(10).train
    unseen = parts.unseen(examples)
    assert unseen.linear is not None
    assert unseen.members.argmax(axis=1).tolist() == list(examples.targets)
    mix = calibrate.Mix(0.4, 5.0, 0.0, independent=False)
    assert parts.table is not None
    tokens = [parts.input.tokens(text) for text in examples.texts]
    ids = [parts.input.ids_of(of_text, parts.vocabulary) for of_text in tokens]
    features = parts.table.features()
    rows = [features.rows(*of_text) for of_text in zip(tokens, ids, strict=True)]
    scores = parts.whole(mix).scores(ids, rows)
    np.testing.assert_allclose(scores, mix.scores(unseen.network, unseen.linear), atol=1e-4)
    alone = calibrate.Mix(0.4, 0.0, 0.0, independent=False, off_topic=0.3)
    scores = parts._replace(table=None).whole(alone).scores(ids)
    np.testing.assert_allclose(scores, alone.scores(unseen.network, None), atol=1e-4)


def test_unseen_texts_can_be_joined(parts: Parts) -> None:
    """Those of all folds, in their order."""
    examples = noisy_dataset(10).train
    whole = parts.unseen(examples)
    halves = [parts.unseen(examples.take(range(start, start + 5))) for start in (0, 5)]
    joined = halves[0].joined(halves[1:])
    for one, other in zip(whole, joined, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert halves[0]._replace(linear=None).joined([]).linear is None


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
