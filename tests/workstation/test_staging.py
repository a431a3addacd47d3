"""A bundle is written whole or not at all, and data of any size gets steps enough to learn."""

from __future__ import annotations

from pathlib import Path

import pytest

from sotag_convert.learn.presets import PRESETS
from sotag_convert.staging import refuse_existing, staged
from sotag_edge.errors import UsageError


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    """When the block fails, neither the output nor the scratch folder is left."""
    with pytest.raises(RuntimeError), staged(tmp_path / "mine", force=False) as folder:
        (folder / "model.json").touch()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_replaced_model_comes_back_when_its_successor_cannot_take_its_place(model_copy: Path) -> None:
    """The old model is there, whole, when the last step fails."""
    before = (model_copy / "model.json").read_bytes()
    with pytest.raises(OSError, match=r"bundle"), staged(model_copy, force=True) as folder:
        folder.rmdir()
    assert (model_copy / "model.json").read_bytes() == before
    assert list(model_copy.parent.iterdir()) == [model_copy]


def test_an_output_that_appears_in_the_meantime_is_kept(tmp_path: Path) -> None:
    """What somebody else wrote there while the network was trained is not replaced without --force."""
    with pytest.raises(UsageError, match="exists already"), staged(tmp_path / "mine", force=False):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "letter.txt").touch()
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_file_where_a_folder_must_be_is_said(tmp_path: Path) -> None:
    """An output below a file cannot be written, and is refused before anything is trained."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match=r"notes\.txt is not a folder"):
        refuse_existing(tmp_path / "notes.txt" / "mine", force=False)


@pytest.mark.parametrize(("texts", "size"), [(90, 8), (2400, 24), (88_000, 64)])
def test_small_data_gets_small_batches(texts: int, size: int) -> None:
    """The default preset makes a hundred batches of an epoch where it can; the seed preset's are as published."""
    assert PRESETS["default"].batch_size(texts) == size
    assert PRESETS["seed"].batch_size(texts) == 124


def test_the_folder_that_one_is_in_is_not_replaced(model_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even with --force, and it is said before anything is trained."""
    monkeypatch.chdir(model_copy)
    with pytest.raises(UsageError, match="is the current folder or one around it"):
        refuse_existing(Path(), force=True)
