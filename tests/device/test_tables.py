"""``classify`` from and to Parquet and Arrow: columns stay, parts are whole, and every row has an answer or an error."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sotag_edge import Classifier
from sotag_edge.column_files import CutOff, Sink, rows_of
from sotag_edge.formats import FORMATS, Fields
from tests.conftest import FIXTURE, MULTI_LABEL, Run

WORDS = ["bread dough", "garden soil", "main sail", "", "zzz"]
FIELDS = ("--model", FIXTURE, "--field", "body")


def table(rows: int, first: int = 0) -> pa.Table:
    """Rows with columns of many types; every seventh text is null."""
    numbers = range(first, first + rows)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int32()),
            "body": pa.array([None if n % 7 == 3 else f"{WORDS[n % 5]} {n}" for n in numbers], pa.large_string()),
            "when": pa.array([n * 1000 for n in numbers], pa.timestamp("us", tz="UTC")),
            "kind": pa.array([f"k{n % 3}" for n in numbers]).dictionary_encode(),
            "tags": [[str(n), None] for n in numbers],
            "more": [{"a": n, "b": None} for n in numbers],
        },
        metadata={"made by": "a test"},
    )


def answers_in(tagged: pa.Table) -> list[tuple[Any, ...]]:
    """The answer of each row."""
    return list(zip(*(tagged.column(name).to_pylist() for name in ("label", "score", "reason", "error")), strict=True))


def expected(texts: list[str | None]) -> list[tuple[Any, ...]]:
    """The answer of each text, one by one."""
    classifier = Classifier.load(FIXTURE)
    given: list[tuple[Any, ...]] = []
    for text in texts:
        if text is None:
            given.append((None, None, None, "the column 'body' is null, not a text"))
        else:
            answer = classifier.classify(text)
            given.append((answer.label, answer.score, answer.reason and answer.reason.value, None))
    return given


def write(file: Path, content: pa.Table, **options: Any) -> Path:
    """Write a file in the format of its suffix."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".parquet":
        pq.write_table(content, file, **options)
    else:
        with pa.ipc.new_file(file, content.schema) as writer:
            writer.write_table(content, **options)
    return file


def read(file: Path) -> pa.Table:
    """Read a file in the format of its suffix."""
    return pq.read_table(file) if file.suffix == ".parquet" else pa.ipc.open_file(file).read_all()


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("source", "target"), [("parquet", "parquet"), ("arrow", "arrow"), ("arrow", "parquet")])
def test_all_columns_stay_and_the_answers_follow(tmp_path: Path, run: Run, source: str, target: str, jobs: str) -> None:
    """Names, types, values, order and metadata; scores are those of one text at a time, to the bit."""
    content = table(2_500)
    file = write(tmp_path / f"in.{source}", content)
    done = run("classify", "--from", source, *FIELDS, "--to", target, "-o", f"out.{target}", "-j", jobs, file)
    assert (done.returncode, done.stdout) == (1, "")
    tagged = read(tmp_path / f"out.{target}")
    assert tagged.select(content.column_names).equals(content)
    assert tagged.schema.metadata[b"made by"] == b"a test"
    assert tagged.column_names[6:] == ["label", "score", "reason", "error"]
    assert answers_in(tagged) == expected(content.column("body").to_pylist())
    assert f"{file}: no answer for 357 of 2,500 rows, first row 4: the column 'body' is null" in done.stderr


def test_a_pipe_of_arrow_streams(tmp_path: Path, run: Run) -> None:
    """Standard input and output are streams; a file is read from a pipe, too."""
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table(50).schema) as writer:
        writer.write_table(table(50))
    file = write(tmp_path / "in.arrow", table(50))
    for content in (stream.getvalue().to_pybytes(), file.read_bytes()):
        done = run(
            "classify", "--from", "arrow", *FIELDS, "--to", "arrow", "-q", input=content, encoding=None, cwd=tmp_path
        )
        with pa.ipc.open_stream(done.stdout) as reader:  # type: ignore[arg-type]
            tagged = reader.read_all()
        assert answers_in(tagged) == expected(table(50).column("body").to_pylist())


