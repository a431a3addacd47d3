"""Writes a folder whole or not at all, and replaces only another model, and only where that is allowed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sotag_edge import bundle
from sotag_edge.errors import UsageError


def refuse_existing(output: Path, force: bool) -> None:
    """Raise ``UsageError`` if a folder cannot be written to ``output``, or would replace something that it may not.

    ``force`` allows replacing a model; nothing else is ever replaced.
    """
    if os.path.lexists(output) and not force:
        raise UsageError(f"{output} exists already: choose another folder, or allow replacing it (force)")
    if os.path.lexists(output) and not (output / bundle.MANIFEST).is_file():
        raise UsageError(f"{output} is not a model, and only a model is ever replaced: choose another folder")
    if output.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise UsageError(f"{output} is the current folder or one around it: choose another folder")
    nearest = next(folder for folder in output.absolute().parents if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise UsageError(f"{output} cannot be written: {nearest} is not a folder that you may write in")


@contextmanager
def staged(output: Path, force: bool) -> Iterator[Path]:
    """A scratch folder that takes the place of ``output`` when the block succeeds, and is removed when it does not."""
    refuse_existing(output, force)
    parent = output.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=parent, prefix=f".{output.name}-"))
    folder, replaced = scratch / "bundle", scratch / "replaced"
    try:
        folder.mkdir()
        yield folder
        refuse_existing(output, force)  # it may have appeared while the network was trained
        try:
            if os.path.lexists(output):
                output.rename(replaced)
            folder.rename(output)
        except BaseException:
            if os.path.lexists(replaced) and not os.path.lexists(output):
                replaced.rename(output)
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
