"""What ``GET /metrics`` shows, in the text format of Prometheus: counts and times, never a text."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds


class Metrics:
    """The metrics of this process; with a folder, those of all processes that share it."""

    def __init__(self, folder: Path | None = None) -> None:
        os.environ.pop(FOLDER_VARIABLE, None)  # that of another program
        if folder is not None:
            os.environ[FOLDER_VARIABLE] = str(folder)  # the library reads it when it is imported
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
        from prometheus_client.multiprocess import MultiProcessCollector

        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._shown = own = CollectorRegistry()
        if folder is not None:
            self._shown = CollectorRegistry()
            MultiProcessCollector(self._shown, str(folder))  # type: ignore[no-untyped-call]
        self._requests = Counter(
            "sotag_edge_requests", "Answered requests, by path and status.", ["path", "status"], registry=own
        )
        self._seconds = Histogram(
            "sotag_edge_request_seconds",
            "The time from the head of a request to the end of its answer.",
            ["path"],
            buckets=_BUCKETS,
            registry=own,
        )
        self._texts = Counter(
            "sotag_edge_texts", "Texts, by answer: 'tag', 'unknown' or 'error'.", ["answer"], registry=own
        )
        self.waiting = Gauge(
            "sotag_edge_requests_in_progress",
            "Accepted requests that are not answered yet.",
            multiprocess_mode="livesum",
            registry=own,
        )

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self, answer: str) -> None:
        """Count a text by its kind of answer."""
        self._texts.labels(answer).inc()

    def shown(self) -> tuple[bytes, str]:
        """The text of all metrics, and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self._shown), CONTENT_TYPE_LATEST


def forget(folder: Path, process: int) -> None:
    """Leave out the requests in progress of a process that has ended. ``folder``: as for ``Metrics``."""
    os.environ[FOLDER_VARIABLE] = str(folder)
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(process, str(folder))  # type: ignore[no-untyped-call]
