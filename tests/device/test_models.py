"""The user's own models: their folder, their names, their removal, and the completion of names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sotag_edge import ModelError, UsageError, models
from tests.conftest import FIXTURE, Run


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, with the model ``mine``."""
    folder = tmp_path / "user"
    shutil.copytree(FIXTURE, folder / "mine")
    monkeypatch.setenv(models.FOLDER_VARIABLE, str(folder))
    monkeypatch.delenv(models.MODEL_VARIABLE, raising=False)
    return folder


def test_a_name_is_found_among_the_users_models(run: Run, user: Path) -> None:
    """By ``find``, in the list, and by ``classify``; a folder that is none is not listed."""
    (user / "notes").mkdir()
    (user / ".mine-unfinished").mkdir()
    shutil.copy(FIXTURE / "model.json", user / ".mine-unfinished")
    assert models.find("mine") == user / "mine"
    assert models.own() == [user / "mine"]
    listed = {entry["name"]: entry for entry in json.loads(run("models", "--to", "json").stdout)}
    assert {"default", "mine"} <= set(listed)
    assert {"notes", ".mine-unfinished"} & set(listed) == set()
    assert listed["mine"]["path"] == str(user / "mine")
    assert run("classify", "-m", "mine", input="knead the bread dough\n").stdout.startswith("stdin:1\tbaking")


def test_a_checkpoint_is_listed_as_one(run: Run, user: Path) -> None:
    """What an interrupted training run left is no broken model: the list has the command that exports it."""
    folder = Path(shutil.copytree(FIXTURE, user / "my mails-checkpoint"))
    (folder / "model.tflite").unlink()
    words = "a checkpoint, to export: sotag-edge convert 'my mails-checkpoint' --output 'my mails'"
    assert words in run("models").stdout
    (user / "mine" / "model.tflite").unlink()
    listed = {entry["name"]: entry for entry in json.loads(run("models", "--to", "json").stdout)}
    assert listed["my mails-checkpoint"]["error"] == words
    assert "model.tflite cannot be read" in listed["mine"]["error"]


def test_a_shipped_model_is_never_replaced(user: Path) -> None:
    """Not by a folder of the same name, and no new model gets the name, in whatever case; the user's is never trusted."""
    shutil.copytree(FIXTURE, user / "default")
    assert models.find("default") != user / "default"
    assert user / "default" not in models.available()
    for name in ("default", "Default", "tiny"):
        with pytest.raises(UsageError, match="comes with sotag-edge and is never replaced"):
            models.place_for(name)
    assert models.is_installed(models.find("default"))
    assert not models.is_installed(models.find("mine"))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("a/b", "has a separator"),
        ("a\\b", "has a separator"),
        ("c:a", "has a separator"),
        ("..", "begins with '.'"),
        (".hidden", "begins with '.'"),
        ("-m", "begins with '-'"),
        ("mails ", "ends with a blank"),
        ("mails.", "ends with a blank or a dot"),
        ("a\nb", "cannot be printed"),
        ("ж" * 101, "is longer than 200 bytes"),
    ],
)
def test_what_cannot_be_a_name(user: Path, name: str, fault: str) -> None:
    """Each is refused with its reason."""
    with pytest.raises(UsageError, match=fault):
        models.place_for(name)


