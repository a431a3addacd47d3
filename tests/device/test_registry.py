"""The registry of formats: one line per format, true to its module."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from sotag_edge import formats
from sotag_edge.cli import options
from sotag_edge.formats import FORMATS
from tests.conftest import FIXTURE, Run

NOT_FORMATS = {"__init__", "csv_lines", "decoding", "fields", "records", "rows", "template"}


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_format_has_what_its_line_states(name: str) -> None:
    """A reader exactly if it reads, a writer exactly if it writes; records and identifiers only if it reads."""
    entry = FORMATS[name]
    module = import_module(f"sotag_edge.formats.{name.replace('-', '_')}")
    assert entry.name == name
    assert hasattr(module, "read") == entry.reads
    assert hasattr(module, "Writer") == entry.writes
    assert entry.reads or not (entry.has_records or entry.has_ids or entry.removes_markup)
    assert entry.writes or not entry.can_merge
    assert entry.has_records or not entry.is_table


def test_every_module_is_registered() -> None:
    """No format is forgotten."""
    files = {path.stem for path in Path(formats.__file__).parent.glob("*.py")} - NOT_FORMATS
    assert files == {name.replace("-", "_") for name in FORMATS}


def test_what_can_be_merged() -> None:
    """A table needs records that all have the same fields; JSON takes any."""
    merging = {
        (output, records) for output in FORMATS for records in FORMATS if FORMATS[output].merges(FORMATS[records])
    }
    tables, json = ("csv", "tsv"), ("json", "jsonl")
    expected = {(output, records) for output in (*tables, *json) for records in tables}
    assert merging == expected | {(output, "jsonl") for output in json}
    assert not any(entry.merges(None) for entry in FORMATS.values())


@pytest.mark.parametrize(("option", "names"), [("--from", options.READABLE), ("--to", options.WRITABLE)])
def test_the_command_line_offers_each_format(run: Run, option: str, names: list[str]) -> None:
    """A name that is none is refused with the list; the lists are those of the registry."""
    refused = run("classify", "-m", FIXTURE, option, "yaml", input="")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"'yaml' is not one of {', '.join(names)}" in " ".join(refused.stderr.split())
    assert names == [name for name, entry in FORMATS.items() if (entry.reads if option == "--from" else entry.writes)]
