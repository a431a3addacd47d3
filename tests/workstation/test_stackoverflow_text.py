"""The Stack Overflow texts: the version with the tag named, and the views that models are measured on."""

from __future__ import annotations

import random

import pytest

from sotag_convert.data.stackoverflow_text import SPELLINGS, StackOverflow, mask, raw, unmask
from sotag_convert.data.title import title
from sotag_edge.tokenizer import tokenize


@pytest.mark.parametrize(
    ("label", "masked", "named"),
    [
        ("java", "import blank.util.list; in blankx.swing", "import java.util.list; in javax.swing"),
        ("python", "c:/blank27/lib and 'blank'", "c:/python27/lib and 'python'"),
        ("javascript", 'type="text/blank" target="_blank"', 'type="text/javascript" target="_blank"'),
        ("rust", "why does blank do this? fill the blanks", "why does rust do this? fill the blanks"),
    ],
)
def test_unmask_names_the_tag_in_code_by_its_label(label: str, masked: str, named: str) -> None:
    """Within code the name is the label; other uses of the same letters stay."""
    assert unmask(masked, label, random.Random(0)) == named


def test_unmask_spells_as_people_do() -> None:
    """Within a sentence a text has one of the usual spellings, and all of them come up."""
    draw = random.Random(0)
    texts = {unmask("a loop in blank, or two", "csharp", draw) for _ in range(100)}
    assert texts == {f"a loop in {spelling}, or two" for spelling in SPELLINGS["csharp"]}


@pytest.mark.parametrize(
    ("label", "named", "masked"),
    [
        ("java", "Java 8, java.util and _java_", "blank 8, blank.util and _blank_"),
        ("java", "JavaScript, javascript, javac and Java8", "JavaScript, javascript, javac and blank8"),
        ("javascript", "JavaScript, not Java or JS", "blank, not Java or JS"),
        (
            "csharp",
            "C#, c#: c#.net and CSharp, but C##, F# and aC#",
            "blank, blank: blank.net and blank, but C##, F# and aC#",
        ),
        ("python", "python27, ipython and IronPython", "blank27, ipython and IronPython"),
    ],
)
def test_mask_hides_the_names_of_the_tag(label: str, named: str, masked: str) -> None:
    """As in the benchmark, in code and before a digit too; other tags and longer words stay."""
    assert mask(named, label) == masked
    assert mask(masked, label) == masked


@pytest.mark.parametrize(
    ("label", "text", "versions"),
    [
        ("python", "a blank27 loop", ["a blank27 loop", "a python27 loop"]),
        ("python", "A python27 loop", ["A blank27 loop", "A python27 loop"]),
        ("csharp", "C# and blank lines", ["blank and blank lines", "C# and blank lines"]),
        ("java", "Sort a list", ["Sort a list"]),
    ],
)
def test_a_training_text_has_a_masked_version_and_one_that_names_the_tag(
    label: str, text: str, versions: list[str]
) -> None:
    """The last one is as people type it. A text that names its tag is that itself, and keeps its blanks."""
    assert StackOverflow().versions(text, [label], random.Random(0)) == versions


def test_the_views_of_a_masked_text() -> None:
    """Unmasked views have the name of the tag, the last two views are titles, and the views are the same every time."""
    text = '"how do i reverse a blank list? my loop stops..for x in items:.    print(x)"'
    views = StackOverflow().views([text], ["python"])
    assert list(views) == ["masked", "unmasked", "raw", "title", "title, masked"]
    assert views["masked"] == [text]
    assert "ython" in views["unmasked"][0]
    assert ":\n    print(x)" in views["raw"][0]
    assert views["title, masked"] == ["how do i reverse a blank list?"]
    assert views["title"][0].lower().startswith("how do i reverse a python")
    assert StackOverflow().views([text], ["python"]) == views


def test_each_text_of_a_view_has_its_own_tag() -> None:
    """Views keep the order of the texts."""
    views = StackOverflow().views(["fix blank1", "fix blank2"], ["java", "python"])
    assert views["unmasked"] == ["fix java1", "fix python2"]


@pytest.mark.parametrize(
    ("flat", "restored"),
    [
        ('"he said ""no"" to i. why?"', 'He said "no" to i. Why?'),
        ("if (a &amp;lt; b) {.  run();.}", "If (a < b) {\n  run();\n}"),
        ("a c# list in javascript. and java? i do", "A C# list in JavaScript. And Java? I do"),
        ("import java.util.list;..why", "Import java.util.list;\n\nWhy"),
    ],
)
def test_raw_restores_text(flat: str, restored: str) -> None:
    """Entities, doubled quotes, line ends, capitals and the names of languages are restored; code keeps its case."""
    assert raw(flat) == restored


def test_raw_text_has_the_tokens_of_the_flattened_text() -> None:
    """The tokenizer gives the same tokens for both."""
    flat = "why is my array empty?..int[] a = new int[3];.for (int i = 0; i &lt; 3; i++) {.  a[i] = i;.}"
    assert tokenize(raw(flat)) == tokenize(flat)


def test_a_title_is_the_first_sentence() -> None:
    """It ends at a question mark, at a full stop before a space, or at a line end, and has at most 120 characters."""
    assert title("sorting of many rows. it is slow") == "sorting of many rows. "
    assert title("why does it stop here..and so on") == "why does it stop here.."
    assert title("why? it stops in the loop? yes") == "why? it stops in the loop?"
    assert len(title("word " * 100)) == 120
    assert title("") == ""


def test_a_real_question_may_have_the_word_itself() -> None:
    """One with capitals was never masked, whether it names its tag or not."""
    draw = random.Random(0)
    assert StackOverflow().versions("Print a blank line", ["java"], draw) == ["Print a blank line"]
    named = "Print a blank line in Java"
    assert StackOverflow().versions(named, ["java"], draw) == ["Print a blank line in blank", named]
    assert StackOverflow().versions("print a blank line", ["java"], draw)[1] != "print a blank line"
