"""Record batches of Arrow: every type of text column, rows that cannot be tagged, and the classifier of a process."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge import Classifier, ModelError, Prediction, UsageError
from sotag_edge.arrow import classifier_of, tag_batch, tagged_schema
from sotag_edge.bundle import Bundle, Manifest
from sotag_edge.document import Result
from sotag_edge.markup import strip_markup
from tests.conftest import FIXTURE, MULTI_LABEL

TEXTS = [
    "How do I knead the bread dough?",
    "reef the sail when the wind gets up",
    "",
    "Slugs eat the lettuce seedlings in my garden \N{SNAIL}",
    "when the rest is other words",
    "sow the seeds\nand water the soil",
    "Der Teig für das Brot geht nicht auf",
]
SOME: list[str | None] = [*TEXTS[:3], None, *TEXTS[3:]]
NOT_UTF8 = b"knead \xff the dough"
SURROGATE = b"\xed\xa0\x80"  # of UTF-16, which is not UTF-8 and which Python decodes by default neither
TOO_LONG = "sail " * (16 * 1024**2 // 5 + 1)
NULL = "the column 'text' is null, not a text"
INVALID = "the column 'text' is not valid UTF-8"
ANSWERS = ["label", "score", "reason", "error"]


class OwnText(pa.ExtensionType):
    """A type of somebody's own, which is stored as text."""

    def __init__(self, storage: pa.DataType) -> None:
        super().__init__(storage, "example.text")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> OwnText:
        return cls(storage)


def own(storage: pa.Array) -> pa.Array:
    return pa.ExtensionArray.from_storage(OwnText(storage.type), storage)


def unchecked(values: Sequence[bytes | None], kind: pa.DataType) -> pa.Array:
    """A column of strings of which nobody has checked that they are UTF-8, as files and other libraries give them."""
    binary = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}[kind]
    column = pa.array(values, binary)
    if kind == pa.string_view():
        return column.view(kind)
    return pa.Array.from_buffers(kind, len(column), column.buffers())


def padded(values: Sequence[str | None]) -> pa.Array:
    """Blanks at the end, which change no answer, make all values as long as the longest."""
    content = [None if value is None else value.encode() for value in values]
    longest = max(len(value) for value in content if value is not None)
    return pa.array([None if value is None else value.ljust(longest) for value in content], pa.binary(longest))


def large_dictionary(values: Sequence[str | None], kind: pa.DataType) -> pa.Array:
    """Indices into a dictionary with thousands of values that do not occur, one of which is null."""
    others = [f"the word {number}" for number in range(5000)]
    known = [*others, *dict.fromkeys(values)]
    places = [None if value is None else known.index(value) for value in values]
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), pa.array(known, kind))


def encoded(values: Sequence[str | None]) -> list[bytes | None]:
    return [None if value is None else value.encode() for value in values]


KINDS: dict[str, Callable[[Sequence[str | None]], pa.Array]] = {
    "string": lambda values: pa.array(values, pa.string()),
    "large_string": lambda values: pa.array(values, pa.large_string()),
    "string_view": lambda values: pa.array(values, pa.string_view()),
    "binary": lambda values: pa.array(encoded(values), pa.binary()),
    "large_binary": lambda values: pa.array(encoded(values), pa.large_binary()),
    "binary_view": lambda values: pa.array(encoded(values), pa.binary_view()),
    "fixed_size_binary": padded,
    "dictionary of string": lambda values: pa.array(values, pa.string()).dictionary_encode(),
    "dictionary of binary": lambda values: pa.array(encoded(values), pa.binary()).dictionary_encode(),
    "large dictionary of string": lambda values: large_dictionary(values, pa.string()),
    "large dictionary of large_string": lambda values: large_dictionary(values, pa.large_string()),
    "large dictionary of binary": lambda values: large_dictionary(values, pa.binary()),
    "extension of string": lambda values: own(pa.array(values, pa.string())),
    "extension of binary": lambda values: own(pa.array(encoded(values), pa.binary())),
    "extension of dictionary": lambda values: own(pa.array(values, pa.string()).dictionary_encode()),
    "dictionary of extension": lambda values: pa.DictionaryArray.from_arrays(
        pa.array(range(len(values)), pa.int32()), own(pa.array(values, pa.string()))
    ),
}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(FIXTURE)


