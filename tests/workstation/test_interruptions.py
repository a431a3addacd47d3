"""Runs that are interrupted, killed, or started twice: what is kept, what is cleared, what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sotag_convert import training
from sotag_convert.checkpoint import Checkpoint
from sotag_convert.conversion import convert_bundle
from sotag_convert.data.load import load
from sotag_convert.interrupts import deferred_interrupts, noted_interrupts
from sotag_convert.learn import fit as fitting
from sotag_convert.learn.presets import PRESETS
from sotag_convert.progress import SilentProgress
from sotag_convert.recipes import Recipe
from sotag_convert.staging import staged
from sotag_convert.training import train_dataset
from sotag_edge.bundle import Bundle
from sotag_edge.errors import InputError, ModelError, UsageError
from tests.conftest import Run
from tests.workstation.small import SMALL, noisy_dataset

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child ends at its time limit")
Start = Callable[..., "subprocess.Popen[str]"]


@dataclass
class Recorder(SilentProgress):
    """A progress that keeps its lines."""

    lines: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.lines.append(text)

    warn = say


@pytest.fixture
def start(data: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts `sotag-edge train` into ``out/mine``, in a process group of its own, with ``tmp`` for temporary files."""
    started = []

    def start_training(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sotag_edge", "train", str(data), "-o", "out/mine", "--validation", "0"]
        (tmp_path / "tmp").mkdir(exist_ok=True)
        process = subprocess.Popen(
            [*command, *options],
            cwd=tmp_path,
            env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start_training
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    """Read the stderr of a process until a line has these words."""
    assert process.stderr is not None
    seen = ""
    while words not in seen:
        line = process.stderr.readline()
        assert line, seen
        seen += line
    return seen


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that run."""
    listing = subprocess.run(["ps", "-o", "pid=,stat=", "--ppid", str(pid)], capture_output=True, encoding="utf-8")
    return [int(row.split()[0]) for row in listing.stdout.splitlines() if not row.split()[1].startswith("Z")]


def wait_for_end(processes: list[int]) -> None:
    """Wait until each of these processes has ended; one that does not makes the test hang."""
    for process in processes:
        with suppress(FileNotFoundError):
            while "\tZ" not in Path(f"/proc/{process}/status").read_text():
                time.sleep(0.05)


def interrupted(process: subprocess.Popen[str]) -> str:
    """What a process says on stderr after Ctrl-C, which ends it quietly."""
    os.killpg(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=120)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    return rest


def test_ctrl_c_during_the_export_keeps_the_network(start: Start, run: Run, tmp_path: Path) -> None:
    """The command that is named then publishes a model that passes its verification."""
    process = start("--epochs", "2")
    wait_for(process, "exporting")
    rest = interrupted(process)
    assert "sotag-edge convert out/mine-checkpoint --output out/mine" in rest
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["mine-checkpoint", "mine-run"]
    assert run("classify", "-m", "./out/mine-checkpoint", input="a boat\n").returncode == 3
    done = run("convert", "./out/mine-checkpoint", "--output", "out/mine")
    assert done.returncode == 0, done.stderr
    assert run("verify", "./out/mine").returncode == 0
    metrics = json.loads((tmp_path / "out" / "mine" / "metrics.json").read_bytes())
    assert len(metrics["training"]["epochs"]) == 2


@LINUX
def test_sigterm_during_the_export_keeps_the_network_and_no_scratch(start: Start, tmp_path: Path) -> None:
    """As Ctrl-C does; the child process ends too."""
    process = start("--epochs", "1")
    wait_for(process, "exporting")
    while not (children := children_of(process.pid)):
        assert process.poll() is None
    process.terminate()
    _, rest = process.communicate(timeout=120)
    assert process.returncode == 143, rest
    assert "Traceback" not in rest
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["mine-checkpoint", "mine-run"]
    assert list((tmp_path / "tmp").iterdir()) == []
    wait_for_end(children)


@LINUX
def test_a_killed_run_leaves_no_process_and_is_cleared_by_the_next(start: Start, run: Run, tmp_path: Path) -> None:
    """The converter ends with its parent; the network is kept, and the scratch folder goes with the next run."""
    process = start("--epochs", "1")
    wait_for(process, "exporting")
    while not list((tmp_path / "out").glob(".mine-unfinished/bundle/*/tmp*")):  # the converter's own temporary files
        assert process.poll() is None
    children = children_of(process.pid)
    process.kill()
    process.wait()
    wait_for_end(children)
    assert not (
        tmp_path / "out" / ".mine-unfinished" / "bundle" / "model.tflite"
    ).exists()  # it did not go on to its end
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == [
        ".mine-unfinished",
        "mine-checkpoint",
        "mine-run",
    ]
    assert list((tmp_path / "tmp").iterdir()) == []
    done = run("convert", "./out/mine-checkpoint", "--output", "out/mine")
    assert done.returncode == 0, done.stderr
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["mine", "mine-checkpoint", "mine-run"]


@LINUX
def test_a_killed_run_is_resumed_to_the_same_model(start: Start, run: Run, data: Path, tmp_path: Path) -> None:
    """The files of the model are those of an uninterrupted run, and nothing else is left."""
    process = start("--epochs", "30")
    wait_for(process, "epoch 2/")
    process.kill()
    process.wait()
    options = ["--validation", "0", "--epochs", "30"]
    done = run("train", data, "--output", "out/mine", *options, "--resume")
    assert done.returncode == 0, done.stderr
    assert "continuing after epoch" in done.stderr
    assert run("train", data, "--output", "out/whole", *options).returncode == 0
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["mine", "whole"]
    mine, whole = (Bundle.read(tmp_path / "out" / name).manifest for name in ("mine", "whole"))
    assert "model.tflite" in mine.hashes
    assert mine.hashes == whole.hashes
    assert mine.decision == whole.decision
    assert run("train", data, "--output", "out/mine", *options, "--resume", "--force").returncode == 2


def test_ctrl_c_before_the_epochs_leaves_nothing(start: Start, tmp_path: Path) -> None:
    """It ends quietly with 130. The stage is short: the process may be in its epochs already, and keeps one then."""
    process = start("--epochs", "100000")
    wait_for(process, "preparing the texts")
    rest = interrupted(process)
    if "kept epoch" not in rest:
        assert "stopped before an epoch was complete: nothing is kept" in rest
        assert not (tmp_path / "out").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_second_run_into_the_same_output_is_refused_at_its_start(start: Start, run: Run, data: Path) -> None:
    """And the first one goes on."""
    first = start("--epochs", "100000")
    wait_for(first, "epoch 1/")
    second = run("train", data, "-o", "out/mine", "--validation", "0")
    assert second.returncode == 2
    assert "another run is writing out/mine: wait for its end" in second.stderr
    assert "epoch" not in second.stderr
    assert first.poll() is None


def test_ctrl_c_before_an_epoch_is_complete_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the texts are prepared there is nothing to keep: nothing is left, and a sentence says so."""

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setitem(PRESETS, "small", SMALL)
    monkeypatch.setattr("sotag_convert.learn.parts.build_training_set", interrupted)
    progress = Recorder()
    with pytest.raises(KeyboardInterrupt):
        train_dataset(noisy_dataset(60), tmp_path / "new" / "mine", preset="small", progress=progress)
    assert progress.lines[-1] == "stopped before an epoch was complete: nothing is kept"
    assert list(tmp_path.iterdir()) == []


def test_a_second_ctrl_c_keeps_the_best_epoch_in_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait for the export."""
    measure = fitting._measure

    def interrupted_twice(*arguments: object) -> object:
        if arguments[2] == 3:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return measure(*arguments)  # type: ignore[arg-type]

    monkeypatch.setitem(PRESETS, "small", SMALL)
    monkeypatch.setattr(fitting, "_measure", interrupted_twice)
    progress = Recorder()
    with pytest.raises(KeyboardInterrupt):
        train_dataset(noisy_dataset(60), tmp_path / "mine", preset="small", progress=progress)
    assert progress.lines[-2].startswith("the trained network is kept in ")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["mine-checkpoint", "mine-run"]
    metrics = json.loads((tmp_path / "mine-checkpoint" / "metrics.json").read_bytes())
    assert len(metrics["training"]["epochs"]) == 2


def test_a_failed_export_keeps_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its weights, vocabulary and calibration are those of the run, and another recipe can be tried with them."""
    monkeypatch.setitem(PRESETS, "small", SMALL)
    progress = Recorder()
    with monkeypatch.context() as patch, pytest.raises(ModelError, match="the TFLite converter failed"):
        patch.setattr("sotag_convert.export.converter._SECONDS", 0)
        train_dataset(noisy_dataset(60), tmp_path / "mine", preset="small", progress=progress)
    assert "sotag-edge convert" in progress.lines[-2]
    convert_bundle(tmp_path / "mine-checkpoint", Recipe.FLOAT32, tmp_path / "mine")
    train_dataset(noisy_dataset(60), tmp_path / "again", preset="small")
    mine, again = (Bundle.read(tmp_path / name) for name in ("mine", "again"))
    assert mine.manifest.decision == again.manifest.decision
    assert mine.vocabulary.tokens == again.vocabulary.tokens
    assert mine.manifest.training_data == again.manifest.training_data


def test_a_published_model_has_no_checkpoint_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its own nor that of an earlier run."""
    monkeypatch.setitem(PRESETS, "small", SMALL)
    with monkeypatch.context() as patch, pytest.raises(ModelError):
        patch.setattr("sotag_convert.export.converter._SECONDS", 0)
        train_dataset(noisy_dataset(60), tmp_path / "mine", preset="small", epochs=1)
    train_dataset(noisy_dataset(60), tmp_path / "mine", preset="small", epochs=1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine"]


def test_the_command_for_a_checkpoint_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the folder as one, a path with a space in quotes, and the recipe if it is not the usual one."""
    monkeypatch.chdir(tmp_path)
    commands = [
        str(Checkpoint(Path(output), recipe)).split("to export it: ")[1]
        for output, recipe in (("mine", Recipe.MIXED), ("my models/mine", Recipe.FLOAT32))
    ]
    assert commands == [
        "sotag-edge convert ./mine-checkpoint --output ./mine",
        "sotag-edge convert 'my models/mine-checkpoint' --output 'my models/mine' --recipe float32",
    ]


def test_a_checkpoint_replaces_nothing_else(tmp_path: Path) -> None:
    """A folder of somebody's that has its name is refused before anything is trained."""
    (tmp_path / "mine-checkpoint").mkdir()
    (tmp_path / "mine-checkpoint" / "letter.txt").touch()
    with pytest.raises(UsageError, match="is not a checkpoint"):
        Checkpoint(tmp_path / "mine", Recipe.MIXED)


def test_a_refit_that_fails_keeps_the_first_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is written before the network is trained again."""

    def failed(*_: object) -> None:
        raise MemoryError

    monkeypatch.setitem(PRESETS, "small", SMALL)
    monkeypatch.setattr(training, "trained_again", failed)
    with pytest.raises(MemoryError):
        train_dataset(noisy_dataset(60), tmp_path / "mine", preset="small", epochs=1, refit=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["mine-checkpoint", "mine-run"]


def test_ctrl_c_between_training_and_export_waits_for_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network is calibrated and kept first."""
    keep = Checkpoint.keep

    def interrupted(*arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)
        keep(*arguments)  # type: ignore[arg-type]

    monkeypatch.setitem(PRESETS, "small", SMALL)
    monkeypatch.setattr(Checkpoint, "keep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_dataset(noisy_dataset(60), tmp_path / "mine", preset="small", epochs=1)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["mine-checkpoint", "mine-run"]


def test_interrupts_are_noted_or_deferred() -> None:
    """The first is noted and the second raises; a deferred one raises at the end."""
    with noted_interrupts() as seen:
        signal.raise_signal(signal.SIGINT)
        assert seen
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    done = []
    with pytest.raises(KeyboardInterrupt), deferred_interrupts():
        signal.raise_signal(signal.SIGINT)
        done.append(1)
    assert done
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_network_can_be_trained_in_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the main thread receives Ctrl-C, and only there it can be handled."""
    monkeypatch.setitem(PRESETS, "small", SMALL)
    thread = threading.Thread(
        target=train_dataset, args=(noisy_dataset(40), tmp_path / "mine"), kwargs={"preset": "small", "epochs": 1}
    )
    thread.start()
    thread.join()
    assert np.isfinite(Bundle.read(tmp_path / "mine").manifest.decision.temperature)


def test_two_runs_in_one_process_are_apart(tmp_path: Path) -> None:
    """Also there the second is refused, and what the first writes is not touched."""
    with staged(tmp_path / "mine", force=False) as folder:
        (folder / "model.json").touch()
        with pytest.raises(UsageError, match="another run is writing"), staged(tmp_path / "mine", force=False):
            pass
        with staged(tmp_path / "other", force=False) as other:
            (other / "model.json").touch()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["mine", "other"]


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    """Its half-written bundle is removed, and folders of somebody's with a similar name are not."""
    unfinished = tmp_path / ".mine-unfinished"
    (unfinished / "bundle").mkdir(parents=True)
    (unfinished / "bundle" / "model.tflite").touch()
    (unfinished / "lock").touch()
    (tmp_path / ".mine-notes").mkdir()
    with staged(tmp_path / "mine", force=False) as folder:
        assert list(folder.iterdir()) == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".mine-notes", "mine"]


def test_a_model_that_was_being_replaced_comes_back(model_copy: Path) -> None:
    """A run that was killed between the two renames left it in its scratch folder."""
    unfinished = model_copy.parent / ".model-unfinished"
    unfinished.mkdir()
    model_copy.rename(unfinished / "replaced")
    with pytest.raises(UsageError, match="exists already"), staged(model_copy, force=False):
        pass
    assert Bundle.read(model_copy)
    assert list(model_copy.parent.iterdir()) == [model_copy]


# Folders of texts


def test_hidden_entries_are_neither_labels_nor_texts(data: Path) -> None:
    """Notebooks, macOS and editors leave them in every folder."""
    for split in ("train", "test"):
        for hidden in (".ipynb_checkpoints", "__MACOSX", ".git", "kitchen/.ipynb_checkpoints"):
            (data / split / hidden).mkdir()
            (data / split / hidden / "1.txt").write_text("hidden")
        for name in ("._1.txt", ".DS_Store", ".hidden.txt"):
            (data / split / "kitchen" / name).write_bytes(b"hidden")
        (data / split / ".DS_Store").touch()
    dataset = load(str(data))
    assert dataset.labels == ("harbour", "kitchen")
    assert dataset.test is not None
    assert "hidden" not in dataset.train.texts + dataset.test.texts


def test_a_label_in_test_only_is_refused(data: Path) -> None:
    """Its texts would be left out of every figure; off-topic test texts are no label."""
    (data / "test" / "unknown").mkdir()
    (data / "test" / "unknown" / "1.txt").write_text("a zebra")
    load(str(data))
    (data / "test" / "cellar").mkdir()
    with pytest.raises(InputError, match=r"test/cellar has test texts of a label that .*train does not have"):
        load(str(data))


def test_a_label_may_have_no_test_texts(data: Path) -> None:
    """A rare one often has none; it is trained on."""
    (data / "train" / "cellar").mkdir()
    (data / "train" / "cellar" / "1.txt").write_text("a text")
    dataset = load(str(data))
    assert dataset.labels == ("cellar", "harbour", "kitchen")
    assert dataset.test is not None
    assert dataset.test.counts(3)[0] == 0


def test_replaced_bytes_are_reported(data: Path) -> None:
    """How many texts have them, and the first one's name."""
    for name in ("1", "2"):
        (data / "train" / "kitchen" / f"{name}.txt").write_bytes(b"caf\xe9 and cake")
    said: list[str] = []
    dataset = load(str(data), say=said.append)
    assert "caf\ufffd and cake" in dataset.train.texts
    first = data / "train" / "kitchen" / "1.txt"
    assert said == [f"2 texts were not UTF-8: their other bytes became U+FFFD; the first is {first}"]


def test_files_that_are_not_text_are_skipped(data: Path) -> None:
    """A picture among the texts is left out and reported; a label that has nothing else is refused."""
    picture = data / "train" / "kitchen" / "cake.txt"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    said: list[str] = []
    assert len(load(str(data), say=said.append).train) == 10
    assert said == [f"1 text was skipped because it is not text: {picture}"]
    for number in range(5):
        (data / "train" / "kitchen" / f"{number}.txt").unlink()
    with pytest.raises(InputError, match=r"the label 'kitchen' has no texts: there is no \.txt file with text in"):
        load(str(data))
