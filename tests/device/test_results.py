"""Results -> what people and programs read."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge import Prediction, Reason
from sotag_edge.render.results import OutputFormat, Result, make_writer

SCORES = {"java": 0.25, "python": 0.75}
ANSWER = Prediction("python", 0.75, SCORES)


def written(form: OutputFormat, *results: Result) -> str:
    stream = io.StringIO()
    writer = make_writer(form, stream, [result.source for result in results], list(SCORES))
    for result in results:
        writer.write(result)
    return stream.getvalue()


def test_tsv_rows() -> None:
    """Source, label and score, separated by tabs; a failed input keeps its row, with neither."""
    rows = written(OutputFormat.TSV, Result("a.txt", ANSWER), Result("b.txt", error="b.txt does not exist"))
    assert rows == "a.txt\tpython\t0.7500\nb.txt\t\t\n"


def test_jsonl_rows() -> None:
    """One object a line with the documented fields; a failed input has its error."""
    rows = written(OutputFormat.JSONL, Result("ä.txt", ANSWER), Result("b.txt", error="b.txt does not exist"))
    assert [json.loads(row) for row in rows.splitlines()] == [
        {"source": "ä.txt", "label": "python", "score": 0.75, "scores": SCORES},
        {"source": "b.txt", "error": "b.txt does not exist"},
    ]


def test_an_unknown_text_has_its_reason() -> None:
    """Programs read why a text was not tagged, people too."""
    answer = Result("a", Prediction("unknown", 0.4, {"java": 0.4, "python": 0.3, "c": 0.3}, Reason.LITTLE_TEXT))
    assert written(OutputFormat.TSV, answer) == "a\tunknown\t0.4000\n"
    assert json.loads(written(OutputFormat.JSONL, answer))["reason"] == "too little text"
    assert written(OutputFormat.TABLE, answer).splitlines()[1].endswith("0.40  too little text")


def test_the_table_has_a_row_a_result() -> None:
    """A person reads source, tag and score; brackets in a name are no markup."""
    rows = written(OutputFormat.TABLE, Result("[red]a[/red].txt", ANSWER), Result("b.txt", error="no")).splitlines()
    assert rows[0].split() == ["Source", "Tag", "Score"]
    assert rows[1].split() == ["[red]a[/red].txt", "python", "█" * 15 + "░" * 5, "0.75"]
    assert rows[2].split() == ["b.txt", "failed"]


@pytest.mark.parametrize("form", list(OutputFormat))
@given(source=st.text(alphabet=st.characters()))
def test_no_source_breaks_its_row_or_reaches_the_terminal_raw(form: OutputFormat, source: str) -> None:
    """Whatever a source is called, its result is one row without control characters."""
    rows = written(form, Result(source, ANSWER))
    assert rows.endswith("\n")
    lines = rows.split("\n")[:-1]
    assert len(lines) == (2 if form is OutputFormat.TABLE else 1)
    assert not any(ord(mark) < 32 or 127 <= ord(mark) < 160 for line in lines for mark in line.replace("\t", ""))