def batch_of(column: object, **others: object) -> pa.RecordBatch:
    """A batch whose column "text" comes first."""
    return pa.RecordBatch.from_pydict({"text": column, **others})


def results_of(batch: pa.RecordBatch) -> list[Result]:
    """The answers of a tagged batch; of their predictions label, score and reason."""
    rows = []
    for row in batch.select(ANSWERS).to_pylist():  # a text may not be readable for pyarrow
        answered = row["error"] is None
        rows.append(Result("", (row["label"], row["score"], row["reason"]) if answered else None, row["error"]))
        assert answered or (row["label"], row["score"], row["reason"]) == (None, None, None)
    return rows


def result(prediction: Prediction) -> Result:
    """The row for a prediction; its score to the bit, for it is a double in both."""
    return Result("", (prediction.label, prediction.score, prediction.reason and prediction.reason.value))


def error(sentence: str) -> Result:
    return Result("", None, sentence)


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_of_text_has_the_answers_of_classify(kind: str, classifier: Classifier) -> None:
    """To the bit; a null has an error in its row."""
    tagged = tag_batch(batch_of(KINDS[kind](SOME)), model=FIXTURE)
    assert results_of(tagged) == [error(NULL) if text is None else result(classifier.classify(text)) for text in SOME]


@pytest.mark.parametrize("kind", KINDS)
def test_a_slice_has_the_answers_of_its_own_rows(kind: str, classifier: Classifier) -> None:
    """Of a larger batch, with more rows than are read at a time; it does not begin at its first row."""
    expected = {text: error(NULL) if text is None else result(classifier.classify(text)) for text in SOME}
    texts = SOME * 400
    sliced = batch_of(KINDS[kind](texts), id=range(len(texts))).slice(1003, 1501)
    tagged = tag_batch(sliced, model=FIXTURE)
    assert results_of(tagged) == [expected[text] for text in texts[1003 : 1003 + 1501]]
    assert tagged.column("id").to_pylist() == list(range(1003, 1003 + 1501))


def test_many_rows(classifier: Classifier) -> None:
    """25,000, one for each text, in order."""
    expected = {text: error(NULL) if text is None else result(classifier.classify(text)) for text in SOME}
    texts = [SOME[number * number % len(SOME)] for number in range(25_000)]
    assert results_of(tag_batch(batch_of(texts), model=FIXTURE)) == [expected[text] for text in texts]


def test_columns_of_nulls_have_errors() -> None:
    """Of the type null, and of a dictionary that has none but nulls."""
    for column in (pa.nulls(2), pa.DictionaryArray.from_arrays(pa.array([0, None]), pa.nulls(1))):
        assert results_of(tag_batch(batch_of(column), model=FIXTURE)) == [error(NULL)] * 2


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_strings_that_are_not_utf_8_have_errors(kind: pa.DataType, classifier: Classifier) -> None:
    """In their rows: pyarrow does not check strings that it is given, and its own reading of them fails."""
    expected = [result(classifier.classify(TEXTS[0])), error(INVALID), error(NULL), error(INVALID)]
    expected.append(result(classifier.classify(TEXTS[3])))
    values = [TEXTS[0].encode(), NOT_UTF8, None, SURROGATE, TEXTS[3].encode()]
    column = unchecked(values, kind)
    dictionary = pa.DictionaryArray.from_arrays(pa.array(range(len(values))), column)
    for each in (column, dictionary, own(column)):
        assert results_of(tag_batch(batch_of(each), model=FIXTURE)) == expected


def test_bytes_that_are_not_utf_8_have_errors(classifier: Classifier) -> None:
    """In their rows."""
    tagged = tag_batch(batch_of([NOT_UTF8, TEXTS[1].encode(), SURROGATE]), model=FIXTURE)
    assert results_of(tagged) == [error(INVALID), result(classifier.classify(TEXTS[1])), error(INVALID)]


