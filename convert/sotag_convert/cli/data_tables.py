"""The table of a ``DataReport``, for ``check-data`` on stdout and ``train`` on stderr."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from sotag_convert.cli.summary import say_rendered
from sotag_convert.data.checks import DataReport
from sotag_convert.progress import Progress
from sotag_edge.terminal import make_console, printable

_MOST_ROWS = 20  # on a terminal


def print_data_report(report: DataReport) -> None:
    """Print the tags with the fewest texts first, then the figures of all texts, then the warnings."""
    console = make_console()
    for part in _parts(report, _MOST_ROWS if console.is_terminal else len(report.tags)):
        console.print(part, soft_wrap=isinstance(part, Text))
    for warning in report.warnings():
        console.print(Text(printable(warning)), soft_wrap=True)


def say_data_report(report: DataReport, progress: Progress) -> None:
    """Say the same, of many tags only those with the fewest texts; warnings reach also those who asked for quiet."""
    for part in _parts(report, _MOST_ROWS):
        say_rendered(part, progress)
    for warning in report.warnings():
        progress.warn(warning)


def _parts(report: DataReport, most: int) -> Iterator[Table | Text]:
    shown = len(report.tags) if len(report.tags) <= most else most - 1
    yield Text(printable(_title(report)))
    yield _by_tag(report, shown)
    if shown < len(report.tags):
        yield Text(f"  and {len(report.tags) - shown:,} more tags, with more texts")
    yield _figures(report)


def _title(report: DataReport) -> str:
    parts = [
        f"{count:,} {kind} texts" for count, kind in ((report.validation, "validation"), (report.test, "test")) if count
    ]
    several = f", {report.labels_per_text:.1f} per text" if report.multi_label else ""
    return (
        f"{report.name}: {', '.join([f'{report.texts:,} training texts', *parts])}; {len(report.tags):,} tags{several}"
    )


def _by_tag(report: DataReport, rows: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("tag")
    for name in ("texts", "usable", *(["test"] if report.test else [])):
        table.add_column(name, justify="right")
    for tag in report.tags[:rows]:
        counts = (tag.texts, tag.usable, *([tag.test] if report.test else []))
        table.add_row(Text(printable(tag.label)), *(f"{count:,}" for count in counts))
    return table


def _figures(report: DataReport) -> Table:
    table = Table(box=None, show_header=False)
    tokens = report.tokens
    rows = [
        ("off-topic texts", f"{report.off_topic:,}"),
        ("empty texts, left out", f"{report.empty:,}"),
        ("duplicates, left out", f"{report.duplicates:,}"),
        ("texts with different tags in different places", f"{report.conflicting:,}"),
        ("most frequent tag : rarest tag", f"{report.imbalance:,.1f}"),
        ("tokens per text: median, 95 %, longest", f"{tokens.median:,}, {tokens.percentile_95:,}, {tokens.longest:,}"),
        ("texts with bytes that are not UTF-8", f"{report.replaced:.1%}"),
    ]
    if report.test is not None:
        rows.append(("also in the test texts, left out of training", f"{report.in_test:,}"))
    if report.validation is not None:
        rows.append(("also in the validation texts, left out of training", f"{report.in_validation:,}"))
    for name, value in rows:
        table.add_row(name, value)
    return table
