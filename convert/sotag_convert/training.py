"""Data and a preset -> a published bundle: split, build the training set, fit, calibrate, publish."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sotag_convert.checkpoint import Checkpoint
from sotag_convert.data.dataset import Dataset, Examples, LabelledTexts
from sotag_convert.export.parity import Parity
from sotag_convert.interrupts import deferred_interrupts
from sotag_convert.learn import calibrate
from sotag_convert.learn.fit import History, Validation, fit
from sotag_convert.learn.presets import PRESETS, Preset
from sotag_convert.learn.training_set import TrainingSet, build_training_set
from sotag_convert.network.bounds import MOST_LABELS
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.network import Network
from sotag_convert.progress import Progress, SilentProgress
from sotag_convert.publish import publish
from sotag_convert.source import Source
from sotag_convert.staging import refuse_existing, staged
from sotag_edge.decision import Decision, SingleLabel
from sotag_edge.errors import InputError, UsageError

_FEW = 100  # texts per tag


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """The result of a training run.

    ``interrupted``: whether Ctrl-C ended it; the bundle then has the best epoch until then. ``parity``: how the published
    model compares with Keras, with its accuracy on test or validation texts.
    """

    output: Path
    interrupted: bool
    parity: Parity


def train_dataset(
    dataset: Dataset,
    output: Path,
    *,
    preset: str = "default",
    epochs: int | None = None,
    validation: float | None = None,
    seed: int = 1,
    refit: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train on ``dataset.train`` and publish a bundle in ``output``.

    ``epochs``: the largest number of epochs; ``validation``: the share of the training texts that is held out to choose the
    epoch and to fit the temperature and the threshold. By default both are the preset's. With ``validation=0`` all texts
    are trained on, the last epoch is kept, and the scores are not calibrated. ``refit``: train again on all texts, with the
    number of epochs and the calibration of the first run. Raises ``SotagEdgeError``; then nothing is written, but after a
    complete run the network is kept in a checkpoint, see checkpoint.py.
    """
    refuse_existing(output, force)
    if preset not in PRESETS:
        raise UsageError(f"unknown preset {preset!r} (presets: {', '.join(PRESETS)})")
    settings = PRESETS[preset]
    share = settings.validation if validation is None else validation
    epochs = settings.epochs if epochs is None else epochs
    if epochs < 1:
        raise UsageError(f"epochs must be 1 or more, not {epochs}")
    if not 0 <= share < 1:
        raise UsageError(f"validation must be from 0 to below 1, not {share}")
    if refit and not share:
        raise UsageError("refit needs validation texts: it repeats the run that they chose")
    progress = progress or SilentProgress()
    if len(dataset.labels) > MOST_LABELS:
        raise InputError(f"{dataset.name} has {len(dataset.labels):,} labels, and {MOST_LABELS:,} are the most")
    checkpoint = Checkpoint(output, settings.recipe)
    try:
        with staged(output, force) as folder:
            report = _train(dataset, folder, checkpoint, preset, epochs, share, seed, refit, progress)
    except BaseException as error:
        if checkpoint.is_kept:
            progress.warn(str(checkpoint))
        elif isinstance(error, KeyboardInterrupt):
            progress.warn("stopped before an epoch was complete: nothing is kept")
        raise
    checkpoint.remove()
    return report


def _train(
    dataset: Dataset,
    folder: Path,
    checkpoint: Checkpoint,
    preset: str,
    epochs: int,
    share: float,
    seed: int,
    refit: bool,
    progress: Progress,
) -> TrainingReport:
    """Train, and write the bundle into ``folder``."""
    settings = PRESETS[preset]
    fewest = min(Counter(dataset.train.targets).values())
    if fewest < _FEW:
        progress.say(
            f"a tag has only {fewest} texts; below {_FEW} texts per tag the accuracy can be low: measure it on test texts"
        )
    training, held_out = dataset.train.split(share, seed) if share else (dataset.train, None)
    run = _run(training, held_out, dataset, settings, epochs, seed, progress)
    refitted = None
    with deferred_interrupts():
        source = _source(run, run, _calibrate(run, settings), dataset, preset, seed)
        checkpoint.keep(source, folder.parent)
    if run.history.abandoned:
        raise KeyboardInterrupt
    if refit and not run.history.interrupted:
        refitted = _refit(run, dataset, settings, seed, progress)
    if refitted:
        with deferred_interrupts():
            source = _source(refitted, run, source.decision, dataset, preset, seed)
            checkpoint.keep(source, folder.parent)
    labelled = _measured_on(dataset, held_out, refitted)
    with progress.stage("exporting and verifying"):
        parity = publish(source, settings.recipe, folder, checkpoint.output.resolve().name, labelled)
    return TrainingReport(checkpoint.output, run.history.interrupted or (refit and refitted is None), parity)


