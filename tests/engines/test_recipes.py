"""The scripts of docs/recipes, each run as a user runs it: on a small folder of Parquet files with some bad rows."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sotag_edge import Classifier, UsageError
from tests.conftest import FIXTURE, ROOT

RECIPES = ROOT / "docs" / "recipes"
FILES, ROWS = 8, 5000  # rows per file
TITLES = [
    "How do I knead the bread dough?",
    "Reef the sail when the wind gets up",
    "Slugs eat the lettuce seedlings \N{SNAIL}",
    "Der Teig geht nicht auf",
    "",
]
BODIES = ["It stays flat in the oven.", "Sow the seeds and water the soil.", "The anchor drags in the sand.", "Why?"]
NULL_TITLE, BINARY_TITLE, NOT_UTF8_BODY, NOT_UTF8_TITLE = 3, 5, 7, 9  # the places of bad rows in each file
ERRORS = {
    NULL_TITLE: "the column 'title' is null, not a text",
    BINARY_TITLE: "the text is not text: it has control characters, as pictures, archives and programs do",
    NOT_UTF8_BODY: "the column 'body' is not valid UTF-8",
    NOT_UTF8_TITLE: "the column 'title' is not valid UTF-8",
}
LARGE = 2**60  # as a floating-point number it would lose its last digits
TEXT = ["--text", "title", "--text", "body"]
SEVERAL = """
import json, runpy, sys
script, runs = sys.argv[1], json.loads(sys.argv[2])
endings = []
for arguments in runs:
    sys.argv = [script, *arguments]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        endings.append(end.code)
print(json.dumps(endings))
"""  # the script run several times in one process, which loads the engine once: how each run ended


@dataclass(frozen=True)
class Engine:
    """A recipe. ``library``: what it needs. ``checks_strings``: the engine refuses a file with a string that is not UTF-8.
    ``is_worker``: whether a process that the script has started is a worker at its work, for an engine that has some."""

    name: str
    library: str
    checks_strings: bool = False
    is_worker: Callable[[psutil.Process, list[Path]], bool] | None = None

    @property
    def script(self) -> Path:
        return RECIPES / f"with_{self.name}.py"


def name_of(engine: Engine) -> str:
    return engine.name


def is_dask_worker(process: psutil.Process, parts: list[Path]) -> bool:
    """A worker, when some parts are written and others are not."""
    return 0 < len(parts) < FILES and "spawn_main" in " ".join(process.cmdline())


def is_ray_worker(process: psutil.Process, parts: list[Path]) -> bool:
    """Ray's workers have the names of what they do."""
    return "MapBatches(tag)" in " ".join(process.cmdline()) and time.time() - process.create_time() > 0.5


ENGINES = [
    Engine("pandas", "pandas"),
    Engine("polars", "polars", checks_strings=True),
    Engine("duckdb", "duckdb", checks_strings=True),
    Engine("dask", "dask.dataframe", is_worker=is_dask_worker),
    Engine("ray", "ray.data", is_worker=is_ray_worker),
]


@pytest.fixture(params=ENGINES, ids=name_of)
def engine(request: pytest.FixtureRequest) -> Engine:
    needed: Engine = request.param
    if not is_installed(needed.library):
        pytest.skip(f"{needed.name} is not installed: pip install 'sotag-edge[engines]'")
    return needed


def is_installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # the package that it is in
        return False


def unchecked(values: list[bytes | None]) -> pa.Array:
    """Strings of which nobody has checked that they are UTF-8."""
    column = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(column), column.buffers())


