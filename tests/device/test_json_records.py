"""JSON that is not an object per line, and JSON values that are no text: one result each, in its place."""

from __future__ import annotations

import io

import pytest

from sotag_edge.formats import FORMATS, Fields, jsonl
from tests.records import FAULT, documents, outcomes

DEEP = 100_000


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"text": "a"}\n\n \n{"text": "b"}\n', ["a", FAULT, FAULT, "b"]),
        ('\n{"text": "a"}\n\n', [FAULT, "a", FAULT]),
        ('[{"text": "a"}, 7, {"text": "b"}]', ["a", FAULT, "b"]),
        ('\ufeff[\n  {\n    "text": "a"\n  },\n\n  {"text": "b"}\n]\n', ["a", "b"]),
        ('[{"text": "a"}\n,{"text": "b"}\n]', ["a", "b"]),
        ('[{\n"text": "a"}, {"text":\n"b"}]\n\n', ["a", "b"]),
        ('[\n{"text": "a"},\n{"text": "b"', ["a", FAULT]),
        ('[\n{"text": "a"},\n{"text": "b"},]', ["a", "b", FAULT]),
        ('[\n{"text": "a"}\n]\n{"text": "b"}', ["a", FAULT, "b"]),
        ('[{"text": "a"}]\n{"text": "b"}\n', ["a", "b"]),
        ('[{"text": "a"\n{"text": "b"}\n', [FAULT, "b"]),
        ("[]", [FAULT]),
        ("[\n]", [FAULT]),
        ("[", [FAULT]),
        ("[\n" + '{"text":[' * DEEP, [FAULT]),
        ('[1]\n{"text": "a"}\n', [FAULT, "a"]),
        ('{"text": "a"}\n[{"text": "b"}]\n', ["a", FAULT]),
        ('{\n  "text": "a",\n  "list": [\n    1\n  ]\n}\n{"text": "b"}\n', [FAULT, "b"]),
        ('{\n\t"text": "a"\n}\n{\n\t"text": "a"\n}\n', [FAULT, FAULT]),
        ('{\n  {"text": "a"}\n\nx\n', [FAULT, "a", FAULT, FAULT]),
        ('{"text": ' + "[" * DEEP + '\n{"text": "a"}\n', [FAULT, "a"]),
    ],
)
def test_json_that_is_not_an_object_per_line(content: str, expected: list[str]) -> None:
    """Blank lines have errors in their places; an array is read as its records; a spread object is one error."""
    assert [text for _, text in outcomes("jsonl", content)] == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("\n", "in:1 is a blank line, not a JSON object"),
        ('{\n "text": "a"\n}\n', "in:1 is not valid JSON: an object is spread over lines"),
        ('[\n{"text"]', "in:1: the JSON array is not valid here: Expecting ':' delimiter: line 2"),
        ("[\n\n]", "in is a JSON array without records"),
    ],
)
def test_the_fault_of_json_is_named(content: str, words: str) -> None:
    """With its place and what it should be."""
    (found,) = documents("jsonl", content)
    assert words in str(found.error)


def test_an_array_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is held in memory as a whole."""
    monkeypatch.setattr(jsonl, "_LONGEST_ARRAY", 1000)
    (found,) = documents("jsonl", "[\n" + '{"text": "a"},\n' * 1000)
    assert "in is a JSON array longer than" in str(found.error)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1", "a number"),
        ("-1e400", "a number"),
        ("true", "a boolean"),
        ("null", "null"),
        ("[]", "a list"),
        ("{}", "an object"),
    ],
)
def test_what_is_no_string_is_no_text(value: str, kind: str) -> None:
    """Also as the second of two fields."""
    found = documents("jsonl", f'{{"text": "a", "body": {value}}}\n{{"text": "a", "body": "b"}}', text=("text", "body"))
    assert str(found[0].error) == f"in:1: the field 'body' is {kind}, not a text"
    assert found[1].text == "a\nb"


@pytest.mark.parametrize(
    ("value", "text"), [("7", "7"), ("1.10", "1.10"), ("9" * 5000, "9" * 5000), ("true", "true"), ("null", None)]
)
def test_identifiers_and_labels_may_be_numbers(value: str, text: str | None) -> None:
    """As they are written in JSON."""
    (found,) = documents("jsonl", f'{{"text": "a", "k": {value}, "tag": {value}}}', id="k", label="tag")
    assert (found.error, found.id, found.label) == (None, text, text)


@pytest.mark.parametrize("begin", ["[\n", '[{"text": "cut,\n'])
def test_a_broken_array_costs_no_record(begin: str) -> None:
    """A stray first line looks like the begin of an array: one error, and the records of the lines are read."""
    lines = "".join(f'{{"text": "{n}"}}\n' for n in range(4))
    found = documents("jsonl", begin + lines)
    assert [document.text for document in found if not document.error] == ["0", "1", "2", "3"]
    assert sum(document.error is not None for document in found) == 1


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ('"a"', "a"),
        ("42", "42"),
        ("4.20", "4.20"),
        ("true", "true"),
        ("null", None),
        ('["a", 7, false]', ("a", "7", "false")),
        ("[]", ()),
    ],
)
def test_a_label_may_be_a_list(value: str, label: object) -> None:
    """Its entries are texts, numbers or booleans; null is no label."""
    stream = io.BytesIO(f'{{"text": "one", "label": {value}}}'.encode())
    (document,) = FORMATS["jsonl"].read(stream, "in", Fields(label="label"))
    assert (document.error, document.label) == (None, label)
    assert label is None or all(type(entry) is str for entry in label)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "words"), [("[null]", "a list with null"), ("[[]]", "a list with a list"), ("{}", "an obj")]
)
def test_another_label_is_an_error(value: str, words: str) -> None:
    """It names the record, the field and the kind of its value."""
    stream = io.BytesIO(f'{{"text": "one", "label": {value}}}'.encode())
    (document,) = FORMATS["jsonl"].read(stream, "in", Fields(label="label"))
    assert f"in:1: the field 'label' is {words}" in str(document.error)
