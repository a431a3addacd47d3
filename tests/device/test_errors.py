"""The table of docs/errors.md: every row is run."""

from __future__ import annotations

import bz2
import gzip
import hashlib
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
    (tmp_path / "r.jsonl").write_text('{"text": "bread dough", "k": 7}\n{"text": \n')
    (tmp_path / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "q.bz2").write_bytes(bz2.compress(b"Why?"))
    (tmp_path / "q.gz").write_bytes(gzip.compress(b"Why is my bread dough flat?")[:-9])
    (tmp_path / "w.txt").write_bytes("Why is my bread dough flat?".encode("utf-16-le"))
    (tmp_path / "x.xml").write_text('<posts><row Id="1" PostTypeId="2" Body="no question" /></posts>')
    (tmp_path / "t.csv").write_text('id,text\n1\n2,a,b\n3,"a "b" c\n')
    (tmp_path / "l.csv").write_bytes("id,text\n1,Brot für alle\n".encode("latin-1"))
    (tmp_path / "none.list").touch()
    (tmp_path / "array.json").write_text('[{"text": "bread dough"},\n {"text": }]')
    (tmp_path / "empty").mkdir()
    for name in ("model", "changed", "swapped", "cut", "newer", "off", "hostile"):
        shutil.copytree(FIXTURE, tmp_path / name)
    (tmp_path / "changed" / "model.tflite").write_bytes(b"another")
    (tmp_path / "swapped" / "vocab.txt").write_text("[PAD]\n[UNK]\nanother\n")
    manifest = (FIXTURE / "model.json").read_text(encoding="utf-8")
    (tmp_path / "cut" / "model.json").write_text(manifest[:100])
    (tmp_path / "newer" / "model.json").write_text(manifest.replace('"schema_version": 1', '"schema_version": 99'))
    outside = (FIXTURE / "model.tflite").read_bytes().replace(b"TFL3", b"TFL3" + bytes(4), 1)
    (tmp_path / "hostile" / "model.tflite").write_bytes(outside)
    before = hashlib.sha256((FIXTURE / "model.tflite").read_bytes()).hexdigest()
    (tmp_path / "hostile" / "model.json").write_text(manifest.replace(before, hashlib.sha256(outside).hexdigest()))
    content = json.loads(manifest)
    content["golden"]["scores"]["baking"] += 0.001
    (tmp_path / "off" / "model.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize(("did", "read", "code"), ROWS, ids=[row[0] for row in ROWS])
def test_the_row_is_true(run: Run, folder: Path, did: str, read: str, code: str) -> None:
    """One sentence, the exit code, no traceback."""
    if "parquet" in did:
        pyarrow = pytest.importorskip("pyarrow")
        table = pyarrow.table({"id": [1, 2], "text": ["bread dough", None]})
        pytest.importorskip("pyarrow.parquet").write_table(table, folder / "p.parquet")
    done = run(*shlex.split(did.strip("`")), cwd=folder)
    said = done.stderr == "" if read == "(nothing)" else read in done.stderr
    assert (done.returncode, said, "Traceback" in done.stderr) == (int(code), True, False), done.stderr


def test_the_table_is_there() -> None:
    """So that a change of its layout cannot make the test above vanish."""
    assert len(ROWS) >= 30
