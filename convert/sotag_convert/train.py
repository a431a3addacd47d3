"""Data and a preset -> a published bundle: split, vocabulary, fit, export, verify; one run, one seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from sotag_convert import lessons
from sotag_convert.backend import tf_keras
from sotag_convert.dataset import Dataset
from sotag_convert.fit import History, Progress, Validation, fit
from sotag_convert.network import Network
from sotag_convert.presets import PRESETS
from sotag_convert.publish import Labelled, Source, publish, refuse_existing
from sotag_convert.verify import Verification
from sotag_edge.errors import UsageError


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did: how the fitting went, and what the published bundle was measured to do."""

    history: History
    verification: Verification

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the fitting; the bundle holds the best epoch before that."""
        return self.history.interrupted


def train(
    dataset: Dataset,
    output: Path,
    *,
    preset: str,
    epochs: int | None,
    seed: int,
    validation: float | None,
    force: bool,
    progress: Progress,
) -> Report:
    """Train on ``dataset.train`` and publish a bundle in ``output``.

    ``epochs`` and ``validation`` (the share of the training texts kept to choose the epoch by; 0 trains on all of them and
    keeps the last epoch) are the preset's where they are ``None``. Raises ``SotagEdgeError``; then nothing is written.
    """
    refuse_existing(output, force)
    settings = PRESETS[preset]
    share = settings.validation if validation is None else validation
    epochs = settings.epochs if epochs is None else epochs
    if epochs < 1 or not 0 <= share < 1:
        raise UsageError(
            f"--epochs must be 1 or more and --validation from 0 to below 1; they are {epochs} and {share}"
        )
    learned, kept = dataset.train.split(share, seed) if share else (dataset.train, None)

    tf_keras.utils.set_random_seed(seed)
    progress.say(
        f"{len(learned)} texts to learn from, {len(kept) if kept else 0} for validation, {len(dataset.labels)} tags"
    )
    if settings.teacher:
        progress.say("teaching a bag-of-words teacher, and asking it about each text out of fold")
    material = lessons.prepare(learned, dataset, settings, seed)
    network = Network(settings.network(len(dataset.labels), len(material.vocabulary)))
    check = (
        Validation([settings.input.ids(text, material.vocabulary) for text in kept.texts], kept.targets)
        if kept
        else None
    )
    history = fit(network, material, check, settings, epochs, seed, progress)

    progress.say("exporting and verifying")
    source = Source(
        labels=dataset.labels,
        input=settings.input,
        vocabulary=material.vocabulary,
        network=network,
        about={
            "preset": preset,
            "seed": seed,
            "training_data": {
                "name": dataset.name,
                "texts": len(learned),
                "sha256": dataset.sha256(),
                "licence": dataset.licence,
            },
        },
        metrics={"training": _metrics(history, check)},
    )
    labelled = None
    if dataset.test:
        labelled = Labelled("test texts", dataset.test.texts, dataset.test.targets)
    elif kept:
        labelled = Labelled("validation texts", kept.texts, kept.targets)
    return Report(history, publish(source, settings.recipe, output, labelled, force=force))


def _metrics(history: History, check: Validation | None) -> dict[str, object]:
    best = history.epochs[history.kept - 1]
    return {
        "epochs": [
            {name: round(value, 5) if isinstance(value, float) else value for name, value in asdict(epoch).items()}
            for epoch in history.epochs
        ],
        "kept_epoch": history.kept,
        "seconds": round(sum(epoch.seconds for epoch in history.epochs)),
        "validation_texts": len(check.ids) if check else 0,
        "validation_accuracy": None if best.validation_accuracy is None else round(best.validation_accuracy, 5),
    }
