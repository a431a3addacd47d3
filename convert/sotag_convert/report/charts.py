"""The curves of a report as Vega-Lite specifications, plain dictionaries without colours: the page has those (report.js).

Each chart also has its figures as a table, for readers without JavaScript, or with ears only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sotag_convert.report.curves import Bin, CoveragePoint, LengthClass, ThresholdPoint
from sotag_convert.report.evaluation import Evaluation, SingleLabelEvaluation
from sotag_convert.report.history import History

Rows = Sequence[Sequence[str]]
Spec = dict[str, Any]

_HEIGHT = 260
_FEW = 5  # scores, whose share is chance
_SHARE = {"scale": {"domain": [0, 1]}, "type": "quantitative"}


@dataclass(frozen=True, slots=True)
class Chart:
    """``name``: its id in the page; ``title``: a few words, ``description``: how to read it; ``header``, ``rows``: its
    figures. ``is_wide``: it has a width of its own, and is scrolled in a narrow window."""

    name: str
    title: str
    description: str
    spec: Spec
    header: Sequence[str]
    rows: Rows
    is_wide: bool = False


def comparison_chart(evaluation: Evaluation, references: Mapping[str, float]) -> Chart:
    """The main figure with its interval, beside what it is compared with."""
    low, high = evaluation.interval
    this = {"name": "this model", "figure": evaluation.figure, "low": low, "high": high}
    others = [{"name": name, "figure": figure} for name, figure in references.items()]
    y = {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": {"ticks": False, "domain": False}}
    interval = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "rule", "style": "band"},
        "encoding": {"x": {"field": "low", **_SHARE}, "x2": {"field": "high"}},
    }
    tooltip = [
        word_tip("name"),
        number_tip("figure", evaluation.figure_name),
        number_tip("low", "from"),
        number_tip("high", "to"),
    ]
    point = {
        "mark": {"type": "tick", "style": "figure"},
        "encoding": {"x": {"field": "figure", "title": evaluation.figure_name, **_SHARE}, "tooltip": tooltip},
    }
    spec = _spec([this, *others], {"encoding": {"y": y}, "layer": [interval, point]}, height=34 * (1 + len(others)))
    rows = [["this model", f"{evaluation.figure:.4f}", f"{low:.3f} to {high:.3f}"]]
    rows += [[name, f"{figure:.4f}", ""] for name, figure in references.items()]
    return Chart(
        "comparison",
        "Compared with simpler answers",
        "The pale bar is the 95 % interval: how far the figure may be from that of endless texts of this kind.",
        spec,
        ("", evaluation.figure_name, "95 % interval"),
        rows,
    )


def calibration_chart(bins: Sequence[Bin], what: str) -> Chart:
    """The share of right labels by score. ``what``: the share, such as "accuracy"."""
    data = [{"low": b.low, "high": b.high, "count": b.count, "score": b.score, "share": b.share} for b in bins]
    tooltip = [number_tip("score", "mean score"), number_tip("share", what), number_tip("count", "how many", ",")]
    x = {"field": "score", "title": "score", **_SHARE}
    y = {"field": "share", "title": what, **_SHARE}
    ideal = {
        "data": {"values": [{"score": 0, "share": 0}, {"score": 1, "share": 1}]},
        "mark": {"type": "line", "style": "guide"},
    }
    size = {"field": "count", "type": "quantitative", "scale": {"type": "sqrt", "range": [15, 250]}, "legend": None}
    line = {"transform": [{"filter": f"datum.count >= {_FEW}"}], "mark": {"type": "line", "style": "thin"}}
    dots = {"mark": {"type": "point", "style": "dot"}, "encoding": {"size": size, "tooltip": tooltip}}
    return Chart(
        "calibration",
        f"Score and {what}",
        f"On the dashed line a score is the {what} that it promises; below it the model is too sure of itself. A large dot "
        f"stands for many scores; the line leaves out those for fewer than {_FEW}.",
        _spec(data, {"encoding": {"x": x, "y": y}, "layer": [ideal, line, dots]}),
        ("scores", "how many", "mean score", what),
        [[f"{b.low:.2f} to {b.high:.2f}", f"{b.count:,}", f"{b.score:.3f}", f"{b.share:.3f}"] for b in bins],
    )


def score_chart(bins: Sequence[Bin], what: str) -> Chart:
    """How many scores there are in each bin of the calibration. ``what``: such as "texts"."""
    data = [{"low": b.low, "high": b.high, "count": b.count} for b in bins]
    axis = {"values": [0, max(b.count for b in bins)], "format": ".2~s", "grid": False}
    encoding = {
        "x": {"field": "low", "title": "score", **_SHARE, "bin": {"binned": True}},
        "x2": {"field": "high"},
        "y": {"field": "count", "type": "quantitative", "title": what, "axis": axis, "scale": {"type": "sqrt"}},
        "tooltip": [number_tip("low", "from"), number_tip("high", "to"), number_tip("count", what, ",")],
    }
    return Chart(
        "scores",
        "How many scores there are",
        f"The number of {what} by score, drawn by its square root: where it is small, the curve is uncertain.",
        _spec(data, {"mark": {"type": "bar", "style": "first-area"}, "encoding": encoding}, height=70),
        ("scores", what),
        [[f"{b.low:.2f} to {b.high:.2f}", f"{b.count:,}"] for b in bins],
    )


def coverage_chart(points: Sequence[CoveragePoint], evaluation: SingleLabelEvaluation, threshold: float) -> Chart:
    """The accuracy on the texts with the highest scores, with what the model's threshold answers."""
    data = [{"coverage": p.coverage, "accuracy": p.accuracy, "score": p.score} for p in points]
    tooltip = [number_tip("coverage", "answered", ".1%"), number_tip("accuracy"), number_tip("score", "lowest score")]
    own = {"coverage": evaluation.answered, "accuracy": evaluation.answered_accuracy, "score": threshold}
    label = f"threshold {threshold:g}"
    x = {"field": "coverage", "title": "share of the texts that are answered", **_SHARE, "axis": {"format": ".0%"}}
    y = {"field": "accuracy", "type": "quantitative", "scale": {"zero": False, "nice": True}}
    layers = [
        {"mark": {"type": "line", "style": "first"}, "encoding": {"tooltip": tooltip}},
        {
            "data": {"values": [own]},
            "layer": [
                {"mark": {"type": "point", "style": "dot-second"}, "encoding": {"tooltip": tooltip}},
                {
                    "mark": {"type": "text", "style": "note", "align": "right", "dx": -10, "dy": 14},
                    "encoding": {"text": {"value": label}},
                },
            ],
        },
    ]
    return Chart(
        "coverage",
        "Fewer answers, more of them right",
        "Answering only the texts with the highest scores raises the accuracy; the dot is what the model's threshold does.",
        _spec(data, {"encoding": {"x": x, "y": y}, "layer": layers}),
        ("answered", "accuracy", "lowest score"),
        [[f"{p.coverage:.0%}", f"{p.accuracy:.3f}", f"{p.score:.3f}"] for p in points[4::5] or points],
    )


