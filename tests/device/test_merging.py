"""``--merge``: the records are the user's and come out as they were."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge.formats import csv_lines
from tests.conftest import FIXTURE, Run
from tests.records import documents, merged

VALUES = [
    *("1e400", "-1E+5", "9007199254740993.1", "1.10", "-0", "-0.0", "1" * 10_000, "0.1e-7"),
    *(r'"\ud800"', r'"\u00e9\/"', '"\x7f\u2028é"', r'"\u0000"'),
    *('[1.0, {"a": [2.50, -0]}]', "{ }", "null"),
]


@pytest.mark.parametrize("output", ["json", "jsonl"])
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_merging_does_not_change_a_json_record(value: str, output: str) -> None:
    """Numbers stay as they are written, strings and keys equal after parsing; and the result is read again."""
    record = f'{{"text": "a", "v": {value}, "label": 1.0, "v2": {{"x" :\t[{value}]}}}}'
    found = documents("jsonl", f"{record}\n")
    text = merged(output, found)

    def parsed(content: str) -> Any:
        return json.loads(
            content, parse_int=lambda literal: f"int {literal}", parse_float=lambda literal: f"float {literal}"
        )

    result = parsed(text)["results"][0] if output == "json" else parsed(text)
    assert {name: result[name] for name in parsed(record)} == parsed(record)
    assert (result["predicted_label"], result["source"]) == ("baking", "in:1")
    if output == "jsonl":
        assert "\t" not in text
        assert merged("jsonl", documents("jsonl", text)).startswith(text.rstrip()[:-1])


def test_merging_keeps_a_repeated_key() -> None:
    """The text is the last one, as JSON has it; both are written."""
    (found,) = documents("jsonl", '{"text": "a", "text": "b", "n": 1, "n": 2}')
    assert found.text == "b"
    assert merged("jsonl", [found]).startswith('{"text": "a", "text": "b", "n": 1, "n": 2, "source": "in:1"')


def test_merging_the_records_of_an_array() -> None:
    """Each on one line, unchanged but for the space between its parts; also one with an error, and an empty one."""
    lines = merged("jsonl", documents("jsonl", '[{"text": "a",\n\t"n": 1.10},\n{},\n{"n": -0}\n]')).splitlines()
    assert lines[0].startswith('{"text": "a",  "n": 1.10, "source": "in:1", ')
    assert lines[1].startswith('{"source": "in:2", "error": ')
    assert lines[2].startswith('{"n": -0, "source": "in:3", "error": ')


def test_merging_keeps_repeated_columns() -> None:
    """In their places, with their own values; in JSON, where a name is there once, by other names."""
    content = "n,text,n,n,n_2\n1,a,2,,3\n"
    header, row = csv.reader(io.StringIO(merged("csv", documents("csv", content))))
    assert header[:6] == ["n", "text", "n", "n", "n_2", "source"]
    assert row[:6] == ["1", "a", "2", "", "3", "in:2"]
    assert merged("tsv", documents("csv", content)).startswith("n\ttext\tn\tn\tn_2\tsource")
    theirs = {"n": "1", "text": "a", "n_2_": "2", "n_3": "", "n_2": "3"}
    assert theirs.items() <= json.loads(merged("jsonl", documents("csv", content))).items()


@pytest.mark.parametrize("cell", ["a\r\nb", "a\nb", " a ", "a\tb", 'a "b"', "", "007", "a,b;c", "\r\n"])
def test_merging_keeps_the_cells_of_csv(cell: str) -> None:
    """Line ends, white space and quotes come back equal."""
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["text", "n"], ["x", cell]])
    text = merged("csv", documents("csv", stream.getvalue()))
    assert list(csv.reader(io.StringIO(text, newline="")))[1][:2] == ["x", cell]


def test_a_row_with_an_error_is_merged_with_what_it_has() -> None:
    """The fields that have a name keep their values, and the error has its column."""
    rows = list(csv.DictReader(io.StringIO(merged("csv", documents("csv", "n,text\n1\n2,b\n3,c,d\n")))))
    assert [(row["n"], row["text"], bool(row["error"])) for row in rows] == [
        ("1", "", True),
        ("2", "b", False),
        ("3", "c", True),
    ]


CONTENTS = {
    "csv": 'n,text,n\n1,knead,x\n2\n3,"a "b" c\nd",x\n4,sow,x\n5,"e\n6,reef,x\n',
    "jsonl": '{"text": "knead", "n": 1e400}\n\n{"text": 7}\n{"text": "sow", "n": -0}\n',
}


@pytest.mark.parametrize("form", list(CONTENTS))
def test_jobs_change_nothing(run: Run, form: str) -> None:
    """Two processes give the results of one, in order, records and errors in their places."""
    one, two = (
        run("classify", "-m", FIXTURE, "--from", form, "--merge", "-j", jobs, input=CONTENTS[form])
        for jobs in ("1", "2")
    )
    assert (one.returncode, one.stdout, one.stderr) == (two.returncode, two.stdout, two.stderr)
    assert one.returncode == 1
    assert len(one.stdout.splitlines()) == {"csv": 7, "jsonl": 4}[form]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")) | st.just("a\r\nb")


@given(st.lists(st.tuples(CELLS, CELLS)), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_any_texts_survive_csv(rows: list[tuple[str, str]], delimiter: str, end: str) -> None:
    """What a program writes as CSV is read as it was, one document per row, by whichever delimiter."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows([("text", "n"), *rows])
    found = documents("csv", stream.getvalue())
    assert [(document.text, document.record["n"]) for document in found] == rows


