"""``sotag-edge spark``: formats, refusals, exit codes, and nothing on stderr that is not for the user."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sotag_edge import Classifier, UsageError
from tests.conftest import FIXTURE, MULTI_LABEL, Run

pytest.importorskip("pyspark")

from sotag_edge.cli.spark_files import read, refuse_overlap, write
from sotag_edge.cli.spark_session import _ours

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")

OPTIONS: dict[str, Any] = {"model": FIXTURE, "threshold": None, "only": None, "scores": False, "prefix": ""}


def tagged_file(spark: Any, path: Path, input_format: str, *text: str, **options: Any) -> list[dict[str, Any]]:
    """The rows that the command writes for a file, as JSON, in their order."""
    output = path.with_name("out")
    rows = read(spark, [str(path)], input_format, text or ("text",), html=False, options=OPTIONS | options)
    counts = write(rows.coalesce(1), str(output), "json", "overwrite", options.get("prefix", ""))
    (part,) = output.glob("part-*")
    answers = [json.loads(line) for line in part.read_text(encoding="utf-8").splitlines()]
    errors = [answer["error"] for answer in answers if "error" in answer]
    assert counts == (
        len(answers),
        sum("reason" in answer for answer in answers),
        len(errors),
        min(errors, default=None),
    )
    return answers


def test_a_damaged_line_of_json_is_an_error_in_its_row(spark: Any, tmp_path: Path) -> None:
    """It keeps its place and its content; a field that is missing or null is an error too."""
    lines = [
        '{"id": 1, "title": "knead", "body": "the dough"}',
        '{"id": 2, "title": "hoist"}',
        '{"id": 3, "title": "hoi',
        '{"id": 4, "title": null, "body": "sail"}',
    ]
    path = tmp_path / "posts.jsonl"
    path.write_text("\n".join(lines))
    rows = tagged_file(spark, path, "json", "title", "body")
    assert [row.get("label") for row in rows] == ["baking", None, None, None]
    assert [row.get("error") for row in rows] == [
        None,
        "the column 'body' is null, not a text",
        "the row is not valid JSON",
        "the column 'title' is null, not a text",
    ]
    assert rows[2]["_corrupt_record"] == lines[2]


def test_csv_has_a_header_quotes_and_fields_of_several_lines(spark: Any, tmp_path: Path) -> None:
    """An empty field is an empty text; a row with another number of fields is an error in its place."""
    path = tmp_path / "posts.csv"
    path.write_text(
        'id,title,body\n1, "knead","the ""bread""\ndough, flour"\n2,,\n3,a,b,c\n4,hoist\n5,hoist,the sail\n'
    )
    rows = tagged_file(spark, path, "csv", "title", "body")
    label = Classifier.load(FIXTURE).classify("\n").label
    assert [row.get("label") for row in rows] == ["baking", label, None, None, "sailing"]
    assert rows[0]["body"] == 'the "bread"\ndough, flour'
    assert rows[2]["error"] == rows[3]["error"] == "the row is not valid CSV"
    assert rows[2]["_corrupt_record"] == "3,a,b,c"


def test_csv_is_written_with_quotes_and_blanks(spark: Any, tmp_path: Path) -> None:
    """What is read again is what was there; the labels of a multi-label model are a JSON array."""
    path = tmp_path / "posts.jsonl"
    path.write_text(json.dumps({"text": ' knead the "dough",\nbread '}))
    rows = read(spark, [str(path)], "json", ("text",), html=False, options=OPTIONS | {"model": MULTI_LABEL})
    write(rows, str(tmp_path / "out"), "csv", "error", "")
    (again,) = tagged_file(spark, next((tmp_path / "out").glob("*.csv")), "csv", "text", prefix="p_")
    assert again["text"] == ' knead the "dough",\nbread '
    assert json.loads(again["labels"]) == list(Classifier.load(MULTI_LABEL).classify(again["text"]).labels)


POSTS = """<?xml version="1.0" encoding="utf-8"?>
<posts>
  <row Id="4" PostTypeId="1" Title="Knead it" Body="&lt;p&gt;dough &amp;lt; flour&lt;/p&gt;" Tags="&lt;c#&gt;&lt;a-b&gt;" />
  <row Id="5" PostTypeId="2" ParentId="4" Body="&lt;p&gt;hoist PostTypeId=&quot;1&quot;&lt;/p&gt;" />
  <row Id="6" PostTypeId="1" Title="&bad;" Body="x" Tags="|sail|" />
  <row Id="7" PostTypeId="1" Title="hoist the sail &#1;" Body="" Tags="|c#|linq|" />
  <row Id="8" PostTypeId="1" Body="no title"></row>
  <row Id="9" PostTypeId="1" Title="&#1;&#2;&#3;&#4;&#5;&#6;" Body="" />