def threshold_chart(points: Sequence[ThresholdPoint]) -> Chart:
    """Precision, recall and F1 by a common threshold."""
    names = {"precision": "precision", "recall": "recall", "f1": "F1"}
    data = [
        {"threshold": p.threshold, "figure": name, "value": getattr(p, field)}
        for p in points
        for field, name in names.items()
    ]
    encoding = {
        "x": {"field": "threshold", "title": "threshold of every tag", **_SHARE},
        "y": {"field": "value", "title": None, **_SHARE},
        **_series("figure", list(names.values())),
        "tooltip": [number_tip("threshold", form=".2f"), word_tip("figure"), number_tip("value", "share")],
    }
    return Chart(
        "thresholds",
        "One threshold for all tags",
        "A higher threshold gives fewer tags, and more of them are right: precision rises, recall falls.",
        _spec(data, {"mark": {"type": "line", "style": "series"}, "encoding": encoding}),
        ("threshold", "precision", "recall", "F1"),
        [
            [f"{p.threshold:.2f}", f"{p.precision:.3f}", f"{p.recall:.3f}", f"{p.f1:.3f}"]
            for p in points[4::5] or points
        ],
    )


def length_chart(classes: Sequence[LengthClass], figure_name: str) -> Chart:
    """The main figure by the length of the text."""
    data = []
    for entry in classes:
        low, high = entry.interval or (None, None)
        point = {"tokens": _tokens(entry), "texts": entry.texts, "figure": entry.figure, "low": low, "high": high}
        data.append(point)
    tooltip = [
        word_tip("tokens"),
        number_tip("texts", form=","),
        number_tip("figure", figure_name),
        number_tip("low", "from"),
        number_tip("high", "to"),
    ]
    x = {"field": "tokens", "type": "ordinal", "sort": None, "axis": {"labelAngle": 0, "labelOverlap": True}}
    y = {"field": "figure", "title": figure_name, "type": "quantitative", "scale": {"zero": False, "nice": True}}
    interval = {
        "mark": {"type": "rule", "style": "interval"},
        "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}},
    }
    point = {"mark": {"type": "point", "style": "dot"}, "encoding": {"y": y, "tooltip": tooltip}}
    has_intervals = any(entry.interval for entry in classes)
    return Chart(
        "lengths",
        f"{figure_name.capitalize() if figure_name.islower() else figure_name} by length",
        "A dot is the texts with so many tokens, which are words and punctuation marks; a long line means few texts.",
        _spec(data, {"encoding": {"x": x}, "layer": [interval, point] if has_intervals else [point]}),
        ("tokens", "texts", figure_name, "95 % interval"),
        [
            [
                _tokens(entry),
                f"{entry.texts:,}",
                f"{entry.figure:.3f}",
                "{:.3f} to {:.3f}".format(*entry.interval) if entry.interval else "",
            ]
            for entry in classes
        ],
    )


