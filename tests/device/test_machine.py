"""The diagnosis of the TFLite runtime, which the interpreter and `doctor` share."""

from __future__ import annotations

import sys

import pytest

from sotag_edge import machine
from sotag_edge.cli import doctor

TFLITE = {"tflite-runtime": "2.14.0"}
LITERT = {"ai-edge-litert": "2.3.0"}


@pytest.mark.parametrize(
    ("runtimes", "numpy", "faults"),
    [
        (TFLITE, "1.26.4", []),
        (LITERT, "1.26.4", []),
        (LITERT, "2.4.0", []),
        (TFLITE, "2.0.0", [("NumPy", "pip install 'numpy<2'")]),
        (TFLITE | LITERT, "2.0.0", []),
        (TFLITE, None, [("NumPy", "apt install python3-numpy")]),
        ({}, "2.4.0", [("TFLite runtime", "pip install ai-edge-litert")]),
        ({}, None, [("TFLite runtime", "pip install tflite-runtime 'numpy<2'"), ("NumPy", "pip install")]),
    ],
)
def test_each_fault_has_its_remedy(runtimes: dict[str, str], numpy: str | None, faults: list[tuple[str, str]]) -> None:
    """A runtime and a NumPy that work together have none."""
    checks = machine.runtime_checks(runtimes, numpy)
    assert [check.name for check in checks] == ["TFLite runtime", "NumPy"]
    remedies = [(check.name, check.remedy) for check in checks if check.remedy]
    assert [name for name, _ in remedies] == [name for name, _ in faults]
    for (_, remedy), (_, words) in zip(remedies, faults, strict=True):
        assert words in remedy
    assert all(version in checks[0].found for version in runtimes.values())


@pytest.mark.parametrize(
    ("maxsize", "version", "words"),
    [
        (2**31 - 1, (3, 12), "use Python 3.11"),
        (2**31 - 1, (3, 11), "pip install tflite-runtime"),
        (2**63 - 1, (3, 13), "pip install ai-edge-litert"),
    ],
)
def test_a_system_without_wheels(
    monkeypatch: pytest.MonkeyPatch, maxsize: int, version: tuple[int, int], words: str
) -> None:
    """Only a 32-bit system with a new Python has nothing that pip could install."""
    monkeypatch.setattr(sys, "maxsize", maxsize)
    monkeypatch.setattr(sys, "version_info", version)
    assert words in machine.runtime_checks({}, "1.26.4")[0].remedy


def test_doctor_shows_the_same_checks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A NumPy that is too new is a fault with the same sentence, and exit code 4."""
    monkeypatch.setattr(machine, "runtimes", lambda: TFLITE)
    monkeypatch.setattr(machine, "installed", lambda _: "2.1.0")
    with pytest.raises(doctor.MissingDependencyError) as caught:
        doctor.doctor(to="json")
    check = machine.runtime_checks(TFLITE, "2.1.0")[1]
    assert f"{check.name}: {check.found}: {check.remedy}" in str(caught.value)
    assert check.remedy in capsys.readouterr().out
