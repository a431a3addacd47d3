"""An output file is written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pytest

from sotag_edge import atomic
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


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_at_any_moment_leaves_no_scratch_file(tmp_path: Path) -> None:
    """An exception at each line in turn, as a signal raises one: there is the old file or the new one, and no other."""

    def write_until(last: int) -> bool:
        """Write a file; raise at the line with this number, counted from the first. Returns whether it raised."""
        count = 0

        def trace(frame: FrameType, event: str, _: object) -> object:
            nonlocal count
            if frame.f_code.co_filename != atomic.__file__:
                return None
            if event == "line":
                count += 1
                if count == last:
                    raise SystemExit(143)
            return trace

        sys.settrace(trace)
        try:
            with output_stream(tmp_path / "out.tsv") as stream:
                stream.write("new")
        except SystemExit:
            return True
        finally:
            sys.settrace(None)
        return False

    umask = os.umask(0o022)
    last = 0
    while True:
        (tmp_path / "out.tsv").write_text("old")
        last += 1
        raised = write_until(last)
        os.umask(0o022)  # perhaps it was about to be restored
        assert [file.name for file in tmp_path.iterdir()] == ["out.tsv"], last
        assert (tmp_path / "out.tsv").read_text() in (("old", "new") if raised else ("new",)), last
        if not raised:
            break
    os.umask(umask)
    assert last > 20


def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    """SIGKILL lets nobody clean up. The scratch files of running processes, of other targets and other names stay."""
    code = """
import sys
from pathlib import Path
from sotag_edge.atomic import output_stream
with output_stream(Path("out.tsv")) as stream:
    stream.write("half"); stream.flush(); print("begun", flush=True); sys.stdin.read()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
        killed.stdout.readline()
        killed.kill()
    (abandoned,) = tmp_path.iterdir()
    others = {tmp_path / name for name in (".out.tsv-old.part", ".other.tsv-1.part", ".out.tsv-1.part.txt")}
    for other in others:
        other.touch()
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        running.stdout.readline()
        assert not abandoned.exists()
        (live,) = set(tmp_path.iterdir()) - others
        with output_stream(tmp_path / "out.tsv") as stream:
            stream.write("new")
        assert set(tmp_path.iterdir()) == {*others, live, tmp_path / "out.tsv"}
        running.stdin.close()
    assert (tmp_path / "out.tsv").read_text() == "half"
    assert set(tmp_path.iterdir()) == {*others, tmp_path / "out.tsv"}


def test_parallel_runs_to_one_file(tmp_path: Path) -> None:
    """Each succeeds, and the file is that of one of them, whole."""
    code = """
from pathlib import Path
from sotag_edge.atomic import output_stream
for _ in range(200):
    with output_stream(Path("out")) as stream:
        stream.write("whole")
"""
    runs = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE) for _ in range(4)]
    assert [(run.communicate()[1], run.returncode) for run in runs] == [(b"", 0)] * 4
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("out", "whole")]


@pytest.mark.parametrize("name", ["x" * 250, "file/out"])
def test_names_that_are_long_or_impossible(tmp_path: Path, name: str) -> None:
    """A long name is written, a path through a file is a sentence."""
    (tmp_path / "file").touch()
    if "/" in name:
        with pytest.raises(UsageError, match="cannot be written: Not a directory"), output_stream(tmp_path / name):
            pass
        return
    with output_stream(tmp_path / name) as stream:
        stream.write("new")
    assert (tmp_path / name).read_text() == "new"
