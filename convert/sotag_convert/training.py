"""Data and a preset -> a published bundle: split, vocabulary, fit, export, verify; one run, one seed."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy

from sotag_convert.data.dataset import Dataset, Examples, Labelled
from sotag_convert.export.parity import Parity
from sotag_convert.learn import calibrate
from sotag_convert.learn.fit import History, Progress, Validation, fit
from sotag_convert.learn.presets import PRESETS, Preset
from sotag_convert.learn.training_set import Lessons, prepare
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.network import Network
from sotag_convert.publish import Source, publish
from sotag_convert.staging import refuse_existing
from sotag_edge.bundle import ScoreSettings
from sotag_edge.errors import UsageError

_FEW = 100  # texts a tag


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did: whether Ctrl-C ended it (the bundle holds the best epoch before that), and what the published bundle
    was measured to do."""

    interrupted: bool
    verification: Parity


def train(
    dataset: Dataset,
    output: Path,
    *,
    preset: str,
    epochs: int | None,
    seed: int,
    validation: float | None,
    refit: bool,
    force: bool,
    progress: Progress,
) -> Report:
    """Train on ``dataset.train`` and publish a bundle in ``output``.

    ``epochs`` and ``validation`` are the preset's where they are ``None``. ``validation`` is the share of the training texts
    that are kept apart, to choose the epoch by and to fit the temperature and the threshold on; 0 learns from all of them,
    keeps the last epoch, and leaves the scores as they are. ``refit`` does both: what the first run chose goes into a second
    one on all texts. Raises ``SotagEdgeError``; then nothing is written.
    """
    refuse_existing(output, force)
    settings = PRESETS[preset]
    share = settings.validation if validation is None else validation
    epochs = settings.epochs if epochs is None else epochs
    if epochs < 1 or not 0 <= share < 1:
        raise UsageError(
            f"--epochs must be 1 or more and --validation from 0 to below 1; they are {epochs} and {share}"
        )
    if refit and not share:
        raise UsageError("--refit learns again what a validation split has chosen; it cannot go with --validation 0")
    fewest = min(Counter(dataset.train.targets).values())
    if fewest < _FEW:
        progress.say(
            f"a tag has only {fewest} texts: with under {_FEW} a tag expect little, and score it on test/ texts"
        )
    learned, kept = dataset.train.split(share, seed) if share else (dataset.train, None)
    run = _run(learned, kept, dataset, settings, epochs, seed, progress)
    scores, metrics = run.scores, _metrics(run, kept)
    interrupted = run.history.interrupted
    if refit and not interrupted:
        progress.say("learning again, from all texts")
        try:
            second = _run(dataset.train, None, dataset, settings, run.history.kept, seed, progress)
            interrupted = second.history.interrupted
        except KeyboardInterrupt:  # before its first batch
            interrupted = True
        if interrupted:
            progress.say("stopped: the first run's network is kept")
        else:
            learned, run = dataset.train, second
            metrics["refit_seconds"] = run.seconds

    progress.say("exporting and verifying")
    source = Source(
        labels=dataset.labels,
        input=settings.input,
        scores=scores,
        vocabulary=run.lessons.vocabulary,
        network=run.network,
        about={
            "preset": preset,
            "seed": seed,
            "training_data": {
                "name": dataset.name,
                "texts": len(learned),
                "own_questions": len(dataset.own) if settings.teacher else 0,
                "other_texts": len(dataset.others) if settings.teacher else 0,
                "sha256": dataset.sha256(),
                "licence": dataset.licence,
            },
        },
        metrics={"training": metrics},
    )
    labelled = None
    if dataset.test:
        labelled = Labelled("test texts", dataset.test, dataset.mask)
    elif kept and learned is not dataset.train:
        labelled = Labelled("validation texts", kept, dataset.mask)
    return Report(interrupted, publish(source, settings.recipe, output, labelled, force=force))


class _Run(NamedTuple):
    lessons: Lessons
    network: Network
    history: History
    scores: ScoreSettings
    seconds: int


def _run(
    learned: Examples,
    kept: Examples | None,
    dataset: Dataset,
    preset: Preset,
    epochs: int,
    seed: int,
    progress: Progress,
) -> _Run:
    """One run: a network fitted on ``learned``; its scores' settings on ``kept``, where there are texts to fit them on."""
    start = time.monotonic()
    tf_keras.utils.set_random_seed(seed)
    more = f", {len(dataset.own)} questions of our own" if dataset.own and preset.teacher else ""
    more += f", {len(dataset.others)} of something else" if dataset.others and preset.teacher else ""
    progress.say(
        f"{len(learned)} texts to learn from{more}, {len(kept) if kept else 0} for validation, {len(dataset.labels)} tags"
    )
    if dataset.others and not preset.teacher:
        progress.say("this preset learns from the labels alone: texts of none of the tags are left out")
    if preset.teacher:
        progress.say("teaching a bag-of-words teacher, and asking it about each text out of fold")
    lessons = prepare(learned, dataset, preset, seed)
    network = Network(preset.network(len(dataset.labels), len(lessons.vocabulary)))
    check = None
    if kept:
        check = Validation([preset.input.ids(text, lessons.vocabulary) for text in kept.texts], kept.targets)
    history = fit(network, lessons, check, preset, epochs, seed, progress)
    scores = ScoreSettings()
    if check:
        scores = calibrate.fit(network.scores(check.ids).astype(numpy.float64), check.targets)
    return _Run(lessons, network, history, scores, round(time.monotonic() - start))


def _metrics(run: _Run, kept: Examples | None) -> dict[str, object]:
    history = run.history
    best = history.epochs[history.kept - 1]
    return {
        "epochs": [
            {name: round(value, 5) if isinstance(value, float) else value for name, value in asdict(epoch).items()}
            for epoch in history.epochs
        ],
        "kept_epoch": history.kept,
        "seconds": run.seconds,
        "validation_texts": len(kept) if kept else 0,
        "validation_accuracy": None if best.validation_accuracy is None else round(best.validation_accuracy, 5),
    }
