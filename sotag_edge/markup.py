"""HTML -> the text that a person reads: tags removed, code kept, entities decoded, in time linear in its length.

Not by the standard library's parser, whose time is quadratic in hostile input (python/cpython#135462; 150 KB of "<a " took
11 minutes), and which loses the text after an unclosed "<script>" and after the "<" of "i<n". Here "<" begins a tag only
where a tag ends before the next "<"; any other one is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sotag_edge.tokenizer import decode_entities

# subtle: no part of the pattern passes over a "<", so that all attempts together read each character once or twice.
_TAG = re.compile(
    r"""<(?:/?(?P<name>[a-z][^\s<>/]*)(?=[\s>/])(?:"[^"<]*"|'[^'<]*'|[^<>"'])*>  # with attributes
    |/?(?P<broken>[a-z][^\s<>/]*)(?=[\s>/])[^<>]*>                               # with a quote that does not end
    |(?P<comment>!--)|(?P<other>!\[CDATA\[|[!?][^<>]*>|/>))                       # a doctype, an instruction""",
    re.IGNORECASE | re.VERBOSE,
)
# Elements within a line. At any other tag, of a block, a cell, a button or an option, a line ends.
_INLINE = "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark nobr q s samp small span strike"
_UNREAD = frozenset({"script", "style"})
_WITHIN_LINES = _UNREAD.union(_INLINE.split(), ["strong", "sub", "sup", "time", "tt", "u", "var", "wbr"])


def strip_markup(markup: str) -> str:
    r"""The text of a piece of HTML, with a line end where a block starts or ends. Every input gives a text.

    >>> strip_markup("<p>Why is <code>a &lt; b</code> false?</p><pre>for (i=0; i<n; i++)</pre>")
    'Why is a < b false?\n\nfor (i=0; i<n; i++)'
    """
    return decode_entities("".join(_pieces(markup))).strip()


def _pieces(markup: str) -> Iterator[str]:
    """The text between the tags, and the line ends of the blocks."""
    closings = _Closings(markup)
    place = 0
    while tag := _TAG.search(markup, place):
        yield markup[place : tag.start()]
        place = tag.end()
        if tag["comment"]:
            place = closings.after("-->", place)
            continue
        name = (tag["name"] or tag["broken"] or "").lower()
        if name in _UNREAD and markup[tag.start() + 1] != "/":
            place = closings.after(f"</{name}", place)
        if name and name not in _WITHIN_LINES:
            yield "\n"
    yield markup[place:]


class _Closings:
    """Finds what closes an element that is not read. Without one nothing is left out: its text is kept."""

    def __init__(self, markup: str) -> None:
        self._folded: str | None = None
        self._markup = markup
        self._missing: set[str] = set()  # searched for up to the end already

    def after(self, closing: str, place: int) -> int:
        """The end of the next ``closing`` in any case, or ``place`` if there is none."""
        if closing in self._missing:
            return place
        if self._folded is None:
            # Character by character, because lower() can change the length.
            self._folded = self._markup.translate(_LOWER)
        start = self._folded.find(closing, place)
        if start < 0:
            self._missing.add(closing)
            return place
        return start + (len(closing) if closing == "-->" else 0)


_LOWER = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
