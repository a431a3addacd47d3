"""An output file is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sotag_edge.atomic import output_stream
from sotag_edge.errors import UsageError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_obeys_the_umask(tmp_path: Path, umask: int) -> None:
    """As any file that a program creates."""
    before = os.umask(umask)
    try:
        with output_stream(tmp_path / "out") as stream:
            stream.write("new")
        assert mode(tmp_path / "out") == 0o666 & ~umask
        assert os.umask(umask) == umask
    finally:
        os.umask(before)


@pytest.mark.parametrize("permissions", [0o600, 0o664])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, permissions: int) -> None:
    """A private file stays private, a shared one shared."""
    (tmp_path / "out").write_text("old")
    (tmp_path / "out").chmod(permissions)
    with output_stream(tmp_path / "out") as stream:
        stream.write("new")
        stream.flush()
        assert (tmp_path / "out").read_text() == "old"  # until the end
    assert ((tmp_path / "out").read_text(), mode(tmp_path / "out")) == ("new", permissions)


@pytest.mark.parametrize("exists", [True, False])
def test_a_failure_leaves_everything_as_it_was(tmp_path: Path, exists: bool) -> None:
    """The old file, or none; no scratch file either way."""
    if exists:
        (tmp_path / "out").write_text("old")
    with pytest.raises(RuntimeError), output_stream(tmp_path / "out") as stream:
        stream.write("half")
        raise RuntimeError
    assert [path.read_text() for path in tmp_path.iterdir()] == (["old"] if exists else [])


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The file that it points to is replaced, and the link stays."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with output_stream(tmp_path / "link") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """A named pipe cannot be replaced."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with output_stream(tmp_path / "pipe") as stream:
        stream.write("new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_directory_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(UsageError, match="is a directory"), output_stream(tmp_path):
        pass
    with pytest.raises(UsageError, match="cannot be written"), output_stream(tmp_path / "none" / "out"):
        pass
