"""The tables of ``evaluate`` with two models."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from sotag_convert.cli.tables import figure_table, interval_of
from sotag_convert.report.compare_models import ComparedModels
from sotag_convert.report.comparison import Answer, Comparison
from sotag_convert.report.evaluation import Evaluation, MultiLabelEvaluation, SingleLabelEvaluation
from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.terminal import make_console, printable

_MOST_TEXTS = 10
_BEGINNING = 60  # characters
_LEAST_P = 0.0001


def print_comparison(compared: ComparedModels) -> None:
    """Print both models, their figures side by side on each view, and the texts of the first view with other answers."""
    console = make_console()
    models = figure_table("", "bytes on the device", "median ms per text here")
    for letter, model in (("A", compared.a), ("B", compared.b)):
        models.add_row(Text(printable(f"{letter}: {model.model}")), f"{model.bytes:,}", f"{model.milliseconds:.3f}")
    console.print(models)
    for view, comparison in compared.views.items():
        _print_view(view, comparison, console)
    _print_changed(next(iter(compared.views.values())), console)


def _print_view(view: str, comparison: Comparison, console: Console) -> None:
    a, b = comparison.a, comparison.b
    table = figure_table("", "A", "B", "B - A")
    low, high = comparison.interval
    of_b = _shares(b)
    for number, (name, share) in enumerate(_shares(a).items()):
        table.add_row(name, f"{share:.4f}", f"{of_b[name]:.4f}", f"{of_b[name] - share:+.4f}")
        if number == 0:
            table.add_row("its 95 % interval", interval_of(a), interval_of(b), f"{low:+.3f} to {high:+.3f}")
    p_value = f"p = {comparison.p_value:.4f}" if comparison.p_value >= _LEAST_P else f"p < {_LEAST_P}"
    right = "exactly right" if isinstance(a, MultiLabelEvaluation) else "right"
    table.add_row(f"only this one {right}", f"{comparison.only_a_right:,}", f"{comparison.only_b_right:,}", p_value)
    console.print(Text(f"{view}: {a.texts:,} {a.on}"), table)
    console.print(comparison.sentence(), soft_wrap=True)
    kinds = ", ".join(f"{count:,} from {kind}" for kind, count in comparison.kinds().items())
    count = len(comparison.changed)
    if count:
        have = "has" if count == 1 else "have"
        console.print(f"{count:,} of {a.texts:,} texts {have} another answer: {kinds}.", soft_wrap=True)
    change = comparison.largest_change
    if change.a != change.b:
        console.print(
            f"The largest change of a score: {printable(change.label)} of text {change.number:,}, from {change.a:.2f} to "
            f"{change.b:.2f}.",
            soft_wrap=True,
        )


def _shares(figures: Evaluation) -> dict[str, float]:
    """The figures by the names that are shown, the main one first."""
    shares = {figures.figure_name: figures.figure}
    if isinstance(figures, MultiLabelEvaluation):
        shares |= {
            "precision of all tags": figures.precision,
            "recall of all tags": figures.recall,
            "exactly the tags of the text": figures.exact,
        }
    shares |= {
        "macro-F1": figures.macro_f1,
        "log loss": figures.log_loss,
        "calibration error (ECE)": figures.calibration_error,
        "answered, not unknown": figures.answered,
    }
    if isinstance(figures, SingleLabelEvaluation):
        shares["right of those answered"] = figures.answered_accuracy
    if figures.off_topic_unknown is not None and figures.off_topic_auroc is not None:
        shares["off-topic answered unknown"] = figures.off_topic_unknown
        shares["off-topic AUROC"] = figures.off_topic_auroc
    return shares


def _print_changed(comparison: Comparison, console: Console) -> None:
    if not comparison.changed:
        return
    table = figure_table("text")
    for name in ("tag", "answer of A", "answer of B"):
        table.add_column(Text(name), no_wrap=True)
    table.add_column(Text("its beginning"), overflow="fold")
    for changed in comparison.changed[:_MOST_TEXTS]:
        table.add_row(
            f"{changed.number:,}",
            Text(printable(",".join(changed.labels))),
            *(Text(_in_words(answer)) for answer in (changed.a, changed.b)),
            Text(printable(" ".join(changed.text.split())[:_BEGINNING])),
        )
    console.print(table)
    more = len(comparison.changed) - _MOST_TEXTS
    if more > 0:
        console.print(f"and {more:,} more (--to json prints all)", soft_wrap=True)


def _in_words(answer: Answer) -> str:
    return f"{printable(','.join(answer.labels) or UNKNOWN_LABEL)} {answer.score:.2f}"
