"""The ranges of a network's settings. A manifest may be anybody's: settings outside would take all memory or all time."""

from __future__ import annotations

import reprlib
from dataclasses import fields
from typing import Any

MOST_LABELS = 10_000
MOST_WEIGHTS = 20_000_000
"""Eighty times those of the default model; the device holds a fraction of that."""
_RANGES = {
    "labels": (1, MOST_LABELS),
    "rows": (0, 5_000_000),
    "vocabulary": (2, 262_000),  # see BIGRAM_FACTOR in layers.py
    "embedding": (1, 1024),
    "ratios": (1, 1024),
    "buckets": (2, 10_000_000),
    "filters": (1, 1024),
    "kernel": (1, 256),
    "stride": (1, 256),
    "step": (1, 256),
    "units": (1, 1024),
    "length": (1, 2000),
}
_SHARES = ("spatial_dropout", "dropout", "recurrent_dropout")


def check_settings(settings: Any) -> None:
    """Raise ``ValueError`` if a setting of a network, a dataclass, has the wrong type or is out of range."""
    for name in (field.name for field in fields(settings) if field.type != "None"):
        value = getattr(settings, name)
        if name == "independent":
            if not isinstance(value, bool):
                raise ValueError(f"{name!r} must be true or false, not {_shown(value)}")
            continue
        if name in _SHARES:
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1:
                raise ValueError(f"{name!r} must be a number from 0 to below 1, not {_shown(value)}")
            continue
        least, most = _RANGES[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"{name!r} must be a whole number from {least} to {most:,}, not {_shown(value)}")
    weights = settings.weights()
    if weights > MOST_WEIGHTS:
        raise ValueError(f"the network has {weights:,} weights, and {MOST_WEIGHTS:,} are the most")


def _shown(value: object) -> str:
    """A value for an error message: short, whatever it is."""
    if isinstance(value, int) and abs(value) > 10**18:
        return "a number beyond all limits"
    return reprlib.repr(value)
