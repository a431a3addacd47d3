"""``classify`` without typer: the same values as with it, and only where the command line is plain."""

from __future__ import annotations

import functools
import inspect
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import typer

from sotag_edge.cli import classify as module
from sotag_edge.cli import settings
from sotag_edge.cli.app import app
from sotag_edge.cli.parameters import described
from sotag_edge.cli.plain import plain
from tests.conftest import FIXTURE, Run

PLAIN = [
    "",
    "a.txt",
    "-",
    "a.txt - b.txt a.txt",
    "-m default a.txt",
    "--model=default a.txt",
    "--model= a.txt",
    "a.txt --to jsonl b.txt --quiet",
    "--to=tsv --threshold 0.5 --jobs 2",
    "--threshold 0 --top-k 3 --scores",
    "-j 3 -q -r",
    "--from csv --field title --field body --id number --delimiter ; --merge",
    "--from=jsonl --text one --text two",
    "--only python,java --only c++",
    "--format {label}\\t{score} a.txt",
    "--color always --html --best-guess --fail-on unknown",
    "--files-from list -0",
    "--jobs 1_0",
    "--glob *.md --recursive folder",
    "--color never a=b --text a=b --text=a=b",
]
NOT_PLAIN = [
    "--help",
    "a.txt -h",
    "--version",
    "-- a.txt",
    "-x",
    "--modle default",
    "-mdefault",
    "-m=default",
    "-qr",
    "--to xml",
    "--to",
    "-m",
    "--jobs 0",
    "--jobs two",
    "--jobs 1.5",
    "--threshold 2",
    "--threshold nan",
    "--threshold high",
    "--top-k -1",
    "--color Always",
    "--scores=true",
    "--model a --model b",
    "--delimiter ab",
    "--binary skip",
    "--output out.tsv",
    "--text --scores",
]


class Recorded(Exception):  # noqa: N818  # no error
    """The values that ``classify`` was called with."""


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """``classify`` only reports its values; no setting is in the environment, and there is no config file."""
    original = module.classify

    @functools.wraps(original)
    def record(**values: Any) -> None:
        bound = inspect.signature(original).bind(**values)
        bound.apply_defaults()
        raise Recorded(bound.arguments)

    monkeypatch.setattr(module, "classify", record)
    for name in settings.SETTINGS:
        monkeypatch.delenv(settings.variable(name), raising=False)
    monkeypatch.setenv(settings.CONFIG_VARIABLE, "")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")


def values_of(call: Any, *arguments: Any) -> Any:
    with pytest.raises(Recorded) as caught:
        call(*arguments)
    return caught.value.args[0]


def both(arguments: list[str]) -> tuple[Any, Any]:
    """The values without typer, ``None`` if it is needed, and with it."""
    command = plain(["classify", *arguments])
    return command and values_of(command), values_of(app, ["classify", *arguments])


@pytest.mark.parametrize("line", PLAIN)
def test_plain_arguments_have_the_values_of_typer(recorded: None, line: str) -> None:
    """And those on the command line are the same ones."""
    without, with_typer = both(line.split())
    assert without is not None
    assert without == with_typer
    assert {name: type(value) for name, value in without.items()} == {
        name: type(value) for name, value in with_typer.items()
    }


def test_an_empty_path_and_one_with_a_blank(recorded: None) -> None:
    """They are paths like any other, as are bytes that are not UTF-8."""
    without, with_typer = both(["", "a b", "\udcff"])
    assert without == with_typer
    assert without["paths"] == ["", "a b", "\udcff"]


@pytest.mark.parametrize("line", NOT_PLAIN)
def test_other_arguments_are_read_by_typer(line: str) -> None:
    """It has the help, the errors, and the rarer types."""
    assert plain(["classify", *line.split()]) is None