def training_charts(history: History, figure_name: str) -> list[Chart]:
    """The losses by epoch, and the validation figure where there is one."""
    losses = [
        {"epoch": epoch.number, "texts": texts, "value": value}
        for epoch in history.epochs
        for texts, value in (("training", epoch.loss), ("validation", epoch.validation_loss))
        if value is not None
    ]
    figures = [
        {"epoch": epoch.number, "texts": "validation", "value": epoch.validation_accuracy}
        for epoch in history.epochs
        if epoch.validation_accuracy is not None
    ]
    charts = [_epoch_chart("loss", "Loss by epoch", "loss", losses, history)] if losses else []
    if figures:
        charts.append(_epoch_chart("validation", f"Validation {figure_name} by epoch", figure_name, figures, history))
    return charts


def _epoch_chart(name: str, title: str, what: str, data: list[dict[str, Any]], history: History) -> Chart:
    texts = list(dict.fromkeys(row["texts"] for row in data))
    x = {"field": "epoch", "type": "quantitative", "axis": {"tickMinStep": 1, "format": "d"}, "scale": {"zero": False}}
    y = {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}}
    tooltip = [number_tip("epoch", form="d"), word_tip("texts"), number_tip("value", what)]
    lines = {
        "mark": {"type": "line", "style": "series", "point": True},
        "encoding": {"y": y, **_series("texts", texts), "tooltip": tooltip},
    }
    kept = {"data": {"values": [{"epoch": history.kept}]}, "mark": {"type": "rule", "style": "guide"}}
    layers = [lines] if history.kept is None else [kept, lines]
    cells = {(row["epoch"], row["texts"]): f"{row['value']:.4f}" for row in data}
    numbers = list(dict.fromkeys(row["epoch"] for row in data))
    return Chart(
        name,
        title,
        "The dashed line is the epoch that was kept."
        + (
            " Where the training loss falls and the validation loss rises, the model learns its texts by heart."
            * (len(texts) > 1)
        ),
        _spec(data, {"encoding": {"x": x}, "layer": layers}, height=220),
        ("epoch", *texts),
        [[str(number), *(cells.get((number, part), "") for part in texts)] for number in numbers],
    )


def _spec(data: Sequence[Mapping[str, Any]], rest: Spec, height: Any = _HEIGHT) -> Spec:
    return {"width": "container", "height": height, "data": {"values": list(data)}, **rest}


def _series(field: str, names: Sequence[str]) -> Spec:
    """Lines that colour and dashes tell apart, with a legend if there are several."""
    legend = {"orient": "top", "title": None, "symbolType": "stroke"} if len(names) > 1 else None
    return {
        channel: {"field": field, "type": "nominal", "sort": None, "scale": {"domain": list(names)}, "legend": legend}
        for channel in ("color", "strokeDash")
    }


def number_tip(field: str, title: str | None = None, form: str = ".3f") -> Spec:
    """A line of a tooltip with a number."""
    return {"field": field, "type": "quantitative", "title": title or field, "format": form}


def word_tip(field: str, title: str | None = None) -> Spec:
    """A line of a tooltip with a text."""
    return {"field": field, "type": "nominal", "title": title or field}


def _tokens(entry: LengthClass) -> str:
    """A class of lengths in words.

    >>> _tokens(LengthClass(33, None, 2, 0.5, None))
    'over 32'
    """
    return f"over {entry.low - 1}" if entry.high is None else f"{max(entry.low, 1)} to {entry.high}"