def test_dictionaries_of_texts_reach_the_processes(tmp_path: Path, run: Run) -> None:
    """Each process gets the values of its rows."""
    content = pa.table({"body": pa.array([WORDS[n % 3] for n in range(3_000)]).dictionary_encode()})
    write(tmp_path / "in.parquet", content)
    assert run("classify", "--from", "parquet", *FIELDS, "-o", "out.parquet", "-j", "2", "in.parquet").returncode == 0
    tagged = read(tmp_path / "out.parquet")
    assert tagged.column("label").to_pylist() == ["baking", "gardening", "sailing"] * 1000
    assert tagged.select(["body"]).equals(content)


def test_several_labels_and_every_score(tmp_path: Path, run: Run) -> None:
    """A multi-label model answers with lists; ``--scores`` adds a column per label, ``--prefix`` renames all."""
    write(tmp_path / "in.parquet", pa.table({"body": ["bread dough in the garden soil", "zzz"]}))
    options = ("--scores", "--prefix", "our ", "--model", MULTI_LABEL, "--field", "body")
    assert run("classify", "--from", "parquet", *options, "-o", "out.parquet", "in.parquet").returncode == 0
    classifier = Classifier.load(MULTI_LABEL)
    rows = read(tmp_path / "out.parquet").to_pylist()
    for row, text in zip(rows, ("bread dough in the garden soil", "zzz"), strict=True):
        answer = classifier.classify(text)
        assert row["our labels"] == list(answer.labels)
        assert {label: row[f"our score_{label}"] for label in classifier.labels} == answer.scores


# From and to the formats of text.


def test_parquet_in_lines_out(tmp_path: Path, run: Run) -> None:
    """Each row is a text as each record of CSV is: with its row and its identifier."""
    write(tmp_path / "in.parquet", table(10))
    done = run("classify", "--from", "parquet", *FIELDS, "--id", "id", "--to", "jsonl", "in.parquet")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["source"], row.get("id", "3")) for row in rows] == [(f"in.parquet:{n + 1}", str(n)) for n in range(10)]
    assert rows[3]["error"] == "in.parquet:4: the column 'body' is null, not a text"
    assert rows[0]["label"] == "baking"
    assert done.returncode == 1


@pytest.mark.parametrize("target", ["parquet", "arrow"])
def test_lines_in_columns_out(tmp_path: Path, run: Run, target: str) -> None:
    """The same columns for the results of any format, after where each text is from."""
    lines = "id,body\na,bread dough\nb,garden soil\nc\n"
    done = run("classify", "--from", "csv", *FIELDS, "--id", "id", "-o", f"out.{target}", "-", input=lines)
    rows = read(tmp_path / f"out.{target}").to_pylist()
    assert done.returncode == 1
    assert [(row["source"], row["id"], row["label"]) for row in rows] == [
        ("stdin:2", "a", "baking"),
        ("stdin:3", "b", "gardening"),
        ("stdin:4", None, None),
    ]
    assert "has 1 field, fewer than the 2 of the header" in rows[2]["error"]


def test_a_path_that_is_not_text_is_written(tmp_path: Path, run: Run) -> None:
    """Its bytes become escapes, for a column is UTF-8."""
    if sys.platform == "darwin":
        pytest.skip("the file system has no such names")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("bread dough", encoding="utf-8")
    assert run("classify", "-m", FIXTURE, "-o", "out.parquet", "-r", tmp_path).returncode == 0
    assert read(tmp_path / "out.parquet").column("source")[0].as_py().endswith("caf\\udce9.txt")


# Folders of parts.


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """A folder as Spark writes it."""
    folder = tmp_path / "parts"
    for number in range(4):
        write(folder / f"part-{number}.snappy.parquet", table(300, number * 300))
    write(folder / "lang=en" / "part-0.parquet", table(100, 9_000))
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.crc").write_bytes(b"x")
    write(folder / "_temporary" / "part-9.parquet", table(10))
    return folder


