"""The table of docs/errors.md: every row is run."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from tests.conftest import FIXTURE, ROOT, Run

ROWS = [
    tuple(cell.strip() for cell in line.strip("|\n").split(" | "))
    for line in (ROOT / "docs" / "errors.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What docs/errors.md says that the folder holds."""
    (tmp_path / "q.txt").write_text("Why is my bread dough flat?")
    (tmp_path / "r.jsonl").write_text('{"text": "bread dough"}\n{"text": \n')
    for name in ("model", "changed", "swapped", "cut", "newer", "off"):
        shutil.copytree(FIXTURE, tmp_path / name)
    (tmp_path / "changed" / "model.tflite").write_bytes(b"another")
    (tmp_path / "swapped" / "vocab.txt").write_text("[PAD]\n[UNK]\nanother\n")
    manifest = (FIXTURE / "model.json").read_text(encoding="utf-8")
    (tmp_path / "cut" / "model.json").write_text(manifest[:100])
    (tmp_path / "newer" / "model.json").write_text(manifest.replace('"schema_version": 1', '"schema_version": 99'))
    content = json.loads(manifest)
    content["golden"]["scores"]["baking"] += 0.001
    (tmp_path / "off" / "model.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize(("did", "read", "code"), ROWS, ids=[row[0] for row in ROWS])
def test_the_row_is_true(run: Run, folder: Path, did: str, read: str, code: str) -> None:
    """One sentence, the exit code, no traceback."""
    done = run(*shlex.split(did.strip("`")), cwd=folder)
    said = done.stderr == "" if read == "(nothing)" else read in done.stderr
    assert (done.returncode, said, "Traceback" in done.stderr) == (int(code), True, False), done.stderr


def test_the_table_is_there() -> None:
    """So that a change of its layout cannot make the test above vanish."""
    assert len(ROWS) >= 30
