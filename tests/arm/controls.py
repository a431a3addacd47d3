"""``make arm-controls``: spoils copies of the checkout, and sees ``make arm`` fail for each and name the cause.

Needs the systems that ``make arm`` has built, and TensorFlow, whose tools change a model's operators.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def newer_operator(checkout: Path) -> None:
    """The default model with an operator of a version that no runtime knows."""
    from tensorflow.lite.tools import flatbuffer_utils

    folder = checkout / "models" / "default"
    model = flatbuffer_utils.read_model(str(folder / "model.tflite"))
    model.operatorCodes[0].version = 99
    flatbuffer_utils.write_model(model, str(folder / "model.tflite"))
    content = (folder / "model.tflite").read_bytes()
    manifest = json.loads((folder / "model.json").read_bytes())
    manifest["files"]["model.tflite"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")


def in_pyproject(old: str, new: str) -> Callable[[Path], None]:
    """A line of pyproject.toml, changed."""

    def spoil(checkout: Path) -> None:
        text = (checkout / "pyproject.toml").read_text(encoding="utf-8")
        if old not in text:
            raise SystemExit(f"pyproject.toml has no {old!r}: mend this control")
        (checkout / "pyproject.toml").write_text(text.replace(old, new), encoding="utf-8")

    return spoil


# What is spoilt, in which system it must be seen, and what must be said.
CONTROLS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "an operator that is too new": (newer_operator, "pi12-64", "version"),
    "NumPy 2 beside tflite-runtime": (
        in_pyproject('"numpy>=1.23,<2; ', '"numpy>=2,<3; '),
        "pi12-64",
        "which tflite-runtime cannot work with",
    ),
    "a wheel without the model": (
        in_pyproject("[tool.hatch.build.targets.wheel.force-include]", "[tool.unused]"),
        "pi12-64",
        "no model 'default'",
    ),
    "a missing marker": (
        in_pyproject(
            "tflite-runtime>=2.14,<3; sys_platform == 'linux' and python_version < '3.12'", "tflite-runtime>=2.14"
        ),
        "pi13-64",
        "No matching distribution found for tflite-runtime",
    ),
}


def main() -> int:
    """Run every control; the exit code is 0 where each failed as it must."""
    wrong = 0
    for name, (spoil, system, sentence) in CONTROLS.items():
        with tempfile.TemporaryDirectory() as folder:
            checkout = Path(folder) / "checkout"
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)
            spoil(checkout)
            done = subprocess.run(
                [sys.executable, str(checkout / "tests" / "arm" / "run.py")],
                env={**os.environ, "ARM_ONLY": system, "PYTHONPATH": str(checkout)},
                capture_output=True,
                encoding="utf-8",
            )
            said = (done.stderr.strip().splitlines() or ["(nothing)"])[-1]
            seen = done.returncode == 1 and sentence in said
            wrong += not seen
            print(f"{'seen' if seen else 'NOT SEEN'}: {name}: exit code {done.returncode}, {said}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
