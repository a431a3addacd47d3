"""Runs a module of this package in a process of its own, so that a crash there is an error message here."""

from __future__ import annotations

import subprocess
import sys

from sotag_edge.errors import ModelError


def run_module(module: str, argument: str, *, failure: str, stdin: str = "") -> str:
    """Run ``python -m module argument`` and return its standard output.

    Raises ``ModelError`` that begins with ``failure`` and ends with the last line of its stderr, or names the signal.
    """
    child = subprocess.run(
        [sys.executable, "-m", module, argument],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if child.returncode < 0:
        raise ModelError(f"{failure}: it crashed (signal {-child.returncode})")
    if child.returncode != 0:
        reason = child.stderr.strip().splitlines() or ["no reason given"]
        raise ModelError(f"{failure}: {reason[-1]}")
    return child.stdout
