"""Runs a module of this package in a process of its own, with limits, so that a crash there is an error message here.

The child imports from where this process does, and never from the current folder: it may hold a stranger's ``numpy.py``.
On Linux it ends with its parent, also when the parent is killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import sotag_convert
import sotag_edge
from sotag_edge.errors import ModelError

_MEMORY = 12 * 1024**3  # bytes of address space; the default model converts in 4 GB
# Begins with the path: `python -c` puts the current folder first, as `python -m` does, and `python -I` would leave out
# PYTHONPATH and the user's packages. PR_SET_PDEATHSIG is 1; elsewhere than on Linux an orphan ends at its time limit.
_CODE = """\
import sys
sys.path[:] = {path!a}
import os
if sys.platform == "linux":
    import ctypes, signal
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != {parent}:
        os._exit(1)
try:
    import resource
except ImportError:
    pass
else:
    for name, limit in (("RLIMIT_AS", {memory}), ("RLIMIT_CPU", {seconds} * (os.cpu_count() or 1))):
        most = resource.getrlimit(getattr(resource, name))[1]
        limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
        try:
            resource.setrlimit(getattr(resource, name), (limit, most))
        except (ValueError, OSError, OverflowError):
            pass
import runpy
runpy.run_module({module!a}, run_name="__main__", alter_sys=True)
"""


def run_module(
    module: str,
    argument: str,
    *,
    failure: str,
    seconds: int,
    stdin: str = "",
    stdout: BinaryIO | None = None,
    memory: int = _MEMORY,
) -> str:
    """Run a module as ``python -m module argument`` would, and return its output, unless ``stdout`` is a file for it.

    ``seconds``, ``memory`` (bytes): its limits. Raises ``ModelError`` that begins with ``failure`` and ends with the last
    line of its stderr, or names the signal or the time.
    """
    code = _CODE.format(path=_import_path(), parent=os.getpid(), memory=memory, seconds=seconds, module=module)
    try:
        child = subprocess.run(
            [sys.executable, "-c", code, argument],
            input=stdin,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{failure}: it took longer than {seconds} seconds") from error
    if child.returncode < 0:
        raise ModelError(f"{failure}: it crashed (signal {-child.returncode})")
    if child.returncode != 0:
        reason = child.stderr.strip().splitlines() or ["no reason given"]
        raise ModelError(f"{failure}: {reason[-1]}")
    return child.stdout or ""


def _import_path() -> list[str]:
    """The folders that this process imports from, without the current folder that Python put there by itself.

    Both packages are at its end, because they may have been found in the current folder.
    """
    path = [entry for entry in sys.path if entry not in ("", ".")]
    main = sys.modules["__main__"]
    if getattr(main, "__spec__", None) and not getattr(sys.flags, "safe_path", False):  # run by `python -m`
        here = str(Path.cwd())
        path = [entry for number, entry in enumerate(path) if entry != here or here in path[:number]]
    packages = [str(Path(package.__path__[0]).absolute().parent) for package in (sotag_edge, sotag_convert)]
    return [*path, *(folder for folder in packages if folder not in path)]
