"""The download of the public data set, from a server on this machine."""

from __future__ import annotations

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
