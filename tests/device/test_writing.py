"""Results -> what people and programs read."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import select
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sotag_edge import Prediction, Reason, UsageError
from sotag_edge.document import Result
from sotag_edge.formats import FORMATS, Layout
from sotag_edge.formats.jsonl import _number
from sotag_edge.formats.template import TemplateWriter
from sotag_edge.terminal import Color
from tests.conftest import FIXTURE

SCORES = {"java": 0.25, "python": 0.75}
ANSWER = Prediction("python", 0.75, SCORES)
UNKNOWN = Prediction("unknown", 0.75, SCORES, Reason.LITTLE_TEXT)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def written(
    output: str, *results: Result, color: Color = Color.AUTO, stream: io.StringIO | None = None, **layout: Any
) -> str:
    stream = stream or io.StringIO()
    sources = [result.source for result in results]
    writer = FORMATS[output].writer(stream, Layout(tuple(SCORES), sources=sources, color=color, **layout))
    for result in results:
        writer.write(result)
    writer.close()
    return stream.getvalue()


def test_tsv_rows() -> None:
    """Source, label and score, separated by tabs; a failed input keeps its row, with neither."""
    rows = written("tsv", Result("a.txt", ANSWER), Result("b.txt", error="b.txt does not exist"))
    assert rows == "a.txt\tpython\t0.7500\nb.txt\t\t\n"


def test_csv_rows() -> None:
    """A header, then a row a result that a CSV reader reads back: label, reason and error have their columns."""
    rows = written("csv", Result('a,"b"\nc', UNKNOWN), Result("b.txt", error="no, it is not there"))
    assert list(csv.DictReader(io.StringIO(rows))) == [
        {"source": 'a,"b"\nc', "label": "unknown", "score": "0.7500", "reason": "too little text", "error": ""},
        {"source": "b.txt", "label": "", "score": "", "reason": "", "error": "no, it is not there"},
    ]


def test_a_csv_without_results_has_its_header() -> None:
    """An empty input gives a table without rows, not an empty file."""
    assert written("csv") == "source,label,score,reason,error\n"


def test_jsonl_rows() -> None:
    """One object a line with the documented fields; a failed input has its error, an unknown one its reason."""
    results = (Result("ä.txt", ANSWER), Result("b.txt", error="b.txt does not exist"), Result("c", UNKNOWN, id="7"))
    assert [json.loads(row) for row in written("jsonl", *results).splitlines()] == [
        {"source": "ä.txt", "label": "python", "score": 0.75, "scores": SCORES},
        {"source": "b.txt", "error": "b.txt does not exist"},
        {"source": "c", "id": "7", "label": "unknown", "score": 0.75, "scores": SCORES, "reason": "too little text"},
    ]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_json_is_one_document(count: int) -> None:
    """However many results there are, also none, it parses, and says its schema."""
    found = json.loads(written("json", *[Result("a", ANSWER)] * count))
    assert found["schema_version"] == 1
    assert len(found["results"]) == count


def test_the_best_labels_and_all_scores() -> None:
    """--top-k adds the best labels with their scores, best first; --scores a column a label, in the model's order."""
    result = Result("a", UNKNOWN)
    assert written("tsv", result, top=1) == "a\tunknown\t0.7500\tpython\t0.7500\n"
    assert written("tsv", result, scores=True) == "a\tunknown\t0.7500\t0.2500\t0.7500\n"
    assert json.loads(written("jsonl", result, top=2))["top"] == [
        {"label": "python", "score": 0.75},
        {"label": "java", "score": 0.25},
    ]
    assert [row.split()[0] for row in written("table", result, top=2).splitlines()[2:]] == ["python", "java"]


def test_merging_keeps_the_record() -> None:
    """The input's fields come first and keep their values; one of ours of the same name is called predicted_."""
    record = {"label": "mine", "n": 3, "text": "t"}
    result = Result("in:2", ANSWER, record=record, id="3")
    merged = json.loads(written("jsonl", result, merge=True))
    assert merged == record | {"source": "in:2", "predicted_label": "python", "score": 0.75, "scores": SCORES}
    rows = written("csv", result, Result("in:3", error="bad", record={"label": "x"}), merge=True)
    first, second = csv.DictReader(io.StringIO(rows))
    assert (first["label"], first["n"], first["predicted_label"]) == ("mine", "3", "python")
    assert (second["label"], second["predicted_label"], second["error"]) == ("x", "", "bad")


def test_a_format_of_ones_own() -> None:
    """Fields in braces, with Python's format specifications; backslash t and n are a tab and a line end."""
    stream = io.StringIO()
    TemplateWriter(stream, r"{label}\t{score:.1f}\t{source}{reason}").write(Result("a", ANSWER))
    assert stream.getvalue() == "python\t0.8\ta\n"


