"""Ids -> scores, on whichever TFLite runtime is installed; the only module that touches one.

tflite-runtime 2.14 has wheels for CPython 3.9-3.11 on Linux, 32-bit Raspberry Pi OS among them; ai-edge-litert for newer
Pythons and other systems. ``pyproject.toml`` chooses by environment marker; this module takes the one that is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from sotag_edge import machine
from sotag_edge.errors import MissingDependencyError, ModelError
from sotag_edge.vocabulary import PADDING_ID

ROWS, BEFORE = "rows", "before"
"""Inputs besides the ids, by a part of their names: that of a linear branch; that of a network that reads in steps."""
_SUM_TOLERANCE = 0.01  # measured, of a softmax over 1,000 labels: 1e-6
_MOST_GRAPHS = 64  # that are kept for texts of different lengths, and one per thread; each takes 0.15 MB
_LONG = 64  # steps; longer texts share graphs, which are resized: a graph of 1,000 steps takes 10 MB
_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
_STATE = slice(18, 20)  # the inputs of this operator that are its state


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
        self._new: Callable[[], Any] = partial(_StepGraph, model, step) if step else partial(_Graph, model, has_rows)
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
        if self._step:
            with self.reading() as reading:
                return reading.scores(ids)
        graph = self._taken(0)
        try:
            return self._checked(graph.scores(ids, rows))
        finally:
            self._free[0].append(graph)

    def reading(self) -> Reading:
        """The reading of one text in pieces, for a model with a ``step``."""
        return Reading(self, self._step or 1)

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

    def __init__(self, interpreter: Interpreter, step: int) -> None:
        self._interpreter, self._step = interpreter, step
        self._graph: Any = None
        self._steps = 0

    def scores(self, ids: Sequence[int]) -> list[float]:
        """The scores of the text up to the end of the next piece, which has these ids.

        Each piece but the last has a multiple of ``step`` ids. Raises as ``Interpreter.scores`` does.
        """
        state = self._graph and self._graph.state()
        self._release()
        self._steps = min(-(-len(ids) // self._step), _LONG)
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


class _Graph:
    """A graph of a runtime, for one call at a time."""

    def __init__(self, model: bytes, has_rows: bool) -> None:
        details = self._load(model)
        rows = [tensor for tensor in details if has_rows and ROWS in tensor["name"]]
        ids = [tensor for tensor in details if not (has_rows and ROWS in tensor["name"])]
        self._inputs = [self._tensor(ids, "int32", "of ids")[0]]
        if has_rows:
            self._inputs.append(self._tensor(rows, "int32", "of rows and counts")[0])
        self._output, self.outputs = self._tensor(self._interpreter.get_output_details(), "float32", "of scores")
        self._lengths: list[int] = []

    def _load(self, model: bytes) -> Sequence[Mapping[str, Any]]:
        """Load the model; the details of its inputs."""
        self._numpy, runtime = libraries()
        try:
            self._interpreter = runtime.Interpreter(
                model_content=model,
                num_threads=1,
                # No XNNPACK delegate: it cannot take a graph whose length changes, and it prints to stderr.
                experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            self._interpreter.allocate_tensors()
            details: Sequence[Mapping[str, Any]] = self._interpreter.get_input_details()
        except Exception as error:  # of any class, where the file is damaged
            raise _failure("load", error) from error
        return details

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
            raise _failure("run", error) from error
        return scores


class _State(NamedTuple):
    """Where a reading has stopped: the last id, the LSTM's state, and the maximum over its steps."""

    id: int
    lstm: list[Any]
    maximum: Any


class _StepGraph(_Graph):
    """A graph that reads a text in steps, padded to whole ones, and can go on where another one has stopped.

    It keeps its number of steps: to resize and allocate a graph takes as long as ten tokens.
    """

    def __init__(self, model: bytes, step: int) -> None:
        details = self._load(model)
        before = [tensor for tensor in details if BEFORE in tensor["name"]]
        ids = [tensor for tensor in details if BEFORE not in tensor["name"]]
        self._ids = self._tensor(ids, "int32", "of ids")[0]
        self._before, units = self._tensor(before, "float32", "of a maximum")
        self._output, size = self._tensor(self._interpreter.get_output_details(), "float32", "of scores")
        self.outputs = size - units
        self._step, self._steps = step, 0
        self._state: list[int] = []
        self._nothing = self._numpy.full((1, units), -1, self._numpy.float32)  # no LSTM gives less

    def scores(self, ids: Sequence[int], state: _State | None) -> list[float]:  # type: ignore[override]
        interpreter, steps = self._interpreter, -(-len(ids) // self._step)
        try:
            if steps != self._steps:
                self._resize(steps)
            end, row = len(ids) + 1, self._array[0]
            row[1:end] = ids
            row[end:] = PADDING_ID
            if state is None:
                row[0] = PADDING_ID
                interpreter.reset_all_variables()  # subtle: as in ``_Graph.scores``
                interpreter.set_tensor(self._before, self._nothing)
            else:
                row[0] = state.id
                for tensor, value in zip(self._variables(), state.lstm, strict=True):
                    interpreter.set_tensor(tensor, value)
                interpreter.set_tensor(self._before, state.maximum)
            interpreter.set_tensor(self._ids, self._array)
            interpreter.invoke()
            self._result = interpreter.get_tensor(self._output)
            scores: list[float] = self._result[0, : self.outputs].tolist()
        except Exception as error:  # of any class, where the model is damaged
            raise _failure("run", error) from error
        return scores

    def state(self) -> _State:
        """Where the last call has stopped."""
        try:
            lstm = [self._interpreter.get_tensor(tensor) for tensor in self._variables()]
        except Exception as error:
            raise _failure("run", error) from error
        return _State(int(self._array[0, -1]), lstm, self._result[:, self.outputs :])

    def _resize(self, steps: int) -> None:
        self._steps = 0
        self._array = self._numpy.zeros((1, 1 + steps * self._step), self._numpy.int32)
        self._interpreter.resize_tensor_input(self._ids, self._array.shape)
        self._interpreter.allocate_tensors()
        # subtle: in its first call a graph writes the constants that are stored as float16, and the state with which an LSTM
        # begins is one of them. So there must be a call before the one that goes on with another state.
        self._interpreter.set_tensor(self._ids, self._array)
        self._interpreter.set_tensor(self._before, self._nothing)
        self._interpreter.invoke()
        self._steps = steps

    def _variables(self) -> Sequence[int]:
        """The tensors of the LSTM's state: the runtimes have no other way to them."""
        if not self._state:
            operators = self._interpreter._get_ops_details()
            lstm = next(operator for operator in operators if operator["op_name"] == _LSTM)
            self._state = [int(tensor) for tensor in lstm["inputs"][_STATE]]
        return self._state


def _failure(what: str, error: Exception) -> ModelError:
    return ModelError(f"the TFLite runtime cannot {what} the model: {str(error) or type(error).__name__}")


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
