"""Runs that are interrupted and resumed: the same result, what must agree, and what cannot be read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sotag_convert import training
from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.export.parity import Parity
from sotag_convert.learn import cross_validation
from sotag_convert.learn import fit as fitting
from sotag_convert.learn.fit import History
from sotag_convert.learn.parts import fit_parts
from sotag_convert.learn.presets import PRESETS
from sotag_convert.learn.saved_fit import Epoch, SavedFit, write
from sotag_convert.learn.step import TrainingStep
from sotag_convert.network.architectures import ConvLstmNetwork
from sotag_convert.network.network import Network
from sotag_convert.network.seed import SeedNetwork
from sotag_convert.progress import SilentProgress, SilentStage, Stage
from sotag_convert.publish import Published
from sotag_convert.recipes import Recipe
from sotag_convert.run_state import FitFile, RunState, facts_of, write_whole
from sotag_convert.source import KERAS_MODEL, Source
from sotag_convert.training import TrainingReport, train_dataset
from sotag_edge.bundle import Manifest
from sotag_edge.errors import InputError, UsageError
from tests.workstation.small import SMALL, noisy_dataset

TEXTS = noisy_dataset(48)


class Killed(BaseException):
    """Ends a run as a signal does that nothing handles."""


def kill() -> None:
    raise Killed


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@dataclass
class Stopping(SilentProgress):
    """A progress that keeps its lines, and calls ``stop`` when a line or the name of a stage begins with ``at``.

    It does so once, after ``after`` others.
    """

    at: str = "never"
    after: int = 0
    stop: Callable[[], None] = kill
    lines: list[str] = field(default_factory=list)
    seen: int = 0

    def say(self, text: str) -> None:
        self.lines.append(text)
        if text.startswith(self.at):
            self.seen += 1
            if self.seen == self.after + 1:
                self.stop()

    def warn(self, text: str) -> None:
        self.lines.append(text)

    @contextmanager
    def stage(self, name: str, steps: int | None = None) -> Iterator[Stage]:
        del steps
        self.say(name)
        yield SilentStage()


@pytest.fixture(autouse=True, scope="module")
def _quick() -> Iterator[None]:
    """Presets that train in seconds; what is published is not exported, which takes longer than all the rest."""

    def written(source: Source, recipe: Recipe, folder: Path, *_: object) -> Published:
        source.write(folder, recipe)
        return Published(Parity(0, 1.0, 0.0, 0.0, "accuracy", None, None, 0), {})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "publish", written)
        patch.setattr(training, "with_baseline", lambda summary, *_: summary)
        patch.setattr(cross_validation, "_FOLDS", 2)
        patch.setitem(PRESETS, "folded", replace(SMALL, epochs=2, rows=50))
        patch.setitem(PRESETS, "split", replace(SMALL, epochs=3))
        yield


@pytest.fixture(scope="module")
def killed_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the state of a run into ``mine`` with the preset "split" that was killed in its second epoch."""
    folder = tmp_path_factory.mktemp("killed")
    with pytest.raises(Killed):
        run(folder / "mine", Stopping("epoch 2/"), preset="split")
    return folder


