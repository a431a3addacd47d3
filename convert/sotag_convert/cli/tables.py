"""The tables of ``evaluate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sotag_convert.report.evaluation import Evaluation, LabelFigures, MultiLabelEvaluation, SingleLabelEvaluation
from sotag_convert.report.summary import measured_cautions, off_topic_sentences
from sotag_edge.terminal import make_console, printable

_MOST_LABELS = 20
_CONFUSIONS = 10
_UNBOUNDED = 10_000  # columns


def print_evaluations(views: Mapping[str, Evaluation]) -> None:
    """Print a row per view of the texts, then the first view in detail: by tag, confusions, coverage or ranks, cautions.

    With over 20 tags, or too narrow a terminal, the most frequent confusions take the place of all, and a terminal shows the
    worst tags only.
    """
    console = make_console()
    first = next(iter(views.values()))
    title = Text(f"{first.texts:,} {first.on}")
    if isinstance(first, SingleLabelEvaluation):
        console.print(
            title, _single([(view, of) for view, of in views.items() if isinstance(of, SingleLabelEvaluation)])
        )
    if isinstance(first, MultiLabelEvaluation):
        console.print(title, _multi(first))
    _print_labels(first, console)
    if isinstance(first, SingleLabelEvaluation):
        _print_confusions(first, console)
        console.print(_coverage(first))
    if isinstance(first, MultiLabelEvaluation):
        console.print(_ranks(first))
    for sentence in off_topic_sentences({view: of.to_json() for view, of in views.items()}):
        console.print(sentence, soft_wrap=True)
    for sentence in measured_cautions(first):
        console.print(printable(sentence), soft_wrap=True)


def _single(views: Sequence[tuple[str, SingleLabelEvaluation]]) -> Table:
    table = figure_table("texts", "accuracy", "95 % interval", "macro-F1", "loss", "ECE", "answered", "right")
    table.collapse_padding, table.pad_edge = True, False  # for a terminal of 80 columns
    for view, figures in views:
        table.add_row(
            view,
            f"{figures.accuracy:.4f}",
            interval_of(figures),
            f"{figures.macro_f1:.4f}",
            f"{figures.log_loss:.3f}",
            f"{figures.calibration_error:.3f}",
            f"{figures.answered:.1%}",
            f"{figures.answered_accuracy:.4f}",
        )
    return table


def _multi(figures: MultiLabelEvaluation) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in (
        ("micro-F1", f"{figures.micro_f1:.4f}"),
        ("its 95 % interval", interval_of(figures)),
        ("precision of all tags answered", f"{figures.precision:.4f}"),
        ("recall of all tags", f"{figures.recall:.4f}"),
        ("macro-F1", f"{figures.macro_f1:.4f}"),
        ("texts with exactly their tags", f"{figures.exact:.1%}"),
        ("texts with at least one tag", f"{figures.answered:.1%}"),
        ("log loss, per text", f"{figures.log_loss:.3f}"),
        ("calibration error, of all scores", f"{figures.calibration_error:.4f}"),
    ):
        table.add_row(name, value)
    return table


def interval_of(figures: Evaluation) -> str:
    """The interval of the main figure, for a cell."""
    low, high = figures.interval
    return f"{low:.3f} - {high:.3f}"


def _print_labels(figures: Evaluation, console: Console) -> None:
    labels: Sequence[LabelFigures] = figures.labels
    title = None
    if console.is_terminal and len(labels) > _MOST_LABELS:
        labels = sorted((label for label in labels if label.texts), key=lambda label: (label.f1, -label.texts))[
            :_MOST_LABELS
        ]
        title = f"the {len(labels)} tags with the lowest F1, of {len(figures.labels):,} (--to json prints all)"
    has_thresholds = isinstance(figures, MultiLabelEvaluation)
    table = figure_table("tag", "texts", "precision", "recall", "F1", *(["threshold"] if has_thresholds else []))
    names = ("precision", "recall", "f1", *(["threshold"] if has_thresholds else []))
    for label in labels:
        table.add_row(
            Text(printable(label.label)), f"{label.texts:,}", *(f"{getattr(label, name):.4f}" for name in names)
        )
    if title:
        console.print(Text(title), soft_wrap=True)
    console.print(table)


def _print_confusions(figures: SingleLabelEvaluation, console: Console) -> None:
    if len(figures.labels) <= _MOST_LABELS:
        labels = [printable(label.label) for label in figures.labels]
        matrix = figure_table("tag, then best guess", *labels)
        for label, row in zip(labels, figures.confusion, strict=True):
            matrix.add_row(Text(label), *(f"{count:,}" for count in row))
        options = console.options.update(max_width=_UNBOUNDED)  # else it would be measured as if it fitted
        if console.measure(matrix, options=options).maximum <= console.width:
            console.print(matrix)
            return
    table = figure_table("texts")
    table.add_column("with the tag")
    table.add_column("best guess")
    for label, guess, count in figures.confusions(_CONFUSIONS):
        table.add_row(f"{count:,}", Text(printable(label)), Text(printable(guess)))
    console.print(Text("the most frequent confusions"), table)


def _coverage(figures: SingleLabelEvaluation) -> Table:
    table = figure_table("share of the texts, highest scores first", "accuracy")
    for share, accuracy in figures.coverage:
        table.add_row(f"{share:.0%}", f"{accuracy:.4f}")
    return table


def _ranks(figures: MultiLabelEvaluation) -> Table:
    table = figure_table("tags with the best scores", "precision", "recall")
    for (rank, precision), (_, recall) in zip(figures.precision_at, figures.recall_at, strict=True):
        table.add_row(f"{rank}", f"{precision:.4f}", f"{recall:.4f}")
    return table


def figure_table(first: str, *others: str) -> Table:
    """A table with a column of names, and one of figures for each of the others."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(Text(first))
    for name in others:
        table.add_column(Text(name), justify="right")
    return table
