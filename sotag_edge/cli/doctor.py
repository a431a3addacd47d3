"""``sotag-edge doctor``."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

from sotag_edge import machine
from sotag_edge.bundle import Bundle
from sotag_edge.classifier import Classifier
from sotag_edge.cli import options
from sotag_edge.errors import MissingDependencyError, ModelError, SotagEdgeError
from sotag_edge.machine import Check
from sotag_edge.models import find
from sotag_edge.terminal import print_rows
from sotag_edge.trial import CrashError, in_child

_TEXT = "How do I sort a list in Python?"
_REINSTALL = "install the TFLite runtime again, in a version for this processor: pip install --force-reinstall {}"


def doctor(model: options.Model = None, to: options.FactsFormat = "table") -> None:
    """Check everything that tagging needs on this machine, tag a text, and name the remedy for each fault.

    Example: sotag-edge doctor
    """
    runtimes = machine.runtimes()
    checks = [*_system(), *machine.runtime_checks(runtimes, machine.installed("numpy")), _model(model)]
    code, inference = _inference(model)
    checks.append(inference)
    if to == "json":
        print(json.dumps([check._asdict() | {"ok": not check.remedy} for check in checks], indent=2))
    else:
        rows = [("fault" if check.remedy else "ok", check.name, check.found) for check in checks]
        print_rows(("", "check", "found"), rows)
    faults = [check for check in checks if check.remedy]
    if faults:
        # A model that cannot be read or run is exit code 3; any other fault is one of the installation.
        model_at_fault = faults[0].name == "model" or (faults[0] is inference and code == ModelError.exit_code)
        kind = ModelError if model_at_fault else MissingDependencyError
        raise kind("; ".join(f"{check.name}: {check.found}: {check.remedy}" for check in faults))


def _system() -> list[Check]:
    flags = machine.cpu_flags()
    cpu = f"{machine.cpu() or 'unknown'}, {machine.cores()} cores; {' '.join(flags) if flags else 'unknown flags'}"
    return [
        Check("Python", f"{platform.python_version()} ({sys.executable})"),
        Check("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        Check("C library", machine.libc() or "unknown"),
        Check("processor", cpu),
    ]


def _model(model: str | None) -> Check:
    try:
        bundle = Bundle.read(find(model))
    except SotagEdgeError as error:
        return Check("model", "not usable", str(error))
    return Check("model", f"{bundle.path}: {', '.join(bundle.manifest.labels)}")


def _inference(model: str | None) -> tuple[int, Check]:
    """The exit code and the check of tagging a text in a child process, so that a crash of the runtime is a sentence."""
    try:
        return 0, Check("inference", f"{_TEXT!r} is {in_child(_answer, str(find(model)))}")
    except CrashError as crash:
        package = next(iter(machine.runtimes()), "ai-edge-litert")
        return 1, Check("inference", f"the runtime crashed ({crash})", _REINSTALL.format(package))
    except SotagEdgeError as error:
        return error.exit_code, Check("inference", f"failed with exit code {error.exit_code}", str(error))


def _answer(folder: str) -> str:
    prediction = Classifier.load(Path(folder)).classify(_TEXT)
    return f"{prediction.label}, {prediction.score:.4f}"
