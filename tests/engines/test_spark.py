"""``sotag_edge.spark``: the answers of the classifier, and what becomes of rows and requests that have none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sotag_edge import Classifier, MissingDependencyError, ModelError, UsageError
from sotag_edge.bundle import Bundle
from tests.conftest import FIXTURE, MULTI_LABEL

pytest.importorskip("pyspark")

from sotag_edge.spark import _in_task, tag

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")

WORDS = ["knead", "bread", "dough", "prune", "roses", "seeds", "hoist", "sail", "anchor", "zzz", "flour", "tide"]
TEXTS = [" ".join(WORDS[(i * k) % 12] for k in range(1, 2 + i % 40)) for i in range(600)]


def frame(spark: Any, texts: list[Any], partitions: int = 7) -> Any:
    rows = [(number, text) for number, text in enumerate(texts)]
    return spark.createDataFrame(rows, "id long, text string").repartition(partitions)


def test_answers_are_those_of_the_classifier(spark: Any) -> None:
    """To the bit, each row once, whatever partition it is in."""
    rows = tag(frame(spark, TEXTS), model=FIXTURE, scores=True).collect()
    classifier = Classifier.load(FIXTURE)
    assert sorted(row.id for row in rows) == list(range(len(TEXTS)))
    for row in rows:
        answer = classifier.classify(TEXTS[row.id])
        reason = answer.reason and answer.reason.value
        assert row[1:] == (TEXTS[row.id], answer.label, answer.score, reason, None, *answer.scores.values())


def test_options_are_those_of_the_classifier(spark: Any) -> None:
    """Several columns, bytes, markup, a threshold and labels to choose from."""
    row = ("<b>hoist</b>", b"the <i>sail</i>")
    texts = spark.createDataFrame([row], "title string, body binary")
    options: dict[str, Any] = {"threshold": 0.99, "only": ["sailing", "baking"]}
    tagged = tag(texts, ["title", "body"], model=FIXTURE, html=True, scores=True, prefix="p_", **options)
    answer = Classifier.load(FIXTURE, **options).classify("hoist\nthe sail")
    assert tagged.columns == [
        "title",
        "body",
        "p_label",
        "p_score",
        "p_reason",
        "p_error",
        *(f"p_score_{n}" for n in answer.scores),
    ]
    assert tagged.first() == (*row, answer.label, answer.score, "low score", None, *answer.scores.values())


def test_a_multi_label_model_answers_with_an_array(spark: Any) -> None:
    """Best first, and empty for ``unknown``."""
    texts = ["knead the bread dough", "prune the roses", "zzz", ""]
    tagged = tag(frame(spark, texts), model=Bundle.read(MULTI_LABEL)).orderBy("id")
    assert dict(tagged.dtypes)["labels"] == "array<string>"
    classifier = Classifier.load(MULTI_LABEL)
    assert [tuple(row.labels) for row in tagged.collect()] == [classifier.classify(text).labels for text in texts]


OTHERS = """
select timestamp'2024-03-31 02:30:00' ts, cast(1 as smallint) sm, timestamp_ntz'2024-03-31 02:30:00' ntz, date'0900-10-04' d,
    cast(1.23 as decimal(38,18)) `dec.imal`, map('a', array(1, null)) `The Map`, array(named_struct('x', 1, 'Y y', null)) ar,
    named_struct('b.c', binary('x')) st, X'00ff' bin, null n, interval '1' day i, cast(1 as tinyint) tb,
    1 tWICE, 2 tWICE, 1L lo, float(0.1) fl, double('nan') nan, true b, ' é\\u0000' s, cast(null as date) nodate, `a text`