def tag(run: Run, *more: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Tag the folder of parts."""
    return run("classify", "--from", "parquet", *FIELDS, "-o", "tagged", *(more or ("parts",)), **options)


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_folder_of_parts_becomes_one(tmp_path: Path, parts: Path, run: Run, jobs: str) -> None:
    """Each part in its place; what Spark leaves out is left out, and no scratch file stays."""
    assert tag(run, "-j", jobs, parts).returncode == 1
    names = sorted(str(path.relative_to(tmp_path / "tagged")) for path in (tmp_path / "tagged").rglob("*.*"))
    assert names == ["lang=en/part-0.parquet", *(f"part-{number}.snappy.parquet" for number in range(4))]
    for name in names:
        before, after = read(parts / name), read(tmp_path / "tagged" / name)
        assert after.select(before.column_names).equals(before)
        assert answers_in(after) == expected(before.column("body").to_pylist())


def test_a_bad_part_costs_only_itself(tmp_path: Path, parts: Path, run: Run) -> None:
    """It gets a sentence and no file; a later run with --resume does what is missing, and only that."""
    bad = parts / "part-1.snappy.parquet"
    whole = bad.read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    write(parts / "part-2.snappy.parquet", table(5).drop_columns(["body"]))
    done = tag(run)
    assert done.returncode == 1
    assert "part-1.snappy.parquet cannot be read as parquet" in done.stderr
    assert "part-2.snappy.parquet: there is no column 'body' for the text; the columns are: 'id', 'when'" in done.stderr
    tagged = tmp_path / "tagged"
    assert sorted(path.name for path in tagged.iterdir()) == [
        "lang=en",
        "part-0.snappy.parquet",
        "part-3.snappy.parquet",
    ]
    bad.write_bytes(whole)
    write(parts / "part-2.snappy.parquet", table(300, 600))
    before = (tagged / "part-0.snappy.parquet").stat().st_mtime_ns
    tag(run, "--resume", parts)
    assert len(list(tagged.iterdir())) == 5
    assert (tagged / "part-0.snappy.parquet").stat().st_mtime_ns == before
    assert answers_in(read(tagged / "part-1.snappy.parquet")) == expected(table(300, 300).column("body").to_pylist())


def test_a_killed_run_is_continued(tmp_path: Path, parts: Path, run: Run) -> None:
    """SIGKILL in the middle: no part is half, and --resume makes the rest, and removes what was begun."""
    for number in range(4):
        write(parts / f"part-{number}.snappy.parquet", table(6_000, number * 6_000))
    command = [sys.executable, "-m", "sotag_edge", "classify", "--from", "parquet", *map(str, FIELDS), "-o", "tagged"]
    with subprocess.Popen([*command, "parts", "-j", "2"], cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "tagged" / "part-0.snappy.parquet").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "tagged" / "part-3.snappy.parquet").exists()
    for file in (tmp_path / "tagged").rglob("*.parquet"):
        assert read(file).num_rows == read(parts / file.relative_to(tmp_path / "tagged")).num_rows
    refused = tag(run)
    assert (refused.returncode, "use --resume" in refused.stderr) == (2, True)
    assert tag(run, "--resume", "parts").returncode == 1
    assert [path for path in (tmp_path / "tagged").rglob("*") if path.suffix == ".part"] == []
    ids = sorted(n for file in (tmp_path / "tagged").rglob("*.parquet") for n in read(file).column("id").to_pylist())
    assert ids == sorted([*range(24_000), *range(9_000, 9_100)])


@pytest.mark.parametrize("change", [("--best-guess",), ("--html",), ("--only", "baking"), ("--prefix", "p_")])
def test_resume_refuses_parts_of_other_options(parts: Path, run: Run, change: tuple[str, ...]) -> None:
    """Or of another model, or another input: parts of two kinds in one folder would be a silent mixture."""
    tag(run)
    done = tag(run, "--resume", *change, "parts")
    assert done.returncode == 2
    assert "was not made from parts/" in done.stderr


def test_resume_refuses_a_file_of_somebody_else(tmp_path: Path, parts: Path, run: Run) -> None:
    """A file in a part's place that is no part is never taken for one."""
    (tmp_path / "tagged").mkdir()
    (tmp_path / "tagged" / "part-0.snappy.parquet").write_bytes(b"half a fi")
    done = tag(run, "--resume", "parts")
    assert (done.returncode, "was not made from" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--from", "parquet", "-o", "parts/inner", "parts"),
            "parts/inner is in the folder parts, whose files are read",
        ),
        (("--from", "parquet", "--to", "parquet", "parts"), "name one with --output"),
        (
            ("--from", "parquet", "-o", "out.parquet", "--resume", "parts/part-0.snappy.parquet"),
            "--resume needs a folder",
        ),
        (("--from", "parquet", "-o", "out", "parts", "parts/part-0.snappy.parquet"), "would both become out/part-0"),
        (("--from", "parquet", "-o", "parts/_SUCCESS", "--to", "parquet", "parts"), "is a file, but several files"),
        (("--from", "parquet", "--to", "parquet", "--top-k", "2", "a"), "--to parquet has no --top-k"),
        (("--from", "parquet", "--to", "parquet", "--id", "id", "a"), "--id has no use from columns to columns"),
        (("--from", "parquet", "--to", "parquet", "--binary", "skip", "a"), "would leave out rows"),
        (("--from", "csv", "--to", "parquet", "--resume", "a"), "--resume needs files of columns"),
        (("--from", "jsonl", "--prefix", "p", "a"), "--prefix needs files of columns"),
        (("--from", "parquet", "--to", "csv", "--merge", "a"), "--merge needs records"),
        (("--from", "csv", "--to", "parquet", "--merge", "a"), "--merge needs records"),
    ],
)
def test_what_cannot_be_done_is_refused(parts: Path, run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    """Before anything is read or written."""
    done = run("classify", "-m", FIXTURE, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda file: write(file, pa.table({"body": [1]})), "the column 'body' has the type int64, not text"),
        (lambda file: write(file, pa.table({"text": ["a"]})), "there is no column 'body' for the text"),
        (lambda file: write(file, pa.table({"body": ["a"], "error": [1]})), "there is a column 'error' already"),
        (lambda file: file.write_bytes(b""), "cannot be read as parquet"),
        (lambda file: file.write_bytes(b"PAR1" + bytes(100)), "cannot be read as parquet"),
        (lambda file: file.write_text("body\nbread\n"), "cannot be read as parquet"),
        (lambda _: None, "in.parquet does not exist"),
    ],
)
def test_a_file_that_cannot_be_tagged(tmp_path: Path, run: Run, make: Callable[[Path], object], sentence: str) -> None:
    """One sentence with its name, exit code 1, and no output."""
    make(tmp_path / "in.parquet")
    done = run("classify", "--from", "parquet", *FIELDS, "-o", "out.parquet", "in.parquet")
    assert done.returncode == 1
    assert f"in.parquet{'' if 'exist' in sentence or 'read' in sentence else ':'}" in done.stderr
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.parquet").exists()


