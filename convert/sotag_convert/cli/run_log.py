"""The file of ``--log``: everything that a run says, a line each with the time, written at once."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sotag_edge.errors import UsageError
from sotag_edge.terminal import printable

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ")


class RunLog:
    """Appends to a log. Raises ``UsageError`` if the file cannot be written, or has something else in it."""

    def __init__(self, path: Path) -> None:
        try:
            if path.is_file() and not _is_log(path):
                raise UsageError(
                    f"{path} is not a log of an earlier run, and only a log is appended to: name another file"
                )
            # Line by line, so that a killed run leaves all it said. The file of a run is open to its end.
            self._file = path.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(f"the log {path} cannot be written: {error.strerror or error}") from error

    def write(self, text: str) -> None:
        """Append a line. A disk that is full loses lines of the log; that must not cost anybody a training run."""
        time = datetime.now().astimezone().isoformat(timespec="seconds")
        with suppress(OSError):
            self._file.write(f"{time} {printable(text)}\n")

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            self._file.close()


def _is_log(path: Path) -> bool:
    """Whether a file is empty or begins as a log does, so that a data file in the place of FILE is not spoilt."""
    with path.open("rb") as file:
        start = file.read(26).decode("ascii", errors="replace")
    return not start or _TIME.match(start) is not None