@pytest.fixture
def killed(killed_run: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(killed_run, tmp_path / "killed")
    return tmp_path / "killed"


def run(output: Path, progress: Stopping | None = None, preset: str = "folded", **settings: Any) -> TrainingReport:
    return train_dataset(TEXTS, output, preset=preset, progress=progress or Stopping(), **settings)


def model(output: Path) -> tuple[object, ...]:
    """All that a bundle is exported from."""
    manifest = Manifest.read(output)
    weights = Network.load(manifest.network, output / KERAS_MODEL).model.get_weights()
    return (
        manifest.decision,
        [hashlib.sha256(array.tobytes()).hexdigest() for array in weights],
        {name: digest for name, digest in manifest.hashes.items() if name != "model.tflite"},
        json.loads((output / "metrics.json").read_bytes())["training"]["kept_epoch"],
    )


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# The same result


def test_a_run_that_is_killed_in_each_stage_has_the_same_result(tmp_path: Path) -> None:
    """In an epoch, before a later fold, at the end of an epoch of the last fit, and at the export."""
    run(tmp_path / "whole")
    mine = tmp_path / "mine"
    stops = [
        Stopping("epoch 2/"),  # of fold 1, whose first epoch is kept
        Stopping("preparing the texts", 1),  # of fold 2
        Stopping("epoch 1/", 1),  # of all texts, before it is kept; the first is that of fold 2
        Stopping("exporting"),
    ]
    for number, progress in enumerate(stops):
        with pytest.raises(Killed):
            run(mine, progress, resume=number > 0)
        assert progress.lines[-1].endswith("sotag-edge train ... --resume")
        assert progress.lines.count("training the network") <= 2
        shutil.rmtree(tmp_path / "mine-checkpoint", ignore_errors=True)
    last = Stopping()
    report = run(mine, last, resume=True)
    assert not report.interrupted
    assert "training the network" not in last.lines  # all fits were complete
    assert model(mine) == model(tmp_path / "whole")
    assert entries(tmp_path) == ["mine", "whole"]


def test_ctrl_c_writes_the_best_so_far_and_the_run_can_go_on(tmp_path: Path) -> None:
    """With --force, as the message says: the output is there then. The epoch that was cut short is repeated."""
    run(tmp_path / "whole", preset="split")
    mine = tmp_path / "mine"
    first = Stopping("epoch 2/", 0, ctrl_c)
    assert run(mine, first, preset="split").interrupted
    assert first.lines[-1].startswith(
        f"{mine} has the best network so far; the run is kept in {tmp_path / 'mine-run'};"
    )
    assert first.lines[-1].endswith("sotag-edge train ... --resume --force")
    assert model(mine) != model(tmp_path / "whole")
    with pytest.raises(UsageError, match="exists already"):
        run(mine, preset="split", resume=True)
    report = run(mine, preset="split", resume=True, force=True)
    assert not report.interrupted
    assert model(mine) == model(tmp_path / "whole")
    assert entries(tmp_path) == ["mine", "whole"]


def test_ctrl_c_in_the_preparation_of_a_later_fold_keeps_what_is_complete(tmp_path: Path) -> None:
    """The model of the folds so far is written; in a resumed run too, whose folds were complete before."""
    assert run(tmp_path / "mine", Stopping("preparing the texts", 1, ctrl_c)).interrupted
    assert run(tmp_path / "mine", Stopping("preparing the texts", 1, ctrl_c), resume=True, force=True).interrupted
    assert json.loads((tmp_path / "mine" / "metrics.json").read_bytes())["training"]["folds"] == 1
    assert entries(tmp_path) == ["mine", "mine-run"]


def test_ctrl_c_before_the_first_epoch_keeps_the_state_of_a_resumed_run(killed: Path) -> None:
    """Nothing is written, and the run can still be continued."""
    progress = Stopping("preparing the texts", 0, ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        run(killed / "mine", progress, preset="split", resume=True)
    assert progress.lines[-1].endswith("--resume")
    assert entries(killed) == ["mine-run"]


def test_a_fit_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    """Weights, optimizer, recurrent dropout, and the order of the texts are those of one run: here of the preset "seed"."""
    small = replace(PRESETS["seed"], network=lambda labels, words: SeedNetwork(labels, words, embedding=4, units=4))
    examples, held_out = TEXTS.train.split(0.25, 1)

    def fitted(output: str, progress: Stopping, *, resume: bool = False) -> tuple[History, list[Any]]:
        state = RunState(tmp_path / output)
        state.begin({}, resume=resume)
        parts = fit_parts(examples, held_out, TEXTS, small, 3, 1, progress, state.fit_file("split"))
        return parts.history, parts.network.model.get_weights()

    history, weights = fitted("whole", Stopping())
    with pytest.raises(Killed):
        fitted("mine", Stopping("epoch 3/"))
    progress = Stopping()
    resumed, same = fitted("mine", progress, resume=True)
    assert "continuing after epoch 2" in progress.lines
    assert resumed.kept == history.kept
    for mine, whole in zip(resumed.epochs, history.epochs, strict=True):
        assert replace(mine, seconds=0.0) == replace(whole, seconds=0.0)
    for mine, whole in zip(same, weights, strict=True):
        np.testing.assert_array_equal(mine, whole)


@pytest.mark.parametrize("settings", [ConvLstmNetwork(2, 60, buckets=64, units=4), SeedNetwork(2, 60, units=4)])
def test_a_step_has_no_hidden_state(settings: ConvLstmNetwork | SeedNetwork) -> None:
    """Dropout draws from variables, which are saved, and not from kernels whose state cannot be read."""
    graph = Network(settings).fitting_graph({})
    graph.compile("rmsprop", "categorical_crossentropy")
    step = TrainingStep(graph)
    definition = step.function.graph.as_graph_def(add_shapes=False)
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    drawing = {node.op for node in nodes if "Random" in node.op}
    assert drawing == {"StatelessRandomUniformV2"}


# What must agree


def test_there_must_be_an_interrupted_run(tmp_path: Path) -> None:
    """Neither before the first run nor after a complete one there is anything to continue."""
    with pytest.raises(UsageError, match=r"there is no interrupted run into .*mine: .*mine-run, which"):
        run(tmp_path / "mine", resume=True)
    assert entries(tmp_path) == []


def test_another_run_is_not_continued(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what differs, and the state stays."""
    state = killed / "mine-run"
    before = {entry.name: entry.read_bytes() for entry in state.iterdir()}
    with pytest.raises(UsageError, match=r"another one: epochs was 3, not 7, seed was 1, not 2\. Resume it with"):
        run(killed / "mine", preset="split", resume=True, seed=2, epochs=7)
    with pytest.raises(UsageError, match="another one: other texts"):
        train_dataset(noisy_dataset(50), killed / "mine", preset="split", resume=True)
    monkeypatch.setattr("sotag_convert.run_state.version", lambda _: "0")
    with pytest.raises(UsageError, match=r"version of numpy was \"[0-9.]+\", not \"0\""):
        run(killed / "mine", preset="split", resume=True)
    assert {entry.name: entry.read_bytes() for entry in state.iterdir()} == before


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_all_texts_count(part: str) -> None:
    """Also those that a model is validated and measured on."""
    examples = Examples.single(("bake the bread",), (0,))
    dataset = Dataset("d", ("a", "b"), examples, examples, validation=examples)
    other = replace(dataset, **{part: Examples.single(("bake the cake",), (0,))})
    assert other.sha256_of_all() != dataset.sha256_of_all()
    assert replace(dataset, multi_label=True).sha256_of_all() != dataset.sha256_of_all()


def test_a_run_without_resume_replaces_the_interrupted_one(killed: Path) -> None:
    """Not before it has an epoch of its own, and it says what --resume would have done."""
    state = RunState(killed / "mine")
    progress = Stopping("preparing the texts")
    with pytest.raises(Killed):
        run(killed / "mine", progress, preset="split", seed=2)
    line = f"begins anew, and replaces the interrupted run in {state.folder}, which --resume continues"
    assert line in progress.lines
    assert entries(state.folder) == ["run.json", "split.state"]
    state.begin({"seed": 2}, resume=False)
    assert state.fit_file("split").read(10**9) is None
    state.fit_file("fold-1").write({}, [])
    assert entries(state.folder) == ["fold-1.state", "run.json"]
    assert json.loads((state.folder / "run.json").read_bytes()) == {"seed": 2}


def test_a_folder_of_somebody_is_left_alone(tmp_path: Path) -> None:
    """It is refused at the start, and so is a link."""
    (tmp_path / "mine-run").mkdir()
    (tmp_path / "mine-run" / "letter.txt").touch()
    with pytest.raises(UsageError, match="is not the state of a run"):
        run(tmp_path / "mine")
    assert entries(tmp_path / "mine-run") == ["letter.txt"]
    (tmp_path / "other-run").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="is not the state of a run"):
        RunState(tmp_path / "other")


def test_a_full_disk_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said after the epoch."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sotag_convert.run_state.write_whole", full)
    progress = Stopping()
    fitting._save(RunState(tmp_path / "mine").fit_file("split"), [Epoch(1, 0.5, 0.25)], 1, [], [], progress)
    assert progress.lines[0].endswith("cannot be written (No space left on device): --resume would repeat epoch 1")


# What cannot be read


def hashed(rest: bytes) -> bytes:
    return hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def with_facts(content: bytes, **facts: object) -> bytes:
    """The file of a fit with other facts, and the hash for them."""
    _, first, arrays = content.split(b"\n", 2)
    return hashed(json.dumps(json.loads(first) | facts).encode() + b"\n" + arrays)


WEIGHTS = [np.ones((2, 3), np.float32), np.zeros(2, np.float32)]
VARIABLES = [np.ones(2, np.float32), np.array(7, np.int64)]
EPOCHS = [Epoch(1, 0.5, 0.75, 0.5, 0.1, 0.9), Epoch(2, 0.5, 0.25, 0.6, 0.1, 0.8)]
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda content: content[:-1],
    "a changed bit": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "no JSON": lambda _: hashed(b"{\n"),
    "deep JSON": lambda _: hashed(b"[" * 100_000),
    "a list": lambda _: hashed(b"[]\n"),
    "no facts": lambda _: hashed(b"{}\n"),
    "no arrays": lambda content: hashed(content.split(b"\n", 2)[1] + b"\n"),
    "more arrays": lambda content: hashed(content.split(b"\n", 1)[1] + bytes(4)),
    "fewer arrays": lambda content: hashed(content.split(b"\n", 1)[1][:-4]),
    "not finite": lambda content: hashed(content.split(b"\n", 1)[1][:-16] + b"\xff" * 16),
    "over, with more arrays": lambda content: with_facts(content, is_over=True),
    "another kept epoch": lambda content: with_facts(content, kept=3),
    "no epochs": lambda content: with_facts(content, epochs=[]),
    "an epoch of text": lambda content: with_facts(content, epochs=[[1, "a", "b", None, None, None]], kept=1),
    "a text among figures": lambda content: with_facts(content, epochs=[[1, 0.5, 0.5, None, "a", None]], kept=1),
    "half an epoch": lambda content: with_facts(content, epochs=[[1, 0.5]], kept=1),
}


@pytest.fixture
def file(tmp_path: Path) -> FitFile:
    """The file of a fit after two epochs."""
    state = RunState(tmp_path / "mine")
    state.begin(facts_of("0"), resume=False)
    made = state.fit_file("split")
    write(made, EPOCHS, 1, WEIGHTS, VARIABLES)
    return made


def test_a_state_is_read_as_it_was_written(file: FitFile) -> None:
    """With variables after an epoch, without them at the end, and with the figures of epochs without validation."""
    saved = SavedFit.read(file, WEIGHTS)
    assert saved is not None
    assert (saved.epochs, saved.kept, saved.is_over) == (EPOCHS, 1, False)
    for before, after in ((WEIGHTS, saved.weights), (VARIABLES, saved.values(VARIABLES))):
        for one, other in zip(before, after, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    write(file, [Epoch(1, 0.5, 0.75)], 1, WEIGHTS, [])
    saved = SavedFit.read(file, WEIGHTS)
    assert saved is not None
    assert (saved.epochs, saved.is_over) == ([Epoch(1, 0.5, 0.75)], True)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_an_error_with_a_way_out(damage: str, file: FitFile) -> None:
    """Whatever is in the file: no other exception."""
    file.path.write_bytes(DAMAGES[damage](file.path.read_bytes()))
    with pytest.raises(InputError, match=r"split\.state is damaged: remove it and resume"):
        SavedFit.read(file, WEIGHTS).values(VARIABLES)  # type: ignore[union-attr]  # raises


def test_a_file_that_is_too_large_is_not_read(file: FitFile) -> None:
    """Only as much of it as the arrays can have."""
    with pytest.raises(InputError, match="damaged"):
        os.truncate(file.path, 10**9)
        SavedFit.read(file, WEIGHTS)


def test_a_damaged_state_stops_a_run(killed: Path) -> None:
    """It is not replaced; without the file, its epochs are repeated."""
    path = killed / "mine-run" / "split.state"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="is damaged"):
        run(killed / "mine", preset="split", resume=True)
    path.unlink()
    progress = Stopping("training the network")
    with pytest.raises(Killed):
        run(killed / "mine", progress, preset="split", resume=True)
    assert not any(line.startswith("continuing") for line in progress.lines)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"[" * 100_000, b" " * (2 << 20)], ids=lambda content: content[:2]
)
def test_a_damaged_description_is_an_error_with_a_way_out(content: bytes, tmp_path: Path) -> None:
    """And a run without resume replaces it."""
    (tmp_path / "mine-run").mkdir()
    (tmp_path / "mine-run" / "run.json").write_bytes(content)
    state = RunState(tmp_path / "mine")
    with pytest.raises(InputError, match=r"run\.json is damaged: train without resume"):
        state.begin(facts_of("0"), resume=True)
    state.begin(facts_of("0"), resume=False)
    state.keep()
    assert json.loads((tmp_path / "mine-run" / "run.json").read_bytes())["texts"] == "0"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure leaves the old one, and nothing else."""
    write_whole(tmp_path / "a.state", b"old")

    def failing(_: int) -> None:
        raise OSError

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError):  # noqa: PT011  # of no kind
        write_whole(tmp_path / "a.state", b"new")
    assert entries(tmp_path) == ["a.state"]
    assert (tmp_path / "a.state").read_bytes() == b"old"
