"""What is read: one text, or the reason that there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sotag_edge.errors import InputError


class Document(NamedTuple):
    """One input: where it is from, and its text or the reason that it has none."""

    source: str
    text: str = ""
    error: InputError | None = None
    id: str | None = None
    """What the input itself calls this text (``--id``)."""
    record: Mapping[str, Any] | None = None
    """The whole input record, where the input has records."""
    replaced: bool = False
    """Whether bytes that were not UTF-8 were replaced."""
