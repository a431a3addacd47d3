"""A published bundle -> another one with the same weights and another recipe, without training."""

from __future__ import annotations

import json
from pathlib import Path

from sotag_convert.data.dataset import LabelledTexts
from sotag_convert.export.parity import Parity
from sotag_convert.network.network import Network
from sotag_convert.publish import KERAS_MODEL, METRICS, Source, publish
from sotag_convert.recipes import Recipe
from sotag_convert.staging import refuse_existing
from sotag_edge.bundle import Bundle
from sotag_edge.errors import ModelError
from sotag_edge.models import find


def bundle_folder(model: str) -> Path:
    """The folder of a model, by name, by path, or by the path of the ``model.keras`` in it. Raises ``ModelError``."""
    path = Path(model)
    return path.parent if path.name == KERAS_MODEL and path.is_file() else find(model)


def convert_bundle(
    folder: Path, recipe: Recipe, output: Path, labelled: LabelledTexts | None = None, *, force: bool = False
) -> Parity:
    """Export the weights of the bundle in ``folder`` again, and publish the result in ``output``.

    It is measured on the ``labelled`` texts if there are any. Raises ``SotagEdgeError``; then nothing is written.
    """
    refuse_existing(output, force)
    bundle = Bundle.read(folder)
    manifest = bundle.manifest
    weights = folder / KERAS_MODEL
    if not weights.is_file():
        raise ModelError(
            f"{folder} has no {KERAS_MODEL} to export from: the models in an installed package come without it"
        )
    source = Source(
        labels=manifest.labels,
        input=manifest.input,
        decision=manifest.decision,
        vocabulary=bundle.vocabulary,
        network=Network.load(dict(manifest.network), weights),
        preset=manifest.preset,
        seed=manifest.seed,
        training_data=manifest.training_data,
        metrics=_training_metrics(folder),
    )
    return publish(source, recipe, output, labelled, force=force)


def _training_metrics(folder: Path) -> dict[str, object]:
    try:
        training = json.loads((folder / METRICS).read_bytes())["training"]
        return {"training": {**training, "validation_accuracy": training["validation_accuracy"]}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / METRICS} does not have the metrics of the training: {error}") from error