@pytest.mark.parametrize("template", ["{lable}", "{label.x}", "{score:q}", "{", "{0}", "{label!z}"])
def test_a_format_that_is_none_is_refused_beforehand(template: str) -> None:
    """Before the first text is read, and with a sentence."""
    with pytest.raises(UsageError, match="the format"):
        TemplateWriter(io.StringIO(), template)


def test_the_table_has_a_row_a_result() -> None:
    """A person reads source, tag and score, and why a text is unknown; brackets in a name are no markup."""
    results = (Result("[red]a[/red].txt", ANSWER), Result("b.txt", error="no"), Result("c", UNKNOWN))
    rows = written("table", *results).splitlines()
    assert rows[0].split() == ["Source", "Tag", "Score"]
    assert rows[1].split() == ["[red]a[/red].txt", "python", "█" * 15 + "░" * 5, "0.75"]
    assert rows[2].split() == ["b.txt", "failed"]
    assert rows[3].endswith("0.75  too little text")


def test_colours_as_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """None in a pipe; with "always" there are, whatever NO_COLOR says; with "never" none."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    found = {color: "\x1b[" in written("table", Result("a", ANSWER), color=color) for color in Color}
    assert found == {Color.AUTO: False, Color.ALWAYS: True, Color.NEVER: False}


@pytest.mark.parametrize("form", [name for name, entry in FORMATS.items() if entry.writes and not entry.has_columns])
@given(source=st.text(alphabet=st.characters()), field=st.text(alphabet=st.characters()))
def test_no_text_of_the_user_reaches_the_terminal_raw(form: str, source: str, field: str) -> None:
    """Whatever a source or a field is called, there are no control characters but line ends, and rows stay rows."""
    record = {field: field, "n": 1}
    result = Result(source, ANSWER, id=field, record=record)
    rows = written(form, result, stream=None if form == "table" else Terminal(), merge=form != "table", ids=True)
    assert rows.endswith("\n")
    assert not any(ord(mark) < 32 or 127 <= ord(mark) < 160 for mark in re.sub("\t|\r?\n", "", rows))
    if form == "csv":
        assert len(list(csv.reader(io.StringIO(rows)))) == 2
    else:
        assert len(rows.split("\n")) - 1 == {"table": 2, "tsv": 2, "jsonl": 1, "json": 3}[form]


PLAIN_SOURCES = st.text(st.characters(exclude_categories=["C", "Z"])) | st.from_regex(r"[a-z/.:0-9 ]+", fullmatch=True)
# On Arm the TFLite runtime switches the process to floats without subnormal ones.
SOME_SCORES = st.sampled_from([0.0, 1.0, 0.5, 5e-7, 4.9999999e-7, 9.9e-5, 9.95e-5, 1e-4, 0.9999995, 1.004]) | st.floats(
    0, 1.01, allow_subnormal=False
)
LABELS = ("java", 'c++, "c"', "a\tb\nc", "\x85é", "unknown")


@given(
    output=st.sampled_from(["tsv", "jsonl"]),
    source=PLAIN_SOURCES | st.text(),
    label=st.sampled_from(LABELS),
    scores=st.lists(SOME_SCORES, min_size=len(LABELS), max_size=len(LABELS)),
    reason=st.sampled_from([None, *Reason]),
    truncated=st.booleans(),
    identifier=st.none() | st.text(),
    layout=st.fixed_dictionaries(
        {}, optional={"top": st.just(1), "scores": st.just(True), "ids": st.just(True), "multi_label": st.just(True)}
    ),
)
@example("tsv", "a\tb\r\n", "java", [0.5] * 5, None, False, None, {})
@example("jsonl", 'a"\\\u2028', "java", [0.5] * 5, Reason.LOW_SCORE, True, "1", {})
def test_the_usual_row_is_the_general_one(
    output: str,
    source: str,
    label: str,
    scores: list[float],
    reason: Reason | None,
    truncated: bool,
    identifier: str | None,
    layout: dict[str, Any],
) -> None:
    """The short way to write it gives the same bytes, for any result that it writes."""
    answer = Prediction(
        "unknown" if reason else label, scores[0], dict(zip(LABELS, scores, strict=True)), reason, truncated=truncated
    )
    result = Result(source, answer, id=identifier)
    shown = Layout(LABELS, **layout)
    rows = []
    for is_usual in (True, False):
        stream = io.StringIO()
        writer: Any = FORMATS[output].writer(stream, shown)
        if not is_usual:
            writer._cells = writer._names = {}
        writer.write(result)
        rows.append(stream.getvalue())
    assert rows[0] == rows[1]


def test_small_scores_have_exponents() -> None:
    """As Python's json writes them: each one below a thousandth, and those beside the middle between two."""
    for millionths in range(1000):
        for score in (millionths / 1e6, (millionths + 0.5) / 1e6, (millionths + 0.4999999) / 1e6):
            assert _number(score) == json.dumps(round(score, 6))


