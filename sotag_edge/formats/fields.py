"""Results -> the fields that every output format shows, by name, in a fixed order."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sotag_edge.terminal import Color

if TYPE_CHECKING:
    from sotag_edge.decision import Prediction
    from sotag_edge.document import Result

SCHEMA_VERSION = 1
"""The version of the JSON output; docs/cli.md describes it."""
_PREFIX = "predicted_"
_QUOTED = re.compile(r'[,"\r\n]|^ ')


class Layout(NamedTuple):
    """What the output shows of each result.

    ``labels``: the labels that may be answered. ``top``: the number of best labels shown besides the answer. ``scores``: a
    column for the score of each label. ``merge``: the input record's fields before ours. ``ids``: whether inputs have an
    identifier. ``multi_label``: whether a text may have several labels. For tables on a terminal: ``sources``, those of all
    results if they are known beforehand, and ``color``.
    """

    labels: tuple[str, ...]
    top: int = 0
    scores: bool = False
    merge: bool = False
    ids: bool = False
    multi_label: bool = False
    sources: Collection[str] | None = None
    color: Color = Color.AUTO


def json_fields(result: Result, layout: Layout) -> dict[str, Any]:
    """The fields of a result's JSON object; with ``merge`` only ours, by names that its record does not have."""
    fields: dict[str, Any] = {"source": result.source}
    if result.id is not None and not layout.merge:  # a merged record has it already
        fields["id"] = result.id
    answer = result.prediction
    if answer is None:
        fields["error"] = result.error
    else:
        scores = {label: round(score, 6) for label, score in answer.scores.items()}
        fields["label"] = answer.label
        if layout.multi_label:
            fields["labels"] = list(answer.labels)
        fields |= {"score": round(answer.score, 6), "scores": scores}
        if answer.reason:
            fields["reason"] = answer.reason.value
        if answer.truncated:
            fields["truncated"] = True
        if layout.top:
            fields["top"] = [{"label": label, "score": round(score, 6)} for label, score in best(answer, layout.top)]
    return _free(result.record or {}, fields) if layout.merge else fields


def row(result: Result, layout: Layout, *, reasons: bool) -> dict[str, Any]:
    """The same for rows of text: flat, each column in every row. ``reasons`` adds those of the reason and the error."""
    answer = result.prediction
    fields: dict[str, Any] = {"source": result.source}
    if layout.ids and not layout.merge:
        fields["id"] = result.id or ""
    fields |= {"label": named(answer, layout) if answer else "", "score": f"{answer.score:.4f}" if answer else ""}
    ranked = best(answer, layout.top) if answer else []
    for place in range(layout.top):
        label, score = ranked[place] if place < len(ranked) else ("", None)
        fields |= {f"label_{place + 1}": label, f"score_{place + 1}": "" if score is None else f"{score:.4f}"}
    if layout.scores:
        fields |= {f"score_{label}": f"{answer.scores[label]:.4f}" if answer else "" for label in layout.labels}
    if reasons:
        fields |= {"reason": answer.reason.value if answer and answer.reason else "", "error": result.error or ""}
    theirs = result.record or {} if layout.merge else {}
    return {**theirs, **_free(theirs, fields)}


def named(answer: Prediction, layout: Layout) -> str:
    """The label of a text, or ``unknown``; all its labels with a model that gives several."""
    return joined(answer.labels) if layout.multi_label and answer.labels else answer.label


def joined(labels: Sequence[str]) -> str:
    """Labels as one cell, in the syntax that ``--only`` reads: a row of CSV.

    >>> joined(["python", "c++, c", 'my "own" tag'])
    'python,"c++, c","my ""own"" tag"'
    """
    return ",".join('"' + label.replace('"', '""') + '"' if _QUOTED.search(label) else label for label in labels)


def best(answer: Prediction, count: int) -> list[tuple[str, float]]:
    """The labels with the best scores, best first; of equal scores the first label first."""
    return sorted(answer.scores.items(), key=lambda entry: -entry[1])[:count]


def _free(record: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Our fields; one that the record has too gets the prefix ``predicted_``."""
    fields: dict[str, Any] = {}
    for name, value in ours.items():
        free = name
        while free in record or free in fields:
            free = _PREFIX + free
        fields[free] = value
    return fields