from (select explode(array('knead the dough', null, 'hoist the sail')) `a text`)
"""


def test_other_columns_stay_as_they_are(spark: Any) -> None:
    """Of every common type, null or not, with names that Spark would take apart, and twice the same name."""
    before = spark.sql(OTHERS)
    after = tag(before, "a text", model=FIXTURE)
    assert after.schema.fields[: len(before.columns)] == before.schema.fields
    width = len(before.columns)
    assert [str(row[:width]) for row in after.collect()] == [str(tuple(row)) for row in before.collect()]
    assert [row.label for row in after.collect()] == ["baking", None, "sailing"]


def test_a_char_column_of_a_table_is_text(spark: Any, tmp_path: Path) -> None:
    """Spark keeps its length in the metadata of the field."""
    spark.sql(f"create table chars (a char(9), b varchar(9)) using parquet location '{tmp_path / 't'}'")
    spark.sql("insert into chars values ('knead', 'dough')")
    tagged = tag(spark.table("chars"), ["a", "b"], model=FIXTURE)
    assert tagged.schema.fields[:2] == spark.table("chars").schema.fields
    assert tagged.first().label == "baking"
    spark.sql("drop table chars")


BAD = """
case id when 0 then 'knead the bread dough'
    when 1 then null
    when 2 then cast(X'6ec3' as string)
    when 3 then repeat('ab ', int(id) + 35000000)
    when 4 then repeat('<a ', int(id) + 70000)
    when 5 then repeat('\u0000\u0001\u0002', 50)
    when 6 then ''
    when 7 then repeat('<p>sail', int(id) + 100000)
