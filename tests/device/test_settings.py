"""Settings: the command line before the variable, the variable before config.toml, that before the default."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer

from sotag_edge.cli import settings
from sotag_edge.cli.app import app
from sotag_edge.errors import UsageError
from tests.conftest import FIXTURE, MULTI_LABEL, Run


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's file, which names the fixture model; no other setting is in the environment."""
    file = tmp_path / "config.toml"
    file.write_text(f"model = '{FIXTURE}'\n")
    for name in settings.SETTINGS:
        monkeypatch.delenv(settings.variable(name), raising=False)
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(file))
    return file


@pytest.mark.parametrize("command", ["verify", "info --to json", "doctor --to json", "explain --text soil --to json"])
def test_commands_about_a_model_take_the_configured_one(run: Run, config: Path, command: str) -> None:
    """Without a model on the command line, and not the default one."""
    done = run(*command.split())
    assert done.returncode == 0, done.stderr
    assert str(FIXTURE) in done.stdout or json.loads(done.stdout)["label"] == "gardening"


def test_a_server_takes_the_configured_model(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the one of the variable, which comes first."""
    pytest.importorskip("uvicorn", reason="the extra [serve] is not installed")
    from tests.device.serving import serving

    with serving(tmp_path, model=None) as server:
        assert server.ask("GET", "/models").json["models"][0]["name"] == FIXTURE.name
    monkeypatch.setenv("SOTAG_EDGE_MODEL", str(MULTI_LABEL))
    with serving(tmp_path, model=None) as server:
        assert server.ask("GET", "/models").json["models"][0]["name"] == MULTI_LABEL.name


@pytest.mark.parametrize(
    ("name", "in_file", "in_environment", "on_command_line"),
    [
        ("threshold", "0.1", "0.2", "0.3"),
        ("to", "'json'", "csv", "jsonl"),
        ("color", "'always'", "never", "auto"),
        ("jobs", "2", "3", "4"),
        ("model", "'a'", "b", "c"),
    ],
)
def test_the_nearest_place_decides(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    in_file: str,
    in_environment: str,
    on_command_line: str,
) -> None:
    """For every setting: each place is used if the ones before it are empty."""
    config.write_text(f"{name} = {in_file}\n")
    group: Any = typer.main.get_command(app)
    command = group.commands["classify"]

    def parsed(arguments: list[str]) -> str:
        with group.make_context("sotag-edge", ["classify", *arguments]) as context:
            context.default_map = {"classify": settings.configured()}
            value = command.make_context("classify", arguments, parent=context).params[name]
        return str(getattr(value, "name" if name == "to" else "value", value))

    assert parsed([]) == in_file.strip("'")
    monkeypatch.setenv(settings.variable(name), in_environment)
    assert parsed([]) == in_environment
    assert parsed([f"--{name}", on_command_line]) == on_command_line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("colour = 'never'", "unknown setting 'colour' (known: model, threshold, to, color, jobs)"),
        ("model = 3", "invalid value 3 for 'model' (allowed: the folder or name of a model)"),
        ("threshold = 2", "invalid value 2 for 'threshold' (allowed: a number from 0 to 1)"),
        ("threshold = 'high'", "invalid value 'high' for 'threshold'"),
        ("to = 'text'", "invalid value 'text' for 'to' (allowed: table, tsv, csv, json, jsonl)"),
        ("color = true", "invalid value True for 'color' (allowed: auto, always, never)"),
        ("jobs = 0", "invalid value 0 for 'jobs' (allowed: a whole number from 1)"),
        ("jobs = true", "invalid value True for 'jobs'"),
        ("jobs = 1.5", "invalid value 1.5 for 'jobs'"),
        ("to = ", "is not valid TOML"),
    ],
)
def test_a_wrong_setting_is_refused(config: Path, content: str, words: str) -> None:
    """With the file, the setting and the values that are allowed."""
    config.write_text(content)
    with pytest.raises(UsageError) as caught:
        settings.configured()
    assert str(config) in str(caught.value)
    assert words in str(caught.value)


def test_a_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the variable names is an error; the usual one need not exist."""
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(tmp_path / "none.toml"))
    with pytest.raises(UsageError, match="which does not exist"):
        settings.configured()
    monkeypatch.delenv(settings.CONFIG_VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings.configured() == {}
    assert os.fspath(settings.config_file()).startswith(str(tmp_path))
