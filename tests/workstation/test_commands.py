"""``train`` and ``convert`` as a user runs them: processes, folders, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from sotag_convert.cli.train import train
from sotag_convert.learn.presets import PRESETS
from sotag_edge.bundle import Bundle
from tests.conftest import Run

BUNDLE = {"README.md", "features.bin", "metrics.json", "model.json", "model.keras", "model.tflite", "vocab.txt"}


def test_train_gives_a_model_that_classifies(run: Run, data: Path, tmp_path: Path) -> None:
    """One command on a folder gives a whole bundle, which tags what it learned."""
    done = run("train", data, "--output", "./mine", "--epochs", "12", "--validation", "0")
    assert done.returncode == 0, done.stderr
    assert {file.name for file in (tmp_path / "mine").iterdir()} == BUNDLE
    assert "test texts: accuracy (95 % interval)" in done.stderr
    answer = run("classify", "--model", "./mine", input="raise the anchor\nknead the dough well\n")
    assert [row.split("\t")[1] for row in answer.stdout.splitlines()] == ["harbour", "kitchen"]
    metrics = json.loads((tmp_path / "mine" / "metrics.json").read_bytes())
    assert metrics["verification"]["on"] == "test texts"
    assert metrics["verification"]["texts"] == 10
    assert len(metrics["training"]["epochs"]) == 12
    manifest = json.loads((tmp_path / "mine" / "model.json").read_bytes())
    assert manifest["labels"] == ["harbour", "kitchen"]
    assert manifest["seed"] == 1


def test_the_seed_preset_pads_to_its_window(run: Run, data: Path, tmp_path: Path) -> None:
    """The blog post's network goes the same way; its bundle says that the device pads to 100."""
    done = run("train", data, "--preset", "seed", "--output", "./seed", "--epochs", "1", "--validation", "0.4")
    assert done.returncode == 0, done.stderr
    bundle = Bundle.read(tmp_path / "seed")
    inputs = bundle.manifest.input
    assert (inputs.max_tokens, inputs.pad_to, inputs.tokenizer.value) == (100, 100, "whitespace")
    assert run("classify", "--model", "./seed", input="a boat\n").stdout.startswith("stdin:1\t")


def test_ctrl_c_keeps_the_best_so_far(run: Run, data: Path, tmp_path: Path) -> None:
    """An interrupted run publishes a whole bundle, says 130, and shows no traceback."""
    command = [sys.executable, "-m", "sotag_edge", "train", data, "-o", tmp_path / "mine", "--epochs", "100000"]
    process = subprocess.Popen(
        [*map(str, command), "--validation", "0"], stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True
    )
    assert process.stderr is not None
    seen = ""
    while "epoch 3/" not in seen:
        line = process.stderr.readline()
        assert line, seen
        seen += line
    os.kill(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=120)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert run("classify", "--model", tmp_path / "mine", input="a boat\n").returncode == 0


def test_ctrl_c_before_training_leaves_nothing(data: Path, tmp_path: Path) -> None:
    """Interrupted before there is anything to keep, it leaves no file behind."""
    command = [sys.executable, "-m", "sotag_edge", "train", str(data), "-o", str(tmp_path / "out" / "mine")]
    command += ["--validation", "0", "--epochs", "100000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8")
    time.sleep(1.5)  # while TensorFlow is imported
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert not (tmp_path / "out" / "mine").exists()


def test_convert_exports_again(run: Run, fixture_model: Path, tmp_path: Path) -> None:
    """From the folder or the model.keras in it, a model with the same tags; with data, both accuracies are measured."""
    for label, text in (("baking", "knead the bread dough"), ("gardening", "sow the seeds in the soil")):
        (tmp_path / "data" / "test" / label).mkdir(parents=True)
        (tmp_path / "data" / "test" / label / "0.txt").write_text(text, encoding="utf-8")
    done = run("convert", fixture_model / "model.keras", "--recipe", "float16", "-o", "./again", "--data", "data")
    assert done.returncode == 0, done.stderr
    assert "same tag as Keras" in done.stderr
    assert "accuracy, Keras" in done.stderr
    assert Bundle.read(tmp_path / "again").manifest.recipe == "float16"
    assert json.loads((tmp_path / "again" / "metrics.json").read_bytes())["verification"]["on"] == "test texts"
    text = "Slugs eat the lettuce seedlings, what keeps them off the soil?\n"
    before, after = (run("classify", "-m", model, input=text).stdout.split() for model in (fixture_model, "./again"))
    assert after[1] == before[1] == "gardening"
    assert float(after[2]) == pytest.approx(float(before[2]), abs=0.02)


