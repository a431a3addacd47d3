"""HTML -> the text that a person reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge.markup import strip_markup


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<pre><code>if (a &lt; b) {\n}</code></pre>", "if (a < b) {\n}"),
        ("a<script>alert(1<2)</script>b<STYLE>p{}</style >c", "abc"),
        ("a<!-- <p>not read</p> -->b<!DOCTYPE html><?xml version='1'?>c", "abc"),
        ("unclosed <b>tag and a lone < sign", "unclosed tag and a lone < sign"),
        ("un<b>bel</b>iev<i title='a>b'>able</i>", "unbelievable"),
        ("<a href=\"x>y\">link</a><img alt='it's'>", "link"),
        ("<br/>a<br />b<BR>c", "a\nb\nc"),
        ("&#65;&#0065;&#x41;&amp;lt;&nbsp;&nosuch;", "AAA&lt;\N{NO-BREAK SPACE}&nosuch;"),
        ("<![CDATA[<p>one</p>]]>", "one\n]]>"),
    ],
)
def test_markup_is_removed(markup: str, text: str) -> None:
    """Tags, comments and scripts; code and entities stay readable."""
    assert strip_markup(markup) == text


@pytest.mark.parametrize(
    "tag", ["td", "th", "option", "button", "section", "article", "li", "dt", "label", "summary", "h1", "x-cell"]
)
def test_the_words_of_two_elements_stay_two(tag: str) -> None:
    """Cells, buttons, options and sections beside each other, closed or not, known or not."""
    assert strip_markup(f"<{tag}>pandas</{tag}><{tag}>numpy</{tag}>").split() == ["pandas", "numpy"]
    assert strip_markup(f"<{tag}>pandas<{tag} class='a'>numpy").split() == ["pandas", "numpy"]


@pytest.mark.parametrize(
    "begin", ["<script>", "<style type='a'>", "<!--", "<a href='", '<p title="x', "<", "</", "<b", "&#"]
)
def test_what_nothing_closes_is_text(begin: str) -> None:
    """The rest of the text is kept."""
    assert strip_markup(f"first {begin} pandas data frames").endswith("pandas data frames")


def test_code_that_looks_like_a_tag_is_text() -> None:
    """The loops of C have "i<n" in them, and no ">"."""
    code = "for (int i=0; i<n; i++) for (int j=0; j<m; j++) s+=a[i]<b;"
    assert strip_markup(code) == code
    assert strip_markup(f"<pre>{code}</pre>") == code


HOSTILE = [
    "<a ",
    "<a '",
    '<a "',
    "<!--",
    "<script>",
    "</",
    "<",
    "<a b=\"'",
    "i<n;",
    "&#",
    "&lt",
    "<a<",
    "<!",
    "</script",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_markup_takes_no_longer_than_any(unit: str) -> None:
    """With a quadratic method this test runs for hours."""
    for text in (unit * 400_000, "<a" + unit[-1] * 2_000_000, f"<a {unit[-1]}" + "'\"" * 1_000_000):
        assert isinstance(strip_markup(text), str)


@given(st.text(st.sampled_from("<>![]-/x &;#'\"=")))
def test_any_markup_gives_a_text(markup: str) -> None:
    """Also what is no markup at all."""
    assert strip_markup(f"begin {markup}").startswith("begin")


@given(st.text(alphabet=st.characters(exclude_characters="<>&", exclude_categories=["Cs"])))
def test_a_text_without_markup_stays(text: str) -> None:
    """But for the white space around it."""
    assert strip_markup(text) == text.strip()
