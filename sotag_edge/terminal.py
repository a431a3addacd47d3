"""Plain facts by name -> tables for people: ``models``, ``info``, ``config``, ``doctor``, ``benchmark``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sotag_edge.formats.fields import printable
from sotag_edge.formats.writers import Color, make_console


def console() -> Console:
    """Standard output, which takes text as it is."""
    return make_console(sys.stdout, Color.AUTO)


def print_rows(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table with a heading; cells wrap rather than lose anything."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in names:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    console().print(table)


def print_models(found: Sequence[Mapping[str, Any]]) -> None:
    """A line a model; a damaged one with what is wrong."""
    rows = [
        (
            model["name"],
            ", ".join(model["labels"]) if "labels" in model else model["error"],
            model.get("bytes", ""),
            model["path"],
        )
        for model in found
    ]
    print_rows(("model", "tags", "bytes", "where"), rows)


def print_info(found: Mapping[str, Any]) -> None:
    """A line a fact."""
    rows = []
    for name, value in found.items():
        if isinstance(value, Mapping):
            text = ", ".join(f"{key} {entry}" for key, entry in value.items())
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else "not stated" if value is None else value
        rows.append((name.replace("_", " "), text))
    print_rows(("", ""), rows)


def _cell(value: object) -> Text:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return Text(printable(text))


def print_benchmark(found: Mapping[str, Any]) -> None:
    """The machine, then a line for each length of text."""
    facts = {name: value for name, value in found.items() if name != "texts"}
    print_info(facts)
    names = ("texts", "p50 µs", "p95 µs", "p99 µs", "texts a second")
    print_rows(names, [(name, *figures.values()) for name, figures in found["texts"].items()])