@pytest.mark.parametrize("arguments", [[], ["info"], ["--version"], ["--help"]])
def test_other_commands_are_run_by_typer(arguments: list[str]) -> None:
    """Also the command without arguments."""
    assert plain(arguments) is None


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("model", ["", "tiny", " tiny"]),
        ("threshold", ["", "0.25", "1", "0", " 0.5 ", "1e-3"]),
        ("to", ["", "jsonl", "csv"]),
        ("color", ["", "never"]),
        ("jobs", ["", "2", " 2"]),
    ],
)
def test_settings_have_the_values_of_typer(
    recorded: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, texts: list[str]
) -> None:
    """In the environment and in the config file, and whatever the command line says."""
    file = tmp_path / "config.toml"
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(file))
    in_file = {
        "model": ["", "model = 'default'", "model = ''"],
        "threshold": ["", "threshold = 0", "threshold = 1", "threshold = 0.75", "threshold = true"],
        "to": ["", "to = 'json'"],
        "color": ["", "color = 'always'"],
        "jobs": ["", "jobs = 4"],
    }[name]
    for text, content, arguments in product(texts, in_file, ([], [f"--{name}", texts[1]])):
        file.write_text(content)
        monkeypatch.setenv(settings.variable(name), text)
        without, with_typer = both(arguments)
        assert without == with_typer, (text, content, arguments)


@pytest.mark.parametrize(
    ("name", "value"), [("threshold", "2"), ("threshold", "nan"), ("jobs", "0"), ("to", "xml"), ("color", "red")]
)
def test_a_variable_that_is_not_valid_is_left_to_typer(
    recorded: None, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Its sentence is the one that the user reads."""
    monkeypatch.setenv(settings.variable(name), value)
    assert plain(["classify", "a.txt"]) is None


def test_a_config_file_that_is_not_valid_is_left_to_typer(
    recorded: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also one that does not exist."""
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(tmp_path / "config.toml"))
    assert plain(["classify", "a.txt"]) is None
    (tmp_path / "config.toml").write_text("modle = 'default'")
    assert plain(["classify", "a.txt"]) is None


def test_completion_is_left_to_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell asks for it by a variable."""
    monkeypatch.setenv("_SOTAG_EDGE_COMPLETE", "complete_bash")
    assert plain(["classify", "a.txt"]) is None


def test_windows_is_left_to_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It expands patterns there, as no shell does."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert plain(["classify", "a.txt"]) is None


def test_every_option_of_classify_is_described() -> None:
    """None has typer's own description, which could not be read without it."""
    assert set(inspect.signature(module.classify).parameters) - set(described(module.classify)) == {"used"}


def test_the_folder_of_settings_is_that_of_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable of the system, and without it."""
    monkeypatch.delenv(settings.CONFIG_VARIABLE, raising=False)
    for value in ("/tmp/settings", None):  # noqa: S108  # only a name
        if value is None:
            monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        else:
            monkeypatch.setenv("XDG_CONFIG_HOME", value)
        assert settings.config_file() == Path(typer.get_app_dir("sotag-edge")) / "config.toml"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("none.txt", 1), ("-m none q.txt", 3), ("--merge --text a", 2), ("--fail-on unknown --threshold 1 q.txt", 1)],
)
def test_errors_are_the_same_without_typer(run: Run, tmp_path: Path, arguments: str, code: int) -> None:
    """The sentence and the exit code; a combined option (-qr) needs typer, and changes neither."""
    (tmp_path / "q.txt").write_text("hello")
    environment = {**os.environ, "SOTAG_EDGE_MODEL": str(FIXTURE)}
    without = run("classify", "-q", "-r", *arguments.split(), env=environment)
    with_typer = run("classify", "-qr", *arguments.split(), env=environment)
    assert without.returncode == code
    assert (without.returncode, without.stdout, without.stderr) == (
        with_typer.returncode,
        with_typer.stdout,
        with_typer.stderr,
    )


def test_a_plain_run_loads_no_typer(tmp_path: Path) -> None:
    """Nor rich; with NumPy's parts that no text needs left out, the collector and the list of finders as before."""
    (tmp_path / "q.txt").write_text("bread dough")
    code = f"""
import gc, os, sys
finders = list(sys.meta_path)
def end(code):
    parts = ("random.mtrand", "ma.core", "fft._pocketfft", "polynomial.polynomial")
    unneeded = [name for name in parts if "numpy." + name in sys.modules]
    print([name for name in ("typer", "rich") if name in sys.modules], unneeded, gc.isenabled(), sys.meta_path == finders)
    import numpy
    print(numpy.random.default_rng(1).random() < 1, numpy.ma.array([1]).sum(), numpy.fft.fft([1.0])[0].real)
    sys.stdout.flush()
    os.kill(os.getpid(), 9)
os._exit = end
sys.argv = ["sotag-edge", "classify", "-m", {str(FIXTURE)!r}, {str(tmp_path / "q.txt")!r}]
from sotag_edge.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout.splitlines()[1:] == ["[] [] True True", "True 1 1.0"], done.stderr
