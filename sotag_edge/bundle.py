"""The model bundle: ``Manifest`` (what ``model.json`` says) and ``Bundle`` (a manifest with its files, checked).

A bundle is a directory: ``model.json``, ``model.tflite``, ``vocab.txt``, and for people ``metrics.json`` and ``README.md``.
Training writes manifests and the device reads them, both through this module: no other one names a key of ``model.json``.
Every file is checked by its SHA-256 first. A bundle may come from a stranger: sizes and numbers are bounded before use.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sotag_edge.bundle_files import (
    FILES,
    MANIFEST,
    METRICS,
    MODEL,
    SCHEMA_VERSION,
    VOCABULARY,
    Facts,
    bundle_digest,
    checked_file,
    device_bytes,
    read_file,
    read_json,
)
from sotag_edge.decision import Decision, EarlyExit, MultiLabel, SingleLabel
from sotag_edge.errors import ModelError
from sotag_edge.features import FEATURES, Features
from sotag_edge.inputs import InputSettings, NetworkInput
from sotag_edge.json_fields import nullable, number, numbers, optional, required
from sotag_edge.tokenizer import TokenizerMode
from sotag_edge.vocabulary import LONG, Vocabulary

__all__ = [
    "FILES",
    "MANIFEST",
    "METRICS",
    "MODEL",
    "VOCABULARY",
    "Bundle",
    "Golden",
    "Manifest",
    "bundle_digest",
    "device_bytes",
    "read_file",
]

_HASHED = (MODEL, VOCABULARY)
_MOST_LABELS = 10_000
_LONGEST_LABEL = 1_000  # characters
_SINGLE_LABEL = {"kind": SingleLabel.kind, "off_topic": False}  # in schema version 1, which does not have the field


@dataclass(frozen=True, slots=True)
class Golden:
    """A text and its score for each label where the model was exported: the reference for ``verify``."""

    text: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of ``model.json``. The first five fields decide answers, so reading checks them strictly.

    ``decision``: the rule that makes an answer of the scores, ``MultiLabel`` with one threshold per label. ``off_topic``:
    whether the network has one output more than labels, for texts that have none of them (single-label only).
    ``early_exit``: when the network stops reading, if it can read in pieces (single-label only). Raises ``ValueError`` if
    they contradict each other.

    The others describe the model: ``recipe``, ``preset``, ``seed`` and ``training_data`` its origin, ``network`` the
    settings to build the graph again, ``graph`` the operators and the oldest runtime that has them, ``made_with`` the
    versions of the tools. ``hashes``: the SHA-256 of each file, filled in by ``write``.
    """

    labels: tuple[str, ...]
    input: InputSettings
    decision: Decision
    off_topic: bool = False
    early_exit: EarlyExit | None = None
    recipe: str | None = None
    preset: str | None = None
    seed: int | None = None
    training_data: Facts = field(default_factory=dict)
    network: Facts = field(default_factory=dict)
    graph: Facts = field(default_factory=dict)
    made_with: Facts = field(default_factory=dict)
    golden: Golden | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.decision, MultiLabel):
            if self.off_topic:
                raise ValueError("a multi-label model has no off-topic output")
            if len(self.decision.thresholds) != len(self.labels):
                raise ValueError(
                    f"{len(self.decision.thresholds)} thresholds are not one for each of {len(self.labels)} labels"
                )

        if self.early_exit:
            self.early_exit.check(self.decision, self.input.step, self.input.max_tokens)

    @property
    def outputs(self) -> int:
        """The number of scores that the network computes."""
        return len(self.labels) + self.off_topic

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read and check the manifest of a bundle. Raises ``ModelError`` with the file and the fault."""
        content = read_json(folder / MANIFEST)
        try:
            sequence = required(content, "sequence", dict)
            early = nullable(sequence, "early_exit", dict)
            outputs = required(content, "outputs", dict) if content["schema_version"] > 1 else _SINGLE_LABEL
            files = required(content, "files", dict)
            return cls(
                labels=_labels(content),
                input=InputSettings(
                    TokenizerMode(required(required(content, "tokenizer", dict), "mode", str)),
                    required(sequence, "max_tokens", int),
                    nullable(sequence, "pad_to", int),
                    nullable(sequence, "step", int),
                ),
                decision=_decision(required(outputs, "kind", str), required(content, "scores", dict)),
                off_topic=required(outputs, "off_topic", bool),
                early_exit=None if early is None else EarlyExit(required(early, "tokens", int), number(early, "score")),
                recipe=optional(content, "recipe", str),
                preset=optional(content, "preset", str),
                seed=optional(content, "seed", int),
                training_data=optional(content, "training_data", dict) or {},
                network=optional(content, "network", dict) or {},
                graph=optional(content, "graph", dict) or {},
                made_with=optional(content, "made_with", dict) or {},
                golden=_golden(content.get("golden")),
                hashes={name: required(required(files, name, dict), "sha256", str) for name in _hashed(files)},
            )
        except ValueError as error:
            raise ModelError(f"{folder / MANIFEST} is not a valid manifest: {error}") from error

    def write(self, folder: Path) -> None:
        """Write ``model.json`` into ``folder``, with the hashes of the files that are there."""
        files = {}
        for name in _hashed([path.name for path in folder.iterdir()]):
            content = (folder / name).read_bytes()
            files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        golden = self.golden and {"text": self.golden.text, "scores": dict(self.golden.scores)}
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "labels": list(self.labels),
            "tokenizer": {"mode": self.input.tokenizer.value},
            "sequence": {
                "max_tokens": self.input.max_tokens,
                "pad_to": self.input.pad_to,
                "step": self.input.step,
                "early_exit": self.early_exit and asdict(self.early_exit),
            },
            "outputs": {"kind": self.decision.kind, "off_topic": self.off_topic},
            "scores": _thresholds(self.decision),
            "recipe": self.recipe,
            "preset": self.preset,
            "seed": self.seed,
            "training_data": self.training_data,
            "network": self.network,
            "graph": self.graph,
            "made_with": self.made_with,
            "golden": golden,
            "files": files,
        }
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model whose files match its manifest. ``model``: the content of ``model.tflite``. ``features``: those of the linear
    branch, if the network has one. ``digest``: the SHA-256 of ``model.json``, which has those of the other files: it is that
    of the whole bundle. A bundle can be pickled, with the content of its files."""

    path: Path
    manifest: Manifest
    vocabulary: Vocabulary
    model: bytes
    features: Features | None = None
    digest: str = ""

    @classmethod
    def read(cls, path: Path) -> Bundle:
        """Read and check the bundle in a directory. Raises ``ModelError`` with the file and the fault."""
        digest = bundle_digest(path)
        manifest = Manifest.read(path)
        content = {name: checked_file(path / name, expected) for name, expected in manifest.hashes.items()}
        try:
            vocabulary = Vocabulary.from_bytes(content[VOCABULARY])
        except ModelError as error:
            raise ModelError(f"{path / VOCABULARY}: {error}") from error
        try:
            features = Features(content[FEATURES], len(vocabulary)) if FEATURES in content else None
        except ModelError as error:
            raise ModelError(f"{path / FEATURES}: {error}") from error
        if features is not None and manifest.input.step:
            raise ModelError(f"{path / MANIFEST} has a step, and a network that reads in steps has no {FEATURES}")
        return cls(path, manifest, vocabulary, content[MODEL], features, digest)

    def input(self, text: str) -> NetworkInput:
        """The input of the network for any text."""
        settings = self.manifest.input
        if len(text) >= LONG and self.features is None and settings.has_long_ids:
            return settings.input_of_ids(settings.long_ids(text, self.vocabulary))
        return self.input_of(settings.tokens(text))

    def inputs(self, texts: Sequence[str]) -> list[NetworkInput]:
        """The input for each of several texts."""
        if self.features is not None or not self.manifest.input.has_long_ids:
            return [self.input(text) for text in texts]
        return self.manifest.input.inputs(texts, self.vocabulary)

    def input_of(self, tokens: list[str]) -> NetworkInput:
        """The input for the tokens of a text, one more than the network reads if there are so many."""
        settings = self.manifest.input
        ids = settings.ids_of(tokens, self.vocabulary)
        rows = None if self.features is None else self.features.rows(tokens, ids)
        return NetworkInput(ids, rows, len(tokens) > settings.max_tokens)


