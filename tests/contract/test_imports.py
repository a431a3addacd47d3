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


# The import rules of the architecture, enforced on the source of both packages.

DEVICE = ROOT / "sotag_edge"
CONVERT = ROOT / "convert" / "sotag_convert"
CORE = ["errors", "tokenizer", "vocabulary", "interpreter", "decision", "bundle", "models", "classifier", "explain"]
CORE += ["golden", "document", "sources", "markup", "machine", "atomic", "characters"]
CORE += ["entities", "normalization", "pieces", "inputs", "fast_ids"]
LAYERS = [
    {"data", "network", "recipes", "staging", "interrupts", "progress", "run_state"},
    {"learn"},
    {"export"},
    {"report", "source"},
    {"publish", "checkpoint"},
    {"training", "conversion"},
    {"cli", "__init__"},
]


def imports_of(module: Path) -> set[str]:
    """The full names of everything that a module imports, at its top or within a function."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_in(name: str, *packages: str) -> bool:
    """Whether an imported name is one of these packages or modules, or in one of them."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def violations(root: Path, packages: tuple[str, ...], *, allowed: tuple[str, ...] = ()) -> list[str]:
    """The modules below ``root`` that import one of ``packages``, other than those whose path starts as ``allowed``."""
    return [
        f"{path} imports {name}"
        for module in sorted(root.rglob("*.py"))
        if not (path := module.relative_to(root).as_posix()).startswith(allowed or ("-",))
        for name in sorted(imports_of(module))
        if is_in(name, *packages)
    ]


def test_the_device_side_never_imports_the_workstation_side() -> None:
    """Nor what it needs: the command line has the names of its commands as strings only."""
    assert violations(DEVICE, tuple(WORKSTATION)) == []


@pytest.mark.parametrize(
    ("package", "device", "workstation"),
    [
        (("tensorflow", "tf_keras", "keras"), (), ("network/keras.py",)),
        (("tflite_runtime", "ai_edge_litert"), ("interpreter.py",), ()),
        (("rich",), ("terminal.py", "formats/table.py", "cli/"), ("cli/",)),
        (("typer",), ("cli/",), ("cli/",)),
        (("starlette", "uvicorn", "prometheus_client"), ("serve/",), ()),
        (("pyspark", "py4j"), ("spark.py", "cli/spark"), ()),
    ],
    ids=lambda value: str(value[0]) if value else "",
)
def test_a_library_is_named_in_its_own_modules(
    package: tuple[str, ...], device: tuple[str, ...], workstation: tuple[str, ...]
) -> None:
    """TensorFlow, the TFLite runtimes, rich, typer and the libraries of the endpoint each have their places."""
    assert violations(DEVICE, package, allowed=device) == []
    assert violations(CONVERT, package, allowed=workstation) == []


def test_the_core_imports_no_format_and_no_command() -> None:
    """A text in memory can be classified without the formats, the command line and rich."""
    outer = ("sotag_edge.cli", "sotag_edge.formats", "sotag_edge.pipeline", "rich", "typer")
    modules = {module: DEVICE / f"{module}.py" for module in CORE}
    faults = [
        f"{name} imports {imported}"
        for name, path in modules.items()
        for imported in imports_of(path)
        if is_in(imported, *outer)
    ]
    assert faults == []


def test_formats_and_pipeline_import_no_command() -> None:
    """They serve the command line, Arrow and HTTP alike."""
    assert violations(DEVICE, ("sotag_edge.cli",), allowed=("cli/", "__main__.py")) == []


def test_the_layers_of_the_workstation_side() -> None:
    """Each module imports its own layer and lower ones; of one layer, no package imports another."""
    level = {name: number for number, names in enumerate(LAYERS) for name in names}
    faults = []
    for module in sorted(CONVERT.rglob("*.py")):
        own = module.relative_to(CONVERT).parts[0].removesuffix(".py")
        for name in imports_of(module):
            if not is_in(name, "sotag_convert") or name == "sotag_convert":
                continue
            other = name.split(".")[1]
            if other != own and level[other] >= level[own]:
                faults.append(f"{module.relative_to(CONVERT)} imports {name}")
    assert faults == []


@pytest.mark.parametrize("module", sorted([*DEVICE.rglob("*.py"), *CONVERT.rglob("*.py")]), ids=lambda path: path.name)
def test_modules_and_functions_are_short(module: Path) -> None:
    """At most 300 lines per module and 60 per function."""
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno - f.lineno >= 60} == {}


def test_the_reading_of_imports_can_fail(tmp_path: Path) -> None:
    """An import within a function, of a module of a package, or under another name is seen."""
    (tmp_path / "a.py").write_text("def f():\n    from tensorflow.lite import python\n    import rich.table as t\n")
    assert violations(tmp_path, ("tensorflow", "rich")) == [
        "a.py imports rich.table",
        "a.py imports tensorflow.lite.python",
    ]
    assert violations(tmp_path, ("rich",), allowed=("a.py",)) == []
