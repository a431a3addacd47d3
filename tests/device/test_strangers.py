"""Model bundles from strangers: whatever their files hold, there is a sentence and exit code 3."""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sotag_edge import Classifier, ModelError, trial
from sotag_edge.bundle import Bundle
from sotag_edge.errors import InputError
from sotag_edge.interpreter import Interpreter
from tests.conftest import FIXTURE, Run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, with nothing in it."""
    monkeypatch.setenv(trial.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def replace_model(folder: Path, content: bytes) -> None:
    """Another ``model.tflite``, with its right hash."""
    (folder / "model.tflite").write_bytes(content)
    manifest = json.loads((folder / "model.json").read_bytes())
    manifest["files"]["model.tflite"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "model.json").write_text(json.dumps(manifest))


def changed(seed: int) -> bytes:
    """The fixture's model with a few bytes changed, most of them in its first kilobytes, where the graph is."""
    draw = random.Random(seed)
    content = bytearray((FIXTURE / "model.tflite").read_bytes())
    for _ in range(draw.choice((1, 2, 8))):
        content[draw.randrange(draw.choice((200, len(content))))] = draw.randrange(256)
    return bytes(content)


def test_changed_models_end_no_process(model_copy: Path) -> None:
    """Each is refused with a sentence, or runs; this process is there at the end."""
    refused = 0
    for seed in range(200):
        replace_model(model_copy, changed(seed))
        try:
            prediction = Classifier.load(model_copy).classify("knead the bread dough in the oven")
        except ModelError:
            refused += 1
        else:
            assert sum(prediction.scores.values()) == pytest.approx(1, abs=0.02)
    assert refused > 20


CRASHING = """
import os, signal

class OpResolverType:
    BUILTIN_WITHOUT_DEFAULT_DELEGATES = 0

def Interpreter(**_):
    os.write(2, b"noise")
    os.kill(os.getpid(), signal.SIGSEGV)
"""


def test_a_crash_is_a_sentence(run: Run, model_copy: Path, tmp_path: Path, cache: Path) -> None:
    """On stderr, with nothing besides and exit code 3, in each command that runs a model; and it is not remembered."""
    for package in ("tflite_runtime", "ai_edge_litert"):
        (tmp_path / "broken" / package).mkdir(parents=True)
        (tmp_path / "broken" / package / "__init__.py").touch()
        (tmp_path / "broken" / package / "interpreter.py").write_text(CRASHING)
    environment = os.environ | {trial.CACHE_VARIABLE: str(cache), "PYTHONPATH": str(tmp_path / "broken")}
    for command in (["classify", "--text", "a", "-m"], ["verify"], ["explain", "--text", "a", "-m"], ["benchmark"]):
        done = run(*command, str(model_copy), env=environment)
        assert done.returncode == 3
        assert "was tried in a process of its own, and ended it (SIGSEGV)" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert list(cache.rglob("*")) == []


