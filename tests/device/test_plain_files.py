"""Small files of text are read in one piece, and everything else as before; results are written before input is awaited."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sotag_edge import formats, sources
from sotag_edge.formats import FORMATS, read_documents
from sotag_edge.sources import Folders, plain_content
from sotag_edge.streams import _MARKS
from tests.conftest import FIXTURE

CLASSIFY = [sys.executable, "-m", "sotag_edge", "classify", "-m", str(FIXTURE)]
LIMIT = sources._SMALL
PLAIN = {
    "text": b"Why?\n",
    "empty": b"",
    "latin": b"caf\xe9 au lait",
    "marked": b"\xef\xbb\xbfWhy?",
    "controls": b"\0\1\2\3" * 9,
    "almost": b"a" * (LIMIT - 1),
    "begun": b"PK\x03",
    "one": b"\x1f",
}
OTHER = {
    "gzip": gzip.compress(b"Why?"),
    "damaged": gzip.compress(b"Why?" * 99)[:-9],
    "utf16": "Why?".encode("utf-16"),
    "utf32": "Why?".encode("utf-32"),
    "tar": b"a" * 257 + b"ustar\0",
    "limit": b"a" * LIMIT,
    "large": b"a" * (LIMIT + 1),
} | {f"mark-{number}": mark + b" and more" for number, mark in enumerate(_MARKS)}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", [*PLAIN, *OTHER])
def test_a_file_has_the_document_that_it_has_as_a_stream(
    name: str, force: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text, error and replaced bytes, whichever way it is read."""
    path = tmp_path / name
    path.write_bytes(({**PLAIN, **OTHER})[name])
    assert (plain_content(str(path)) is not None) == (name in PLAIN)
    by_itself = list(read_documents([str(path)], io.BytesIO(), force=force))
    monkeypatch.setattr(formats, "plain_content", lambda _: None)
    as_stream = list(read_documents([str(path)], io.BytesIO(), force=force))
    assert [str(document) for document in by_itself] == [str(document) for document in as_stream]


@pytest.mark.parametrize("ending", ["", "/", "/.", "\0", "/none", " none"])
def test_a_path_that_is_no_small_file_is_described_as_before(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Directories, names with a NUL, files that do not exist; a separator after the name of a file does not matter."""
    (tmp_path / "q.txt").write_text("Why?")
    paths = [f"{tmp_path}{ending}", f"{tmp_path / 'q.txt'}{ending}", ending, "/proc/self/status", "/dev/null"]
    by_itself = list(read_documents(paths, io.BytesIO(b"a\nb")))
    monkeypatch.setattr(formats, "plain_content", lambda _: None)
    as_stream = list(read_documents(paths, io.BytesIO(b"a\nb")))
    without_counts = [(document.source, document.text[:9], str(document.error)) for document in by_itself]
    assert without_counts == [(document.source, document.text[:9], str(document.error)) for document in as_stream]


def test_standard_input_is_no_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is called - has to be named ./-."""
    monkeypatch.chdir(tmp_path)
    Path("-").write_text("a file")
    documents = list(read_documents(["-", "./-"], io.BytesIO(b"a stream"), input_format=FORMATS["text"]))
    assert [(document.source, document.text) for document in documents] == [("stdin", "a stream"), ("./-", "a file")]


def test_a_folder_without_its_pipes(tmp_path: Path) -> None:
    """A pipe in a folder would be waited for; links to files are read."""
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").symlink_to("a.txt")
    (tmp_path / "c.txt").symlink_to("none")
    os.mkfifo(tmp_path / "d.txt")
    (tmp_path / "e.txt").mkdir()
    documents = list(read_documents([str(tmp_path)], io.BytesIO(), folders=Folders(recursive=True)))
    assert [Path(document.source).name for document in documents] == ["a.txt", "b.txt", "c.txt"]
    assert [document.text for document in documents] == ["a", "a", ""]


def test_a_reader_that_goes_ends_the_process_before_more_input(tmp_path: Path) -> None:
    """It does not wait for a text whose answer nobody will read."""
    with subprocess.Popen(CLASSIFY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"dough\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"stdin:1\t")
        process.stdout.close()
        process.stdin.write(b"dough\n")
        process.stdin.flush()
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == b""


def test_a_full_disk_is_no_error_of_the_input() -> None:
    """It is found at the first read after the answer, while the input is open."""
    full = os.open("/dev/full", os.O_WRONLY)
    with subprocess.Popen(CLASSIFY, stdin=subprocess.PIPE, stdout=full, stderr=subprocess.PIPE) as process:
        os.close(full)
        process.stdin.write(b"dough\n")
        process.stdin.flush()
        assert process.wait(timeout=30) == 1
        assert process.stderr.read() == b"sotag-edge: the output cannot be written: No space left on device\n"


def test_errors_keep_their_place_among_results() -> None:
    """Where both go to one file: after the results before, and before the row of the input that failed."""
    lines = b"dough\n" + b"\0\1\2\3" * 9 + b"\nsoil \xff\nsoil\n"
    done = subprocess.run(CLASSIFY, input=lines, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    begins = [line.split(b"\t")[0].split(b" ")[0] for line in done.stdout.splitlines()]
    assert begins == [b"stdin:1", b"sotag-edge:", b"stdin:2", b"sotag-edge:", b"stdin:3", b"stdin:4"]


def test_what_is_known_is_written_when_the_process_is_stopped() -> None:
    """By Ctrl-C or by SIGTERM, while it waits."""
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with subprocess.Popen(CLASSIFY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write(b"dough\nsoil\nsail")
            process.stdin.flush()
            rows = [process.stdout.readline() for _ in range(2)]
            process.send_signal(number)
            assert process.wait(timeout=30) == code
            assert [row.split(b"\t")[0] for row in rows] == [b"stdin:1", b"stdin:2"]
