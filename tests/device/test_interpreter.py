"""Which TFLite runtime is taken, and what is said where none works."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy
import pytest

from sotag_edge import interpreter, machine
from sotag_edge.errors import MissingDependencyError


def package(monkeypatch: pytest.MonkeyPatch, name: str, *, installed: bool) -> ModuleType | None:
    """Make a runtime package look installed, or not."""
    module = ModuleType(f"{name}.interpreter") if installed else None
    monkeypatch.setitem(sys.modules, name, ModuleType(name) if installed else None)
    monkeypatch.setitem(sys.modules, f"{name}.interpreter", module)
    if installed:
        monkeypatch.setattr(sys.modules[name], "interpreter", module, raising=False)
    return module


def test_without_a_runtime_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """No runtime at all is one sentence with both commands."""
    package(monkeypatch, "tflite_runtime", installed=False)
    package(monkeypatch, "ai_edge_litert", installed=False)
    monkeypatch.setattr(machine, "runtimes", dict)
    with pytest.raises(MissingDependencyError, match=r"pip install tflite-runtime .* pip install ai-edge-litert"):
        interpreter.libraries()


def test_litert_is_taken_where_tflite_runtime_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """ai-edge-litert stands in, also beside NumPy 2."""
    package(monkeypatch, "tflite_runtime", installed=False)
    litert = package(monkeypatch, "ai_edge_litert", installed=True)
    monkeypatch.setattr(numpy, "__version__", "2.4.0")
    assert interpreter.libraries() == (numpy, litert)


def test_numpy_2_beside_tflite_runtime_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pair that would crash is refused with the command that mends it."""
    package(monkeypatch, "tflite_runtime", installed=True)
    package(monkeypatch, "ai_edge_litert", installed=False)
    monkeypatch.setattr(machine, "installed", lambda name: "2.14.0" if name == "tflite-runtime" else None)
    monkeypatch.setattr(numpy, "__version__", "2.1.0")
    with pytest.raises(MissingDependencyError, match=r"NumPy: 2\.1\.0, .*: pip install 'numpy<2'"):
        interpreter.libraries()


def test_the_runtime_that_works_with_this_numpy_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are installed: the small one beside NumPy 1, the other one beside NumPy 2 or if the first cannot be loaded."""
    tflite = package(monkeypatch, "tflite_runtime", installed=True)
    litert = package(monkeypatch, "ai_edge_litert", installed=True)
    monkeypatch.setattr(numpy, "__version__", "1.26.4")
    assert interpreter.libraries() == (numpy, tflite)
    monkeypatch.setattr(numpy, "__version__", "2.4.0")
    assert interpreter.libraries() == (numpy, litert)
    monkeypatch.setattr(numpy, "__version__", "1.26.4")
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    assert interpreter.libraries() == (numpy, litert)


def test_without_numpy_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a 32-bit Raspberry Pi pip cannot bring it."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingDependencyError, match="apt install python3-numpy"):
        interpreter.libraries()


def test_a_system_without_any_runtime_is_told_so_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 32-bit system with a Python for which no runtime has wheels: before anything else, what to use instead."""
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    monkeypatch.setattr(sys, "version_info", (3, 13))
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.setattr(machine, "runtimes", dict)
    with pytest.raises(MissingDependencyError, match="use Python 3"):
        interpreter.libraries()
