"""A model's name or path -> the directory of its bundle; the user's own models. ``bundle.py`` reads bundles.

Names are looked up among the models of the installed package, then in the ``models/`` folder of a source checkout, then in
the user's folder. In this order a model that comes with sotag-edge, such as "default", is never replaced by one of the
user's, and ``place_for`` gives a new model no such name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sotag_edge.bundle import MANIFEST, MODEL, VOCABULARY
from sotag_edge.errors import ModelError, UsageError

DEFAULT_MODEL = "default"
MODEL_VARIABLE = "SOTAG_EDGE_MODEL"
FOLDER_VARIABLE = "SOTAG_EDGE_MODELS"
CHECKPOINT = "-checkpoint"
"""The end of the name of a folder with a trained network that was not exported yet."""
_LONGEST_NAME = 200  # bytes; a scratch folder adds to it, and the name of a folder has at most 255


def find(model: str | os.PathLike[str] | None = None) -> Path:
    """The directory of a model, by path or by name.

    A string without a separator is a name, never a folder of the current directory: that must not decide which model is
    used. A string with a separator, such as ``./mine``, and a ``Path`` are paths. Without ``model``: the variable
    ``SOTAG_EDGE_MODEL``, then "default". Raises ``ModelError`` that lists the places searched.
    """
    name = os.fspath(model) if model is not None else os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL
    as_path = Path(name)
    named = isinstance(model, str | None) and is_name(name)
    places = [folder / name for folder in _model_folders()] if named else [as_path]
    for place in places:
        if _is_model(place):
            return place
    if os.path.isfile(as_path):  # noqa: PTH113  # Path's may raise
        raise ModelError(f"{name} is a file; a model is the directory with {MANIFEST}, {MODEL} and {VOCABULARY}")
    hint = _similar(name, available()) if named else ""
    if named and _is_model(as_path):
        hint += f"; the one in the current directory is called .{os.sep}{name}"
    raise ModelError(f"no model {name!r}: there is no {MANIFEST} in {', '.join(map(str, places))}{hint}")


def is_name(model: str) -> bool:
    """Whether a string is a name, not a path: it has no separator.

    >>> [is_name(model) for model in ("mine", "./mine", "mine/", "..")]
    [True, False, False, False]
    """
    return Path(model).name == model and model != os.pardir


def is_installed(folder: Path) -> bool:
    """Whether a bundle came with this package, and so is as trusted as its code."""
    return folder.resolve().parent in _shipped_folders()


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder that ``available`` names is what an interrupted training run left, not a model yet."""
    return folder.name.endswith(CHECKPOINT) and not (folder / MODEL).exists()


def available() -> list[Path]:
    """The models that ``find`` finds by name, sorted by name. If a name exists twice, the one that ``find`` takes."""
    by_name: dict[str, Path] = {}
    for folder in _model_folders():
        for path in _models_in(folder):
            by_name.setdefault(path.name, path)
    return [by_name[name] for name in sorted(by_name)]


def own() -> list[Path]:
    """The models in the user's folder, sorted by name."""
    folder = user_folder()
    return sorted(_models_in(folder)) if folder else []


def user_folder() -> Path | None:
    """The user's models: ``$SOTAG_EDGE_MODELS``, or the system's place for data; ``None`` for a user without a home."""
    if path := os.environ.get(FOLDER_VARIABLE):
        return Path(path)
    base = os.environ.get("XDG_DATA_HOME", "")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Application Support"
    elif not os.path.isabs(base):  # noqa: PTH117  # a relative one is invalid, says the XDG specification
        base = "~/.local/share"
    folder = Path(os.path.expanduser(base), "sotag-edge", "models")  # noqa: PTH111  # Path's raises without a home
    return folder if folder.is_absolute() else None  # never one of the current directory


def name_of(folder: Path) -> str | None:
    """The name of a folder in the user's folder; ``None`` for any other folder."""
    return folder.name if folder.parent == user_folder() else None


def place_for(name: str) -> Path:
    """The folder of a new model of the user, which may exist already.

    Raises ``UsageError`` if the name cannot be that of a model, or is that of one that comes with sotag-edge.
    """
    if fault := _fault(name):
        raise UsageError(f"{name!r} cannot be the name of a model: it {fault}")
    for path in _shipped():
        if path.name.casefold() == name.casefold():  # which is the same folder on some systems
            raise UsageError(
                f"the model {path.name!r} comes with sotag-edge and is never replaced: choose another name, "
                f"or a folder such as .{os.sep}{name}"
            )
    return _folder_of_user() / name


def remove(name: str) -> Path:
    """Remove a model of the user, whole or not at all, and give the folder that it had.

    Raises ``UsageError`` for a path, a model that comes with sotag-edge or a folder that may not be changed, and
    ``ModelError`` if there is no model of this name.
    """
    if not name or not is_name(name):
        raise UsageError(f"{name!r} is not a name: only models in {_folder_of_user()} are removed, by their names")
    path = _folder_of_user() / name
    if not _is_model(path):
        if name in {shipped.name for shipped in _shipped()}:
            raise UsageError(f"the model {name!r} comes with sotag-edge and cannot be removed")
        raise ModelError(f"no model {name!r}: there is no {MANIFEST} in {path}{_similar(name, own())}")
    import shutil
    import tempfile

    try:
        scratch = Path(tempfile.mkdtemp(prefix=".removed-", dir=path.parent))
        try:
            path.rename(scratch / "model")  # from here on it is not found any more
            if (scratch / "model").is_symlink():
                (scratch / "model").unlink()
        finally:
            shutil.rmtree(scratch)
    except OSError as error:
        raise UsageError(f"the model {name!r} cannot be removed from {path.parent}: {error.strerror}") from error
    return path


def _fault(name: str) -> str | None:
    """Why a name cannot be that of a new model, on any system."""
    if not name.strip():
        return "is empty"
    if any(separator in name for separator in "/\\:"):
        return "has a separator of paths in it"
    if name.startswith((".", "-")):
        return f"begins with {name[0]!r}"
    if name != name.rstrip(" .") or name != name.lstrip() or not name.isprintable():
        return "begins or ends with a blank or a dot, or has a character that cannot be printed"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        return f"is longer than {_LONGEST_NAME} bytes"
    return None


def _folder_of_user() -> Path:
    folder = user_folder()
    if folder is None:
        raise UsageError(f"there is no home folder to keep models in: name one with ${FOLDER_VARIABLE}")
    return folder


def _similar(name: str, paths: list[Path]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [path.name for path in paths], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _is_model(path: Path) -> bool:
    return os.path.isfile(path / MANIFEST)  # noqa: PTH113  # Path's raises for a name that is too long


def _models_in(folder: Path) -> Iterator[Path]:
    """The models in a folder. Hidden ones are unfinished or half removed."""
    with suppress(OSError):  # it does not exist, or may not be read
        yield from (path for path in folder.iterdir() if path.name[0] != "." and _is_model(path))


def _shipped() -> list[Path]:
    return [path for folder in _shipped_folders() for path in _models_in(folder)]


def _shipped_folders() -> list[Path]:
    package = Path(__file__).resolve().parent
    folders = [package / "models"]
    if (package.parent / "pyproject.toml").is_file():
        folders.append(package.parent / "models")
    return folders


def _model_folders() -> list[Path]:
    folder = user_folder()
    return [*_shipped_folders(), folder] if folder else _shipped_folders()