end text
"""


def test_each_bad_row_is_an_error_in_its_place(spark: Any) -> None:
    """Null, invalid UTF-8, 100 MB and control characters fail in their rows; hostile HTML is answered; the job ends well."""
    rows = tag(spark.range(8).selectExpr("id", BAD).repartition(3), model=FIXTURE, html=True).drop("text").collect()
    answers = {row.id: row for row in rows}
    assert sorted(row.id for row in rows) == list(range(8))
    assert answers[0].label == "baking"
    assert answers[1].error == "the column 'text' is null, not a text"
    assert answers[2].error == "the column 'text' is not valid UTF-8"
    assert answers[3].error == "the column 'text' is longer than 16 MiB, the longest text"
    assert answers[5].error == "the text is not text: it has control characters, as pictures, archives and programs do"
    for bad in (1, 2, 3, 5):
        assert answers[bad][1:4] == (None, None, None)
    for fine in (0, 4, 6, 7):
        assert answers[fine].error is None
        assert answers[fine].label


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ("1 id, 'a' body", {}, "there is no column 'text' for the text; the columns are: 'id', 'body'"),
        ("1 text", {}, "the column 'text' has the type int, not text: cast it to string"),
        ("array('a') text", {}, "the column 'text' has the type array<string>, not text: cast it to string"),
        ("'a' text, 'b' text", {}, "there are 2 columns 'text' for the text"),
        ("'a' text, 1 LABEL", {}, "there is a column 'LABEL' already: choose a prefix for ours, such as 'predicted_'"),
        ("'a' text, 1 P_score", {"prefix": "p_"}, "there is a column 'P_score' already"),
        ("'a' text", {"text": []}, "name at least one column with the text"),
        ("'a' text", {"threshold": 2}, "threshold"),
        ("'a' text", {"only": ["cooking"]}, "the model has no label 'cooking'"),
        ("'a' text, interval '1' month m", {}, "YearMonthIntervalType.* is not supported .*: cast it to string"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_before_a_job(
    spark: Any, columns: str, options: dict[str, Any], message: str
) -> None:
    """With one sentence."""
    texts = spark.sql(f"select {columns}")
    with pytest.raises(UsageError, match=message):
        tag(texts, model=FIXTURE, **options)


def test_a_missing_model_is_refused_on_the_driver(spark: Any, tmp_path: Path) -> None:
    """Not by each task."""
    with pytest.raises(ModelError, match="no model"):
        tag(frame(spark, ["a"]), model=tmp_path / "none")


def test_the_bundle_travels_with_the_function(spark: Any, model_copy: Path) -> None:
    """The workers read no file of the driver: the folder of the model may be gone when they start."""
    tagged = tag(frame(spark, TEXTS[:50]), model=model_copy)
    shutil.rmtree(model_copy)
    assert tagged.where("error is null").count() == 50


def test_a_worker_loads_a_bundle_once(spark: Any) -> None:
    """Not once per batch or task, of which there are many."""
    environment = spark.sparkContext.environment
    environment["SOTAG_EDGE_TEST"] = "workers of its own"
    try:
        assert tag(frame(spark, TEXTS, partitions=60), model=FIXTURE).where("label is not null").count() == len(TEXTS)

        def loads(batches: Any) -> Any:
            import pyarrow as pa

            from sotag_edge import arrow

            counts = arrow._loaded.cache_info()
            for _ in batches:
                yield pa.RecordBatch.from_pydict(
                    {"pid": [os.getpid()], "hits": [counts.hits], "misses": [counts.misses]}
                )

        rows = spark.range(8).repartition(8).mapInArrow(loads, "pid long, hits long, misses long").distinct().collect()
    finally:
        del environment["SOTAG_EDGE_TEST"]
    assert 1 <= len(rows) <= 4
    assert {row.misses for row in rows} <= {0, 1}
    assert sum(row.misses + row.hits for row in rows) >= 50


def test_a_worker_with_another_version_is_refused() -> None:
    """Its answers could be others."""
    with pytest.raises(MissingDependencyError, match=r"sotag-edge is .* on a worker and 0.0 on the driver"):
        _in_task("0.0", lambda batch: batch, [])


@pytest.mark.parametrize("rows", ["empty partitions", "no partition"])
def test_no_rows_are_tagged_to_no_rows(spark: Any, rows: str) -> None:
    """Of a schema that is known all the same."""
    schema = "id long, text string"
    texts = (
        spark.createDataFrame(spark.sparkContext.emptyRDD(), schema)
        if rows == "no partition"
        else spark.createDataFrame([(1, "a")], schema).where("id > 1").repartition(5)
    )
    tagged = tag(texts, model=FIXTURE)
    assert tagged.columns == ["id", "text", "label", "score", "reason", "error"]
    assert tagged.collect() == []


def test_large_strings_of_arrow_are_tagged(spark: Any) -> None:
    """A setting of Spark makes them of all strings."""
    spark.conf.set("spark.sql.execution.arrow.useLargeVarTypes", "true")
    try:
        assert tag(frame(spark, ["knead the bread dough"]), model=FIXTURE).first().label == "baking"
    finally:
        spark.conf.unset("spark.sql.execution.arrow.useLargeVarTypes")


def test_several_threads_run_jobs_at_once(spark: Any) -> None:
    """Each with its own options."""
    texts = frame(spark, TEXTS[:200])

    def labels(threshold: float) -> list[str]:
        tagged = tag(texts, model=FIXTURE, threshold=threshold).orderBy("id")
        return [row.label for row in tagged.collect()]

    thresholds = [0.0, 0.5, 0.9, 0.99]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(labels, thresholds))
    for threshold, answer in zip(thresholds, answers, strict=True):
        classifier = Classifier.load(FIXTURE, threshold)
        assert answer == [classifier.classify(text).label for text in TEXTS[:200]]


CONNECT = """
import sys, warnings
warnings.simplefilter("ignore")
from pyspark.sql import SparkSession
from sotag_edge import UsageError
from sotag_edge.spark import _in_task, tag
spark = SparkSession.builder.remote("local[2]").getOrCreate()
assert type(spark).__module__.startswith("pyspark.sql.connect"), type(spark)
texts = spark.range(300).selectExpr("id", "concat('knead the dough ', id) as `my.text`", "current_timestamp() at")
tagged = tag(texts.repartition(5), "my.text", model=sys.argv[1])
assert tagged.schema.fields[:3] == texts.schema.fields
rows = tagged.collect()
assert sorted(row.id for row in rows) == list(range(300))
assert {row.label for row in rows} == {"baking"} and {row.error for row in rows} == {None}
try:
    tag(texts, "none", model=sys.argv[1])
except UsageError as error:
    print(error)
spark.stop()
"""


def test_spark_connect_tags_the_same_way(java: None, tmp_path: Path) -> None:
    """Its sessions have no SparkContext, and nothing to broadcast with."""
    pytest.importorskip("grpc", reason="Spark Connect needs grpcio (pip install 'pyspark[connect]')")
    command = [sys.executable, "-c", CONNECT, str(FIXTURE)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "there is no column 'none' for the text; the columns are: 'id', 'my.text', 'at'" in done.stdout
