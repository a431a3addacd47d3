"""A published bundle, or a checkpoint -> another bundle with the same weights and any recipe, without training."""

from __future__ import annotations

from pathlib import Path

from sotag_convert.data.dataset import LabelledTexts
from sotag_convert.export.parity import Parity
from sotag_convert.publish import publish
from sotag_convert.recipes import Recipe
from sotag_convert.source import KERAS_MODEL, Source
from sotag_convert.staging import staged
from sotag_edge.models import find


def bundle_folder(model: str) -> Path:
    """The folder of a model, by name, by path, or by the path of the ``model.keras`` in it. Raises ``ModelError``."""
    path = Path(model)
    return path.parent if path.name == KERAS_MODEL and path.is_file() else find(model)


def convert_bundle(
    folder: Path, recipe: Recipe, output: Path, labelled: LabelledTexts | None = None, *, force: bool = False
) -> Parity:
    """Export the weights of the bundle or the checkpoint in ``folder`` again, and publish the result in ``output``.

    It is measured on the ``labelled`` texts if there are any. Raises ``SotagEdgeError``; then nothing is written.
    """
    with staged(output, force) as staging:
        return publish(Source.read(folder), recipe, staging, output.resolve().name, labelled).parity