@pytest.mark.parametrize("kind", ["string", "large_string", "binary", "dictionary of string", "extension of string"])
def test_texts_that_are_too_long_have_errors(kind: str, classifier: Classifier) -> None:
    """Longer than 16 MiB; the longest that are read are answered."""
    longest = TOO_LONG[: 16 * 1024**2]
    tagged = tag_batch(batch_of(KINDS[kind]([TEXTS[0], TOO_LONG, longest])), model=FIXTURE)
    first, second, third = results_of(tagged)
    assert first == result(classifier.classify(TEXTS[0]))
    assert second == error("the column 'text' is longer than 16 MiB, the longest text")
    assert third == result(classifier.classify(longest))


def test_what_is_not_text_has_errors(classifier: Classifier) -> None:
    """Control characters as in programs and pictures, or UTF-16; a single one is an accident."""
    utf_16 = TEXTS[1].encode("utf-16-le").decode()
    tagged = tag_batch(batch_of(["\0\1\2\3\4\5 dough", utf_16, TEXTS[0], "bread\0 dough"]), model=FIXTURE)
    program, other, text, accident = results_of(tagged)
    assert program == error("the text is not text: it has control characters, as pictures, archives and programs do")
    assert other.error is not None
    assert "UTF-16" in other.error
    assert text == result(classifier.classify(TEXTS[0]))
    assert accident == result(classifier.classify("bread\0 dough"))


def test_html_is_removed_if_it_is_asked_for(classifier: Classifier) -> None:
    """Hostile HTML is a text as well, in linear time: each of these takes minutes where it is quadratic."""
    sail = "<p>How do I <b>reef</b> the sail &amp; anchor?</p>"
    hostile = ["<a " * 300_000, "<!--" * 300_000, "<script>" * 100_000, "<b x='" * 200_000 + "bread dough", "&" * 10**6]
    tagged = tag_batch(batch_of([sail, *hostile]), model=FIXTURE, html=True)
    answers = results_of(tagged)
    assert answers == [result(classifier.classify(strip_markup(text))) for text in (sail, *hostile)]
    assert results_of(tag_batch(batch_of([sail]), model=FIXTURE)) == [result(classifier.classify(sail))]
    assert classifier.classify(sail).score != classifier.classify(strip_markup(sail)).score


def test_several_columns_are_one_text(classifier: Classifier) -> None:
    """Joined by a line end, in the order in which they are named; each may have another type and the fault of a row."""
    bodies = [b"of a loaf", None, b"in the harbour", NOT_UTF8]
    batch = pa.record_batch({"body": bodies, "id": range(4), "title": ["the dough", "the seeds", None, None]})
    tagged = tag_batch(batch, ["title", "body"], model=FIXTURE)
    assert results_of(tagged) == [
        result(classifier.classify("the dough\nof a loaf")),
        error("the column 'body' is null, not a text"),
        error("the column 'title' is null, not a text"),
        error("the column 'title' is null, not a text"),
    ]


def test_other_columns_and_metadata_stay() -> None:
    """Of every type, in their order, before ours."""
    fields = [
        pa.field("id", pa.int16(), nullable=False, metadata={"unit": "none"}),
        pa.field("text", pa.string(), metadata={"language": "en"}),
        pa.field("when", pa.timestamp("us", "UTC")),
        pa.field("tags", pa.list_(pa.struct([("name", pa.string())]))),
    ]
    rows = [{"id": 7, "text": TEXTS[0], "when": 1, "tags": [{"name": "a"}]}, {"id": 8, "text": None, "tags": None}]
    batch = pa.RecordBatch.from_pylist(rows, schema=pa.schema(fields, metadata={"source": "a shop"}))
    tagged = tag_batch(batch, model=FIXTURE)
    assert tagged.schema.names == ["id", "text", "when", "tags", "label", "score", "reason", "error"]
    assert [tagged.schema.field(name).type for name in tagged.schema.names[4:]] == [
        pa.string(),
        pa.float64(),
        pa.string(),
        pa.string(),
    ]
    assert tagged.schema.metadata == {b"source": b"a shop"}
    assert tagged.select(batch.schema.names).equals(batch, check_metadata=True)
    tagged.validate(full=True)


