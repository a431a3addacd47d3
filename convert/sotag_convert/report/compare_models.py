"""Two bundles and labelled texts -> ``ComparedModels``: both measured on the same texts, and timed in turns."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sotag_convert.data.dataset import Examples, LabelledTexts
from sotag_convert.data.labels import listed
from sotag_convert.data.load import load_labelled
from sotag_convert.data.reading import Say
from sotag_convert.data.settings import DataSettings
from sotag_convert.export.device_timing import median_times
from sotag_convert.report.comparison import Comparison, compare
from sotag_convert.report.evaluate import measure_bundle
from sotag_edge.bundle import Manifest, device_bytes
from sotag_edge.errors import UsageError
from sotag_edge.models import find


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """``model``: as the user named it. ``bytes``: on the device. ``milliseconds``: the median time of a text here."""

    model: str
    bytes: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class ComparedModels:
    """Two models, and the comparison on each view of the texts."""

    a: ComparedModel
    b: ComparedModel
    views: Mapping[str, Comparison]

    def to_json(self) -> dict[str, Any]:
        """What ``evaluate --to json`` prints of two models."""
        views = {view: comparison.to_json() for view, comparison in self.views.items()}
        return {"a": asdict(self.a), "b": asdict(self.b), "views": views}


def compare_models(model: str, other: str, data: Sequence[str], settings: DataSettings, say: Say) -> ComparedModels:
    """Compare two models, by folder or name, on labelled data. ``data``, ``say``: as for ``measure_model``.

    Raises ``SotagEdgeError``.
    """
    check_comparable(model, other)
    folders = find(model), find(other)
    if _are_the_same(*folders):
        say(f"{model} and {other} are the same model")
    labelled = load_labelled(data, Manifest.read(folders[0]).labels, settings, say)
    views = compare_bundles(*folders, labelled)
    times = median_times(folders, labelled.examples.texts)
    a, b = (
        ComparedModel(name, device_bytes(folder), round(milliseconds, 4))
        for name, folder, milliseconds in zip((model, other), folders, times, strict=True)
    )
    return ComparedModels(a, b, views)


def compare_bundles(folder: Path, other: Path, labelled: LabelledTexts) -> dict[str, Comparison]:
    """Compare two bundles on each view of texts, whose labels have the numbers of those of the first bundle.

    The bundles must be comparable, see ``check_comparable``.
    """
    first, second = (Manifest.read(path).labels for path in (folder, other))
    of_a, of_b = measure_bundle(folder, labelled), measure_bundle(other, _renumbered(labelled, first, second))
    return {view: compare(measured, of_b[view]) for view, measured in of_a.items()}


def check_comparable(model: str | os.PathLike[str], other: str | os.PathLike[str]) -> None:
    """Raise ``UsageError`` unless both models, by folder or name, give texts the same labels, and as many."""
    first, second = Manifest.read(find(model)), Manifest.read(find(other))
    only = [
        f"only {name} has {listed(sorted(set(own.labels) - set(others.labels)))}"
        for name, own, others in ((model, first, second), (other, second, first))
        if set(own.labels) - set(others.labels)
    ]
    if only:
        raise UsageError(f"models with different tags cannot be compared: {', and '.join(only)}")
    if first.decision.kind != second.decision.kind:
        raise UsageError(
            f"{model} is a {first.decision.kind} model and {other} a {second.decision.kind} one: they cannot be compared"
        )


def _are_the_same(folder: Path, other: Path) -> bool:
    """Whether two bundles give the same answers for certain: the same network and vocabulary, with the same thresholds."""
    first, second = Manifest.read(folder), Manifest.read(other)
    return first.hashes == second.hashes and first.decision == second.decision and first.labels == second.labels


def _renumbered(labelled: LabelledTexts, old: Sequence[str], new: Sequence[str]) -> LabelledTexts:
    """The same texts for a model with the same labels in another order."""
    if tuple(old) == tuple(new):
        return labelled
    number_of = [new.index(label) for label in old]
    examples = labelled.examples
    label_sets = tuple(tuple(sorted(number_of[number] for number in numbers)) for numbers in examples.label_sets)
    further = tuple(_renumbered(texts, old, new) for texts in labelled.further)
    return replace(labelled, examples=Examples(examples.texts, label_sets), further=further)
