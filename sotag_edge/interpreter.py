"""Ids -> scores, on whichever TFLite runtime is installed; the only module that imports one.

tflite-runtime 2.14 has wheels for CPython 3.9-3.11 on Linux, 32-bit Raspberry Pi OS among them; ai-edge-litert for newer
Pythons and other systems. ``pyproject.toml`` chooses by environment marker; this module takes the one that is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

from sotag_edge import machine
from sotag_edge.errors import MissingDependencyError, ModelError
from sotag_edge.graph import Graph, StepGraph

_SUM_TOLERANCE = 0.01  # measured, of a softmax over 1,000 labels: 1e-6
_MOST_GRAPHS = 64  # that are kept for texts of different lengths, and one per thread; each takes 0.15 MB
_LONG = 64  # steps; longer texts share graphs, which are resized: a graph of 1,000 steps takes 10 MB


class Interpreter:
    """A loaded model: the ids of one text in, one score per output out.

    Several threads may use it at once. Each call takes a graph that no other call uses, and makes one if there is none: a
    runtime's graph serves one call at a time, and releases Python's lock while it computes, which is half of the time that a
    text takes (measured with both runtimes, texts of 20 to 380 tokens).
    """

    def __init__(
        self, model: bytes, *, independent: bool = False, has_rows: bool = False, step: int | None = None
    ) -> None:
        """``independent``: the scores are sigmoids, each of its own; otherwise a softmax, with a sum of 1. ``has_rows``: the
        model has a linear branch, whose rows are its second input. ``step``: the number of tokens that its LSTM reads at a
        time, for a model that can read a text in pieces.

        Raises ``MissingDependencyError`` without a working runtime, ``ModelError`` if it cannot load the model.
        """
        self._independent, self._step = independent, step
        found = libraries()
        self._new: Callable[[], Any] = (
            partial(StepGraph, found, model, step) if step else partial(Graph, found, model, has_rows)
        )
        graph = self._new()
        self._free: dict[int, list[Any]] = {0: [graph]}
        self._made = 1
        self.outputs: int = graph.outputs

    def operators(self) -> list[str]:
        """The names of the graph's operators, in the order of their execution."""
        names: list[str] = self._new().operators()
        return names

    def scores(self, ids: Sequence[int], rows: Sequence[Sequence[int]] | None = None) -> list[float]:
        """The score of each output, in the order of the bundle's labels, for one or more ids.

        ``rows``: those of the features and their counts, for a model with a linear branch.

        The input tensors take the text's own length, so the scores depend on that text only. Raises ``ModelError`` if the
        model cannot be run, or its scores are not numbers from 0 to 1, with a sum of 1 unless they are independent.
        """
        steps = self._steps_of(ids)
        graph = self._taken(steps)
        try:
            return self._checked(graph.scores(ids, rows))
        finally:
            self._free[steps].append(graph)

    def reading(self) -> Reading:
        """The reading of one text in pieces, for a model with a ``step``."""
        return Reading(self)

    def _steps_of(self, ids: Sequence[int]) -> int:
        """By which graphs are kept; 0 without a ``step``."""
        return min(-(-len(ids) // self._step), _LONG) if self._step else 0

    def _taken(self, steps: int) -> Any:
        """A graph that no other call uses: one that has so many steps or had no call yet, a new one, or any of many."""
        try:
            return self._free[steps].pop()
        except (KeyError, IndexError):
            self._free.setdefault(steps, [])
        for number in list(self._free) if self._made >= _MOST_GRAPHS else [0]:
            with suppress(IndexError):
                return self._free[number].pop()
        self._made += 1
        return self._new()

    def _checked(self, scores: list[float]) -> list[float]:
        # A NaN makes the sum NaN, which is in no range.
        total = sum(scores)
        in_range = total >= 0 and max(scores) <= 1 if self._independent else abs(total - 1) < _SUM_TOLERANCE
        if not (len(scores) == self.outputs and in_range and min(scores) >= 0):
            with_sum = "" if self._independent else " with a sum of 1"
            raise ModelError(f"the scores of the model are not numbers from 0 to 1{with_sum}: it is damaged")
        return scores


class Reading:
    """One text, read piece by piece: a context that gives back its graph at its end.

    The LSTM goes on where it has stopped, so what was read is not read again.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._graph: Any = None
        self._steps = 0

    def scores(self, ids: Sequence[int]) -> list[float]:
        """The scores of the text up to the end of the next piece, which has these ids.

        Each piece but the last has a multiple of ``step`` ids. Raises as ``Interpreter.scores`` does.
        """
        state = self._graph and self._graph.state()
        self._release()
        self._steps = self._interpreter._steps_of(ids)
        self._graph = self._interpreter._taken(self._steps)
        return self._interpreter._checked(self._graph.scores(ids, state))

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def _release(self) -> None:
        if self._graph:
            self._interpreter._free[self._steps].append(self._graph)
            self._graph = None


def libraries() -> tuple[Any, Any]:
    """NumPy, and the interpreter module of the preferred runtime. Raises ``MissingDependencyError`` with the remedy."""
    numpy = _imported("numpy", "numpy")
    if numpy is None:  # then no runtime can be imported either
        runtime, packages = None, machine.runtimes()
    else:
        runtime, packages = _runtime(numpy.__version__)
    for check in machine.runtime_checks(packages, numpy and numpy.__version__):
        if check.remedy:
            raise MissingDependencyError(f"{check.name}: {check.found}: {check.remedy}")
    return numpy, runtime


def _runtime(numpy: str) -> tuple[Any, dict[str, str]]:
    """The first installed runtime that works with this NumPy; ``None`` and those that do not, if there is no other."""
    failed: MissingDependencyError | None = None
    for package, name in machine.RUNTIMES.items():
        if machine.works_with(package, numpy):
            try:
                module = _imported(package, f"{name}.interpreter")
            except MissingDependencyError as error:
                failed = error
                continue
            if module:
                return module, {package: "installed"}
    if failed:
        raise failed
    return None, {name: version for name, version in machine.runtimes().items() if not machine.works_with(name, numpy)}


def _imported(package: str, module: str) -> Any:
    """A module of a package; ``None`` if the package is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        if (
            isinstance(error, ModuleNotFoundError)
            and (error.name or "").split(".")[0] == module.split(".", maxsplit=1)[0]
        ):
            return None
        raise MissingDependencyError(
            f"{package} is installed but cannot be loaded ({error}): pip install --force-reinstall {package}"
        ) from error