def test_scores_of_each_label(classifier: Classifier) -> None:
    """In columns of their own, to the bit, after the others; null in a row with an error."""
    tagged = tag_batch(batch_of(SOME), model=FIXTURE, scores=True)
    assert tagged.schema.names[-3:] == ["score_baking", "score_gardening", "score_sailing"]
    for row, text in zip(tagged.to_pylist(), SOME, strict=True):
        expected = dict.fromkeys(classifier.labels) if text is None else classifier.classify(text).scores
        assert {label: row[f"score_{label}"] for label in classifier.labels} == expected


def test_threshold_and_only_are_those_of_the_classifier() -> None:
    """And the scores are of the labels that may be answered."""
    strict = Classifier.load(FIXTURE, 0.99, only=["sailing", "baking"])
    tagged = tag_batch(batch_of(TEXTS), model=FIXTURE, threshold=0.99, only=["sailing", "baking"], scores=True)
    assert results_of(tagged) == [result(strict.classify(text)) for text in TEXTS]
    assert tagged.schema.names[-2:] == ["score_baking", "score_sailing"]
    single = tag_batch(batch_of(TEXTS), model=FIXTURE, threshold=0, only="baking")
    assert set(single.column("label").to_pylist()) == {"baking"}


def test_several_labels(classifier: Classifier) -> None:
    """A multi-label model has a column with the list of the labels, best first, which is empty for an unknown text."""
    several = Classifier.load(MULTI_LABEL)
    texts = ["knead the dough and reef the sail in the wind", "", None, *TEXTS]
    tagged = tag_batch(batch_of(texts), model=MULTI_LABEL)
    assert tagged.schema.names == ["text", "labels", "score", "reason", "error"]
    assert tagged.schema.field("labels").type == pa.list_(pa.string())
    for row, text in zip(tagged.to_pylist(), texts, strict=True):
        if text is None:
            assert (row["labels"], row["score"], row["error"]) == (None, None, NULL)
        else:
            answer = several.classify(text)
            assert (tuple(row["labels"]), row["score"], row["error"]) == (answer.labels, answer.score, None)
    assert [len(labels) for labels in tagged.column("labels").to_pylist()[:2]] == [2, 0]


@pytest.mark.parametrize("model", [FIXTURE, MULTI_LABEL], ids=["single-label", "multi-label"])
@pytest.mark.parametrize(
    "options", [{}, {"scores": True, "prefix": "predicted_"}, {"only": ["baking"], "scores": True}]
)
def test_the_schema_is_known_before_a_batch_is_tagged(model: Path, options: dict[str, Any]) -> None:
    """It is that of the tagged batches, of an empty one too."""
    batch = batch_of(SOME, id=range(len(SOME))).replace_schema_metadata({"a": "b"})
    schema = tagged_schema(batch.schema, model=model, **options)
    for each in (batch, batch.slice(0, 0)):
        tagged = tag_batch(each, model=model, **options)
        assert tagged.schema.equals(schema, check_metadata=True)
        assert tagged.num_rows == each.num_rows


def test_a_prefix_renames_our_columns() -> None:
    """So that a batch with labels of its own can be tagged."""
    batch = batch_of([TEXTS[0]], label=["bread"], error=["none"])
    tagged = tag_batch(batch, model=FIXTURE, prefix="predicted_")
    added = ["predicted_label", "predicted_score", "predicted_reason", "predicted_error"]
    assert tagged.schema.names == ["text", "label", "error", *added]
    assert tagged.select(batch.schema.names).equals(batch)


