"""Runs a module of this package in a process of its own, so that a crash there is an error message here."""

from __future__ import annotations

import subprocess
import sys

from sotag_edge.errors import ModelError


def run_module(module: str, argument: str, *, what: str, given: str = "") -> str:
    """Run ``python -m module argument`` with ``given`` as its input, and return what it prints.

    Raises ``ModelError`` that begins with ``what`` and ends with the last line of its stderr, or names the signal.
    """
    child = subprocess.run(
        [sys.executable, "-m", module, argument],
        input=given,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if child.returncode < 0:
        raise ModelError(f"{what}: it crashed (signal {-child.returncode})")
    if child.returncode != 0:
        reason = child.stderr.strip().splitlines() or ["no reason given"]
        raise ModelError(f"{what}: {reason[-1]}")
    return child.stdout
