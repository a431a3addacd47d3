"""Ids -> scores, on whichever TFLite runtime is installed; the only module that touches one.

tflite-runtime 2.14 has wheels for CPython 3.9-3.11 on Linux, 32-bit Raspberry Pi OS among them; ai-edge-litert for newer
Pythons and other systems. ``pyproject.toml`` chooses by environment marker; this module takes the one that is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from sotag_edge import machine
from sotag_edge.errors import MissingDependencyError, ModelError

ROWS = "rows"
"""The input tensor of the linear branch has this in its name."""
_SUM_TOLERANCE = 0.01  # measured, of a softmax over 1,000 labels: 1e-6


class Interpreter:
    """A loaded model: the ids of one text in, one score per output out.

    Several threads may use it at once. Each call takes a graph that no other call uses, and makes one if there is none: a
    runtime's graph serves one call at a time, and releases Python's lock while it computes, which is half of the time that a
    text takes (measured with both runtimes, texts of 20 to 380 tokens).
    """

    def __init__(self, model: bytes, *, independent: bool = False, has_rows: bool = False) -> None:
        """``independent``: the scores are sigmoids, each of its own; otherwise a softmax, with a sum of 1. ``has_rows``: the
        model has a linear branch, whose rows are its second input.

        Raises ``MissingDependencyError`` without a working runtime, ``ModelError`` if it cannot load the model.
        """
        self._model, self._independent, self._has_rows = model, independent, has_rows
        graph = _Graph(model, has_rows)
        self._free = [graph]
        self.outputs = graph.outputs

    def operators(self) -> list[str]:
        """The names of the graph's operators, in the order of their execution."""
        return _Graph(self._model, self._has_rows).operators()

    def scores(self, ids: Sequence[int], rows: Sequence[Sequence[int]] | None = None) -> list[float]:
        """The score of each output, in the order of the bundle's labels, for one or more ids.

        ``rows``: those of the features and their counts, for a model with a linear branch.

        The input tensors take the text's own length, so the scores depend on that text only. Raises ``ModelError`` if the
        model cannot be run, or its scores are not numbers from 0 to 1, with a sum of 1 unless they are independent.
        """
        try:
            graph = self._free.pop()
        except IndexError:
            graph = _Graph(self._model, self._has_rows)
        try:
            scores = graph.scores(ids, rows)
        finally:
            self._free.append(graph)
        # A NaN makes the sum NaN, which is in no range.
        total = sum(scores)
        in_range = total >= 0 and max(scores) <= 1 if self._independent else abs(total - 1) < _SUM_TOLERANCE
        if not (len(scores) == self.outputs and in_range and min(scores) >= 0):
            with_sum = "" if self._independent else " with a sum of 1"
            raise ModelError(f"the scores of the model are not numbers from 0 to 1{with_sum}: it is damaged")
        return scores


class _Graph:
    """A graph of a runtime, for one call at a time."""

    def __init__(self, model: bytes, has_rows: bool) -> None:
        self._numpy, runtime = libraries()
        try:
            self._interpreter = runtime.Interpreter(
                model_content=model,
                num_threads=1,
                # No XNNPACK delegate: it cannot take a graph whose length changes, and it prints to stderr.
                experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            self._interpreter.allocate_tensors()
            inputs, scores = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        except Exception as error:  # of any class, where the file is damaged
            raise ModelError(
                f"the TFLite runtime cannot load the model: {str(error) or type(error).__name__}"
            ) from error
        rows = [details for details in inputs if has_rows and ROWS in details["name"]]
        ids = [details for details in inputs if not (has_rows and ROWS in details["name"])]
        self._inputs = [self._tensor(ids, "int32", "of ids")[0]]
        if has_rows:
            self._inputs.append(self._tensor(rows, "int32", "of rows and counts")[0])
        self._output, self.outputs = self._tensor(scores, "float32", "of scores")
        self._lengths: list[int] = []

    def _tensor(self, details: Sequence[Mapping[str, Any]], kind: str, what: str) -> tuple[int, int]:
        """The index of the only tensor, of two dimensions, and the size of the second. Raises ``ModelError``."""
        if len(details) != 1 or details[0]["dtype"] is not getattr(self._numpy, kind) or len(details[0]["shape"]) != 2:
            raise ModelError(f"the model has no single tensor {what}, {kind} of two dimensions")
        return int(details[0]["index"]), int(details[0]["shape"][-1])

    def operators(self) -> list[str]:
        return [operator["op_name"] for operator in self._interpreter._get_ops_details()]

    def scores(self, ids: Sequence[int], rows: Sequence[Sequence[int]] | None) -> list[float]:
        interpreter, np = self._interpreter, self._numpy
        values = [[ids]] if rows is None else [[ids], rows]
        lengths = [len(numbers[0]) for numbers in values]
        try:
            if lengths != self._lengths:
                self._lengths = []
                for tensor, numbers, length in zip(self._inputs, values, lengths, strict=True):
                    interpreter.resize_tensor_input(tensor, [len(numbers), length])
                interpreter.allocate_tensors()
                self._lengths = lengths
            # subtle: the fused LSTM keeps its state between calls; without this the scores depend on the text before.
            interpreter.reset_all_variables()
            for tensor, numbers in zip(self._inputs, values, strict=True):
                interpreter.set_tensor(tensor, np.array(numbers, dtype=np.int32))
            interpreter.invoke()
            scores: list[float] = interpreter.get_tensor(self._output)[0].tolist()
        except Exception as error:  # of any class, where the model is damaged
            raise ModelError(
                f"the TFLite runtime cannot run the model: {str(error) or type(error).__name__}"
            ) from error
        return scores


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