@pytest.mark.parametrize(
    ("batch", "options", "sentence"),
    [
        (batch_of([1]), {}, "the column 'text' has the type int64, not text: cast it to string"),
        (batch_of([["a"]]), {}, "the column 'text' has the type list<item: string>, not text: cast it to string"),
        (batch_of(own(pa.array([1]))), {}, "not text: cast it to string"),
        (batch_of(["a"]), {"text": "body"}, "there is no column 'body' for the text; the columns are: 'text'"),
        (
            batch_of(["a"], id=[1]),
            {"text": ["text", "body"]},
            "no column 'body' for the text",
        ),
        (
            pa.RecordBatch.from_arrays([pa.array(["a"])] * 2, names=["text", "text"]),
            {},
            "there are 2 columns 'text' for the text",
        ),
        (
            pa.RecordBatch.from_arrays([pa.array([1])] * 30, names=[f"c{number}" for number in range(30)]),
            {},
            "'c18', 'c19' and 10 more",
        ),
        (batch_of(["a"]), {"text": []}, "name at least one column with the text"),
        (batch_of(["a"], label=["b"]), {}, "there is a column 'label' already: give ours a prefix"),
        (batch_of(["a"], score_sailing=[1]), {"scores": True}, "there is a column 'score_sailing' already"),
        (batch_of(["a"], my_error=["b"]), {"prefix": "my_"}, "there is a column 'my_error' already"),
        (batch_of(["a"]), {"only": ["cooking"]}, "the model has no label 'cooking'"),
    ],
    ids=lambda value: "" if isinstance(value, pa.RecordBatch) else str(value)[:40],
)
def test_a_batch_that_cannot_be_tagged(batch: pa.RecordBatch, options: dict[str, Any], sentence: str) -> None:
    """It is refused whole, and so is its schema, before there is a batch."""
    with pytest.raises(UsageError) as caught:
        tag_batch(batch, model=FIXTURE, **options)
    assert sentence in str(caught.value)
    with pytest.raises(UsageError) as caught:
        tagged_schema(batch.schema, model=FIXTURE, **options)
    assert sentence in str(caught.value)


def test_a_threshold_out_of_range_and_a_missing_model() -> None:
    """What the classifier raises."""
    with pytest.raises(UsageError, match="threshold must be from 0 to 1"):
        tag_batch(batch_of(["a"]), model=FIXTURE, threshold=2)
    with pytest.raises(ModelError, match="no model 'missing'"):
        tagged_schema(batch_of(["a"]).schema, model="missing")


def expected_for(value: bytes | None, classifier: Classifier) -> Result:
    """The row of bytes that do not look binary."""
    if value is None:
        return error(NULL)
    try:
        return result(classifier.classify(value.decode()))
    except UnicodeDecodeError:
        return error(INVALID)


@given(st.lists(st.none() | st.binary() | st.text().map(str.encode)))
def test_any_bytes_have_a_row_each(values: list[bytes | None]) -> None:
    """With an answer or an error, which is that of each value by itself; in columns of bytes and of unchecked strings."""
    classifier = classifier_of(FIXTURE)
    for column in (pa.array(values, pa.binary()), unchecked(values, pa.string()), unchecked(values, pa.string_view())):
        rows = results_of(tag_batch(batch_of(column), model=FIXTURE))
        assert len(rows) == len(values)
        for row, value in zip(rows, values, strict=True):
            refused = row.error is not None and row.error.startswith("the text is not text")
            assert refused or row == expected_for(value, classifier)


@given(st.lists(st.none() | st.text()))
def test_any_texts_have_a_row_each(values: list[str | None]) -> None:
    """The same for a dictionary and an extension of it."""
    plain = pa.array(values, pa.string())
    expected = results_of(tag_batch(batch_of(plain), model=FIXTURE))
    assert len(expected) == len(values)
    for column in (plain.dictionary_encode(), own(plain.dictionary_encode()), plain.cast(pa.large_string())):
        assert results_of(tag_batch(batch_of(column), model=FIXTURE)) == expected


# The classifier of a process.


def change(folder: Path, label: str) -> None:
    """Replace the bundle in a folder by one with another digest, and another name for its first label."""
    manifest = Manifest.read(folder)
    replace(manifest, labels=(label, *manifest.labels[1:])).write(folder)


