"""The measured figures of ``metrics.json`` -> the Markdown tables of a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sotag_edge.decision import MultiLabel, SingleLabel
from sotag_edge.terminal import printable

BASELINE = (
    "The baseline is a linear model of scikit-learn over TF-IDF of words and pairs of words, trained on the same texts"
)
_MOST_TAGS = 20
_WORST = 10

Figures = Mapping[str, Any]
_Column = tuple[str, Callable[[Figures], str]]


def cell_text(text: str) -> str:
    r"""Text from a manifest as text of a table's cell, whatever characters it has.

    >>> cell_text("a|b\x1b[31m") == "a\\|b\ufffd[31m"
    True
    """
    return printable(text).replace("|", "\\|")


def view_lines(views: Mapping[str, Figures], *, several: bool) -> list[str]:
    """The table with a row per view.

    A column that no view has a figure for is left out: a model of an earlier release has fewer.
    """
    columns = _COLUMNS[MultiLabel.kind if several else SingleLabel.kind]
    kept = [(name, cell) for name, cell in columns if any(_cell(cell, figures) for figures in views.values())]
    lines = _table(
        ["texts", *(name for name, _ in kept)],
        [[view, *(_cell(cell, figures) for _, cell in kept)] for view, figures in views.items()],
    )
    if any(figures.get("baseline") is not None for figures in views.values()):
        lines += ["", f"{BASELINE}{'; a tag is answered from a score of 0.5' if several else ''}."]
    return lines


def detail_lines(views: Mapping[str, Figures], *, several: bool) -> list[str]:
    """The tables of coverages or ranks, and of the tags of the first view."""
    return ["", *(_ranks(views) if several else _coverage(views)), *_tags(*next(iter(views.items())))]


def _coverage(views: Mapping[str, Figures]) -> list[str]:
    """The accuracy on the texts with the highest scores."""
    shares = [f"{share:.0%}" for share, _ in next(iter(views.values()))["coverage"]]
    rows = [[view, *(f"{accuracy:.4f}" for _, accuracy in figures["coverage"])] for view, figures in views.items()]
    return [
        "The accuracy on the texts with the highest scores, by their share of all texts:",
        "",
        *_table(["texts", *shares], rows),
    ]


def _ranks(views: Mapping[str, Figures]) -> list[str]:
    """Precision and recall of the tags with the best scores."""
    rows = [
        [view, f"{rank}", f"{precision:.4f}", f"{recall:.4f}"]
        for view, figures in views.items()
        for (rank, precision), (_, recall) in zip(figures["precision_at"], figures["recall_at"], strict=True)
    ]
    header = ["texts", "tags", "precision", "recall"]
    return ["The tags with the best scores, so many per text:", "", *_table(header, rows)]


def _tags(view: str, figures: Figures) -> list[str]:
    """The figures by tag; of many tags only the worst."""
    labels = figures.get("labels", [])
    if not labels:
        return []
    title = f"By tag ({view}):"
    shown = labels
    if len(labels) > _MOST_TAGS:
        measured = [label for label in labels if label["texts"]]
        shown = sorted(measured, key=lambda label: (label["f1"], -label["texts"]))[:_WORST]
        title = f"The {len(shown)} tags with the lowest F1, of {len(labels):,} ({view}); `metrics.json` has all:"
    names = ["precision", "recall", "f1", *(["threshold"] if "threshold" in labels[0] else [])]
    rows = [
        [cell_text(label["label"]), f"{label['texts']:,}", *(f"{label[name]:.4f}" for name in names)] for label in shown
    ]
    return ["", title, "", *_table(["tag", "texts", *("F1" if name == "f1" else name for name in names)], rows)]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_row(header), _row(["---"] * len(header)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Callable[[Figures], str], figures: Figures) -> str:
    """The text of a cell; empty if the figures do not have what it shows."""
    try:
        return cell(figures)
    except KeyError:
        return ""


def _with_interval(name: str) -> Callable[[Figures], str]:
    return lambda figures: f"{figures[name]:.4f} ({figures['interval'][0]:.4f} - {figures['interval'][1]:.4f})"


def _share(name: str, form: str = ".4f") -> Callable[[Figures], str]:
    return lambda figures: format(figures[name], form)


_COLUMNS: Mapping[str, Sequence[_Column]] = {
    SingleLabel.kind: (
        ("number", _share("texts", ",")),
        ("accuracy (95 % interval)", _with_interval("accuracy")),
        ("baseline", _share("baseline")),
        ("macro-F1", _share("macro_f1")),
        ("log loss", _share("log_loss", ".3f")),
        ("ECE", _share("calibration_error", ".3f")),
        ("answered", _share("answered", ".1%")),
        ("of them right", _share("answered_accuracy")),
    ),
    MultiLabel.kind: (
        ("number", _share("texts", ",")),
        ("micro-F1 (95 % interval)", _with_interval("micro_f1")),
        ("baseline", _share("baseline")),
        ("macro-F1", _share("macro_f1")),
        ("precision", _share("precision")),
        ("recall", _share("recall")),
        ("log loss", _share("log_loss", ".3f")),
        ("ECE", _share("calibration_error", ".3f")),
        ("best tag right", lambda figures: f"{figures['precision_at'][0][1]:.1%}"),
        ("exactly right", _share("exact", ".1%")),
        ("at least one tag", _share("answered", ".1%")),
    ),
}