@pytest.mark.parametrize(
    ("output", "begin", "places"), [("tsv", "%s\tpython\t0.7500\n", "_cells"), ("jsonl", '{"source": "%s", ', "_names")]
)
def test_the_usual_row_is_written_the_short_way(
    output: str, begin: str, places: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a stream takes half as long again."""
    for name in ("sotag_edge.formats.rows.row", "sotag_edge.formats.jsonl.json_object"):
        monkeypatch.setattr(name, lambda *_, **__: pytest.fail("the general way"))
    assert written(output, Result("a.txt:1", ANSWER)).startswith(begin % "a.txt:1")


ANY_OUTPUT = [
    *(f"--to {name}" for name, entry in FORMATS.items() if entry.writes and not entry.has_columns),
    "--format {source}",
]


@pytest.mark.parametrize("arguments", ANY_OUTPUT)
@pytest.mark.parametrize("reading", ["lines", "nul", "csv", "jsonl", "gzip", "pipe"])
def test_each_result_is_read_before_the_next_text_is_written(arguments: str, reading: str, tmp_path: Path) -> None:
    """Whatever the formats are: nobody waits for an answer that is known."""
    begin, end = {"csv": (b"text\n", b"\n"), "nul": (b"", b"\0"), "jsonl": (b"", b"\n")}.get(reading, (b"", b"\n"))
    packed = zlib.compressobj(wbits=31)
    texts = [b'{"text": "dough"}' if reading == "jsonl" else b"dough"] * 3
    source = "-"
    if reading == "pipe":
        os.mkfifo(source := str(tmp_path / "pipe"))
    command = [sys.executable, "-m", "sotag_edge", "classify", "-m", str(FIXTURE), *arguments.split(" ", 1), source]
    command += ["--from", "lines" if reading in ("gzip", "pipe") else reading]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        stream = open(source, "wb") if reading == "pipe" else process.stdin  # noqa: SIM115, PTH123
        for number, text in enumerate(texts):
            sent = (b"" if number else begin) + text + end
            if reading == "gzip":
                sent = packed.compress(sent) + packed.flush(zlib.Z_SYNC_FLUSH)
            stream.write(sent)
            stream.flush()
            name = f":{number + 1}" if reading != "csv" else f":{number + 2}"
            answer = b""
            while name.encode() not in answer:
                assert select.select([process.stdout], [], [], 30)[0], f"no answer to text {number + 1}"
                answer += os.read(process.stdout.fileno(), 1 << 16)
        if reading == "gzip":
            stream.write(packed.flush())
        stream.close()
        process.stdin.close()
        process.stdout.read()
    assert process.returncode == 0


@pytest.mark.parametrize("mark", ["\t", "\n", "\r", "\r\n", "\n\t\n"])
def test_a_tsv_row_is_one_row(mark: str) -> None:
    """Tabs and line ends in a source, an identifier or a merged field become one space."""
    result = Result(f"a{mark}b", ANSWER, id=f"c{mark}d")
    assert written("tsv", result, ids=True) == "a b\tc d\tpython\t0.7500\n"
    header, row = written("tsv", Result("a", ANSWER, record={"k": f"e{mark}f"}), merge=True).splitlines()
    assert header.split("\t")[0] == "k"
    assert row.split("\t")[0] == "e f"


def test_json_numbers_stay_numbers() -> None:
    """No NaN or infinity is written, and a merged field that is no text stays what it was."""
    record = {"n": 1.5, "none": None, "list": [1, "a"], "yes": True}
    line = written("jsonl", Result("a", ANSWER, record=record), merge=True)
    assert {name: json.loads(line)[name] for name in record} == record


def test_results_before_the_first_record_wait_for_its_columns() -> None:
    """An input that cannot be read has no record; the header is that of the first one that has."""
    failed, merged = Result("none.csv", error="missing"), Result("a.csv:2", ANSWER, record={"k": "v"})
    rows = list(csv.DictReader(io.StringIO(written("csv", failed, merged, merge=True))))
    assert [(row["k"], row["source"], row["error"]) for row in rows] == [
        ("", "none.csv", "missing"),
        ("v", "a.csv:2", ""),
    ]
    only_failed = written("csv", failed, merge=True)
    assert next(csv.DictReader(io.StringIO(only_failed)))["error"] == "missing"


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_record_is_kept_where_no_terminal_is(form: str) -> None:
    """Directions of writing, colours and separators of the user's are data in a file; ours are still replaced."""
    record = {"a\u200f": "b\x1b[31m\u2028c"}
    rows = written(form, Result("in\x1b:1", ANSWER, record=record), merge=True)
    assert all(text in rows for text in ("a\u200f", "b\x1b[31m\u2028c", "in\ufffd:1"))
