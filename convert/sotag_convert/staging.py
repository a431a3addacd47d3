"""Writes a folder whole or not at all, and replaces only another model, and only where that is allowed.

The scratch folder lies beside the output under a name made from it, and has a file that is locked while a run writes there:
a second run into the same output is refused at its start. The system unlocks the file when a process ends in any way, so
the next run recognizes what a killed one left, and removes it.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sotag_edge import bundle
from sotag_edge.errors import UsageError
from sotag_edge.models import name_of

if sys.platform != "win32":
    import fcntl


def refuse_existing(output: Path, force: bool) -> None:
    """Raise ``UsageError`` if a folder cannot be written to ``output``, or would replace something that it may not.

    ``force`` allows replacing a model; nothing else is ever replaced.
    """
    if os.path.lexists(output) and not force:
        if name := name_of(output):
            raise UsageError(f"the model {name!r} exists already: choose another name, or allow replacing it (force)")
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
    """A folder in a scratch folder that takes the place of ``output`` when the block succeeds.

    The scratch folder is removed at the end of the block, and so are the folders that were created around it if nothing
    was written. Raises ``UsageError`` if another run writes to ``output``.
    """
    refuse_existing(output, force)
    with ExitStack() as cleanup:
        for folder in reversed([folder for folder in output.absolute().parents if not folder.exists()]):
            cleanup.callback(_remove_if_empty, folder)
            folder.mkdir(exist_ok=True)
        scratch = cleanup.enter_context(_locked_scratch(output))
        folder, replaced = scratch / "bundle", scratch / "replaced"
        if os.path.lexists(replaced) and not os.path.lexists(output):  # a run was killed between the two steps below
            replaced.rename(output)
            refuse_existing(output, force)
        _clear(scratch)
        cleanup.callback(_clear, scratch)
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


@contextmanager
def _locked_scratch(output: Path) -> Iterator[Path]:
    """The scratch folder of ``output``, which no other process has. Raises ``UsageError`` if one has it."""
    scratch = output.absolute().parent / f".{output.name}-unfinished"
    lock = scratch / "lock"
    with ExitStack() as cleanup:
        cleanup.callback(_remove_if_empty, scratch)
        if sys.platform == "win32":  # where an open file cannot be removed
            cleanup.callback(_remove, lock)
        while True:
            scratch.mkdir(mode=0o700, exist_ok=True)
            with suppress(FileNotFoundError):  # the run that had it removed the folder just now
                stream = cleanup.enter_context(lock.open("ab"))
                if not _lock(stream):
                    raise UsageError(f"another run is writing {output}: wait for its end, or choose another folder")
                if os.path.samestat(os.fstat(stream.fileno()), lock.stat()):
                    break
        # Removed before it is closed, so that no other run has locked it.
        cleanup.callback(_remove, lock)
        yield scratch


def _lock(stream: BinaryIO) -> bool:
    """Lock an open file for this process; false if another one has it. Without a lock where there are none."""
    if sys.platform != "win32":
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a network file system without locks
            pass
    return True


def _clear(scratch: Path) -> None:
    """Remove everything in a scratch folder but the locked file."""
    for entry in scratch.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
