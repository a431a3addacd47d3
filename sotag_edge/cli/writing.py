"""Results -> the output, and what is to be said about them on stderr."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from sotag_edge.cli.process import warn
from sotag_edge.document import Result
from sotag_edge.formats import Writer


def write(answers: Iterable[Result], writer: Writer, warnings: Warnings) -> tuple[bool, bool]:
    """Write every result. Returns whether an input failed, and whether one was answered ``unknown``."""
    failed = unknown = False
    try:
        for result in answers:
            answer = result.prediction
            if answer is None:
                failed = True
                warn(result.error or "")
            elif answer.reason is not None:
                unknown = True
            if result.replaced or (answer is not None and answer.truncated):
                warnings.check(result)
            writer.write(result)
    except _OutputError as error:
        raise error.cause from error
    writer.close()
    return failed, unknown


def flush(stream: TextIO) -> None:
    """Flush the output before a read of the input: that may wait, and whoever reads the results has all of them by then."""
    try:
        stream.flush()
    except OSError as error:
        raise _OutputError(error) from error


class _OutputError(Exception):
    """Results cannot be written. Not an ``OSError``: as one it would be taken for an error of the input."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Warnings:
    """What is said about results on stderr, besides errors: each thing once, at the first case."""

    def __init__(self, max_tokens: int, *, quiet: bool) -> None:
        self._max_tokens = max_tokens
        self._replaced = self._truncated = quiet  # whether it has been said

    def check(self, result: Result) -> None:
        """Say what is new about a result."""
        if result.replaced and not self._replaced:
            self._replaced = True
            warn(
                f"{result.source} has bytes that are not UTF-8; they were replaced by U+FFFD (only the first case is "
                "reported); iconv converts other encodings"
            )
        if result.prediction is not None and result.prediction.truncated and not self._truncated:
            self._truncated = True
            warn(
                f"{result.source} is longer than the {self._max_tokens:,} tokens that the model reads; the rest of it was "
                "ignored (only the first case is reported)"
            )
