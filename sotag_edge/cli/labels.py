"""The labels of ``--only``."""

from __future__ import annotations

from sotag_edge import models
from sotag_edge.bundle import Manifest
from sotag_edge.errors import UsageError


def labels_from(only: list[str] | None, model: str | None) -> list[str] | None:
    """The labels named by ``--only``: each value is a label of the model as a whole, or a list in CSV."""
    if not any(mark in value for value in only or () for mark in ',"'):
        return only
    known = Manifest.read(models.find(model)).labels
    return [label for value in only or () for label in ([value] if value in known else _listed(value))]


def _listed(value: str) -> list[str]:
    import csv

    try:
        return next(csv.reader([value], strict=True, skipinitialspace=True)) or [value]
    except csv.Error as error:
        raise UsageError(f"invalid value {value!r} for --only: {error}") from error
