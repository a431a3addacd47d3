"""A model's name or path -> the directory of its bundle. Only looks for bundles; ``bundle.py`` reads them."""

from __future__ import annotations

import os
from pathlib import Path

from sotag_edge.bundle import MANIFEST, MODEL, VOCABULARY
from sotag_edge.errors import ModelError

DEFAULT_MODEL = "default"
MODEL_VARIABLE = "SOTAG_EDGE_MODEL"


def find(model: str | os.PathLike[str] | None = None) -> Path:
    """The directory of a model, by path or by name.

    A string without a separator is a name, never a folder of the current directory: that must not decide which model is
    used. Names are looked up among the models of the installed package, then in the ``models/`` folder of a source checkout.
    A string with a separator, such as ``./mine``, and a ``Path`` are paths. Without ``model``: the variable
    ``SOTAG_EDGE_MODEL``, then "default". Raises ``ModelError`` that lists the places searched.
    """
    name = os.fspath(model) if model is not None else os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL
    as_path = Path(name)
    is_name = isinstance(model, str | None) and as_path.name == name and name != os.pardir
    places = [folder / name for folder in _model_folders()] if is_name else [as_path]
    for place in places:
        if _is_model(place):
            return place
    if os.path.isfile(as_path):  # noqa: PTH113  # Path's may raise
        raise ModelError(f"{name} is a file; a model is the directory with {MANIFEST}, {MODEL} and {VOCABULARY}")
    hint = f"; the one in the current directory is called .{os.sep}{name}" if is_name and _is_model(as_path) else ""
    searched = ", ".join(map(str, places))
    raise ModelError(f"no model {name!r}: there is no {MANIFEST} in {searched}{hint}")


def is_installed(folder: Path) -> bool:
    """Whether a bundle came with this package, and so is as trusted as its code."""
    return folder.resolve().parent in _model_folders()


def available() -> list[Path]:
    """The models that ``find`` finds by name, sorted by name. If a name exists twice, the one that ``find`` takes."""
    by_name: dict[str, Path] = {}
    for folder in _model_folders():
        for path in folder.iterdir() if folder.is_dir() else ():
            if _is_model(path):
                by_name.setdefault(path.name, path)
    return [by_name[name] for name in sorted(by_name)]


def _is_model(path: Path) -> bool:
    return os.path.isfile(path / MANIFEST)  # noqa: PTH113  # Path's raises for a name that is too long


def _model_folders() -> list[Path]:
    package = Path(__file__).resolve().parent
    folders = [package / "models"]
    if (package.parent / "pyproject.toml").is_file():
        folders.append(package.parent / "models")
    return folders
