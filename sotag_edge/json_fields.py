"""Fields of a JSON object that may be anybody's, each with the type that is expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

_T = TypeVar("_T")


def required(mapping: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    """A field of this type. Raises ``ValueError``; a boolean is no number."""
    value = mapping.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name!r} is missing or not of type {kind.__name__}")
    return value


def nullable(mapping: Mapping[str, Any], name: str, kind: type[_T]) -> _T | None:
    """A field of this type, or ``None`` if it is null or missing. Raises ``ValueError``."""
    return None if mapping.get(name) is None else required(mapping, name, kind)


def number(mapping: Mapping[str, Any], name: str) -> float:
    """A field that is a number. Raises ``ValueError``."""
    value = mapping.get(name)
    try:
        return value if isinstance(value, float) else float(required(mapping, name, int))
    except OverflowError as error:
        raise ValueError(f"{name!r} is too large") from error


def numbers(mapping: Mapping[str, Any], name: str) -> tuple[float, ...]:
    """A field that is a list of numbers. Raises ``ValueError``.

    >>> numbers({"thresholds": [0.5, 1]}, "thresholds")
    (0.5, 1.0)
    """
    values = required(mapping, name, list)
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        raise ValueError(f"{name!r} is not a list of numbers")
    try:
        return tuple(map(float, values))
    except OverflowError as error:
        raise ValueError(f"{name!r} has a number that is too large") from error


def optional(mapping: Mapping[str, Any], name: str, kind: type[_T]) -> _T | None:
    """A field that no answer depends on: ``None`` where it has another type."""
    value = mapping.get(name)
    return value if isinstance(value, kind) and not isinstance(value, bool) else None
