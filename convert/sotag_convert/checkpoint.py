"""A trained network in a folder beside the output, until its bundle is published."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from sotag_convert.recipes import Recipe
from sotag_convert.report.summary import model_argument
from sotag_convert.source import KERAS_MODEL, Source
from sotag_edge.bundle import MODEL
from sotag_edge.errors import UsageError
from sotag_edge.models import CHECKPOINT


class Checkpoint:
    """The checkpoint of a training run: the folder ``<output>-checkpoint``, which ``convert`` reads.

    A later run into the same output replaces it. Raises ``UsageError`` if something else has that name.
    """

    def __init__(self, output: Path, recipe: Recipe) -> None:
        self.folder = output.parent / f"{output.absolute().name}{CHECKPOINT}"
        self.is_kept = False
        self.output, self._recipe = output, recipe
        is_checkpoint = (self.folder / KERAS_MODEL).is_file() and not (self.folder / MODEL).exists()
        if os.path.lexists(self.folder) and not is_checkpoint:
            raise UsageError(
                f"{self.folder}, where the trained network is kept until its export, exists already and is not a "
                "checkpoint: choose another output folder"
            )

    def keep(self, source: Source, scratch: Path) -> None:
        """Write the checkpoint, first into ``scratch``, a folder on the same disk, and then put it in its place."""
        fresh, old = scratch / "checkpoint", scratch / "old-checkpoint"
        fresh.mkdir()
        source.write(fresh, self._recipe)
        if self.folder.exists():
            self.folder.rename(old)
        fresh.rename(self.folder)
        shutil.rmtree(old, ignore_errors=True)
        self.is_kept = True

    def remove(self) -> None:
        """Remove it, after the bundle was published."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __str__(self) -> str:
        """Where it is, and the command that goes on from it."""
        command = ["sotag-edge", "convert", model_argument(self.folder), "--output", model_argument(self.output)]
        if self._recipe is not Recipe.MIXED:
            command += ["--recipe", self._recipe.value]
        return f"the trained network is kept in {self.folder}; to export it: {shlex.join(command)}"
