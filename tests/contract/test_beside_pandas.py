"""Installed into an environment that has pandas and pyarrow, which need NumPy 2."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CODE = """
import json, sys
import numpy, pandas, pyarrow
from sotag_edge import Classifier
questions = pandas.Series(["How do I merge two pandas data frames in Python?", "Why is my async void in C# not awaited?"])
answers = [answer.label for answer in Classifier.load().classify_many(questions)]
rows = pyarrow.Table.from_pandas(pandas.DataFrame({"text": questions, "label": answers})).num_rows
json.dump({"numpy": numpy.__version__, "pandas": pandas.__version__, "answers": answers, "rows": rows}, sys.stdout)
"""


@pytest.mark.skipif(
    platform.system() == "Linux" and platform.machine() != "x86_64" and sys.version_info < (3, 12),
    reason="a Raspberry Pi has tflite-runtime, which needs NumPy 1",
)
def test_numpy_2_stays_beside_pandas_and_pyarrow(tmp_path: Path) -> None:
    """pip changes none of the packages that are there; all three can be imported into one process, and texts are tagged."""
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "pandas", "pyarrow"], check=True, capture_output=True)
    before = installed(pip)
    subprocess.run([*pip, "install", str(next(tmp_path.glob("*.whl")))], check=True, capture_output=True)
    after = installed(pip)
    assert {name: after[name] for name in before} == before
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        [str(python), "-c", CODE],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path / "empty",
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert int(found["numpy"].split(".")[0]) >= 2
    assert (found["answers"], found["rows"]) == (["python", "csharp"], 2)
    assert subprocess.run([*pip, "check"], capture_output=True, encoding="utf-8").returncode == 0


def installed(pip: list[str]) -> dict[str, str]:
    """The packages of an environment and their versions."""
    listed = subprocess.run([*pip, "list", "--format", "json"], capture_output=True, encoding="utf-8", check=True)
    return {package["name"]: package["version"] for package in json.loads(listed.stdout)}
