"""A published bundle -> another one of the same weights, by another recipe, without training."""

from __future__ import annotations

import json
from pathlib import Path

from sotag_convert.data import dataset as datasets
from sotag_convert.export.parity import Parity
from sotag_convert.network.network import Network
from sotag_convert.publish import KERAS_MODEL, METRICS, Source, publish
from sotag_convert.recipes import Recipe
from sotag_convert.staging import refuse_existing
from sotag_edge import bundle as bundles
from sotag_edge.errors import ModelError

_ABOUT = ("preset", "seed", "training_data")


def convert(model: str, recipe: Recipe, output: Path, *, data: str | None, force: bool) -> Parity:
    """Export the weights of a bundle again. ``model``: its folder or name, or the ``model.keras`` in it.

    With ``data``, verified on its test texts (or its training texts, where it has no others) and measured there. Raises
    ``SotagEdgeError``; then nothing is written.
    """
    refuse_existing(output, force)
    given = Path(model)
    folder = given.parent if given.name == KERAS_MODEL and given.is_file() else bundles.find(model)
    bundle = bundles.read(folder)
    weights = folder / KERAS_MODEL
    if not weights.is_file():
        raise ModelError(
            f"{folder} has no {KERAS_MODEL} to export from: the models of an installed package leave it out"
        )
    about = {name: bundle.manifest.get(name) for name in _ABOUT}
    network = Network.load(bundle.manifest.get("network", {}), weights)
    source = Source(
        bundle.labels, bundle.input, bundle.scores, bundle.vocabulary, network, about, _training_metrics(folder)
    )
    labelled = datasets.load_labelled(data, bundle.labels) if data else None
    return publish(source, recipe, output, labelled, force=force)


def _training_metrics(folder: Path) -> dict[str, object]:
    try:
        training = json.loads((folder / METRICS).read_bytes())["training"]
        return {"training": {**training, "validation_accuracy": training["validation_accuracy"]}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / METRICS} does not hold the metrics of the training: {error}") from error
