r"""A line of the user's own per result, with fields in braces: ``{label}\t{score:.3f}\t{source}`` (``--format``)."""

from __future__ import annotations

import re
from string import Formatter
from typing import TextIO

from sotag_edge.document import Result
from sotag_edge.errors import UsageError
from sotag_edge.formats.fields import joined
from sotag_edge.terminal import printable

_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\\\": "\\"}


class TemplateWriter:
    """Fills in a template for each result."""

    def __init__(self, stream: TextIO, template: str) -> None:
        """Raises ``UsageError`` for an unknown field, or a format specification that its value does not have."""
        self._stream = stream
        self._template = re.sub(r"\\[tn\\]", lambda match: _ESCAPES[match[0]], template)
        sample = _values(Result(""))
        try:
            names = {name for _, name, _, _ in Formatter().parse(self._template) if name is not None}
        except ValueError as error:
            raise UsageError(f"the format {template!r} is not valid: {error}") from error
        unknown = names - set(sample)
        if unknown:
            raise UsageError(f"the format has no field {min(unknown)!r}; its fields are {', '.join(sample)}")
        self._line(Result(""))

    def write(self, result: Result) -> None:
        """Write a line. Raises ``UsageError`` if the template fails for this value only."""
        self._stream.write(self._line(result) + "\n")

    def close(self) -> None:
        """Nothing follows the last line."""

    def _line(self, result: Result) -> str:
        try:
            return self._template.format(**_values(result))
        except (ValueError, IndexError, KeyError, MemoryError, OverflowError) as error:
            raise UsageError(f"the format {self._template!r} is not valid: {error or 'it is too wide'}") from error


def _values(result: Result) -> dict[str, str | float]:
    answer = result.prediction
    return {
        "source": printable(result.source),
        "id": printable(result.id or ""),
        "label": printable(answer.label) if answer else "",
        "labels": printable(joined(answer.labels)) if answer else "",
        "best_guess": printable(answer.best_guess) if answer else "",
        "score": answer.score if answer else 0.0,
        "reason": answer.reason.value if answer and answer.reason else "",
        "error": printable(result.error or ""),
    }
