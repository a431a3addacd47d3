"""The tables at the end of ``train`` and ``convert``, said line by line: on stderr and in the log."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.table import Table
from rich.text import Text

from sotag_convert.progress import Progress
from sotag_convert.report.evaluation import MultiLabelEvaluation
from sotag_convert.report.summary import Summary
from sotag_edge.terminal import make_console, printable

if TYPE_CHECKING:  # it loads TensorFlow, which check-data does without
    from sotag_convert.export.parity import Parity

_LONGEST_TAG = 40  # characters


def print_parity(output: Path, parity: Parity, progress: Progress) -> None:
    """Print where a model was written, and how it compares with the Keras network on the device runtime."""
    table = _table(str(output))
    table.add_row("bytes on the device", f"{parity.bytes:,}")
    table.add_row("texts compared", f"{parity.texts:,}")
    table.add_row("same tag as Keras", f"{parity.agreement:.2%}")
    table.add_row("largest difference of a score", f"{parity.largest_difference:.5f}")
    if parity.accuracy is not None:
        table.add_row(f"{parity.figure_name}, Keras", f"{parity.keras_accuracy:.4f}")
        table.add_row(f"{parity.figure_name}, this model", f"{parity.accuracy:.4f}")
    say_rendered(table, progress)


def print_summary(summary: Summary, progress: Progress) -> None:
    """Print the figures of a trained model, what they do not show, and the command that uses it."""
    table = _table(summary.model)
    evaluation = summary.evaluation
    several = isinstance(evaluation, MultiLabelEvaluation)
    for name, share in (("linear model only", summary.linear), ("LSTM only", summary.lstm), ("both", summary.both)):
        if share is not None:
            table.add_row(f"validation texts{', micro-F1 at 0.5' if several else ''}: {name}", f"{share:.4f}")
    if evaluation is not None:
        low, high = evaluation.interval
        on = f"{evaluation.texts:,} {evaluation.on}"
        figure = f"{evaluation.figure:.4f} ({low:.3f} - {high:.3f})"
        table.add_row(f"{on}: {evaluation.figure_name} (95 % interval)", figure)
    if summary.baseline is not None:
        table.add_row(f"baseline, TF-IDF and a linear model{', at 0.5' if several else ''}", f"{summary.baseline:.4f}")
    if evaluation is not None:
        table.add_row("macro-F1", f"{evaluation.macro_f1:.4f}")
    if isinstance(evaluation, MultiLabelEvaluation):
        table.add_row("best tag is one of the text's", f"{dict(evaluation.precision_at)[1]:.1%}")
    if evaluation is not None:
        table.add_row("answered, not unknown", f"{evaluation.answered:.1%}")
        worst = "\n".join(f"{_tag(label.label)} {label.f1:.3f}" for label in summary.worst_tags())
        table.add_row("worst tags, F1", worst)
    confusion = summary.confusion()
    if confusion is not None:
        tag, guess, count = confusion
        table.add_row("most frequent confusion", f"{_tag(tag)} taken for {_tag(guess)}, {_texts(count)}")
    table.add_row("bytes on the device", f"{summary.bytes:,}")
    say_rendered(table, progress)
    for sentence in summary.cautions():
        progress.say(sentence)
    progress.say(f"next: {summary.next_step()}")


def detail_parity(parity: Parity, progress: Progress) -> None:
    """Say, to those who want details, how a model compares with the Keras network."""
    progress.detail(
        f"the device runtime gives {parity.agreement:.2%} of {parity.texts:,} texts the same tags as Keras; the largest "
        f"difference of a score is {parity.largest_difference:.5f}"
    )


def _table(title: str) -> Table:
    table = Table(title=Text(printable(title)), title_justify="left", show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    return table


def _tag(tag: str) -> str:
    """A tag for a cell of the table."""
    tag = printable(tag)
    return tag if len(tag) <= _LONGEST_TAG else f"{tag[:_LONGEST_TAG]}…"


def _texts(count: int) -> str:
    return f"{count:,} text{'' if count == 1 else 's'}"


def say_rendered(part: Table | Text, progress: Progress) -> None:
    """Say a table or a text line by line, as wide as the terminal, without colours: it also goes to the log."""
    console = make_console(StringIO())
    console.width = make_console(sys.stderr).width
    console.print(part)
    for line in cast(StringIO, console.file).getvalue().splitlines():
        progress.say(line.rstrip())