</posts>
"""


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_posts_have_the_answers_of_classify(spark: Any, tmp_path: Path, run: Run, suffix: str) -> None:
    """Questions only, with their ids and tags; a row that is no XML, or no text, is an error in its place."""
    path = tmp_path / f"Posts.xml{suffix}"
    path.write_bytes(gzip.compress(POSTS.encode()) if suffix else POSTS.encode())
    rows = tagged_file(spark, path, "posts-xml", scores=True)
    usual = run("classify", "--model", FIXTURE, "--from", "posts-xml", "--to", "jsonl", path).stdout
    expected = [json.loads(line) for line in usual.splitlines()]
    assert [row.get("id") for row in rows] == [answer.get("id") for answer in expected] == ["4", None, "7", "8", "9"]
    assert [row.get("label") for row in rows] == [answer.get("label") for answer in expected]
    assert [round(row.get("score_baking", 0), 6) for row in rows] == [
        a.get("scores", {}).get("baking", 0) for a in expected
    ]
    assert ["error" in row for row in rows] == ["error" in answer for answer in expected]
    assert [row.get("tags") for row in rows] == [["c#", "a-b"], None, ["c#", "linq"], [], []]


def test_posts_may_be_split_anywhere(spark: Any, tmp_path: Path) -> None:
    """Tasks read parts of a file that begin within rows; each question is read once."""
    rows = (
        f'  <row Id="{n}" PostTypeId="{1 + n % 3 // 2}" Title="hoist {n}" Body="&lt;b&gt;x" />\n' for n in range(3000)
    )
    path = tmp_path / "Posts.xml"
    path.write_text("<posts>\n" + "".join(rows) + "</posts>\n")
    spark.conf.set("spark.sql.files.maxPartitionBytes", "9973")
    try:
        answers = read(spark, [str(path)], "posts-xml", (), html=False, options=OPTIONS)
        assert answers.rdd.getNumPartitions() > 10
        ids = [int(row.id) for row in answers.collect()]
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert sorted(ids) == [n for n in range(3000) if n % 3 < 2]


@pytest.mark.parametrize(
    ("inputs", "output", "message"),
    [
        (["a"], "a", "a is an input"),
        (["a", "b/*"], "b/c", "b/c is an input"),
        (["a/"], "a/out", "a/out is in the input a/"),
        (["x/y/a"], "x", "the input x/y/a is in x"),
        (["s3a://b/a/"], "s3a://b/a", "is an input"),
        (["file:///d/a"], "/d/a/b", "is in the input"),
        (["./b/../a"], "a/c", "is in the input"),
    ],
)
def test_an_output_that_overlaps_an_input_is_refused(inputs: list[str], output: str, message: str) -> None:
    """It would be read with the input the next time, or replace it."""
    with pytest.raises(UsageError, match=message):
        refuse_overlap(inputs, output)
    refuse_overlap(["a/b", "a/*.parquet"], "a/c")


def test_a_run_from_end_to_end(java: None, run: Run, tmp_path: Path) -> None:
    """Parquet to Parquet, in a process of its own; then the output is there, and is not replaced unasked."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ["knead the dough", "hoist the sail", "zzz"]
    pq.write_table(pa.table({"Id": [1, 2, 3], "the.text": texts}), tmp_path / "a.parquet")
    command = ("spark", "a.parquet", "out", "--text", "the.text", "--model", FIXTURE, "--master", "local[1]")
    done = run(*command)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("sotag-edge: 3 rows, 1 unknown, 0 errors; ")
    assert done.stderr.count("\n") == 1
    rows = pq.read_table(tmp_path / "out").to_pylist()
    classifier = Classifier.load(FIXTURE)
    assert [(row["the.text"], row["label"], row["score"]) for row in rows] == [
        (text, classifier.classify(text).label, classifier.classify(text).score) for text in texts
    ]
    again = run(*command)
    assert again.returncode == 2
    assert again.stderr.startswith("sotag-edge: the output exists already: name another one")
    assert again.stderr.count("\n") == 1