class _Run(NamedTuple):
    """One fitted network."""

    training: Examples
    held_out: Examples | None
    training_set: TrainingSet
    network: Network
    history: History
    seconds: int


def _run(
    training: Examples,
    held_out: Examples | None,
    dataset: Dataset,
    preset: Preset,
    epochs: int,
    seed: int,
    progress: Progress,
) -> _Run:
    """Fit a network on ``training``; ``held_out`` chooses the epoch."""
    start = time.monotonic()
    tf_keras.utils.set_random_seed(seed)
    _announce(training, held_out, dataset, preset, progress)
    with progress.stage("preparing the texts" + (", with a bag-of-words teacher" if preset.teacher_share else "")):
        training_set = build_training_set(training, dataset, preset, seed)
    network = Network(preset.network(len(dataset.labels), len(training_set.vocabulary)))
    validation = _validation(held_out, training_set, preset)
    history = fit(network, training_set, validation, preset, epochs, seed, progress)
    return _Run(training, held_out, training_set, network, history, round(time.monotonic() - start))


def _validation(held_out: Examples | None, training_set: TrainingSet, preset: Preset) -> Validation | None:
    if held_out is None:
        return None
    ids = [preset.input.ids(text, training_set.vocabulary) for text in held_out.texts]
    return Validation(ids, held_out.targets)


def _calibrate(run: _Run, preset: Preset) -> SingleLabel:
    """The decision settings of a network, fitted on its validation texts; without such texts those by default."""
    validation = _validation(run.held_out, run.training_set, preset)
    if validation is None:
        return SingleLabel()
    return calibrate.fit(run.network.scores(validation.ids).astype(np.float64), validation.targets)


def _announce(
    training: Examples, held_out: Examples | None, dataset: Dataset, preset: Preset, progress: Progress
) -> None:
    more = f", {len(dataset.extra)} extra texts" if dataset.extra and preset.extra_texts else ""
    more += f", {len(dataset.off_topic)} off-topic texts" if dataset.off_topic and preset.off_topic_repeats else ""
    progress.say(
        f"{len(training)} training texts{more}, {len(held_out) if held_out else 0} validation texts, "
        f"{len(dataset.labels)} tags"
    )
    if dataset.off_topic and not preset.off_topic_repeats:
        progress.say("this preset does not use off-topic texts")


def _refit(first: _Run, dataset: Dataset, preset: Preset, seed: int, progress: Progress) -> _Run | None:
    """Train on all texts, for as many epochs as the first run kept. ``None`` if Ctrl-C interrupts it."""
    progress.say("training again, on all texts")
    try:
        run = _run(dataset.train, None, dataset, preset, first.history.kept, seed, progress)
    except KeyboardInterrupt:  # before its first batch
        run = None
    if run is not None and run.history.abandoned:
        raise KeyboardInterrupt
    if run is None or run.history.interrupted:
        progress.warn("stopped: the network of the first run is kept")
        return None
    return run


def _source(run: _Run, first: _Run, decision: Decision, dataset: Dataset, preset: str, seed: int) -> Source:
    """The parts of the bundle: the network of ``run``, the figures of the ``first`` one."""
    settings = PRESETS[preset]
    metrics = _metrics(first)
    if run is not first:
        metrics["refit_seconds"] = run.seconds
    return Source(
        labels=dataset.labels,
        input=settings.input,
        decision=decision,
        vocabulary=run.training_set.vocabulary,
        network=run.network,
        preset=preset,
        seed=seed,
        training_data={
            "name": dataset.name,
            "texts": len(run.training),
            "extra_texts": len(dataset.extra) if settings.extra_texts else 0,
            "off_topic_texts": len(dataset.off_topic) if settings.off_topic_repeats else 0,
            "sha256": dataset.sha256(),
            "licence": dataset.origin.licence,
        },
        metrics={"training": metrics},
    )


def _measured_on(dataset: Dataset, held_out: Examples | None, refitted: _Run | None) -> LabelledTexts | None:
    """The test texts; else the validation texts, unless the published network was trained on them."""
    if dataset.test:
        return LabelledTexts("test texts", dataset.test, origin=dataset.origin)
    if held_out and refitted is None:
        return LabelledTexts("validation texts", held_out, origin=dataset.origin)
    return None


def _metrics(run: _Run) -> dict[str, object]:
    history = run.history
    best = history.epochs[history.kept - 1]
    return {
        "epochs": [
            {name: round(value, 5) if isinstance(value, float) else value for name, value in asdict(epoch).items()}
            for epoch in history.epochs
        ],
        "kept_epoch": history.kept,
        "seconds": run.seconds,
        "validation_texts": len(run.held_out) if run.held_out else 0,
        "validation_accuracy": None if best.validation_accuracy is None else round(best.validation_accuracy, 5),
    }