def test_a_pipe_of_parquet_is_refused(run: Run) -> None:
    """It cannot be read from its end."""
    done = run("classify", "--from", "parquet", *FIELDS, "-o", "out.parquet", input="PAR1")
    assert (done.returncode, "a pipe cannot be read from there: name a file" in done.stderr) == (1, True)


def test_a_file_of_columns_read_as_text_says_what_to_do(tmp_path: Path, run: Run) -> None:
    """The option is named."""
    write(tmp_path / "in.parquet", table(2))
    assert "not text: --from parquet reads it" in run("classify", "-m", FIXTURE, "in.parquet").stderr


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["parquet", "arrow"]), st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), max_size=4)
)
def test_a_damaged_file_is_an_error(form: str, edits: list[tuple[int, int]]) -> None:
    """Whatever bytes change: rows, then perhaps one error, and no other exception."""
    stream = io.BytesIO()
    if form == "parquet":
        pq.write_table(table(40), stream)
    else:
        with pa.ipc.new_file(stream, table(40).schema) as writer:
            writer.write_table(table(40))
    content = bytearray(stream.getvalue())
    for place, value in edits:
        content[place % len(content)] = value
    documents = list(FORMATS[form].read(io.BytesIO(bytes(content)), "in", Fields(("body",))))
    assert edits or len(documents) == 40
    assert documents


