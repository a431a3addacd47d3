"""``sotag-edge check-data``."""

from __future__ import annotations

import json

import typer

from sotag_convert.cli import options
from sotag_convert.data.settings import DataSettings
from sotag_edge.cli.extra import require_extra
from sotag_edge.cli.options import FactsFormat


@options.expanded(options.data_settings)
def check_data(
    data: options.Data,
    settings: DataSettings,
    to: FactsFormat = "table",
) -> None:
    """Look at labelled texts as train does, without training: texts per tag, duplicates, lengths, conflicts.

    The exit code is 1 if no model could be trained on them.

    Example: sotag-edge check-data mails.csv --label-field team

    Example: sotag-edge check-data Posts.xml --tags python,pandas,numpy
    """
    from sotag_convert.cli.counter import Counter
    from sotag_convert.data.checks import inspect
    from sotag_convert.data.load import load
    from sotag_convert.data.public import PUBLIC
    from sotag_edge.cli.process import warn

    if any(name in PUBLIC for name in data):
        require_extra("evaluate")
    notes: list[str] = []
    try:
        with Counter("reading") as counter:
            report = inspect(load(data, settings, notes.append, counter.count))
    finally:
        for note in notes:  # after the line that moves
            warn(note)
    if to == "json":
        print(json.dumps(report.to_json(), indent=2))
    else:
        from sotag_convert.cli.data_tables import print_data_report

        print_data_report(report)
    for fault in report.faults():
        warn(fault)
    if report.faults():
        raise typer.Exit(1)