def test_ctrl_c_ends_the_run_and_leaves_nothing_that_looks_whole(java: None, tmp_path: Path) -> None:
    """With the exit code of an interruption; Spark's processes are gone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["knead the dough " * 40] * 400_000}), tmp_path / "a.parquet", row_group_size=2000)
    command = [sys.executable, "-m", "sotag_edge", "spark", "a.parquet", "out", "--model", str(FIXTURE)]
    command += ["--conf", "spark.sql.files.maxPartitionBytes=20k", "--master", "local[2]"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True)
    end = time.monotonic() + 120
    while not list(tmp_path.glob("out/_temporary/**/part-*")):
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    assert running.wait(60) == 130
    assert running.stderr
    assert running.stderr.read() == ""
    running.stderr.close()
    assert not (tmp_path / "out").exists()


def test_a_worker_without_the_package_is_one_sentence(java: None, tmp_path: Path, run: Run) -> None:
    """The Python of the workers has no libraries."""
    (tmp_path / "a.jsonl").write_text('{"text": "knead the dough"}\n')
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.base_prefix}/bin/python3 -S "$@"\n')
    bare.chmod(0o755)
    environment = os.environ | {"PYSPARK_PYTHON": str(bare)}
    done = run(
        "spark", "a.jsonl", "out", "--format", "json", "--model", FIXTURE, "--master", "local[1]", env=environment
    )
    assert done.returncode == 4
    assert done.stderr.startswith("sotag-edge: the Python of a worker has no ")
    assert done.stderr.endswith("set PYSPARK_PYTHON to a Python that has 'sotag-edge[spark]' there\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("a", "b", "--model", "/none"), 3, "no model '/none'"),
        (("a", "a"), 2, "a is an input: name another output"),
        (("a", "b", "--format", "posts-xml", "--text", "x"), 2, "posts-xml cannot be combined with --text"),
        (("a", "b", "--format", "posts-xml", "--html"), 2, "posts-xml cannot be combined with --html"),
        (("a", "b", "--best-guess", "--threshold", "0.5"), 2, "--best-guess cannot be combined with --threshold"),
        (("a", "b", "--conf", "spark.x"), 2, "invalid value 'spark.x' for --conf (allowed: KEY=VALUE)"),
        (("a", "b", "--only", "cooking"), 2, "the model has no label 'cooking'"),
        (("a", "b", "--master", "sc://127.0.0.1:1"), 1, "no Spark Connect server answers at sc://127.0.0.1:1"),
    ],
)
def test_a_fault_that_needs_no_java_is_found_without(
    run: Run, arguments: tuple[str, ...], code: int, message: str
) -> None:
    """In one sentence, with the exit code of its kind."""
    with_model = arguments if "--model" in arguments else (*arguments, "--model", FIXTURE)
    done = run("spark", *with_model, env={**os.environ, "PATH": ""})
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert message in done.stderr


def test_a_missing_java_is_one_sentence(run: Run, tmp_path: Path) -> None:
    """That says what to install."""
    without = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    done = run("spark", "a", "b", "--model", FIXTURE, env=without | {"PATH": str(tmp_path)})
    assert done.returncode == 4
    assert done.stderr == (
        "sotag-edge: Spark needs Java, which is not installed: install Java 17 or 21 "
        "(apt install openjdk-17-jre-headless), or set JAVA_HOME\n"
    )
    home = run("spark", "a", "b", "--model", FIXTURE, env=without | {"JAVA_HOME": "/none"})
    assert home.returncode == 4
    assert home.stderr.startswith("sotag-edge: JAVA_HOME is /none, which has no Java: install Java")


def test_a_java_that_does_not_run_is_one_sentence(run: Run, tmp_path: Path) -> None:
    """With what it says."""
    (tmp_path / "bin").mkdir()
    java = tmp_path / "bin" / "java"
    java.write_text("#!/bin/sh\necho it is broken >&2\nexit 1\n")
    java.chmod(0o755)
    done = run("spark", "a", "b", "--model", FIXTURE, env=os.environ | {"JAVA_HOME": str(tmp_path)})
    assert done.returncode == 4
    assert done.stderr.startswith("sotag-edge: Spark cannot start Java (it is broken")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("message", "code", "sentence"),
    [
        ("[PATH_NOT_FOUND] Path does not exist: file:/a. SQLSTATE: 42K03", 1, "Spark: Path does not exist: file:/a."),
        (
            "An error occurred while calling o1.save.\n: java.io.IOException: No space left\n\tat a.b(C.java:1)",
            1,
            "Spark: No space left",
        ),
        ("Job aborted\nCaused by: a.B: first\n\tat x\nCaused by: a.C: disk full\n\tat y", 1, "Spark: disk full"),
        (
            "Job aborted\nCaused by: java.io.IOException: Broken pipe",
            1,
            "Spark: a Python worker was killed or has crashed",
        ),
        ("Traceback\nsotag_edge.errors.ModelError: it is damaged\n", 3, "on a worker: it is damaged"),
        (
            "[PYTHON_VERSION_MISMATCH] Python in worker has different version\nx",
            4,
            "Python in worker has different version",
        ),
    ],
)
def test_what_spark_says_becomes_one_sentence(message: str, code: int, sentence: str) -> None:
    """Without its condition, its stack, and its state."""
    error = _ours(message)
    assert error.exit_code == code
    assert str(error).startswith(sentence)
    assert "\n" not in str(error)
