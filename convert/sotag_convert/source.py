"""``Source``: everything that a bundle is made from, and its files: those of a bundle, or of a checkpoint.

A checkpoint is a folder with the files of a bundle that exist before the export: ``model.keras``, ``vocab.txt``,
``metrics.json`` and ``model.json``. It may be anybody's, as a bundle may: all that is read is checked here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sotag_convert.export.stranger import load_network
from sotag_convert.network.network import Network
from sotag_convert.recipes import Recipe
from sotag_edge.bundle import MANIFEST, METRICS, MODEL, VOCABULARY, Manifest, read_file
from sotag_edge.decision import Decision, EarlyExit, MultiLabel
from sotag_edge.errors import ModelError
from sotag_edge.features import FEATURES, Features
from sotag_edge.inputs import InputSettings
from sotag_edge.vocabulary import Vocabulary

KERAS_MODEL = "model.keras"
_MOST = 10**12
_MOST_SETTINGS, _LONGEST_NAME = 100, 50
_EPOCH = ("number", "seconds", "loss", "validation_loss", "standard_error", "validation_accuracy")


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that a bundle is made from. ``metrics``: those of the training run; the others are as in ``Manifest``."""

    labels: Sequence[str]
    input: InputSettings
    decision: Decision
    vocabulary: Vocabulary
    features: bytes | None
    network: Network
    preset: str | None
    seed: int | None
    training_data: Mapping[str, Any]
    metrics: Mapping[str, Any]
    off_topic: bool = False
    early_exit: EarlyExit | None = None

    @classmethod
    def read(cls, folder: Path) -> Source:
        """The source of the bundle or the checkpoint in a folder. Raises ``ModelError``."""
        manifest = Manifest.read(folder)
        weights = folder / KERAS_MODEL
        if not weights.is_file():
            raise ModelError(
                f"{folder} has no {KERAS_MODEL} to export from: the models in an installed package come without it"
            )
        content = _checked(folder, VOCABULARY, manifest)
        features = _checked(folder, FEATURES, manifest) if FEATURES in manifest.hashes else None
        try:
            vocabulary = Vocabulary.from_bytes(content)
        except ModelError as error:
            raise ModelError(f"{folder / VOCABULARY}: {error}") from error
        try:
            training_data = _training_data(manifest.training_data)
            _check_agreement(manifest, vocabulary, features)
        except ValueError as error:
            raise ModelError(f"{folder / MANIFEST} is not a valid manifest: {error}") from error
        return cls(
            labels=manifest.labels,
            input=manifest.input,
            decision=manifest.decision,
            vocabulary=vocabulary,
            features=features,
            network=load_network(manifest.network, weights),
            preset=manifest.preset,
            seed=manifest.seed,
            training_data=training_data,
            metrics={"training": _training_metrics(folder / METRICS)},
            off_topic=manifest.off_topic,
            early_exit=manifest.early_exit,
        )

    def manifest(self, recipe: Recipe) -> Manifest:
        """The manifest of the bundle, without what the export adds: the graph and the golden text."""
        return Manifest(
            labels=tuple(self.labels),
            input=self.input,
            decision=self.decision,
            off_topic=self.off_topic,
            early_exit=self.early_exit,
            recipe=recipe.value,
            preset=self.preset,
            seed=self.seed,
            training_data=self.training_data,
            network=self.network.describe(),
            made_with={name: version(name) for name in ("sotag-edge", "tensorflow", "tf_keras")},
        )

    def write(self, folder: Path, recipe: Recipe) -> None:
        """Write a checkpoint into a folder that exists."""
        self.network.save(folder / KERAS_MODEL)
        (folder / VOCABULARY).write_bytes(self.vocabulary.to_bytes())
        if self.features is not None:
            (folder / FEATURES).write_bytes(self.features)
        write_metrics(folder, self.metrics)
        (folder / MODEL).touch()  # a manifest has the hash of a model, which is not there yet
        self.manifest(recipe).write(folder)
        (folder / MODEL).unlink()


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Write ``metrics.json`` into a folder."""
    (folder / METRICS).write_text(metrics_text(metrics), encoding="utf-8")


def metrics_text(metrics: Mapping[str, Any]) -> str:
    """The content of ``metrics.json``."""
    return json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"


def _checked(folder: Path, name: str, manifest: Manifest) -> bytes:
    """The content of a file that the manifest has the hash of. Raises ``ModelError`` if it is another one."""
    content = read_file(folder / name)
    if hashlib.sha256(content).hexdigest() != manifest.hashes[name]:
        raise ModelError(f"{folder / name} is not the file that {MANIFEST} describes: copy the model again")
    return content


def _check_agreement(manifest: Manifest, vocabulary: Vocabulary, features: bytes | None) -> None:
    """Raise ``ValueError`` if the network's settings contradict the rest of a bundle."""
    expected = {
        "rows": 0 if features is None else len(vocabulary) + len(Features(features, len(vocabulary))),
        "independent": isinstance(manifest.decision, MultiLabel),
        "labels": manifest.outputs,
        "vocabulary": len(vocabulary),
        "length": manifest.input.pad_to,
        "step": manifest.input.step,
    }
    for name, value in expected.items():
        if manifest.network.get(name, 0 if value == 0 else None) != value:
            raise ValueError(f"{name!r} in 'network' must be {json.dumps(value)}, as in the rest of the model")