@pytest.mark.parametrize("name", ["mine", "Bücher 2.0", "новости", "天气", "a" * 200])
def test_where_a_new_model_goes(user: Path, name: str) -> None:
    """Into the user's folder, and it knows the name again. Nothing is created."""
    before = sorted(user.iterdir())
    assert models.place_for(name) == user / name
    assert models.name_of(user / name) == name
    assert models.name_of(Path("elsewhere") / name) is None
    assert sorted(user.iterdir()) == before


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "~/.local/share/sotag-edge/models"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/sotag-edge/models"),
        ("linux", {"XDG_DATA_HOME": "data"}, "~/.local/share/sotag-edge/models"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "~/Library/Application Support/sotag-edge/models"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/sotag-edge/models"),
        ("win32", {}, "~/AppData/Local/sotag-edge/models"),
        ("linux", {"SOTAG_EDGE_MODELS": "/mine", "XDG_DATA_HOME": "/data"}, "/mine"),
    ],
)
def test_the_folder_of_each_system(
    monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], expected: str
) -> None:
    """The variable comes first; a relative XDG_DATA_HOME is none."""
    for name in ("SOTAG_EDGE_MODELS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert models.user_folder() == Path(expected).expanduser()


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shipped models are found; a new one needs the variable."""
    for name in ("SOTAG_EDGE_MODELS", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert models.user_folder() is None
    assert models.own() == []
    assert models.find("default") in models.available()
    with pytest.raises(UsageError, match=r"name one with \$SOTAG_EDGE_MODELS"):
        models.place_for("mine")


def test_a_near_name_is_proposed(user: Path) -> None:
    """For a name that is near to that of a model, and only for such a one."""
    for name, near in (("defualt", "default"), ("mines", "mine")):
        with pytest.raises(ModelError, match=f"did you mean '{near}'"):
            models.find(name)
    with pytest.raises(ModelError) as caught:
        models.find("zzz")
    assert "did you mean" not in str(caught.value)


def test_a_model_is_removed_by_its_name(run: Run, user: Path) -> None:
    """The whole folder, and nothing beside it."""
    (user / "notes").mkdir()
    done = run("models", "--remove", "mine")
    assert (done.returncode, done.stdout) == (0, "")
    assert "removed the model 'mine'" in done.stderr
    assert [path.name for path in user.iterdir()] == ["notes"]


def test_a_removed_link_leaves_its_target(user: Path, tmp_path: Path) -> None:
    """Only the link is in the user's folder."""
    target = Path(shutil.move(user / "mine", tmp_path / "target"))
    (user / "mine").symlink_to(target)
    models.remove("mine")
    assert list(user.iterdir()) == []
    assert (target / "model.json").is_file()


def test_a_model_is_removed_whole_or_not_at_all(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal that is stopped has taken the model out of the way, or left it as it was."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", stopped)
        with pytest.raises(KeyboardInterrupt):
            models.remove("mine")
    assert models.own() == []
    with pytest.raises(ModelError, match="no model 'mine'"):
        models.remove("mine")
    shutil.copytree(FIXTURE, user / "mine")
    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        models.remove("mine")
    assert sorted(path.name for path in (user / "mine").iterdir()) == sorted(path.name for path in FIXTURE.iterdir())


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("default", UsageError, "comes with sotag-edge and cannot be removed"),
        ("./mine", UsageError, "is not a name"),
        ("../user/mine", UsageError, "is not a name"),
        ("..", UsageError, "is not a name"),
        ("", UsageError, "is not a name"),
        ("notes", ModelError, "no model 'notes'"),
        ("mien", ModelError, "did you mean 'mine'"),
    ],
)
def test_what_is_not_removed(user: Path, name: str, error: type[Exception], words: str) -> None:
    """Shipped models, paths, and folders that are no model."""
    (user / "notes").mkdir()
    with pytest.raises(error, match=words):
        models.remove(name)
    assert models.own() == [user / "mine"]
    assert (user / "notes").is_dir()


@pytest.mark.parametrize(
    "typed", ["classify -m ", "classify --model ", "info ", "verify ", "convert ", "evaluate ", "models --remove "]
)
def test_names_are_completed(user: Path, typed: str) -> None:
    """Wherever a model is named; what may be removed is a model of the user."""
    words = f"sotag-edge {typed}"
    environment = {**os.environ, "_SOTAG_EDGE_COMPLETE": "complete_bash", "COMP_WORDS": words}
    environment["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    command = shutil.which("sotag-edge", path=str(Path(sys.executable).parent))
    assert command is not None
    done = subprocess.run([command], env=environment, capture_output=True, encoding="utf-8")
    names = set(done.stdout.split())
    assert names == ({"mine"} if "remove" in typed else {path.name for path in models.available()})
