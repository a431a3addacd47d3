"""The commands beside classify, as a user runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sotag_edge import Classifier
from sotag_edge.cli import benchmark
from tests.conftest import FIXTURE, STEPS, Run

TEXT = "How long do I knead the bread dough?"


def test_explain_names_the_words_that_made_the_tag(run: Run, tmp_path: Path) -> None:
    """Every token is there, in order, with what the score of its tag loses where the token is an unknown one."""
    (tmp_path / "q.txt").write_text(TEXT)
    found = json.loads(run("explain", "-m", FIXTURE, "--to", "json", "q.txt").stdout)
    assert found == json.loads(run("explain", "-m", FIXTURE, "--to", "json", "-", input=TEXT).stdout)
    assert found["label"] == "baking"
    assert [token["token"] for token in found["tokens"]] == [*TEXT.strip("?").split(), "?"]
    effects = {token["token"]: token["effect"] for token in found["tokens"]}
    for word in ("How", "knead"):
        without = Classifier.load(FIXTURE).classify(TEXT.replace(word, "qqq"))
        assert effects[word] == pytest.approx(found["score"] - without.scores["baking"], abs=1e-5)
    assert effects["knead"] > 0
    shown = run("explain", "-m", FIXTURE, "--text", TEXT).stdout
    assert "baking" in shown
    assert "dough" in shown


def test_models_lists_what_can_be_named(run: Run) -> None:
    """Each listed model is found by its path, and its size is that of its files."""
    found = json.loads(run("models", "--to", "json").stdout)
    assert {"default", "tiny"} <= {model["name"] for model in found}
    for model in found:
        about = json.loads(run("info", model["path"], "--to", "json").stdout)
        assert (about["labels"], about["bytes"]) == (model["labels"], model["bytes"])
    assert "tiny" in run("models").stdout


def test_info_tells_what_a_model_needs(run: Run) -> None:
    """Operators, the runtime they need, the tokenizer, and what was measured."""
    found = json.loads(run("info", FIXTURE, "--to", "json").stdout)
    assert found["operators"]["UNIDIRECTIONAL_SEQUENCE_LSTM"]
    assert found["minimum_runtime"]
    assert found["vocabulary"] == len((FIXTURE / "vocab.txt").read_text(encoding="utf-8").splitlines())
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in run("info", FIXTURE).stdout


def test_info_tells_of_the_early_exit(run: Run) -> None:
    """Its tokens and its score; ``null``, in the table "none", for a model that reads every text to its end."""
    for model, fact, words in (
        (STEPS, {"tokens": 8, "score": 0.9}, "a text of over 16 tokens is answered after 8, from a score of 0.9 on"),
        (FIXTURE, None, "none"),
    ):
        assert json.loads(run("info", model, "--to", "json").stdout)["early_exit"] == fact
        assert re.search(rf"^\W*early exit\s+{words}\W*$", run("info", model).stdout, re.MULTILINE)


def test_info_shows_figures_as_people_write_them(run: Run) -> None:
    """Percentages, KB and the interval; a program reads the numbers."""
    shown = " ".join(run("info", "default").stdout.split())
    for words in (
        "size 295 KB",
        "measured on masked accuracy 91.5 % (90.5 % - 92.3 %); 95.3 % answered; 4,000 texts",
        "measured on title, masked accuracy 65.8 %",
        "86.7 % answered; 81.4 % of off-topic texts unknown; AUROC 0.932; 1,855 texts",
        "off-topic output yes",
    ):
        assert words in shown
    facts = json.loads(run("info", "default", "--to", "json").stdout)
    assert (facts["bytes"], facts["accuracy"]["masked"], facts["off_topic"]) == (295209, 0.9145, True)


def test_a_hundred_tags_are_not_one_endless_row(run: Run) -> None:
    """The first ten and how many more there are, and a range of thresholds; in JSON they are all there."""
    for command in (["info", "topics"], ["models"]):
        rows = run(*command).stdout.splitlines()
        assert max(map(len, (row.rstrip() for row in rows if "─" not in row))) < 300
        assert any(", asp.net-mvc, c and 90 more" in row for row in rows)
    assert "one per tag, from 0.099 to 0.613" in run("info", "topics").stdout
    assert len(json.loads(run("info", "topics", "--to", "json").stdout)["thresholds"]) == 100


def test_a_baseline_in_the_metrics_is_shown(run: Run, model_copy: Path) -> None:
    """Beside the figure of the same texts."""
    metrics = {"evaluation": {"as given": {"accuracy": 0.9, "interval": [0.85, 0.94], "baseline": 0.8765}}}
    (model_copy / "metrics.json").write_text(json.dumps(metrics))
    assert "accuracy 90.0 % (85.0 % - 94.0 %); baseline 87.6 %" in run("info", model_copy).stdout


def test_verify_says_yes_by_exit_code(run: Run) -> None:
    """The hashes and the golden text of a sound model; docs/errors.md has those that fail."""
    done = run("verify", FIXTURE)
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 2)


def test_benchmark_measures_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Times in their order, for texts of its own and for ours, and on one core and more."""
    monkeypatch.setattr(benchmark, "_SECONDS", 0.05)
    (tmp_path / "texts.txt").write_text(f"{TEXT}\nsow the seeds\n")
    for file, texts in ((None, 4), (str(tmp_path / "texts.txt"), 1)):
        benchmark.benchmark(str(FIXTURE), file, "json")
        figures = json.loads(capsys.readouterr().out)
        assert len(figures["texts"]) == texts
        for times in figures["texts"].values():
            assert 0 < times["p50_us"] <= times["p95_us"] <= times["p99_us"]
        assert figures["processes"]["1"] > 0
        assert figures["peak_mb"] > 10
    benchmark.benchmark(str(FIXTURE), str(tmp_path / "texts.txt"), "table")
    assert "p50" in capsys.readouterr().out


