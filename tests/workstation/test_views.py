"""The views of test texts: what people would have typed."""

from __future__ import annotations

import pytest

from sotag_convert.learn.augment import title
from sotag_convert.report.views import raw, views
from sotag_edge.tokenizer import tokenize


def test_without_a_mask_the_texts_are_as_given() -> None:
    """A person's own data has nothing to unmask."""
    assert views(["one", "two"], ["a", "b"], None) == {"as given": ["one", "two"]}


def test_the_views_of_a_masked_text() -> None:
    """The tag's name comes back in each unmasked view, the title alone in the last two."""
    text = '"how do i reverse a blank list? my loop stops..for x in items:.    print(x)"'
    found = views([text], ["python"], "blank")
    assert list(found) == ["masked", "unmasked", "raw", "title", "title, masked"]
    assert found["masked"] == [text]
    assert "ython" in found["unmasked"][0]
    assert found["title, masked"] == ["how do i reverse a blank list?"]
    assert found["title"][0].lower().startswith("how do i reverse a python")
    assert views([text], ["python"], "blank") == found


@pytest.mark.parametrize(
    ("flat", "restored"),
    [
        ('"he said ""no"" to i. why?"', 'He said "no" to i. Why?'),
        ("if (a &amp;lt; b) {.  run();.}", "If (a < b) {\n  run();\n}"),
        ("a c# list in javascript. and java? i do", "A C# list in JavaScript. And Java? I do"),
        ("import java.util.list;..why", "Import java.util.list;\n\nWhy"),
    ],
)
def test_raw_restores_what_it_can(flat: str, restored: str) -> None:
    """Entities, doubled quotes, line ends, capitals, the names of languages; not the insides of code."""
    assert raw(flat) == restored


def test_raw_reads_the_same_to_the_tokenizer() -> None:
    """The tokenizer makes flattened and raw text meet: what was restored gives nearly the same tokens."""
    flat = "why is my array empty?..int[] a = new int[3];.for (int i = 0; i &lt; 3; i++) {.  a[i] = i;.}"
    assert tokenize(raw(flat)) == tokenize(flat)


def test_a_title_is_the_first_sentence() -> None:
    """It ends at a question mark, at a full stop before a space, or where a line ended; and is never endless."""
    assert title("sorting of many rows. it is slow") == "sorting of many rows. "
    assert title("why does it stop here..and so on") == "why does it stop here.."
    assert len(title("word " * 100)) == 120
    assert title("") == ""
