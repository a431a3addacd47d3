"""``sotag-edge doctor``."""

from __future__ import annotations

import json
import platform
import signal
import subprocess
import sys
from typing import Annotated, Literal, NamedTuple

import typer

from sotag_edge import bundle as bundles
from sotag_edge import machine as device
from sotag_edge.cli import settings as options
from sotag_edge.errors import MissingDependencyError, ModelError, SotagEdgeError

_INSTALL = "pip install --force-reinstall sotag-edge"
_NO_MODEL = f"exit code {ModelError.exit_code}"
_TEXT = "How do I sort a list in Python?"


class Check(NamedTuple):
    """``found``: what there is; ``mend``: what to do about it, empty where all is well."""

    name: str
    found: str
    mend: str = ""


def doctor(
    model: options.Model = None,
    to: Annotated[Literal["table", "json"], typer.Option("--to", help="The output's form.")] = "table",
) -> None:
    """Look at what tagging needs on this machine, tag a text in a process of its own, and say how to mend what fails.

    Example: sotag-edge doctor
    """
    checks = [*_system(), _runtime(), _numpy(), _model(model), _inference(model)]
    if to == "json":
        print(json.dumps([check._asdict() | {"ok": not check.mend} for check in checks], indent=2))
    else:
        from sotag_edge.terminal import print_rows

        rows = [(("mend" if check.mend else "ok"), check.name, check.found) for check in checks]
        print_rows(("", "what", "found"), rows)
    failed = [check for check in checks if check.mend]
    if failed:
        # Without a model there is no inference either; what else fails is a matter of what is installed.
        kind = (
            ModelError if failed[0].name == "model" or failed[0].found.endswith(_NO_MODEL) else MissingDependencyError
        )
        raise kind("; ".join(f"{check.name}: {check.found}: {check.mend}" for check in failed))


def _system() -> list[Check]:
    flags = device.cpu_flags()
    return [
        Check("Python", f"{platform.python_version()} ({sys.executable})"),
        Check("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        Check("C library", device.libc() or "not told"),
        Check(
            "processor",
            f"{device.cpu() or 'not told'}, {device.cores()} cores; {' '.join(flags) if flags else 'flags not told'}",
        ),
    ]


def _runtime() -> Check:
    found = device.runtimes()
    if found:
        return Check("TFLite runtime", ", ".join(f"{name} {version}" for name, version in found.items()))
    if sys.maxsize < 2**32 and sys.version_info >= (3, 12):
        mend = "no runtime has wheels for 32-bit Arm and this Python: use Python 3.11 or a 64-bit system"
    else:
        mend = _INSTALL
    return Check("TFLite runtime", "none", mend)


def _numpy() -> Check:
    found = device.installed("numpy")
    if found is None:
        return Check("NumPy", "none", "pip install 'numpy<2'" if "tflite-runtime" in device.runtimes() else _INSTALL)
    if "tflite-runtime" in device.runtimes() and int(found.split(".", maxsplit=1)[0]) >= 2:
        return Check("NumPy", f"{found}, which tflite-runtime cannot work with", "pip install 'numpy<2'")
    return Check("NumPy", found)


def _model(model: str | None) -> Check:
    try:
        bundle = bundles.read(bundles.find(model))
    except SotagEdgeError as error:
        return Check("model", "none that can be used", str(error))
    return Check("model", f"{bundle.path}: {', '.join(bundle.labels)}")


def _inference(model: str | None) -> Check:
    """One text, tagged in a child process, so that even a crash of the runtime becomes a sentence."""
    command = [sys.executable, "-m", "sotag_edge", "classify", "--to", "tsv", "--text", _TEXT]
    command += ["--model", model] if model else []
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode == 0:
        label, score = done.stdout.strip().split("\t")[1:3]
        return Check("inference", f"{_TEXT!r} is {label}, {score}")
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return Check(
            "inference", f"the runtime crashed ({name})", f"this processor needs another build of it: {_INSTALL}"
        )
    said = done.stderr.strip().splitlines() or ["no reason given"]
    return Check("inference", f"failed with exit code {done.returncode}", said[-1].removeprefix("sotag-edge: "))