def test_an_existing_model_is_replaced_with_force_alone(run: Run, fixture_model: Path, model_copy: Path) -> None:
    """Without --force an output that exists is left as it was; with it, it is replaced whole."""
    before = (model_copy / "model.json").read_bytes()
    refused = run("convert", fixture_model, "-r", "float32", "-o", model_copy)
    assert refused.returncode == 2
    assert "allow replacing it (force)" in refused.stderr
    assert (model_copy / "model.json").read_bytes() == before
    assert run("convert", fixture_model, "-r", "float32", "-o", model_copy, "--force").returncode == 0
    assert Bundle.read(model_copy).manifest.recipe == "float32"


def test_an_output_without_a_slash_is_a_name(
    run: Run, fixture_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model goes to the user's folder, is found by its name, and its name is in the error when it exists already."""
    monkeypatch.setenv("SOTAG_EDGE_MODELS", str(tmp_path / "data" / "models"))
    done = run("convert", fixture_model, "-r", "float32", "--output", "mine")
    assert done.returncode == 0, done.stderr
    assert Bundle.read(tmp_path / "data" / "models" / "mine").manifest.recipe == "float32"
    assert not (tmp_path / "mine").exists()
    assert run("classify", "-m", "mine", input="knead the dough\n").stdout.startswith("stdin:1\tbaking")
    refused = run("convert", "mine", "-o", "mine")
    assert refused.returncode == 2
    assert "the model 'mine' exists already: choose another name, or allow replacing it (force)" in refused.stderr


def test_force_replaces_models_only(run: Run, fixture_model: Path, tmp_path: Path) -> None:
    """A folder of something else is never replaced."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear Ada")
    refused = run("convert", fixture_model, "-o", "./letters", "--force")
    assert refused.returncode == 2
    assert (tmp_path / "letters" / "dear.txt").read_text() == "Dear Ada"


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["train", "nowhere", "-o", "./out"], "no data at nowhere", 1),
        (["train", "{data}", "-o", "{fixture}"], "exists already", 2),
        (["train", "{data}", "-o", "./out", "--epochs", "0"], "epochs must be 1 or more, not 0", 2),
        (["train", "{data}", "-o", "./out", "--validation", "1"], "validation must be from 0 to below 1, not 1.0", 2),
        (["train", "{data}", "-o", "./out", "--validation", "0.01"], "cannot give 1% to validation", 1),
        (["train", "{data}", "-o", "./out", "--preset", "huge"], "huge", 2),
        (["convert", "nowhere", "-o", "./out"], "no model 'nowhere'", 3),
        (["convert", "{fixture}", "-o", "./out", "-r", "int3"], "int3", 2),
        (["convert", "{fixture}", "-o", "./out", "--data", "{data}"], "has the labels harbour, kitchen", 1),
    ],
)
def test_errors_are_sentences(
    run: Run, data: Path, fixture_model: Path, tmp_path: Path, arguments: list[str], words: str, code: int
) -> None:
    """What cannot be done is said with its exit code, without a traceback, and writes nothing."""
    done = run(*(argument.format(data=data, fixture=fixture_model) for argument in arguments))
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr
    assert not (tmp_path / "out").exists()


def test_a_model_without_its_keras_file_says_so(run: Run, model_copy: Path) -> None:
    """The models of an installed package leave model.keras out; convert names what is missing."""
    (model_copy / "model.keras").unlink()
    done = run("convert", model_copy, "-o", "./out")
    assert (done.returncode, "has no model.keras" in done.stderr) == (3, True), done.stderr


def test_the_command_line_offers_all_presets() -> None:
    """The names that --preset takes, written out there, are the presets that exist."""
    assert set(get_args(get_type_hints(train)["preset"])) == set(PRESETS)
