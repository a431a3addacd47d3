"""Results -> what people and programs read."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sotag_edge.formats.writers import Color, FormatWriter, OutputForm, make_writer

from sotag_edge import Prediction, Reason, UsageError
from sotag_edge.formats.fields import Result, Shape

SCORES = {"java": 0.25, "python": 0.75}
ANSWER = Prediction("python", 0.75, SCORES)
UNKNOWN = Prediction("unknown", 0.75, SCORES, Reason.LITTLE_TEXT)


def written(form: OutputForm, *results: Result, color: Color = Color.AUTO, **shape: Any) -> str:
    stream = io.StringIO()
    sources = [result.source for result in results]
    writer = make_writer(form, stream, Shape(tuple(SCORES), **shape), sources, color)
    for result in results:
        writer.write(result)
    writer.close()
    return stream.getvalue()


def test_tsv_rows() -> None:
    """Source, label and score, separated by tabs; a failed input keeps its row, with neither."""
    rows = written(OutputForm.TSV, Result("a.txt", ANSWER), Result("b.txt", error="b.txt does not exist"))
    assert rows == "a.txt\tpython\t0.7500\nb.txt\t\t\n"


def test_csv_rows() -> None:
    """A header, then a row a result that a CSV reader reads back: label, reason and error have their columns."""
    rows = written(OutputForm.CSV, Result('a,"b"\nc', UNKNOWN), Result("b.txt", error="no, it is not there"))
    assert list(csv.DictReader(io.StringIO(rows))) == [
        {"source": 'a,"b"\nc', "label": "unknown", "score": "0.7500", "reason": "too little text", "error": ""},
        {"source": "b.txt", "label": "", "score": "", "reason": "", "error": "no, it is not there"},
    ]


def test_a_csv_without_results_has_its_header() -> None:
    """An empty input gives a table without rows, not an empty file."""
    assert written(OutputForm.CSV) == "source,label,score,reason,error\n"


def test_jsonl_rows() -> None:
    """One object a line with the documented fields; a failed input has its error, an unknown one its reason."""
    results = (Result("ä.txt", ANSWER), Result("b.txt", error="b.txt does not exist"), Result("c", UNKNOWN, id="7"))
    assert [json.loads(row) for row in written(OutputForm.JSONL, *results).splitlines()] == [
        {"source": "ä.txt", "label": "python", "score": 0.75, "scores": SCORES},
        {"source": "b.txt", "error": "b.txt does not exist"},
        {"source": "c", "id": "7", "label": "unknown", "score": 0.75, "scores": SCORES, "reason": "too little text"},
    ]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_json_is_one_document(count: int) -> None:
    """However many results there are, also none, it parses, and says its schema."""
    found = json.loads(written(OutputForm.JSON, *[Result("a", ANSWER)] * count))
    assert found["schema_version"] == 1
    assert len(found["results"]) == count


def test_the_best_labels_and_all_scores() -> None:
    """--top-k adds the best labels with their scores, best first; --scores a column a label, in the model's order."""
    result = Result("a", UNKNOWN)
    assert written(OutputForm.TSV, result, top=1) == "a\tunknown\t0.7500\tpython\t0.7500\n"
    assert written(OutputForm.TSV, result, scores=True) == "a\tunknown\t0.7500\t0.2500\t0.7500\n"
    assert json.loads(written(OutputForm.JSONL, result, top=2))["top"] == [
        {"label": "python", "score": 0.75},
        {"label": "java", "score": 0.25},
    ]
    assert [row.split()[0] for row in written(OutputForm.TABLE, result, top=2).splitlines()[2:]] == ["python", "java"]


def test_merging_keeps_the_record() -> None:
    """The input's fields come first and keep their values; one of ours of the same name is called predicted_."""
    record = {"label": "mine", "n": 3, "text": "t"}
    result = Result("in:2", ANSWER, record=record, id="3")
    merged = json.loads(written(OutputForm.JSONL, result, merge=True))
    assert merged == record | {"source": "in:2", "predicted_label": "python", "score": 0.75, "scores": SCORES}
    rows = written(OutputForm.CSV, result, Result("in:3", error="bad", record={"label": "x"}), merge=True)
    first, second = csv.DictReader(io.StringIO(rows))
    assert (first["label"], first["n"], first["predicted_label"]) == ("mine", "3", "python")
    assert (second["label"], second["predicted_label"], second["error"]) == ("x", "", "bad")


def test_a_format_of_ones_own() -> None:
    """Fields in braces, with Python's format specifications; backslash t and n are a tab and a line end."""
    stream = io.StringIO()
    FormatWriter(stream, r"{label}\t{score:.1f}\t{source}{reason}").write(Result("a", ANSWER))
    assert stream.getvalue() == "python\t0.8\ta\n"


@pytest.mark.parametrize("template", ["{lable}", "{label.x}", "{score:q}", "{", "{0}", "{label!z}"])
def test_a_format_that_is_none_is_refused_beforehand(template: str) -> None:
    """Before the first text is read, and with a sentence."""
    with pytest.raises(UsageError, match="--format"):
        FormatWriter(io.StringIO(), template)


def test_the_table_has_a_row_a_result() -> None:
    """A person reads source, tag and score, and why a text is unknown; brackets in a name are no markup."""
    results = (Result("[red]a[/red].txt", ANSWER), Result("b.txt", error="no"), Result("c", UNKNOWN))
    rows = written(OutputForm.TABLE, *results).splitlines()
    assert rows[0].split() == ["Source", "Tag", "Score"]
    assert rows[1].split() == ["[red]a[/red].txt", "python", "█" * 15 + "░" * 5, "0.75"]
    assert rows[2].split() == ["b.txt", "failed"]
    assert rows[3].endswith("0.75  too little text")


def test_colours_as_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """None in a pipe; with "always" there are, whatever NO_COLOR says; with "never" none."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    found = {color: "\x1b[" in written(OutputForm.TABLE, Result("a", ANSWER), color=color) for color in Color}
    assert found == {Color.AUTO: False, Color.ALWAYS: True, Color.NEVER: False}


@pytest.mark.parametrize("form", list(OutputForm))
@given(source=st.text(alphabet=st.characters()), field=st.text(alphabet=st.characters()))
def test_no_text_of_the_user_reaches_the_terminal_raw(form: OutputForm, source: str, field: str) -> None:
    """Whatever a source or a field is called, there are no control characters but line ends, and rows stay rows."""
    record = {field: field, "n": 1}
    rows = written(form, Result(source, ANSWER, id=field, record=record), merge=form is not OutputForm.TABLE, ids=True)
    assert rows.endswith("\n")
    assert not any(ord(mark) < 32 or 127 <= ord(mark) < 160 for mark in rows.replace("\t", "").replace("\n", ""))
    if form is OutputForm.CSV:
        assert len(list(csv.reader(io.StringIO(rows)))) == 2
    else:
        assert len(rows.split("\n")) - 1 == {"table": 2, "tsv": 2, "jsonl": 1, "json": 3}[form.value]