def test_doctor_finds_all_well(run: Run) -> None:
    """One inference in a process of its own, among the facts of the machine."""
    checks = {check["name"]: check for check in json.loads(run("doctor", "-m", FIXTURE, "--to", "json").stdout)}
    assert all(check["ok"] for check in checks.values())
    assert {"Python", "C library", "TFLite runtime", "NumPy", "model", "inference"} <= set(checks)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGILL)", "SIGILL"),
        ("raise ImportError('numpy.core.multiarray failed to import')", "numpy.core.multiarray failed to import"),
    ],
)
def test_doctor_survives_a_runtime_that_crashes(run: Run, tmp_path: Path, content: str, found: str) -> None:
    """An illegal instruction, or a runtime that cannot be imported, becomes a sentence that says what to do."""
    for package in ("tflite_runtime", "ai_edge_litert"):
        (tmp_path / "broken" / package).mkdir(parents=True)
        (tmp_path / "broken" / package / "__init__.py").write_text("")
        (tmp_path / "broken" / package / "interpreter.py").write_text(content)
    done = run("doctor", "-m", FIXTURE, env={**os.environ, "PYTHONPATH": str(tmp_path / "broken")})
    assert done.returncode in (3, 4)
    assert found in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_come_from_the_nearest_place(run: Run, tmp_path: Path) -> None:
    """The command line before the variable, the variable before the file, the file before the program; config tells."""
    (tmp_path / "config.toml").write_text(f"model = '{FIXTURE}'\nto = 'jsonl'\n")
    environment = {**os.environ, "SOTAG_EDGE_CONFIG": str(tmp_path / "config.toml")}
    assert json.loads(run("classify", input=TEXT, env=environment).stdout)["label"] == "baking"
    environment["SOTAG_EDGE_TO"] = "csv"
    assert run("classify", input=TEXT, env=environment).stdout.startswith("source,label")
    assert run("classify", "--to", "tsv", input=TEXT, env=environment).stdout.startswith("stdin:1\tbaking")
    settings = json.loads(run("config", "--to", "json", env=environment).stdout)["settings"]
    assert settings["model"] == {"value": str(FIXTURE), "from": str(tmp_path / "config.toml")}
    assert settings["to"] == {"value": "csv", "from": "$SOTAG_EDGE_TO"}
    assert settings["jobs"]["from"] == "default"


@pytest.mark.parametrize("content", ["colour = 'never'", "model = [1]", "to = ", b"\xff"])
def test_a_wrong_config_file_is_named(run: Run, tmp_path: Path, content: str | bytes) -> None:
    """A misspelt setting is not passed over in silence."""
    file = tmp_path / "config.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = run("classify", "-m", FIXTURE, input=TEXT, env={**os.environ, "SOTAG_EDGE_CONFIG": str(file)})
    assert done.returncode == 2
    assert str(file) in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str) -> None:
    """Each shell gets a script that asks the command, and the command answers."""
    command = shutil.which("sotag-edge", path=str(Path(sys.executable).parent))
    assert command is not None

    def asked(instruction: str) -> str:
        typed = {"COMP_WORDS": "sotag-edge cla", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "sotag-edge cla"}
        environment = {**os.environ, **typed, "_SOTAG_EDGE_COMPLETE": f"{instruction}_{shell}"}
        environment["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
        return subprocess.run([command], env=environment, capture_output=True, encoding="utf-8").stdout

    assert f"_SOTAG_EDGE_COMPLETE=complete_{shell}" in asked("source")
    assert "classify" in asked("complete")
