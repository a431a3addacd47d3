"""The state of a training run in a folder beside the output, from which an interrupted run continues.

The folder ``<output>-run`` has ``run.json``, which says which run it is, and a file for each network that was fitted or is
being fitted, with two lines, a hash and a JSON object, and then the bytes of arrays, whose types and shapes the reader knows
(learn/saved_fit.py). Each file is written whole. They may be anybody's. Knows no networks.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sotag_edge.errors import InputError, UsageError

_RUN = "run.json"
_STATE, _PART = ".state", ".part"
_NAMES = re.compile(rf"({re.escape(_RUN)}|[a-z]+(-[0-9]+)?{re.escape(_STATE)})({re.escape(_PART)})?")
_MOST = 1 << 20  # bytes of run.json
_PACKAGES = ("sotag-edge", "tensorflow", "tf_keras", "numpy", "scipy", "scikit-learn")
_SHOWN = 40  # characters of a value in a message


def facts_of(texts: str, **settings: Any) -> dict[str, Any]:
    """What two runs must have in common to have the same result. ``texts``: a hash of them.

    The versions of packages are part of it.
    """
    return {"texts": texts, **settings, **{f"version of {name}": version(name) for name in _PACKAGES}}


class RunState:
    """The state of the run into an output. Nothing is written before ``FitFile.write``, which replaces that of another run.

    ``is_kept``: whether the folder has the state of this run. Raises ``UsageError`` if something else has its name.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output.parent / f"{output.absolute().name}-run"
        self.is_kept = False
        self._output, self._facts = output, dict[str, Any]()
        if os.path.lexists(self.folder) and not self._is_state():
            raise UsageError(
                f"{self.folder}, where the state of the run is kept, exists already and is not the state of a run: choose "
                "another output folder"
            )

    def _is_state(self) -> bool:
        if self.folder.is_symlink() or not self.folder.is_dir():
            return False
        return all(_NAMES.fullmatch(entry.name) and entry.is_file() for entry in self.folder.iterdir())

    @property
    def exists(self) -> bool:
        """Whether a run into this output was interrupted, this one or an earlier one."""
        return (self.folder / _RUN).is_file()

    def require(self) -> None:
        """Raise ``UsageError`` if no run into this output was interrupted."""
        if not self.exists:
            raise UsageError(
                f"there is no interrupted run into {self._output}: {self.folder}, which has the state of a run from its "
                "first complete epoch on, does not exist. Train without resume"
            )

    def begin(self, facts: Mapping[str, Any], *, resume: bool) -> None:
        """Begin a run. ``facts``: see ``facts_of``; ``resume``: continue the run that was interrupted.

        Raises ``UsageError`` if there is none or it is another run, ``InputError`` if its description is damaged.
        """
        self._facts = dict(facts)
        if not resume:
            return
        self.require()
        differences = _differences(self._read_facts(), self._facts)
        if differences:
            raise UsageError(
                f"the interrupted run in {self.folder} is another one: {differences}. Resume it with the same texts and "
                "options, or train without resume"
            )
        self.is_kept = True

    def _read_facts(self) -> dict[str, Any]:
        path = self.folder / _RUN
        try:
            if path.stat().st_size > _MOST:
                raise ValueError
            facts = json.loads(path.read_bytes())
            if not isinstance(facts, dict):
                raise ValueError
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is damaged: train without resume, which begins anew") from error
        return facts

    def fit_file(self, name: str) -> FitFile:
        """The file of a fit. ``name``: which one of the run, such as "fold-1"."""
        return FitFile(self.folder / f"{name}{_STATE}", self)

    def keep(self) -> None:
        """Make the folder that of this run, and remove what another run left in it. Raises ``OSError``."""
        if self.is_kept:
            return
        self.folder.mkdir(exist_ok=True)
        (self.folder / _RUN).unlink(missing_ok=True)  # first: without it the rest is nothing
        self._clear()
        write_whole(self.folder / _RUN, json.dumps(self._facts, indent=2).encode() + b"\n")
        self.is_kept = True

    def remove(self) -> None:
        """Remove it, after the model of a complete run was published."""
        if self.folder.is_dir() and self._is_state():
            (self.folder / _RUN).unlink(missing_ok=True)
            self._clear()
            self.folder.rmdir()
        self.is_kept = False

    def _clear(self) -> None:
        for entry in self.folder.iterdir():
            if _NAMES.fullmatch(entry.name):
                entry.unlink()

    def __str__(self) -> str:
        """How to continue the run."""
        force = " --force" if os.path.lexists(self._output) else ""
        return (
            f"the run is kept in {self.folder}; to continue it, with the same data and options: "
            f"sotag-edge train ... --resume{force}"
        )


class FitContent(NamedTuple):
    """What a file of a fit has: a JSON object, and the bytes of arrays, one after the other."""

    facts: Mapping[str, Any]
    arrays: bytes


class FitFile(NamedTuple):
    """The file with the state of a fit."""

    path: Path
    run: RunState

    def read(self, most: int) -> FitContent | None:
        """The content, ``None`` if this run has not written it. ``most``: the bytes that its arrays can have.

        Raises ``InputError`` if it is damaged.
        """
        if not self.run.is_kept or not self.path.is_file():
            return None
        with self.path.open("rb") as stream:
            content = stream.read(most + _MOST + 1)
        digest, _, rest = content.partition(b"\n")
        if len(content) > most + _MOST or digest != hashlib.sha256(rest).hexdigest().encode():
            raise self.damaged()
        first, _, arrays = rest.partition(b"\n")
        try:
            facts = json.loads(first)
        except (ValueError, RecursionError) as error:
            raise self.damaged() from error
        if not isinstance(facts, dict):
            raise self.damaged()
        return FitContent(facts, arrays)

    def write(self, facts: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> None:
        """Write the file whole. Raises ``OSError``."""
        self.run.keep()
        rest = json.dumps(facts).encode() + b"\n" + b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
        write_whole(self.path, hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)

    def damaged(self) -> InputError:
        """The error that says so."""
        return InputError(
            f"{self.path} is damaged: remove it and resume, which repeats its epochs, or train without resume, which "
            "begins anew"
        )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, also after a power cut."""
    part = path.with_name(path.name + _PART)
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _differences(kept: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """What differs between two runs, in words; empty if nothing does."""
    names = [*facts, *(name for name in kept if name not in facts)]
    return ", ".join(
        "other texts" if name == "texts" else f"{name} was {_shown(kept.get(name))}, not {_shown(facts.get(name))}"
        for name in names
        if kept.get(name) != facts.get(name)
    )


def _shown(value: Any) -> str:
    return json.dumps(value)[:_SHOWN]
