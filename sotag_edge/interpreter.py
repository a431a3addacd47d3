"""Ids -> scores, on whichever TFLite runtime is installed; the only module that touches one.

tflite-runtime 2.14 has wheels for CPython 3.9-3.11 on Linux, 32-bit Raspberry Pi OS among them; ai-edge-litert for newer
Pythons and other systems. ``pyproject.toml`` chooses by environment marker; this module takes what is there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from sotag_edge.errors import MissingDependencyError, ModelError

_NUMPY = (
    "pip install --force-reinstall sotag-edge; on a 32-bit Raspberry Pi apt install python3-numpy, and use a "
    "venv --system-site-packages"
)
_RUNTIME = "pip install tflite-runtime 'numpy<2' (Linux, Python 3.11 or older), or pip install ai-edge-litert"
_NO_WHEELS = (
    "no TFLite runtime has wheels for a 32-bit system and this Python: use Python 3.11 (Raspberry Pi OS 12), "
    "or a 64-bit system"
)


class Interpreter:
    """A loaded model: one text's ids in, one score a label out. Not safe for use by several threads at once."""

    def __init__(self, model: bytes) -> None:
        """Raises ``MissingDependencyError`` without a runtime that works, ``ModelError`` if it cannot load the model."""
        self._numpy, runtime = _libraries()
        try:
            self._interpreter = runtime.Interpreter(
                model_content=model,
                num_threads=1,
                # Without the XNNPACK delegate: it cannot take a graph whose length changes, and it announces itself
                # on the process's stderr.
                experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"the TFLite runtime cannot load the model: {error}") from error
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        output = self._interpreter.get_output_details()[0]
        self._output: int = output["index"]
        self.outputs = int(output["shape"][-1])
        self._length: int | None = None

    def operators(self) -> list[str]:
        """The names of the graph's operators, in the order of their execution."""
        return [operator["op_name"] for operator in self._interpreter._get_ops_details()]

    def scores(self, ids: Sequence[int]) -> list[float]:
        """The score of each label, in the order of the bundle's labels, for one or more ids.

        The input tensor takes the text's own length, so a score depends on the text alone.
        """
        interpreter = self._interpreter
        if len(ids) != self._length:
            interpreter.resize_tensor_input(self._input, [1, len(ids)])
            interpreter.allocate_tensors()
            self._length = len(ids)
        # subtle: the fused LSTM keeps its state between calls; without this a text's score depends on the one before.
        interpreter.reset_all_variables()
        interpreter.set_tensor(self._input, self._numpy.array([ids], dtype=self._numpy.int32))
        interpreter.invoke()
        scores: list[float] = interpreter.get_tensor(self._output)[0].tolist()
        return scores


def _libraries() -> tuple[Any, Any]:
    """NumPy, and the interpreter module of the runtime that is installed."""
    no_wheels = sys.maxsize < 2**32 and sys.version_info >= (3, 12)
    try:
        import numpy
    except ImportError as error:
        mend = _NO_WHEELS if no_wheels else f"NumPy cannot be loaded ({error}): {_NUMPY}"
        raise MissingDependencyError(mend) from error
    runtime = _installed("tflite_runtime")
    if runtime is not None and int(numpy.__version__.split(".", maxsplit=1)[0]) >= 2:
        # Measured: it imports, then crashes with "_ARRAY_API not found" when an interpreter is made.
        raise MissingDependencyError(
            f"tflite-runtime cannot work with NumPy {numpy.__version__}: pip install 'numpy<2'"
        )
    runtime = runtime or _installed("ai_edge_litert")
    if runtime is None:
        raise MissingDependencyError(_NO_WHEELS if no_wheels else f"no TFLite runtime is installed: {_RUNTIME}")
    return numpy, runtime


def _installed(package: str) -> Any:
    """The interpreter module of a package; ``None`` where it is not installed."""
    try:
        return import_module(f"{package}.interpreter")
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == package:
            return None
        raise MissingDependencyError(
            f"{package} is installed and cannot be loaded: {error}; pip install --force-reinstall sotag-edge"
        ) from error