def test_a_model_is_tried_once(model_copy: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is remembered by its files, not by its place; another file is tried again."""
    Classifier.load(model_copy)
    (record,) = (cache / "models-tried").iterdir()
    tried: list[str] = []
    monkeypatch.setattr(trial, "in_child", lambda _, folder, *_hashes: tried.append(folder))
    Classifier.load(model_copy)
    Classifier.load(model_copy.rename(model_copy.with_name("moved")))
    assert tried == []
    manifest = json.loads((model_copy.with_name("moved") / "model.json").read_bytes())
    manifest["sequence"]["max_tokens"] = 7
    (model_copy.with_name("moved") / "model.json").write_text(json.dumps(manifest))
    Classifier.load(model_copy.with_name("moved"))
    assert tried == [str(model_copy.with_name("moved"))]
    record.unlink()
    assert Classifier.load("default").labels
    assert len(tried) == 1


def test_a_cache_that_cannot_be_written(model_copy: Path, cache: Path) -> None:
    """The model is tried each time."""
    cache.write_text("no folder")
    assert Classifier.load(model_copy).classify("bread dough").label == "baking"


def test_no_cache_in_the_current_directory(model_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for a user without a home, or with a relative one: what lies there must not stand for a trial."""
    monkeypatch.delenv(trial.CACHE_VARIABLE)
    monkeypatch.setattr(os.path, "expanduser", str)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    for folder in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", folder)
        trial.try_out(Bundle.read(model_copy))
    assert set(tmp_path.rglob("*")) == before


def test_the_model_that_was_tried_is_the_one_that_runs(model_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle that is exchanged between its reading and its trial has not passed one."""
    bundle = Bundle.read(model_copy)
    replace_model(model_copy, bundle.model + b"\0" * 4)
    with pytest.raises(ModelError, match="was changed while it was read"):
        trial.try_out(bundle)


SLOW = """
import os, sys
from sotag_edge import trial

def spin():
    os.write(int(sys.argv[1]), b"runs")
    while True:
        pass

trial._SECONDS = 1000
trial.in_child(spin)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an orphan ends at its time limit")
def test_a_child_process_ends_with_a_parent_that_is_killed() -> None:
    """No orphan is left that computes."""
    read, write = os.pipe()
    parent = subprocess.Popen([sys.executable, "-c", SLOW, str(write)], pass_fds=[write])
    os.close(write)
    os.read(read, 100)  # the child runs
    parent.kill()
    parent.wait()
    assert select.select([read], [], [], 20)[0]
    assert os.read(read, 100) == b""  # and has ended: nobody holds the other end
    os.close(read)


def test_where_no_status_of_a_child_is_kept(run: Run, model_copy: Path, cache: Path) -> None:
    """A program that ignores SIGCHLD hands this on to those that it starts."""
    environment = os.environ | {trial.CACHE_VARIABLE: str(cache)}
    ignore = partial(signal.signal, signal.SIGCHLD, signal.SIG_IGN)
    done = run("classify", "--text", "bread dough", "-m", model_copy, env=environment, preexec_fn=ignore)
    assert (done.returncode, done.stderr) == (0, "")


def _fail() -> str:
    raise InputError("a sentence: ü")


def _spin() -> str:
    while True:
        pass


def _take() -> str:
    return str(len(bytearray(3 * 1024**3)))


def _die() -> str:
    os.abort()


def _answer(size: str) -> str:
    sys.stdout.write("not part of the answer")
    return "ü" * int(size)


@pytest.mark.parametrize("threads", [False, True])
def test_a_child_process_answers_or_fails(threads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fork, and with threads by a new Python: long answers, errors, crashes, too much time or memory."""
    monkeypatch.setattr(trial, "_SECONDS", 2)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    here = sys.modules[__name__]
    monkeypatch.setitem(sys.modules, "test_strangers", here)
    for work in (_fail, _spin, _take, _die, _answer):
        monkeypatch.setattr(work, "__module__", "test_strangers")
    stop = threading.Event()
    if threads:
        threading.Thread(target=stop.wait, daemon=True).start()
    try:
        assert trial.in_child(_answer, "100000") == "ü" * 100_000
        with pytest.raises(InputError, match="a sentence: ü"):
            trial.in_child(_fail)
        with pytest.raises(trial.CrashError, match="SIGABRT"):
            trial.in_child(_die)
        with pytest.raises(trial.CrashError, match=r"after \d+ seconds"):
            trial.in_child(_spin)
        with pytest.raises(trial.CrashError):
            trial.in_child(_take)
    finally:
        stop.set()


def test_scores_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN in any place, a negative one, a sum that is not 1, a number of them that is not that of the labels."""
    interpreter = Interpreter((FIXTURE / "model.tflite").read_bytes())
    assert sum(interpreter.scores([1, 2])) == pytest.approx(1)
    nan, infinite = float("nan"), float("inf")
    for scores in ([nan, 0.5, 0.5], [0.5, 0.5, nan], [infinite, -infinite, 1], [1.5, -0.5, 0], [0, 0, 0], [0.5, 0.5]):
        monkeypatch.setattr(interpreter._free[0][0], "_interpreter", Returning(scores))
        with pytest.raises(ModelError, match="numbers from 0 to 1 with a sum of 1"):
            interpreter.scores([1, 2])


class Returning:
    """A runtime whose network gives these scores."""

    def __init__(self, scores: list[float]) -> None:
        self.scores = scores

    def get_tensor(self, _: int) -> Any:
        import numpy as np

        return np.array([self.scores])

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def huge(folder: Path, name: str) -> None:
    """A sparse file of a terabyte."""
    with (folder / name).open("wb") as file:
        file.truncate(1 << 40)


def pipe(folder: Path, name: str) -> None:
    """A pipe that nobody writes to: reading it would wait for ever."""
    (folder / name).unlink()
    os.mkfifo(folder / name)


@pytest.mark.parametrize("damage", [huge, pipe])
@pytest.mark.parametrize("name", ["model.json", "model.tflite", "vocab.txt"])
def test_what_is_no_usual_file_is_not_read(model_copy: Path, name: str, damage: Callable[[Path, str], None]) -> None:
    """A file without end or of a terabyte is refused before it is read."""
    damage(model_copy, name)
    with pytest.raises(ModelError, match=r"is not a file|no model|bytes; the largest that is read"):
        Classifier.load(model_copy)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["a", "b", "\ud800"]},
        {"labels": ["a", "b", "c" * 2000]},
        {"labels": ["a", "b", ""]},
        {"labels": [f"{n}" for n in range(20_000)]},
        {"sequence": {"max_tokens": 10**9, "pad_to": None}},
        {"sequence": {"max_tokens": 10, "pad_to": 10**12}},
        {"scores": {"temperature": 10**400, "threshold": 0}},
        {"scores": {"temperature": float("nan"), "threshold": 0}},
        {"scores": {"temperature": 1, "threshold": float("nan")}},
        {"scores": {"temperature": 1, "threshold": float("inf")}},
        {"files": {"model.tflite": {"sha256": 7}, "vocab.txt": {"sha256": ""}}},
    ],
)
def test_numbers_and_sizes_are_bounded(model_copy: Path, changes: dict[str, Any]) -> None:
    """A manifest that asks for too much is not valid."""
    manifest = json.loads((model_copy / "model.json").read_bytes()) | changes
    (model_copy / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="not a valid manifest"):
        Classifier.load(model_copy)


