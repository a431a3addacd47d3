"""The tables of ``evaluate``, from the figures that ``--to json`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from sotag_edge.terminal import make_console, printable


def print_evaluations(views: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a row per view of the texts, then the first view in detail: by tag, confusions, coverage."""
    console = make_console()
    first = next(iter(views.values()))
    console.print(f"{first['texts']:,} {first['on']}", _summary(views))
    console.print(_by_label(first))
    console.print(_confusion(first))
    console.print(_coverage(first))
    if first["off_topic_unknown"] is not None:
        console.print(f"{first['off_topic_unknown']:.1%} of the off-topic texts are answered unknown.")


def _summary(views: Mapping[str, Mapping[str, Any]]) -> Table:
    table = _table("texts", "accuracy", "95 % interval", "macro-F1", "loss", "ECE", "answered", "right")
    for view, figures in views.items():
        low, high = figures["interval"]
        table.add_row(
            view,
            f"{figures['accuracy']:.4f}",
            f"{low:.3f} - {high:.3f}",
            f"{figures['macro_f1']:.4f}",
            f"{figures['log_loss']:.3f}",
            f"{figures['calibration_error']:.3f}",
            f"{figures['answered']:.1%}",
            f"{figures['answered_accuracy']:.4f}",
        )
    return table


def _by_label(figures: Mapping[str, Any]) -> Table:
    table = _table("tag", "texts", "precision", "recall", "F1")
    for label in figures["labels"]:
        shares = (f"{label[name]:.4f}" for name in ("precision", "recall", "f1"))
        table.add_row(Text(printable(label["label"])), f"{label['texts']:,}", *shares)
    return table


def _confusion(figures: Mapping[str, Any]) -> Table:
    labels = [label["label"] for label in figures["labels"]]
    table = _table("tag, then best guess", *labels)
    for label, row in zip(labels, figures["confusion"], strict=True):
        table.add_row(Text(printable(label)), *(str(count) for count in row))
    return table


def _coverage(figures: Mapping[str, Any]) -> Table:
    table = _table("share of the texts, highest scores first", "accuracy")
    for share, accuracy in figures["coverage"]:
        table.add_row(f"{share:.0%}", f"{accuracy:.4f}")
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(Text(first))
    for name in others:
        table.add_column(Text(printable(name)), justify="right")
    return table