def test_batches_are_small_and_groups_are_large() -> None:
    """So that neither long texts nor many rows take memory with the size of the file."""
    assert [rows_of(1, 10**9), rows_of(10**6, 10**8), rows_of(1000, 10**9), rows_of(0, 0)] == [1, 256, 8, 1]
    written: list[int] = []
    schema = pa.schema([("n", pa.int64())])
    batch = pa.record_batch({"n": range(1000)}, schema=schema)
    stream = CutOff(io.BytesIO())
    with Sink(lambda group: written.append(group.num_rows), schema, lambda: written.append(-1), stream) as sink:
        for _ in range(1100):
            sink.write(batch)
    assert written == [1_049_000, 51_000, -1]


def test_strings_that_are_not_utf8_stay_in_their_columns(tmp_path: Path, run: Run) -> None:
    """Also within lists, structs and dictionaries; as a text they are an error in their row."""
    bad = pa.array([b"bread", b"\xff"]).view(pa.string())
    columns = {
        "body": pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), bad),
        "list": pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), bad),
        "struct": pa.StructArray.from_arrays([bad], ["a"]),
    }
    write(tmp_path / "in.parquet", pa.table(columns))
    done = run("classify", "--from", "parquet", *FIELDS, "-o", "out.parquet", "in.parquet")
    assert done.stderr.endswith("no answer for 1 of 2 rows, first row 2: the column 'body' is not valid UTF-8\n")
    assert read(tmp_path / "out.parquet").column("label").to_pylist() == ["baking", None]


def test_a_long_text_in_a_dictionary_is_sent_once(tmp_path: Path, run: Run) -> None:
    """Three hundred rows of it have more bytes than a column of Arrow can have."""
    place = pa.array([0] * 300, pa.int8())
    write(tmp_path / "in.arrow", pa.table({"body": pa.DictionaryArray.from_arrays(place, ["bread " * 4_000_000])}))
    done = run("classify", "--from", "arrow", *FIELDS, "-j", "2", "-o", "out.arrow", "in.arrow")
    assert done.stderr.startswith(
        "sotag-edge: in.arrow: no answer for 300 of 300 rows, first row 1: the column 'body' is lon"
    )


def test_a_part_that_the_format_cannot_have_costs_only_itself(tmp_path: Path, run: Run) -> None:
    """Parquet has no intervals of months."""
    write(
        tmp_path / "in" / "a.arrow",
        pa.table({"body": ["bread"], "n": pa.array([(1, 2, 3)], pa.month_day_nano_interval())}),
    )
    write(tmp_path / "in" / "b.arrow", table(3))
    done = run("classify", "--from", "arrow", "--to", "parquet", *FIELDS, "-o", "out", "in")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "a.arrow cannot be written as parquet: Unhandled type" in done.stderr
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["b.parquet"]


def test_a_link_to_itself_costs_only_itself(tmp_path: Path, parts: Path, run: Run) -> None:
    """The files beside it are read."""
    (parts / "part-1.parquet").symlink_to("part-1.parquet")
    done = tag(run, parts)
    assert done.returncode == 1
    assert "part-1.parquet cannot be read" in done.stderr
    assert len(list((tmp_path / "tagged").rglob("*.parquet"))) == 5


def test_a_template_is_used_where_a_variable_names_columns(tmp_path: Path, run: Run) -> None:
    """It is the format of the output."""
    write(tmp_path / "in.parquet", pa.table({"body": ["bread"]}))
    options = ("--from", "parquet", *FIELDS, "--format", "{label}", "in.parquet")
    done = run("classify", *options, env={**os.environ, "SOTAG_EDGE_TO": "parquet"})
    assert (done.returncode, done.stdout) == (0, "baking\n")


def test_what_is_not_unicode_is_written_as_escapes(tmp_path: Path, run: Run) -> None:
    """An identifier, and a path in an error: a column is UTF-8."""
    lines = '{"body": "bread", "id": "\\ud800"}\n'
    options = ("--from", "jsonl", *FIELDS, "--id", "id", "-o", "out.parquet", "-", os.fsdecode(b"a\xff"))
    assert run("classify", *options, input=lines).returncode == 1
    found = read(tmp_path / "out.parquet")
    assert found.column("id").to_pylist() == ["\\ud800", None]
    assert found.column("error").to_pylist() == [None, "a\\udcff does not exist"]


