"""Nothing that lies in the current folder or in somebody else's bundle runs, and nothing in it stops a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sotag_convert.export.isolated import run_module
from sotag_edge.bundle import Bundle
from sotag_edge.errors import ModelError

HOSTILE = ("numpy", "random", "types", "json", "tensorflow", "h5py", "sotag_edge", "runpy", "ctypes", "resource")


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    """A folder of modules that leave a file behind when they are executed."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in HOSTILE:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'a').write({name!r})\n")
    return folder


def test_modules_in_the_current_folder_are_not_executed(
    hostile_folder: Path, fixture_model: Path, tmp_path: Path
) -> None:
    """The command and all its children take their modules from where they are installed."""
    script = tmp_path / "bin" / "sotag-edge"
    script.parent.mkdir()
    script.write_text("from sotag_edge.__main__ import main\nmain()\n")
    command = [sys.executable, str(script), "convert", str(fixture_model), "-r", "float32", "-o", "../mine"]
    done = subprocess.run(command, cwd=hostile_folder, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert Bundle.read(tmp_path / "mine").manifest.recipe == "float32"
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("option", ["-c", "-m"])
def test_a_child_does_not_inherit_the_current_folder(hostile_folder: Path, tmp_path: Path, option: str) -> None:
    """Python itself puts it first for `python -m` and `python -c`; a child of such a process goes without it."""
    code = (  # the modules appear when this process has its own, so that only the child can run them
        "from sotag_convert.export.isolated import run_module\n"
        f"import shutil; shutil.copytree({str(hostile_folder)!r}, '.', dirs_exist_ok=True)\n"
        "print(run_module('sotag_edge', '--version', failure='it failed', seconds=60))\n"
    )
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "program.py").write_text(code)
    command = [sys.executable, option, code if option == "-c" else "program"]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    assert done.stdout.startswith("sotag-edge "), done.stderr
    assert not (tmp_path / "executed").exists()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that does what its argument says, in a folder that this process imports from."""
    (tmp_path / "obedient.py").write_text("import sys\nexec(sys.argv[1])\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "obedient"


def test_a_child_has_limits(module: str) -> None:
    """Memory beyond its limit is refused, and an endless loop is ended, both with a sentence."""
    with pytest.raises(ModelError, match="it failed: MemoryError"):
        run_module(module, "b'x' * 10**9", failure="it failed", seconds=60, memory=500 * 1024**2)
    with pytest.raises(ModelError, match="it failed: it took longer than 1 seconds"):
        run_module(module, "while True: pass", failure="it failed", seconds=1)


def test_a_child_has_the_import_path_of_its_parent(module: str) -> None:
    """Also the folders that were added while the program ran."""
    answer = run_module(module, "print(__file__)", failure="it failed", seconds=60)
    assert os.path.basename(answer.strip()) == "obedient.py"  # noqa: PTH119
