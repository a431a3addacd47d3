"""``sotag-edge serve``."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Annotated, Optional

import typer

from sotag_edge.bundle import Bundle
from sotag_edge.cli import options
from sotag_edge.cli.extra import require_extra
from sotag_edge.cli.loading import loading_numpy
from sotag_edge.cli.process import warn
from sotag_edge.errors import UsageError
from sotag_edge.models import find
from sotag_edge.trial import try_out

_SERVER = "Server"
_LIMITS = "Limits"

Models = Annotated[
    Optional[list[str]],
    typer.Option(
        "--model",
        "-m",
        autocompletion=options.model_names,
        help="The folder or name of a model. Can be repeated: the first one answers unless a request names another. "
        "[default: $SOTAG_EDGE_MODEL, or 'default']",
    ),
]
Threshold = Annotated[
    Optional[float],
    typer.Option(
        "--threshold", min=0, max=1, help="As for classify; 0 never answers 'unknown'. [default: the model's own]"
    ),
]
Host = Annotated[
    str,
    typer.Option("--host", help="The address to listen on; 0.0.0.0 for the whole network.", rich_help_panel=_SERVER),
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 chooses a free one.", rich_help_panel=_SERVER)]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs", "-j", min=1, help="The number of processes; each has its own models.", rich_help_panel=_SERVER
    ),
]
Token = Annotated[
    Optional[str],
    typer.Option(
        "--token",
        envvar="SOTAG_EDGE_TOKEN",
        help="A secret that every client must send, as a bearer token or as a password. Better in the variable: other users "
        "of this machine can see the command line.",
        rich_help_panel=_SERVER,
    ),
]
LogRequests = Annotated[
    bool,
    typer.Option(
        "--log-requests", help="Log the page, status and time of each request; never a text.", rich_help_panel=_SERVER
    ),
]
Places = Annotated[
    int,
    typer.Option(
        "--queue",
        min=1,
        help="The most requests of a process that are not answered yet; more are answered with 503.",
        rich_help_panel=_LIMITS,
    ),
]
MostBytes = Annotated[
    int,
    typer.Option("--max-bytes", min=1, help="Of a request.", rich_help_panel=_LIMITS),
]
MostTexts = Annotated[int, typer.Option("--max-texts", min=1, help="In a request.", rich_help_panel=_LIMITS)]
Seconds = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0.1,
        metavar="SECONDS",
        help="The time in which a request must arrive, and a client must read its answer.",
        rich_help_panel=_LIMITS,
    ),
]


def serve(
    model: Models = None,
    threshold: Threshold = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    jobs: Jobs = 1,
    token: Token = None,
    log_requests: LogRequests = False,
    queue: Places = 128,
    max_bytes: MostBytes = 1_000_000,
    max_texts: MostTexts = 1_000,
    timeout: Seconds = 20.0,
) -> None:
    """Answer over HTTP: POST /classify, and a page to try the model. Ctrl-C or SIGTERM ends it, with 0.

    Example: sotag-edge serve

    Example: sotag-edge serve --model models/mails --host 0.0.0.0 --jobs 4
    """
    require_extra("serve")
    folders = tuple(map(find, model)) if model else (find(),)
    _check(folders, token, timeout, jobs)
    from sotag_edge.serve.options import Options
    from sotag_edge.serve.server import answer, listening

    settings = Options(folders, threshold, token, queue, max_bytes, max_texts, timeout, log_requests)
    with loading_numpy():
        for folder in folders:
            try_out(Bundle.read(folder))
    listener = listening(host, port)
    bound = listener.getsockname()[1]
    address = f"[{host}]" if ":" in host else host
    names = ", ".join(folder.name for folder in folders)
    if token is None and not _is_local(listener.getsockname()[0]):
        warn("everybody who reaches this address can use it: --token asks for a secret")
    ready = partial(warn, f"{names} on http://{address}:{bound} (Ctrl-C ends it)")
    if jobs == 1:
        answer(listener, settings, ready)
        return
    from sotag_edge.serve.processes import answer_in_processes

    in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # a card would wear out
    with tempfile.TemporaryDirectory(prefix="sotag-edge-", dir=in_memory) as counts:
        answer_in_processes(listener, settings, ready, jobs, Path(counts))


def _check(folders: tuple[Path, ...], token: str | None, timeout: float, jobs: int) -> None:
    names = [folder.name for folder in folders]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two models are called {twice!r}, and requests name them: copy one to another folder")
    if token is not None and not (token.isascii() and token.isprintable() and token.strip() == token != ""):
        raise UsageError("the token must be printable ASCII, without blanks at its ends")
    if not isfinite(timeout):
        raise UsageError(f"invalid value {timeout} for --timeout (allowed: seconds from 0.1)")
    if jobs > 1 and sys.platform == "win32":
        raise UsageError("--jobs is 1 on Windows, where processes cannot share a port")


def _is_local(address: str) -> bool:
    from ipaddress import ip_address

    return ip_address(address).is_loopback
