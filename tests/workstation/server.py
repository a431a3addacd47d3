"""A server on this machine in place of the public ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class Server:
    """Serves ``files``, by path, below ``url`` and counts requests; ``cut``: only so many bytes of each are sent."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut, self.requests = -1, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the standard library's name
                outer.requests += 1
                content = outer.files.get(unquote(self.path[1:]))
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write((content or b"")[: outer.cut] if outer.cut >= 0 else content or b"")

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/"

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Server]:
        """A server that is stopped at the end."""
        server = cls()
        thread = threading.Thread(target=server.http.serve_forever, args=[0.02], daemon=True)
        thread.start()
        yield server
        server.http.shutdown()
        server.http.server_close()
        thread.join()
