"""The tables of a report page: figures -> words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sotag_convert.report.confusions import WRITTEN
from sotag_convert.report.content import Report
from sotag_convert.report.evaluation import Evaluation, MultiLabelEvaluation, SingleLabelEvaluation, ThresholdFigures
from sotag_edge import machine
from sotag_edge.decision import MultiLabel

_FEW, _MANY = 10, 20  # confusions: few where a chart has all in numbers


class Cell(NamedTuple):
    """``value``: what a column is sorted by."""

    text: str
    value: float | str


@dataclass(frozen=True, slots=True)
class Table:
    """``numbers``: whether each column has numbers, which are aligned."""

    header: Sequence[str]
    numbers: Sequence[bool]
    rows: Sequence[Sequence[Cell]]


def view_table(views: Mapping[str, Evaluation]) -> Table:
    """A row of figures per view of the texts."""
    rows = [{"texts": name, **_figures(evaluation)} for name, evaluation in views.items()]
    header = tuple(rows[0]) if rows else ()
    return Table(
        header, [name != "texts" for name in header], [[Cell(cell, cell) for cell in row.values()] for row in rows]
    )


def _figures(evaluation: Evaluation) -> dict[str, str]:
    low, high = evaluation.interval
    first = {
        "number": f"{evaluation.texts:,}",
        evaluation.figure_name: f"{evaluation.figure:.4f}",
        "95 % interval": f"{low:.3f} to {high:.3f}",
        "macro-F1": f"{evaluation.macro_f1:.4f}",
    }
    if isinstance(evaluation, MultiLabelEvaluation):
        first |= {
            "precision": f"{evaluation.precision:.4f}",
            "recall": f"{evaluation.recall:.4f}",
            "exactly right": f"{evaluation.exact:.1%}",
        }
    last = {"ECE": f"{evaluation.calibration_error:.4f}", "answered": f"{evaluation.answered:.1%}"}
    if isinstance(evaluation, SingleLabelEvaluation):
        last["right"] = f"{evaluation.answered_accuracy:.4f}"
    return first | last


def tag_table(evaluation: Evaluation, training_texts: Mapping[str, int] | None) -> Table:
    """A row of figures per tag."""
    has_thresholds = isinstance(evaluation, MultiLabelEvaluation)
    header = ("tag", *(["trained on"] if training_texts else []), "texts", "precision", "recall", "F1")
    rows = []
    for label in evaluation.labels:
        row = [Cell(label.label, label.label)]
        counts = [*([training_texts.get(label.label, 0)] if training_texts else []), label.texts]
        row += [Cell(f"{count:,}", count) for count in counts]
        shares = [label.precision, label.recall, label.f1]
        shares += [label.threshold] if isinstance(label, ThresholdFigures) else []
        rows.append([*row, *(Cell(f"{share:.3f}", share) for share in shares)])
    header = (*header, "threshold") if has_thresholds else header
    return Table(header, [name != "tag" for name in header], rows)


def confusion_table(evaluation: SingleLabelEvaluation) -> Table:
    """The most frequent confusions."""
    most = _FEW if len(evaluation.labels) <= WRITTEN else _MANY
    rows = [
        [Cell(tag, tag), Cell(guess, guess), Cell(f"{count:,}", count)]
        for tag, guess, count in evaluation.confusions(most)
    ]
    return Table(("tag", "best guess", "texts"), (False, False, True), rows)


def model_facts(report: Report) -> dict[str, str]:
    """Size, speed and settings of the model."""
    manifest = report.manifest
    decision, network = manifest.decision, manifest.network
    facts = {"size on the device": f"{report.bytes:,} bytes", **_speed(report)}
    facts |= {
        "tags": f"{len(manifest.labels):,}, {'any number' if isinstance(decision, MultiLabel) else 'one'} per text",
        "reads": f"the first {manifest.input.max_tokens:,} tokens of a text, {manifest.input.tokenizer.value} mode",
        "vocabulary": _fact(network.get("vocabulary")),
        "linear branch": f"{_fact(network['rows'])} features" if network.get("rows") else "none",
        "LSTM": "yes" if report.history.has_network else "without a weight, because it did not help",
        "recipe": _fact(manifest.recipe),
        "preset, seed": f"{_fact(manifest.preset)}, {_fact(manifest.seed)}",
        "early exit": str(manifest.early_exit or "none"),
        "temperature": f"{decision.temperature:g}",
    }
    if isinstance(decision, MultiLabel):
        facts["thresholds"] = f"one per tag, from {min(decision.thresholds):g} to {max(decision.thresholds):g}"
    else:
        facts["threshold"] = f"{decision.threshold:g}"
    made_with = ", ".join(f"{name} {value}" for name, value in manifest.made_with.items())
    return facts | ({"made with": made_with} if made_with else {})


def _speed(report: Report) -> dict[str, str]:
    if report.details is None or not report.details.milliseconds:
        return {}
    median, high = np.percentile(report.details.milliseconds, [50, 95])
    return {
        "time per text": f"{median:.2f} ms (median), {high:.2f} ms (95th percentile), on one core of this machine: "
        f"{machine.cpu() or 'unknown processor'}"
    }


def data_facts(report: Report) -> dict[str, str]:
    """What the model was trained on."""
    data = report.manifest.training_data
    facts = {"trained on": f"{_fact(data.get('texts'))} texts of {_fact(data.get('name'))}"}
    for name, title in (("extra_texts", "extra texts"), ("off_topic_texts", "off-topic texts")):
        if data.get(name):
            facts[title] = _fact(data[name])
    sources = data.get("sources")
    if isinstance(sources, list) and sources:
        facts["sources"] = "\n".join(map(str, sources))
    facts["licence"] = _fact(data.get("licence"))
    facts["hash of the texts"] = f"SHA-256 {_fact(data.get('sha256'))}"
    return facts


def _fact(value: Any) -> str:
    """A fact of a manifest, which may be anybody's, in words.

    >>> _fact(12000), _fact(None), _fact("mixed")
    ('12,000', 'not stated', 'mixed')
    """
    if value is None:
        return "not stated"
    return f"{value:,}" if isinstance(value, int) else str(value)
