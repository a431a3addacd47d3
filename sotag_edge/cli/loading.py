"""``loading_numpy``: NumPy and a TFLite runtime loaded as fast as a short run needs them, and safely interrupted.

For the process of a command only: a program that imports sotag_edge has a NumPy, threads and signals of its own.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader

from sotag_edge.errors import INTERRUPTED, TERMINATED

_UNNEEDED = frozenset({"numpy.ctypeslib", "numpy.fft", "numpy.ma", "numpy.polynomial", "numpy.random"})


@contextmanager
def loading_numpy() -> Iterator[None]:
    """For a block that imports NumPy and makes a ``Classifier``.

    The figures are those of a run that tags one text, with tflite-runtime 2.14 on x86-64:
    OpenBLAS starts no threads, which wait for work in a loop, up to 40 % of the CPU time, and have none to do here; the
    garbage collector, which looks for cycles in what imports leave (7 %), rests; and parts of NumPy 1 that no text needs
    are loaded when they are used (10 %, and 5 MB), as NumPy 2 does by itself.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.meta_path.insert(0, _LazyParts)
    gc.disable()
    try:
        with _immediate_interrupt():
            yield
    finally:
        gc.freeze()  # what is loaded stays, so it is not looked through
        gc.enable()
        sys.meta_path.remove(_LazyParts)


class _LazyParts:
    """Finds the unneeded parts of NumPy, each with a loader that runs it when an attribute of it is looked up."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:  # noqa: ARG004
        spec = PathFinder.find_spec(name, path) if name in _UNNEEDED else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def _immediate_interrupt() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the process at once: an interrupted import of NumPy would be reported as a broken NumPy."""
    codes: dict[int, int] = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
    usual = {number: signal.getsignal(number) for number in codes}
    for number, handler in usual.items():
        if handler is not signal.SIG_IGN:  # as in the background of a shell
            signal.signal(number, lambda caught, _: os._exit(codes[caught]))
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
