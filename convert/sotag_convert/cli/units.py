"""Sizes and durations as people write them on the command line."""

from __future__ import annotations

import re

from sotag_edge.errors import UsageError

_NUMBER = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*)", re.ASCII)
_BYTES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3}

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def parsed_size(text: str) -> int:
    """The bytes of a size. Raises ``UsageError``.

    >>> parsed_size("200KB"), parsed_size("1.5 MB"), parsed_size("300000")
    (200000, 1500000, 300000)
    """
    return int(_parsed(text, _BYTES, "--max-size", "200KB, 1.5MB or 300000"))


def parsed_duration(text: str) -> float:
    """The seconds of a duration. Raises ``UsageError``.

    >>> parsed_duration("10m"), parsed_duration("90s"), parsed_duration("1.5h")
    (600.0, 90.0, 5400.0)
    """
    return _parsed(text, _SECONDS, "--autotune", "90s, 10m or 1h")


def _parsed(text: str, units: dict[str, int], option: str, examples: str) -> float:
    match = _NUMBER.fullmatch(text.strip().lower())
    amount = round(float(match[1]) * units[match[2]], 6) if match and match[2] in units else 0
    if amount < 1:
        raise UsageError(f"invalid value {text[:40]!r} for {option}: write {examples}")
    return amount