FRAGMENTS = st.lists(st.sampled_from(['"', '""', ",", ";", "\n", "\r", "\r\n", "a", "text", "\0", " "])).map("".join)


@given(FRAGMENTS.map(lambda rows: f"text,n\n{rows}".encode()) | FRAGMENTS.map(str.encode))
def test_any_table_can_be_read_and_merged(content: bytes) -> None:
    """Nothing is raised; what is merged is a table with a row per result, and has the same texts again."""
    found = documents("csv", content)
    rows = list(csv.DictReader(io.StringIO(merged("csv", found), newline="")))
    assert len(rows) == len(found)
    assert [row["text"] for row in rows if not row["error"]] == [found.text for found in found if not found.error]
    assert [document.number for document in _lines(content)] == list(range(1, len(_lines(content)) + 1))


def _lines(content: bytes) -> list[csv_lines.Line]:
    lines = csv_lines.Lines(io.BytesIO(content), has_quotes=True)
    assert list(lines) == [line.text for line in lines.record]
    return lines.record


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.text(), JSON) | JSON, min_size=1), st.sampled_from([None, 1]), st.booleans())
def test_any_json_can_be_merged(values: list[Any], indent: int | None, escaped: bool) -> None:
    """An array of any values: one result each, objects with all that they had."""
    content = json.dumps(["", {}, *values], indent=indent, ensure_ascii=escaped)
    results = [json.loads(line) for line in merged("jsonl", documents("jsonl", content)).splitlines()]
    assert len(results) == len(values) + 2
    for value, result in zip(values, results[2:], strict=True):
        if isinstance(value, dict):
            assert {name: result[name] for name in value} == value


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
def test_a_record_that_is_not_utf8_is_not_merged(run: Run, tmp_path: Path, form: str) -> None:
    """Written again it would be changed: an error in its place, in the header or in a row; the others are merged."""
    content = {
        "csv": "text,note\nbread dough,Käse\nbread dough,cheese\n",
        "tsv": "text\tnote\nbread dough\tKäse\nbread dough\tcheese\n",
        "jsonl": '{"text": "bread dough", "note": "Käse"}\n{"text": "bread dough", "note": "cheese"}\n',
    }[form]
    (tmp_path / "in").write_bytes(content.encode("latin-1"))
    done = run("classify", "-m", FIXTURE, "--from", form, "--merge", "--to", "jsonl", "in")
    first, second = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, "which --merge would change" in first["error"], second["label"]) == (1, True, "baking")
    (tmp_path / "in").write_bytes(content.replace("note", "größe").encode("latin-1"))
    done = run("classify", "-m", FIXTURE, "--from", form, "--merge", "--to", "jsonl", "in")
    assert all("which --merge would change" in json.loads(line)["error"] for line in done.stdout.splitlines())
    assert run("classify", "-m", FIXTURE, "--from", form, "in").returncode == 0
