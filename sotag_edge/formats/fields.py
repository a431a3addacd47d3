"""Results -> the fields that every output form shows: what became of one input, by name, in a fixed order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sotag_edge.classifier import Prediction

SCHEMA_VERSION = 1
"""Of the JSON that ``--to json`` and ``--to jsonl`` give; docs/cli.md describes it."""
_OURS = "predicted_"


class Result(NamedTuple):
    """What became of one input: its prediction, or the error in its place. ``id`` and ``record`` are the input's own."""

    source: str
    prediction: Prediction | None = None
    error: str | None = None
    id: str | None = None
    record: Mapping[str, Any] | None = None


class Shape(NamedTuple):
    """Which fields a result shows. ``top``: so many of the best labels, besides the answer; ``scores``: a column for each
    label's score; ``merge``: the input record's fields before ours; ``ids``: whether inputs have an identifier."""

    labels: tuple[str, ...]
    top: int = 0
    scores: bool = False
    merge: bool = False
    ids: bool = False


def fields(result: Result, shape: Shape) -> dict[str, Any]:
    """The JSON object of a result: ``source``, ``label``, ``score``, ``scores``, and what else there is to say."""
    found: dict[str, Any] = {"source": result.source}
    if result.id is not None and not shape.merge:  # the record has it already
        found["id"] = result.id
    answer = result.prediction
    if answer is None:
        found["error"] = result.error
    else:
        scores = {label: round(score, 6) for label, score in answer.scores.items()}
        found |= {"label": answer.label, "score": round(answer.score, 6), "scores": scores}
        if answer.reason:
            found["reason"] = answer.reason.value
        if shape.top:
            found["top"] = [{"label": label, "score": round(score, 6)} for label, score in best(answer, shape.top)]
    return _merged(result, found) if shape.merge else found


def columns(result: Result, shape: Shape) -> dict[str, Any]:
    """The same for tables of text: flat, every column in every row, empty where there is nothing to say."""
    answer = result.prediction
    found: dict[str, Any] = {"source": result.source}
    if shape.ids and not shape.merge:
        found["id"] = result.id or ""
    found |= {"label": answer.label if answer else "", "score": f"{answer.score:.4f}" if answer else ""}
    ranked = best(answer, shape.top) if answer else []
    for place in range(shape.top):
        label, score = ranked[place] if place < len(ranked) else ("", None)
        found |= {f"label_{place + 1}": label, f"score_{place + 1}": "" if score is None else f"{score:.4f}"}
    if shape.scores:
        found |= {f"score_{label}": f"{answer.scores[label]:.4f}" if answer else "" for label in shape.labels}
    return found


def best(answer: Prediction, count: int) -> list[tuple[str, float]]:
    """The labels of the best scores with them, best first."""
    return sorted(answer.scores.items(), key=lambda entry: -entry[1])[:count]


def _merged(result: Result, ours: Mapping[str, Any]) -> dict[str, Any]:
    """The input record with our fields behind it; one of ours that the record has too gets a name of its own."""
    merged = dict(result.record or {})
    for name, value in ours.items():
        free = name
        while free in merged:
            free = _OURS + free
        merged[free] = value
    return merged


def row(result: Result, shape: Shape, *, reasons: bool) -> dict[str, Any]:
    """The columns of a result, with ``reasons`` the reason and the error too, behind those of its record if it is merged."""
    found = columns(result, shape)
    if reasons:
        answer = result.prediction
        found |= {"reason": answer.reason.value if answer and answer.reason else "", "error": result.error or ""}
    return _merged(result, found) if shape.merge else found


# Control characters, line separators, marks that change the direction of writing, surrogates.
_NOT_PRINTABLE = "\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_NOT_IN_A_ROW = re.compile(f"[{_NOT_PRINTABLE}]")


def printable(text: str) -> str:
    r"""Text with what a terminal may take for a command replaced by U+FFFD, so that it stays on its own row.

    >>> printable("a\tb\x1b[31m") == "a\ufffdb\ufffd[31m"
    True
    """
    return _NOT_IN_A_ROW.sub("\N{REPLACEMENT CHARACTER}", text)