def test_a_model_is_loaded_once(model_copy: Path) -> None:
    """By its name, its path, another copy of it, or its bundle; with other options it is another classifier."""
    first = classifier_of(FIXTURE)
    assert classifier_of(str(FIXTURE)) is first
    assert classifier_of(model_copy) is first
    assert classifier_of(Bundle.read(model_copy)) is first
    assert classifier_of(FIXTURE, 0.9) is not first
    assert classifier_of(FIXTURE, only=["baking"]) is not first
    assert classifier_of(FIXTURE, only="baking") is classifier_of(FIXTURE, only=["baking"])


def test_a_bundle_that_was_replaced_is_loaded_again(model_copy: Path) -> None:
    """The one on disk is used, and a bundle that was read before still is what it was."""
    before = Bundle.read(model_copy)
    batch = batch_of([TEXTS[0]])
    assert tag_batch(batch, model=model_copy).column("label").to_pylist() == ["baking"]
    change(model_copy, "cooking")
    assert tag_batch(batch, model=model_copy).column("label").to_pylist() == ["cooking"]
    assert tag_batch(batch, model=before).column("label").to_pylist() == ["baking"]


def test_a_bundle_that_is_replaced_while_it_is_loaded_is_refused(
    model_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the answers of one model would be given in the name of another, as long as the process lives."""
    load = Classifier.load

    def late_load(folder: Path, *arguments: object) -> Classifier:
        change(model_copy, "grilling")
        return load(folder, *arguments)  # type: ignore[arg-type]

    change(model_copy, "roasting")
    monkeypatch.setattr(Classifier, "load", late_load)
    with pytest.raises(ModelError, match="changed while it was read"):
        classifier_of(model_copy)


def test_threads_share_one_classifier(model_copy: Path) -> None:
    """It is loaded once though all want it at once, and the answers are those of one thread."""
    change(model_copy, "frying")  # which this process has not loaded yet
    batch = batch_of(SOME * 100)
    barrier = threading.Barrier(4)
    loaded: list[Classifier] = []
    tagged: list[pa.RecordBatch] = []

    def work() -> None:
        barrier.wait()
        loaded.append(classifier_of(model_copy))
        tagged.append(tag_batch(batch, model=model_copy))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 4
    assert len({id(classifier) for classifier in loaded}) == 1
    assert all(each.equals(tag_batch(batch, model=model_copy)) for each in tagged)


def test_a_pickled_bundle_tags_in_a_process_without_its_folder(model_copy: Path, tmp_path: Path) -> None:
    """As on a worker without the files, which gets the batch and the bundle over the network; the answers are the same."""
    change(model_copy, "boiling")
    batch = batch_of(SOME, id=range(len(SOME)))
    expected = tag_batch(batch, model=model_copy, scores=True)
    (tmp_path / "task").write_bytes(pickle.dumps((batch, Bundle.read(model_copy))))
    shutil.rmtree(model_copy)
    code = (
        "import pickle, sys; from sotag_edge.arrow import tag_batch; batch, bundle = pickle.load(open('task', 'rb'));"
        "pickle.dump(tag_batch(batch, model=bundle, scores=True), sys.stdout.buffer)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    assert pickle.load(io.BytesIO(done.stdout)).equals(expected)  # noqa: S301  # our own


def test_pyarrow_is_loaded_by_this_module_only() -> None:
    """150 MB that a device does without."""
    code = (
        "import json, sys; import sotag_edge, sotag_edge.classifier, sotag_edge.pipeline, sotag_edge.cli.app;"
        f"sotag_edge.Classifier.load({str(FIXTURE)!r}).classify('bread');"
        "before = 'pyarrow' in sys.modules; import sotag_edge.arrow; print(json.dumps([before, 'pyarrow' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(done.stdout) == [False, True]


@pytest.mark.parametrize("batch", [pa.table({"text": ["bread"]}), None, ["bread"]])
def test_what_is_no_batch_is_refused(batch: Any) -> None:
    """The error names what is taken."""
    with pytest.raises(UsageError, match=r"takes a pyarrow\.RecordBatch, not a (Table|NoneType|list)"):
        tag_batch(batch, model=FIXTURE)
