"""Which TFLite runtime is taken, and what is said where none works."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from sotag_edge import interpreter
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
    with pytest.raises(MissingDependencyError, match=r"pip install tflite-runtime .* pip install ai-edge-litert"):
        interpreter._runtime("1.26.4")


def test_litert_is_taken_where_tflite_runtime_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """ai-edge-litert stands in, also beside NumPy 2."""
    package(monkeypatch, "tflite_runtime", installed=False)
    litert = package(monkeypatch, "ai_edge_litert", installed=True)
    assert interpreter._runtime("2.4.0") is litert


def test_numpy_2_beside_tflite_runtime_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pair that would crash is refused with the command that mends it."""
    package(monkeypatch, "tflite_runtime", installed=True)
    with pytest.raises(MissingDependencyError, match=r"NumPy 2\.1\.0: pip install 'numpy<2'"):
        interpreter._runtime("2.1.0")