def test_many_labels_and_a_low_temperature() -> None:
    """The powers of small scores are not all 0."""
    from sotag_edge.decision import SingleLabel

    scores = SingleLabel(temperature=0.01).calibrated([1e-5] * 9_999 + [1.01e-5])
    assert sum(scores) == pytest.approx(1)


HOSTILE = "red\x1b[31m\nbold\x07"


@pytest.mark.parametrize("command", ["info", "models", "verify", "doctor -m", "explain --text dough -m", "benchmark"])
def test_labels_and_metrics_are_shown_escaped(run: Run, model_copy: Path, command: str) -> None:
    """Control characters in them never reach a terminal."""
    manifest = json.loads((model_copy / "model.json").read_bytes())
    manifest["labels"][0] = HOSTILE
    manifest["golden"]["scores"][HOSTILE] = manifest["golden"]["scores"].pop("baking")
    manifest |= {
        "recipe": HOSTILE,
        "made_with": {HOSTILE: HOSTILE},
        "training_data": {"name": HOSTILE, "licence": HOSTILE},
    }
    (model_copy / "model.json").write_text(json.dumps(manifest))
    (model_copy / "metrics.json").write_text(json.dumps({"evaluation": {HOSTILE: {"accuracy": HOSTILE}}}))
    done = run(*command.split(), *([] if command == "models" else [model_copy]))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "\x07" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        '{"evaluation": 3}',
        '{"evaluation": {"a": []}}',
        '{"evaluation": {"a": {"accuracy": NaN, "interval": [0, "x"], "texts": [], "answered": 1%s}}}' % ("0" * 999),
        "[" * 100_000,
        "",
        "\xff",
    ],
)
def test_metrics_of_any_shape_are_shown(run: Run, model_copy: Path, content: str) -> None:
    """No answer depends on them."""
    (model_copy / "metrics.json").write_text(content, encoding="latin-1")
    assert run("info", model_copy).returncode == 0
    (model_copy / "metrics.json").unlink()
    os.mkfifo(model_copy / "metrics.json")
    assert run("info", model_copy, timeout=30).returncode == 0


def test_doctor_agrees_with_classify_beside_a_hostile_folder(run: Run, tmp_path: Path) -> None:
    """What lies in the current directory is imported by no process."""
    for name in ("numpy", "random", "types", "json", "tflite_runtime", "ai_edge_litert", "sotag_edge"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the current directory')")
    for command in (["doctor"], ["classify", "--jobs", "2", "--text", "a list in python"], ["verify", FIXTURE]):
        program = "import sys; sys.path[:] = sys.argv[1].split(':'); sys.argv[1:] = sys.argv[2:]; "
        program += "from sotag_edge.__main__ import main; main()"
        folders = ":".join(folder for folder in sys.path if folder and folder != str(tmp_path))
        done = subprocess.run(
            [sys.executable, "-c", program, folders, *command], cwd=tmp_path, capture_output=True, encoding="utf-8"
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_doctor_refuses_what_classify_refuses(run: Run, model_copy: Path) -> None:
    """With the same sentence, among the others."""
    replace_model(model_copy, b"no model")
    refused = run("classify", "--text", "bread dough", "-m", model_copy)
    done = run("doctor", "-m", model_copy)
    assert (refused.returncode, done.returncode) == (3, 3)
    assert refused.stderr.removeprefix("sotag-edge: ").strip() in done.stderr