def file_of(first: int, rows: int, *, with_bad_string: bool) -> pa.Table:
    """Rows with ids from ``first`` on, and columns of several types."""
    titles: list[bytes | None] = [TITLES[number % len(TITLES)].encode() for number in range(rows)]
    bodies = [BODIES[number // 3 % len(BODIES)].encode() for number in range(rows)]
    titles[NULL_TITLE] = None
    titles[BINARY_TITLE] = b"\0\1\2\3\4\5\6 dough"
    bodies[NOT_UTF8_BODY] = b"knead \xff the dough"
    if with_bad_string:
        titles[NOT_UTF8_TITLE] = b"\xed\xa0\x80"
    columns = {
        "id": pa.array(range(first, first + rows), pa.int64()),
        "title": unchecked(titles),
        "body": pa.array(bodies, pa.binary()),
        "answers": pa.array([None if number % 3 else LARGE + number for number in range(rows)], pa.int64()),
        "when": pa.array(range(rows), pa.timestamp("us", "UTC")),
        "tags": pa.array([["a", None] if number % 2 else None for number in range(rows)], pa.list_(pa.string())),
    }
    return pa.table(columns)


@pytest.fixture
def posts(engine: Engine, tmp_path: Path) -> Path:
    """A folder of files, with all bad rows that the engine hands over."""
    folder = tmp_path / "posts"
    folder.mkdir()
    for number in range(FILES):
        table = file_of(number * ROWS, ROWS, with_bad_string=not engine.checks_strings)
        pq.write_table(table, folder / f"part-{number}.parquet")
    return folder


def started(engine: Engine, *arguments: str | Path) -> subprocess.Popen[str]:
    """The script in a process of its own, with an engine that uses two cores, little memory and no network."""
    limits = {"POLARS_MAX_THREADS": "2", "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": str(200 * 1024**2)}
    return subprocess.Popen(
        [sys.executable, str(engine.script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | limits,
    )


def run(engine: Engine, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    process = started(engine, *arguments)
    output, errors = process.communicate(timeout=100)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def test_every_row_is_answered_once(engine: Engine, posts: Path, tmp_path: Path) -> None:
    """As ``Classifier.classify`` does, scores to the bit; errors are in their rows, and other columns keep their types.

    A worker of Dask and of Ray is killed meanwhile, and nothing is lost or doubled. The second run is refused.
    """
    output = tmp_path / "tagged"
    process = started(engine, posts, output, *TEXT, "--model", FIXTURE)
    if engine.is_worker:
        kill_a_worker(engine.is_worker, process, tmp_path)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["posts", "tagged"]

    given, tagged = pq.read_table(posts), pq.read_table(output)
    if engine.is_worker:
        tagged = tagged.sort_by("id")  # the others keep the order
    assert tagged.schema.names == [*given.schema.names, "label", "score", "reason", "error"]
    assert tagged.select(given.schema.names).cast(given.schema).equals(given)
    types = [tagged.schema.field(name).type for name in given.schema.names[:-1]]
    if engine.name == "polars":  # which has 64-bit offsets only
        types = [{pa.large_binary(): pa.binary(), pa.large_string(): pa.string()}.get(kind, kind) for kind in types]
    assert types == given.schema.types[:-1]  # the fields of lists have other names
    check_answers(tagged)

    before = {path: path.stat() for path in [output, *output.rglob("*")]}
    again = run(engine, posts, output, *TEXT, "--model", FIXTURE)
    assert again.returncode == 1
    assert again.stderr.startswith(f"with_{engine.name}: {output} exists already: name a new f")
    assert {path: path.stat() for path in [output, *output.rglob("*")]} == before


def check_answers(tagged: pa.Table) -> None:
    classifier = Classifier.load(FIXTURE)
    known = {}
    rows = tagged.select(["answers", "label", "score", "reason", "error"]).to_pylist()
    titles, bodies = (tagged.column(name).cast(pa.large_binary()).to_pylist() for name in ("title", "body"))
    faults = 0
    for place, (row, title, body) in enumerate(zip(rows, titles, bodies, strict=True)):
        if place % ROWS in ERRORS and (place % ROWS != NOT_UTF8_TITLE or title == b"\xed\xa0\x80"):
            faults += 1
            assert (row["label"], row["score"], row["reason"], row["error"]) == (None, None, None, ERRORS[place % ROWS])
            continue
        text = f"{title.decode()}\n{body.decode()}"
        if text not in known:
            known[text] = classifier.classify(text)
        answer = known[text]
        expected = (answer.label, answer.score, answer.reason and answer.reason.value, None)
        assert (row["label"], row["score"], row["reason"], row["error"]) == expected
    assert faults in {3 * FILES, 4 * FILES}


def kill_a_worker(
    is_worker: Callable[[psutil.Process, list[Path]], bool], script: subprocess.Popen[str], folder: Path
) -> None:
    """End one worker in the middle of the job, as a system does that has no memory left."""
    root = psutil.Process(script.pid)
    while script.poll() is None:
        parts = list(folder.glob(".tagged-*/parts/*.parquet"))
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            for process in root.children(recursive=True):
                if is_worker(process, parts):
                    process.kill()
                    return
        time.sleep(0.02)
    pytest.fail(f"the job ended before a worker was seen at its work: {script.communicate()[1]}")


def test_what_cannot_be_tagged_is_refused_before_the_job(engine: Engine, tmp_path: Path) -> None:
    """With a sentence: a missing input, model or column, a column that is no text, and one with the name of ours."""
    file, labelled = tmp_path / "posts.parquet", tmp_path / "labelled.parquet"
    table = file_of(0, 20, with_bad_string=False)
    pq.write_table(table, file)
    pq.write_table(table.append_column("label", pa.array(["mine"] * 20)), labelled)
    cases: dict[str, tuple[object, ...]] = {
        "no model 'missing'": (file, *TEXT, "--model", "missing"),
        "there is no column 'text' for the text": (file, "--model", FIXTURE),
        "the column 'id' has the type int64, not text": (file, "--text", "id", "--model", FIXTURE),
        "there is a column 'label' already": (labelled, *TEXT, "--model", FIXTURE),
        "missing.parquet": (tmp_path / "missing.parquet", *TEXT, "--model", FIXTURE),
    }
    runs = [list(map(str, (source, tmp_path / "tagged", *options))) for source, *options in cases.values()]
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL, str(engine.script), json.dumps(runs)], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    for sentence, ending in zip(cases, json.loads(done.stdout), strict=True):
        assert ending.startswith(f"with_{engine.name}: ")
        assert sentence in ending
    assert done.stderr == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labelled.parquet", "posts.parquet"]


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine.checks_strings], indirect=True, ids=name_of)
def test_a_file_that_the_engine_refuses_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    """DuckDB and Polars end the job at a string that is not UTF-8, before our code has its row; they say why."""
    pq.write_table(file_of(0, 20, with_bad_string=True), tmp_path / "posts.parquet")
    done = run(engine, tmp_path / "posts.parquet", tmp_path / "tagged", *TEXT, "--model", FIXTURE)
    assert done.returncode == 1
    assert done.stderr.startswith(f"with_{engine.name}: ")
    assert "UTF" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["posts.parquet"]


@pytest.mark.parametrize("engine", [ENGINES[1]], indirect=True, ids=name_of)
def test_a_killed_job_can_be_run_again(engine: Engine, posts: Path, tmp_path: Path) -> None:
    """It leaves no output but a scratch folder, which the next run does not read."""
    output = tmp_path / "tagged"
    process = started(engine, posts, output, *TEXT, "--model", FIXTURE)
    while process.poll() is None and not list(tmp_path.glob(".tagged-*/*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not output.exists()
    assert run(engine, posts, output, *TEXT, "--model", FIXTURE).returncode == 0
    check_answers(pq.read_table(output).sort_by("id"))


@pytest.mark.parametrize("engine", [ENGINES[0]], indirect=True, ids=name_of)
def test_a_frame_of_objects_has_errors_in_its_rows(engine: Engine) -> None:
    """A column of mixed types, as spreadsheets have; the index is kept, though it has a value twice."""
    import pandas as pd

    tag = runpy.run_path(str(engine.script))["tag"]
    values = ["knead the dough", float("nan"), None, 3, b"reef the sail", "\ud800", ["sow"], pd.NA]
    frame = pd.DataFrame({"text": pd.Series(values, dtype=object), 7: range(8)}).set_axis([5, 5, 1, 2, 3, 4, 6, 7])
    tagged = tag(frame, ["text"], FIXTURE)
    assert list(tagged.columns) == ["text", 7, "label", "score", "reason", "error"]
    assert list(tagged.index) == list(frame.index)
    assert tagged[["text", 7]].equals(frame)
    null = "the column 'text' is null, not a text"
    errors = [None, null, null, null, None, "the column 'text' is not valid UTF-8", null, null]
    assert [None if pd.isna(error) else error for error in tagged["error"]] == errors
    classifier = Classifier.load(FIXTURE)
    answers = {0: classifier.classify("knead the dough"), 4: classifier.classify("reef the sail")}
    assert {place: tagged["score"].iloc[place] for place in answers} == {p: a.score for p, a in answers.items()}
    assert tag(frame.iloc[:0], ["text"], FIXTURE).shape == (0, 6)
    with pytest.raises(UsageError, match="there is a column 'label' already"):
        tag(tagged, ["text"], FIXTURE)
    with pytest.raises(UsageError, match="no column 'body'"):
        tag(frame, ["body"], FIXTURE)
