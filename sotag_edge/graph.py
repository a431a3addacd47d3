"""A graph of a TFLite runtime, for one call at a time: the tensors of a model, set, run and read. See interpreter.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sotag_edge.errors import ModelError
from sotag_edge.vocabulary import PADDING_ID

ROWS, BEFORE = "rows", "before"
"""Inputs besides the ids, by a part of their names: that of a linear branch; that of a network that reads in steps."""
_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
_STATE = slice(18, 20)  # the inputs of this operator that are its state


Libraries = tuple[Any, Any]
"""NumPy, and the interpreter module of a runtime."""


class Graph:
    """A graph that takes a text as a whole; ``has_rows``: and the rows of a linear branch.

    Each method raises ``ModelError`` for a damaged model.
    """

    def __init__(self, libraries: Libraries, model: bytes, has_rows: bool) -> None:
        details = self._load(libraries, model)
        rows = [tensor for tensor in details if has_rows and ROWS in tensor["name"]]
        ids = [tensor for tensor in details if not (has_rows and ROWS in tensor["name"])]
        self._inputs = [self._tensor(ids, "int32", "of ids")[0]]
        if has_rows:
            self._inputs.append(self._tensor(rows, "int32", "of rows and counts")[0])
        self._output, self.outputs = self._tensor(self._interpreter.get_output_details(), "float32", "of scores")
        self._lengths: list[int] = []

    def _load(self, libraries: Libraries, model: bytes) -> Sequence[Mapping[str, Any]]:
        """Load the model; the details of its inputs."""
        self._numpy, runtime = libraries
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
        """The names of the operators, in the order of their execution."""
        return [operator["op_name"] for operator in self._interpreter._get_ops_details()]

    def scores(self, ids: Sequence[int], rows: Sequence[Sequence[int]] | None) -> list[float]:
        """See ``Interpreter.scores``."""
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


class State(NamedTuple):
    """Where a reading has stopped: the last id, the LSTM's state, and the maximum over its steps."""

    id: int
    lstm: list[Any]
    maximum: Any


class StepGraph(Graph):
    """A graph that reads a text in steps, padded to whole ones, and can go on where another one has stopped.

    It keeps its number of steps: to resize and allocate a graph takes as long as ten tokens.
    """

    def __init__(self, libraries: Libraries, model: bytes, step: int) -> None:
        details = self._load(libraries, model)
        before = [tensor for tensor in details if BEFORE in tensor["name"]]
        ids = [tensor for tensor in details if BEFORE not in tensor["name"]]
        self._ids = self._tensor(ids, "int32", "of ids")[0]
        self._before, units = self._tensor(before, "float32", "of a maximum")
        self._output, size = self._tensor(self._interpreter.get_output_details(), "float32", "of scores")
        self.outputs = size - units
        self._step, self._steps = step, 0
        self._state: list[int] = []
        self._nothing = self._numpy.full((1, units), -1, self._numpy.float32)  # no LSTM gives less

    def scores(self, ids: Sequence[int], state: State | None) -> list[float]:  # type: ignore[override]
        """The scores after a piece of a text that follows ``state``; the first piece follows none."""
        interpreter, steps = self._interpreter, -(-len(ids) // self._step)
        try:
            if steps != self._steps:
                self._resize(steps)
            end, row = len(ids) + 1, self._array[0]
            row[1:end] = ids
            row[end:] = PADDING_ID
            if state is None:
                row[0] = PADDING_ID
                interpreter.reset_all_variables()  # subtle: as in ``Graph.scores``
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

    def state(self) -> State:
        """Where the last call has stopped."""
        try:
            lstm = [self._interpreter.get_tensor(tensor) for tensor in self._variables()]
        except Exception as error:
            raise _failure("run", error) from error
        return State(int(self._array[0, -1]), lstm, self._result[:, self.outputs :])

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
