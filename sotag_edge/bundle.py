"""Path or name -> a checked ``Bundle``: everything the device needs to know of a model.

A bundle is a directory: ``model.json`` (the manifest), ``model.tflite``, ``vocab.txt``, and for people ``metrics.json``
and ``README.md``. What the manifest says is checked against what lies beside it, by SHA-256, before anything is run.
Nothing is guessed from file names. This module reads bundles; ``sotag_convert.publish`` writes them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sotag_edge.errors import ModelError
from sotag_edge.tokenizer import TokenizerMode, tokenize
from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID, Vocabulary

SCHEMA_VERSION = 1
LSTM_IN_INT8 = "dynamic"
"""The recipe whose LSTM computes in int8, which differs between processors by up to 0.007 in a score."""
MANIFEST = "model.json"
MODEL = "model.tflite"
VOCABULARY = "vocab.txt"
_LONGEST = 1_000_000  # tokens
FILES = (MODEL, VOCABULARY, MANIFEST)
"""What a device needs of a bundle."""
DEFAULT_MODEL = "default"
MODEL_VARIABLE = "SOTAG_EDGE_MODEL"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class InputSettings:
    """How a text becomes ids: the part of the manifest that training and the device must read alike.

    ``max_tokens``: only a text's first tokens are read. ``pad_to``: ids are padded behind the text to this length, for
    a network that was trained on a fixed window; ``None`` (the rule) feeds the text at its own length.
    """

    tokenizer: TokenizerMode
    max_tokens: int
    pad_to: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens <= _LONGEST:
            raise ValueError(f"max_tokens is {self.max_tokens}, and must be from 1 to {_LONGEST}")
        if self.pad_to is not None and not self.max_tokens <= self.pad_to <= _LONGEST:
            raise ValueError(f"pad_to is {self.pad_to}, and must be from max_tokens, {self.max_tokens}, to {_LONGEST}")

    def ids(self, text: str, vocabulary: Vocabulary) -> list[int]:
        """The ids of any text, at least one: the empty text is a single unknown token.

        >>> settings = InputSettings(TokenizerMode.CODE, max_tokens=3)
        >>> settings.ids("import numpy as np", Vocabulary(["[PAD]", "[UNK]", "import"]))
        [2, 1, 1]
        """
        return self.ids_of(tokenize(text, self.tokenizer, self.max_tokens), vocabulary)

    def ids_of(self, tokens: list[str], vocabulary: Vocabulary) -> list[int]:
        """The ids of a text that is tokens already."""
        ids = vocabulary.ids(tokens[: self.max_tokens]) or [UNKNOWN_ID]
        if self.pad_to is not None:
            ids += [PADDING_ID] * (self.pad_to - len(ids))
        return ids


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """How the network's scores become an answer. Both were fitted on validation texts when the model was trained.

    ``temperature``: above 1 the network was too sure of itself, below too modest (Guo et al., "On Calibration of Modern
    Neural Networks", ICML 2017). ``threshold``: a text whose best calibrated score is lower is answered "unknown".
    """

    temperature: float = 1.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if not 0.01 <= self.temperature <= 100:
            raise ValueError(f"temperature is {self.temperature}, and must be from 0.01 to 100")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold}, and must be from 0 to 1")

    def calibrated(self, scores: Sequence[float]) -> list[float]:
        """The softmax that the network's logits give when they are divided by the temperature.

        >>> [round(score, 3) for score in ScoreSettings(temperature=2.0).calibrated([0.9, 0.1])]
        [0.75, 0.25]
        """
        if self.temperature == 1:
            return list(scores)
        powers = [score ** (1 / self.temperature) for score in scores]
        total = sum(powers)
        return [power / total for power in powers]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model whose files are whole: ``model`` is the content of ``model.tflite``, its hash checked."""

    path: Path
    labels: tuple[str, ...]
    input: InputSettings
    scores: ScoreSettings
    vocabulary: Vocabulary
    model: bytes
    manifest: dict[str, Any]


def find(model: str | os.PathLike[str] | None = None) -> Path:
    """The directory of a model given by path or name.

    Order: ``model`` as a path, then as a name; without ``model`` the variable ``SOTAG_EDGE_MODEL``; then "default".
    Names are looked up among the models of the installed package, then in the ``models/`` folder of a source checkout.
    Raises ``ModelError`` that lists the places looked at.
    """
    wanted = os.fspath(model) if model is not None else os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL
    as_path = Path(wanted)
    if _is_model(as_path):
        return as_path
    if os.path.isfile(as_path):  # noqa: PTH113  # Path's may raise
        raise ModelError(
            f"{wanted} is a file; a model is the directory that holds {MANIFEST}, {MODEL} and {VOCABULARY}"
        )
    is_name = as_path.name == wanted
    places = [folder / wanted for folder in _model_folders()] if is_name else []
    for place in places:
        if _is_model(place):
            return place
    looked_at = ", ".join(str(place) for place in [as_path.absolute(), *places])
    raise ModelError(f"no model {wanted!r}: there is no {MANIFEST} in {looked_at}")


def _is_model(path: Path) -> bool:
    return os.path.isfile(path / MANIFEST)  # noqa: PTH113  # Path's raises for a name that is too long


def available() -> list[Path]:
    """The models that ``find`` finds by name, in the order of their names; of two of one name the one that it takes."""
    found: dict[str, Path] = {}
    for folder in _model_folders():
        for path in folder.iterdir() if folder.is_dir() else ():
            if _is_model(path):
                found.setdefault(path.name, path)
    return [found[name] for name in sorted(found)]


def _model_folders() -> list[Path]:
    package = Path(__file__).resolve().parent
    folders = [package / "models"]
    if (package.parent / "pyproject.toml").is_file():
        folders.append(package.parent / "models")
    return folders


def read(path: Path) -> Bundle:
    """Read and check the bundle in a directory. Raises ``ModelError`` that names the file and what is wrong with it."""
    manifest = _read_manifest(path / MANIFEST)
    try:
        labels = _field(manifest, "labels", list)
        tokenizer = _field(_field(manifest, "tokenizer", dict), "mode", str)
        sequence = _field(manifest, "sequence", dict)
        settings = InputSettings(
            TokenizerMode(tokenizer), _field(sequence, "max_tokens", int), _optional(sequence, "pad_to", int)
        )
        numbers = _field(manifest, "scores", dict)
        scores = ScoreSettings(_number(numbers, "temperature"), _number(numbers, "threshold"))
        if not labels or not all(isinstance(label, str) for label in labels) or len(set(labels)) != len(labels):
            raise ValueError("'labels' is not a list of different names")
    except ValueError as error:
        raise ModelError(f"{path / MANIFEST} is not a valid manifest: {error}") from error
    vocabulary_bytes = _checked(path, VOCABULARY, manifest)
    model_bytes = _checked(path, MODEL, manifest)
    try:
        vocabulary = Vocabulary.from_bytes(vocabulary_bytes)
    except ModelError as error:
        raise ModelError(f"{path / VOCABULARY}: {error}") from error
    return Bundle(path, tuple(labels), settings, scores, vocabulary, model_bytes, manifest)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not valid JSON: {error}") from error
    version = manifest.get("schema_version") if isinstance(manifest, dict) else None
    if version != SCHEMA_VERSION:
        raise ModelError(
            f"{path} has schema version {version!r}, and this sotag-edge reads version {SCHEMA_VERSION}: "
            "train or convert the model again, or install the sotag-edge that wrote it"
        )
    checked: dict[str, Any] = manifest
    return checked


def _checked(path: Path, name: str, manifest: dict[str, Any]) -> bytes:
    try:
        expected = _field(_field(_field(manifest, "files", dict), name, dict), "sha256", str)
    except ValueError as error:
        raise ModelError(f"{path / MANIFEST} is not a valid manifest: {error}") from error
    try:
        content = (path / name).read_bytes()
    except OSError as error:
        raise ModelError(f"{path / name} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(
            f"{path / name} is not the file that {MANIFEST} describes (its SHA-256 differs): copy the model again"
        )
    return content


def _field(mapping: dict[str, Any], name: str, kind: type[_T]) -> _T:
    value = mapping.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name!r} is missing or not of type {kind.__name__}")
    return value


def _number(mapping: dict[str, Any], name: str) -> float:
    value = mapping.get(name)
    return value if isinstance(value, float) else float(_field(mapping, name, int))


def _optional(mapping: dict[str, Any], name: str, kind: type[_T]) -> _T | None:
    return None if mapping.get(name) is None else _field(mapping, name, kind)


def size(path: Path) -> int:
    """The bytes of what a device needs of the bundle in a directory."""
    return sum((path / name).stat().st_size for name in FILES)