def test_resume_refuses_a_part_whose_file_was_replaced(tmp_path: Path, run: Run) -> None:
    """Also by one of the same size."""
    file = write(tmp_path / "parts" / "a.parquet", pa.table({"body": ["bread one"]}))
    size = file.stat().st_size
    assert tag(run).returncode == 0
    assert write(file, pa.table({"body": ["sail boat"]})).stat().st_size == size
    done = tag(run, "parts", "--resume")
    assert (done.returncode, "was not made from parts/a.parquet" in done.stderr) == (2, True)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_failed_run_into_a_pipe_leaves_no_whole_file(tmp_path: Path, run: Run, form: str) -> None:
    """What was written cannot be read as a file with fewer rows."""
    file = write(tmp_path / f"in.{form}", table(3_000), **({"row_group_size": 500} if form == "parquet" else {}))
    content = file.read_bytes()
    place = int(len(content) * 0.6)
    file.write_bytes(content[:place] + bytes(3_000) + content[place + 3_000 :])
    with (tmp_path / f"out.{form}").open("wb") as stream:
        done = run(
            "classify", "--from", form, "--to", form, *FIELDS, file, stdout=stream, capture_output=False, stderr=-1
        )
    assert done.returncode == 1
    with pytest.raises(pa.ArrowInvalid):
        read(tmp_path / f"out.{form}")


def test_resume_reports_the_errors_of_finished_parts(parts: Path, run: Run) -> None:
    """The second run says, and returns, what the first did."""
    first, second = tag(run, parts), tag(run, "--resume", parts)
    assert second.stderr == first.stderr
    assert second.returncode == first.returncode == 1


def test_a_large_dictionary_is_not_written_with_each_group(tmp_path: Path, run: Run) -> None:
    """The output is about as large as the input."""
    values = pa.array([f"{number} " * 40 for number in range(20_000)])
    kind = pa.DictionaryArray.from_arrays(pa.array(range(20_000), pa.int32()), values)
    file = write(tmp_path / "in.parquet", pa.table({"body": ["bread"] * 20_000, "kind": kind}))
    assert run("classify", "--from", "parquet", *FIELDS, "-o", "out.parquet", file).returncode == 0
    assert read(tmp_path / "out.parquet").column("kind").to_pylist() == kind.to_pylist()
    assert (tmp_path / "out.parquet").stat().st_size < 2 * file.stat().st_size


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "csv", "--merge", "-o", "out.parquet"), "out.parquet would get csv"),
        (("--format", "{label}", "-o", "out.parquet"), "out.parquet would get a line per result"),
        (("--to", "tsv", "-o", "out.arrow"), "out.arrow would get tsv"),
    ],
)
def test_no_text_is_written_into_a_file_of_columns(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    """The name of the output and its format must not contradict each other."""
    done = run("classify", "-m", FIXTURE, *arguments, "-", input="text\nbread\n")
    assert (done.returncode, sentence in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("out.csv", b"source,label"),
        ("out.jsonl", b'{"source"'),
        ("out.json", b'{"schema_version"'),
        ("out.parquet", b"PAR1"),
        ("out.tsv", b"stdin:1\t"),
        ("out.txt", b"stdin:1\t"),
    ],
)
def test_the_name_of_the_output_decides_its_format(tmp_path: Path, run: Run, name: str, begin: bytes) -> None:
    """Without --to, also against the variable."""
    for environment in ({}, {"SOTAG_EDGE_TO": "tsv"}):
        done = run("classify", "-m", FIXTURE, "-o", name, input="bread\n", env=os.environ | environment)
        assert done.returncode == 0
        assert (tmp_path / name).read_bytes().startswith(begin)


def test_a_folder_that_cannot_be_made(tmp_path: Path, parts: Path, run: Run) -> None:
    """One sentence, before anything is read."""
    (tmp_path / "file").touch()
    done = run("classify", "--from", "parquet", *FIELDS, "-o", "file/out", parts)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "the folder file/out cannot be made: Not a directory" in done.stderr
