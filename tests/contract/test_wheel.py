"""The built wheel: what is in it, what it asks for, and that a stranger's first command works."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_files(wheel: Path) -> None:
    """Both packages, the shipped models and the man page are in it; no tests, no Keras file, nothing under another name."""
    names = set(zipfile.ZipFile(wheel).namelist())
    models = {
        f"sotag_edge/models/{model}/{file.name}"
        for model in ("default", "large", "tiny", "topics")
        for file in (ROOT / "models" / model).iterdir()
        if file.name != "model.keras"
    }
    assert {name for name in names if "/models/" in name} == models
    assert any(name.endswith("share/man/man1/sotag-edge.1") for name in names)
    assert {"sotag_edge/py.typed", "sotag_edge/cli/app.py"} <= names
    assert {f"sotag_convert/report/report.{kind}" for kind in ("html", "css", "js")} <= names
    assert {f"sotag_convert/data/{name}.jsonl" for name in ("questions", "off_topic")} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"sotag_edge", "sotag_convert"}


def test_a_device_is_asked_for_no_tensorflow(wheel: Path) -> None:
    """Without an extra, the wheel asks for numpy, a TFLite runtime, typer, rich (and before Python 3.11 a TOML reader)."""
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
    required = [
        line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if line.startswith("Requires-Dist")
    ]
    device = {line.split(";")[0].split("<")[0].split(">")[0].strip() for line in required if "extra ==" not in line}
    assert device == {"numpy", "tflite-runtime", "ai-edge-litert", "typer", "rich", "tomli"}


def test_a_clean_environment_classifies(wheel: Path, tmp_path: Path) -> None:
    """Installed with pip in a fresh environment, in an empty folder, the command tags a line with the default model. What is
    not installed with it is named."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    programs = tmp_path / "venv" / "bin"
    install = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        [str(programs / "sotag-edge"), "classify"],
        input="How do I merge two pandas data frames in Python?\n",
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path / "empty",
        env={"PATH": os.environ["PATH"]},
        check=True,
    )
    assert done.stdout.startswith("stdin:1\tpython\t")
    assert done.stderr == ""
    refused = subprocess.run([str(programs / "sotag-edge"), "serve"], capture_output=True, encoding="utf-8")
    assert refused.returncode == 4
    assert "pip install 'sotag-edge[serve]'" in refused.stderr
    installed = subprocess.run([str(programs / "python"), "-m", "pip", "list"], capture_output=True, encoding="utf-8")
    assert "tensorflow" not in installed.stdout.lower()