def _hashed(names: Collection[str]) -> list[str]:
    """The names of the files with a hash in the manifest."""
    return [*_HASHED, *([FEATURES] if FEATURES in names else [])]


def _labels(content: Facts) -> tuple[str, ...]:
    labels = required(content, "labels", list)
    if not labels or not all(isinstance(label, str) for label in labels) or len(set(labels)) != len(labels):
        raise ValueError("'labels' is not a list of different names")
    if len(labels) > _MOST_LABELS:
        raise ValueError(f"{len(labels):,} labels are more than {_MOST_LABELS:,}")
    for label in labels:
        if not 1 <= len(label) <= _LONGEST_LABEL or label.encode(errors="replace").decode() != label:
            raise ValueError(f"the label {label[:20]!r} is empty, too long or not Unicode text")
    return tuple(labels)


def _decision(kind: str, scores: Facts) -> Decision:
    temperature = number(scores, "temperature")
    if kind == SingleLabel.kind:
        return SingleLabel(temperature, number(scores, "threshold"))
    if kind == MultiLabel.kind:
        return MultiLabel(temperature, numbers(scores, "thresholds"))
    raise ValueError(f"'kind' must be {SingleLabel.kind!r} or {MultiLabel.kind!r}, not {kind[:20]!r}")


def _thresholds(decision: Decision) -> Facts:
    if isinstance(decision, MultiLabel):
        return {"temperature": decision.temperature, "thresholds": list(decision.thresholds)}
    return {"temperature": decision.temperature, "threshold": decision.threshold}


def _golden(content: object) -> Golden | None:
    try:
        golden = Golden(str(content["text"]), {str(k): float(v) for k, v in content["scores"].items()})  # type: ignore[index]
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        return None
    return golden if all(0 <= score <= 1 for score in golden.scores.values()) else None
