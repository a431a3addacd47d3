"""What the device side loads, and what it does without: each in a fresh process."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FIXTURE, ROOT

WORKSTATION = {"tensorflow", "tf_keras", "keras", "sklearn", "scipy", "sotag_convert"}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that are loaded when a piece of code has run."""
    code += "\nimport sys; print(' '.join(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import sotag_edge` loads neither numpy nor a runtime nor rich nor typer."""
    heavy = {"numpy", "tflite_runtime", "ai_edge_litert", "rich", "typer"} | WORKSTATION
    assert loaded_by("import sotag_edge").isdisjoint(heavy)


def test_rich_is_loaded_only_to_draw() -> None:
    """Tagging into a pipe, and the start of the command line, load no rich."""
    tagging = f"""
import sys
from sotag_edge.cli.app import app
sys.argv = ["sotag-edge", "classify", "--model", {str(FIXTURE)!r}, {str(ROOT / "README.md")!r}]
app(standalone_mode=False)
"""
    loaded = loaded_by(tagging)
    assert "numpy" in loaded
    assert loaded.isdisjoint({"rich"} | WORKSTATION)


def test_the_device_side_works_where_the_workstation_side_cannot_be_imported() -> None:
    """With TensorFlow, Keras and sotag_convert blocked, a model is loaded and tags."""
    blocked = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {WORKSTATION!r}:
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
from sotag_edge import Classifier
assert Classifier.load({str(FIXTURE)!r}).classify("knead the bread dough").label == "baking"
"""
    subprocess.run([sys.executable, "-c", blocked], check=True)


@pytest.mark.parametrize("module", sorted((ROOT / "sotag_edge").rglob("*.py")), ids=lambda path: path.name)
def test_no_module_of_the_device_side_names_the_workstation(module: Path) -> None:
    """TensorFlow and Keras are named nowhere; sotag_convert only within a command's function."""
    tree = ast.parse(module.read_text(encoding="utf-8"))

    def imported(nodes: list[ast.stmt]) -> set[str]:
        names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
        return {name.split(".")[0] for name in names}

    everywhere = imported([node for node in ast.walk(tree) if isinstance(node, ast.stmt)])
    assert everywhere.isdisjoint(WORKSTATION - {"sotag_convert"})
    assert "sotag_convert" not in imported(tree.body)
    if module.parent.name != "cli":
        assert "sotag_convert" not in everywhere
