"""The confusions of a single-label model as a chart: a table of colours, of up to 100 tags."""

from __future__ import annotations

import numpy as np

from sotag_convert.report.charts import Chart, Spec, number_tip, word_tip
from sotag_convert.report.evaluation import SingleLabelEvaluation

WRITTEN = 12
"""The largest number of tags for which the numbers are written into the cells."""
_MIDDLE = 30  # tags; of more the chart takes the whole width of a page
_MOST = 100  # tags; of more, those with the most mistakes
_ROOT = 0.5  # of the share: a few confusions are seen beside many right answers


def confusion_chart(evaluation: SingleLabelEvaluation) -> Chart:
    """The best guesses for the texts of each tag, as shares of them."""
    labels = [figures.label for figures in evaluation.labels]
    counts = np.array(evaluation.confusion)
    shown = _most_mistaken(counts)
    is_written = len(shown) <= WRITTEN
    totals = counts.sum(axis=1)
    cells = [
        {"tag": labels[row], "guess": labels[column], "count": int(counts[row, column]), "share": share}
        for row in shown
        for column in shown
        if counts[row, column] or is_written
        for share in [round(float(counts[row, column] / max(1, totals[row])), 4)]
    ]
    names = [labels[number] for number in shown]
    limited = (
        "" if len(shown) == len(labels) else f" Shown are the {_MOST} tags with the most mistakes, of {len(labels):,}."
    )
    return Chart(
        "confusion",
        "Tags and best guesses",
        "A row is the texts with a tag; the stronger the colour of a cell, the more of them have this best guess. A perfect "
        f"model fills the diagonal only.{limited}",
        {"data": {"values": cells}, **_table(names, is_written=is_written)},
        ("tag", *(names if is_written else ())),
        [
            [label, *(f"{count:,}" for count in counts[number, shown])]
            for label, number in zip(names, shown, strict=True)
        ]
        if is_written
        else [],
        is_wide=True,
    )


def _most_mistaken(counts: np.ndarray) -> list[int]:
    """The numbers of the tags to show, in their order."""
    if len(counts) <= _MOST:
        return list(range(len(counts)))
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    return sorted(np.argsort(-mistakes, kind="stable")[:_MOST].tolist())


def _table(names: list[str], *, is_written: bool) -> Spec:
    """The specification without its data. Its cells have a fixed size, so that tags can be read."""
    step = 58 if len(names) <= 4 else 46 if is_written else 22 if len(names) <= _MIDDLE else 10
    size = 12 if step > 10 else 9
    scale = {"domain": names}
    axis = {"labelFontSize": size, "labelLimit": 110, "ticks": False, "domain": False, "labelOverlap": False}
    x = {"field": "guess", "type": "nominal", "title": "best guess", "scale": scale}
    y = {"field": "tag", "type": "nominal", "title": None, "scale": scale, "axis": axis}
    share = {"field": "share", "type": "quantitative", "legend": None}
    color = {**share, "scale": {"domain": [0, 1], "type": "pow", "exponent": _ROOT}}
    tooltip = [
        word_tip("tag"),
        word_tip("guess", "best guess"),
        number_tip("count", "texts", ","),
        number_tip("share", form=".1%"),
    ]
    layers: list[Spec] = [{"mark": {"type": "rect", "style": "cell"}, "encoding": {"color": color}}]
    if is_written:
        text = {"text": {"field": "count", "type": "quantitative", "format": ","}}
        for style, condition in (("on-dark", "datum.share >= 0.3"), ("on-light", "datum.share < 0.3")):
            kept = [{"filter": f"datum.count > 0 && {condition}"}]
            layers.append({"transform": kept, "mark": {"type": "text", "style": style}, "encoding": text})
    return {
        "width": {"step": step},
        "height": {"step": step if step != 58 else 44},
        "encoding": {
            "x": {**x, "axis": {**axis, "orient": "top", "labelAngle": -90 if len(names) > 4 else 0}},
            "y": y,
            "tooltip": tooltip,
        },
        "layer": layers,
    }
