"""``Options``: how a server answers, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """``models``: the folders of the models; the first one answers unless a request names another. ``threshold``: as for
    ``Classifier``. ``token``: the shared secret of all clients, if there is one. ``queue``: the most requests that a process
    has accepted and not answered yet. ``most_bytes``: of a request's body. ``most_texts``: in a request. ``seconds``: in
    which a request must arrive, and an answer be read. ``log_requests``: whether each request is logged; its text never is.
    """

    models: tuple[Path, ...]
    threshold: float | None = None
    token: str | None = None
    queue: int = 128
    most_bytes: int = 1_000_000
    most_texts: int = 1_000
    seconds: float = 20.0
    log_requests: bool = False
