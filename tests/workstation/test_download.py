"""The download of the public data set, from a server on this machine, and local copies of its archive."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sotag_convert.data import stackoverflow as download
from sotag_edge.errors import InputError


class Server:
    """Serves ``content`` at ``url`` and counts the requests; ``cut``: only so many bytes of it are sent."""

    def __init__(self) -> None:
        self.content, self.status, self.cut, self.requests = b"", 200, -1, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the standard library's name
                outer.requests += 1
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.content)))
                self.end_headers()
                self.wfile.write(outer.content if outer.cut < 0 else outer.content[: outer.cut])

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/stack_overflow_16k.tar.gz"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, daemon=True)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a data set with two texts per label instead of two thousand."""
    monkeypatch.setenv(download.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(download, "TEXTS_PER_LABEL", {"train": 2, "test": 1})
    return tmp_path / "cache"


def archive(texts: dict[str, int] | None = None, extra: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        names = [
            f"{split}/{label}/{number}.txt"
            for split, count in (texts or {"train": 2, "test": 1}).items()
            for label in download.LABELS
            for number in range(count)
        ]
        for name in [*names, *([extra] if extra else [])]:
            content = f"a question in {name}".encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_downloads_once(server: Server, cache: Path) -> None:
    """The first call downloads and unpacks; the second one sends no request."""
    server.content = archive()
    folder = download.stack_overflow(server.url)
    assert (folder / "train" / "java" / "1.txt").read_text() == "a question in train/java/1.txt"
    assert download.stack_overflow(server.url) == folder
    assert server.requests == 1
    assert [entry.name for entry in cache.iterdir()] == ["stack_overflow_16k"]


def _is_missing(server: Server) -> None:
    server.content, server.status = b"no such file", 404


def _is_cut_off(server: Server) -> None:
    server.content = archive()
    server.cut = len(server.content) // 2


def _is_truncated(server: Server) -> None:
    server.content = archive()[:-200]


def _is_garbage(server: Server) -> None:
    server.content = b"<html>log in to the hotel's network</html>"


def _lacks_texts(server: Server) -> None:
    server.content = archive({"train": 1, "test": 1})


@pytest.mark.parametrize("fault", [_is_missing, _is_cut_off, _is_truncated, _is_garbage, _lacks_texts])
def test_a_bad_download_leaves_nothing(server: Server, cache: Path, fault: object) -> None:
    """An archive that is missing, cut off, damaged or incomplete is an error, and the next try starts clean."""
    fault(server)
    with pytest.raises(InputError, match="stack_overflow_16k"):
        download.stack_overflow(server.url)
    assert list(cache.iterdir()) == []
    server.status, server.cut, server.content = 200, -1, archive()
    assert download.stack_overflow(server.url).is_dir()


@pytest.mark.parametrize(
    "name", ["../../outside.txt", "/outside.txt", "train/java/../../../../outside.txt", "train/java/.."]
)
def test_nothing_is_written_outside(server: Server, cache: Path, tmp_path: Path, name: str) -> None:
    """Members whose names lead outside the folder are left out; the texts are unpacked."""
    server.content = archive(extra=name)
    folder = download.stack_overflow(server.url)
    assert not list(tmp_path.rglob("outside.txt"))
    assert {file.parent.parent.parent for file in tmp_path.rglob("*.txt")} == {folder}


def test_no_server_is_an_input_error(server: Server) -> None:
    """Without a network the message names the alternative: the folder of another copy of the data."""
    server.http.server_close()
    with pytest.raises(InputError, match="use its folder"):
        download.stack_overflow(server.url)


def test_the_download_can_be_pinned(server: Server, cache: Path) -> None:
    """By the hash of the archive; another archive is an error and leaves nothing."""
    server.content = archive()
    with pytest.raises(InputError, match="did not give the expected archive: its SHA-256 is not 0000"):
        download.stack_overflow(server.url, known_hash="0" * 64)
    assert list(cache.iterdir()) == []
    assert download.stack_overflow(server.url, known_hash=hashlib.sha256(server.content).hexdigest()).is_dir()


def test_a_local_archive_gives_the_same_data(server: Server, cache: Path, tmp_path: Path) -> None:
    """As the download, without a request; a second run unpacks nothing new."""
    server.content = archive()
    (tmp_path / "mine.tar.gz").write_bytes(server.content)
    said: list[str] = []
    local = download.stack_overflow(server.url, archive=tmp_path / "mine.tar.gz", say=said.append)
    assert server.requests == 0
    assert said == [f"{tmp_path}/mine.tar.gz has 4 of 4 test texts"]
    assert download.stack_overflow(server.url, archive=tmp_path / "mine.tar.gz") == local
    downloaded = download.stack_overflow(server.url)
    assert [entry.name for entry in cache.iterdir()].count("stack_overflow_16k") == 1
    for folder in (local, downloaded):
        assert len(list(folder.rglob("*.txt"))) == 12
    for file in local.rglob("*.txt"):
        assert file.read_bytes() == (downloaded / file.relative_to(local)).read_bytes()


def test_an_archive_in_the_cache_is_used(server: Server, cache: Path) -> None:
    """Under the name of the download, where there is no network."""
    server.http.server_close()
    cache.mkdir()
    (cache / "stack_overflow_16k.tar.gz").write_bytes(archive())
    assert len(list(download.stack_overflow(server.url).rglob("*.txt"))) == 12


def test_a_local_archive_may_lack_test_texts(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is said, and the download does not take its folder for its own."""
    monkeypatch.setattr(download, "TEXTS_PER_LABEL", {"train": 2, "test": 3})
    (tmp_path / "mine.tar.gz").write_bytes(archive())
    said: list[str] = []
    folder = download.stack_overflow(server.url, archive=tmp_path / "mine.tar.gz", say=said.append)
    assert said == [f"{tmp_path}/mine.tar.gz has 4 of 12 test texts"]
    server.content = archive({"train": 2, "test": 3})
    assert download.stack_overflow(server.url) != folder


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>", "mine is not a usable archive of 'stackoverflow': file could not be opened successfully$"),
        (archive()[:-200], "mine is not a usable archive"),
        (archive({"train": 1, "test": 1}), "it has 1 texts in train/csharp, not the expected 2"),
        (archive({"train": 2}), "it has 0 texts in test/csharp, not the expected 1"),
        (archive({"train": 2, "test": 2}), "it has 2 texts in test/csharp, not the expected 1"),
        (None, "there is no archive at"),
    ],
)
def test_another_file_is_no_archive(cache: Path, tmp_path: Path, content: bytes | None, words: str) -> None:
    """One sentence says why, and nothing is left in the cache."""
    if content is not None:
        (tmp_path / "mine").write_bytes(content)
    with pytest.raises(InputError, match=words):
        download.stack_overflow(archive=tmp_path / "mine")
    assert list(cache.iterdir()) == []