def _training_data(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a card says about the training data. Raises ``ValueError``."""
    counts = {name: facts[name] for name in ("texts", "extra_texts", "off_topic_texts") if name in facts}
    texts = {name: facts.get(name) for name in ("name", "sha256", "licence")}
    if "texts" not in counts or not all(_is_count(count) for count in counts.values()):
        raise ValueError("'training_data' does not have the numbers of texts")
    if not all(isinstance(text, str) or (text is None and name == "licence") for name, text in texts.items()):
        raise ValueError("'training_data' does not have its 'name', 'sha256' and 'licence' as text")
    sources = facts.get("sources", [])
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise ValueError("'sources' in 'training_data' is not a list of texts")
    published = {"sources": sources} if sources else {}
    return {"name": texts["name"], **counts, "sha256": texts["sha256"], "licence": texts["licence"], **published}


def _training_metrics(path: Path) -> dict[str, Any]:
    """The entry ``training`` of a ``metrics.json``, with the figures that a training run writes and no others."""
    try:
        content = json.loads(read_file(path))
        training = _mapping(content, "training")["training"]
        metrics: dict[str, Any] = {}
        if "epochs" in _mapping(training):
            metrics["epochs"] = [_figures(epoch, dict.fromkeys(_EPOCH, _is_figure)) for epoch in training["epochs"]]
        kinds = {
            "kept_epoch": _is_count,
            "seconds": _is_count,
            "validation_texts": _is_count,
            "validation_accuracy": _is_accuracy,
            "validation_off_topic_texts": _is_count,
            "refit_seconds": _is_count,
            "folds": _is_count,
            "linear_accuracy": _is_accuracy,
            "network_accuracy": _is_accuracy,
            "both_accuracy": _is_accuracy,
            "baseline": _is_accuracy,
            "network_share": _is_figure,
            "linear_scale": _is_figure,
            "trials": _is_count,
            "settings": _are_figures,
        }
        return metrics | _figures(_mapping(training, "validation_texts", "validation_accuracy"), kinds)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"{path} does not have the metrics of the training: {error}") from error


def _mapping(value: Any, *names: str) -> Mapping[str, Any]:
    """The value, if it is a mapping with these names."""
    if not isinstance(value, dict):
        raise ValueError("it has another shape")
    missing = [name for name in names if name not in value]
    if missing:
        raise ValueError(f"{missing[0]!r} is missing")
    return value


def _figures(values: Any, kinds: Mapping[str, Callable[[Any], bool]]) -> dict[str, Any]:
    """The figures of these names that there are, each checked."""
    figures = {name: value for name, value in _mapping(values).items() if name in kinds}
    wrong = [name for name, value in figures.items() if not kinds[name](value)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not a figure that a training run writes")
    return figures


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _is_figure(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MOST)


def _are_figures(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= _MOST_SETTINGS
        and all(
            name.isidentifier() and len(name) <= _LONGEST_NAME and _is_figure(number) for name, number in value.items()
        )
    )


def _is_accuracy(value: Any) -> bool:
    return _is_figure(value) and (value is None or value <= 1)
