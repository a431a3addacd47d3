"""Regenerates what README.md shows: the output of its console blocks, and the table of models.

``python docs/readme.py`` writes README.md; ``--check`` changes nothing and fails where it would. Every ``$ command`` of a
``console`` block is run by bash, in one empty folder (``make``: in the checkout), with the ``sotag-edge`` of this very
Python first in the path.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
_TABLE = re.compile(r"(<!-- models -->\n).*?(<!-- /models -->)", re.DOTALL)
_CONSOLE = re.compile(r"(```console\n)(.*?)(```)", re.DOTALL)


def regenerated(text: str) -> str:
    """README.md as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        text = _CONSOLE.sub(lambda block: block[1] + _played(block[2], Path(folder)) + block[3], text)
    return _TABLE.sub(lambda table: table[1] + _models() + table[2], text)


def _played(block: str, folder: Path) -> str:
    lines = []
    for command in (line for line in block.splitlines() if line.startswith("$ ")):
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command[2:]],
            cwd=ROOT if command.startswith("$ make ") else folder,
            env={"PATH": path, "LANG": "C.UTF-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=True,
        )
        lines += [command, *done.stdout.splitlines()]
    return "\n".join(lines) + "\n"


def _models() -> str:
    rows = [
        "| model | LSTM units | KB on the device | masked | unmasked | raw | title | ECE | same tag as Keras |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for folder in sorted((ROOT / "models").iterdir()):
        manifest = json.loads((folder / "model.json").read_bytes())
        metrics = json.loads((folder / "metrics.json").read_bytes())
        measured, views = metrics["verification"], metrics["evaluation"]
        accuracies = (f"{views[view]['accuracy']:.4f}" for view in ("masked", "unmasked", "raw", "title"))
        rows.append(
            f"| [`{folder.name}`](models/{folder.name}/README.md) | {manifest['network']['units']} "
            f"| {measured['bytes'] / 1000:.0f} | {' | '.join(accuracies)} "
            f"| {views['masked']['calibration_error']:.3f} | {measured['agreement']:.2%} |"
        )
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    after = regenerated(before)
    if "--check" not in sys.argv:
        README.write_text(after, encoding="utf-8")
    elif before != after:
        sys.exit("README.md shows other output than its commands give: run `make docs`")
