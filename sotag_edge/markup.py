"""HTML -> the text that a person reads: tags removed, code kept, entities decoded, in time linear in its length.

Not by the standard library's parser, whose time is quadratic in hostile input (python/cpython#135462; 150 KB of "<a " took
11 minutes), and which loses the text after an unclosed "<script>" and after the "<" of "i<n". Here "<" begins a tag only
where a tag ends before the next "<"; any other one is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sotag_edge.entities import decode_entities

_BEGIN = re.compile(
    r"<(?:/?(?P<name>[a-z][a-z0-9:_-]*)(?=[\s>/])|(?P<comment>!--)|!\[CDATA\[|(?P<other>[!?])|/>)", re.IGNORECASE
)
_UNQUOTED = re.compile("[^<>\"']*")
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
    place = search = 0
    while begin := _BEGIN.search(markup, search):
        search = begin.end()
        end = search
        if begin["name"] or begin["other"]:
            end = _tag_end(markup, search)
            if end < 0:
                continue  # no tag but text
        yield markup[place : begin.start()]
        if begin["comment"]:
            # "<!-->" is an empty comment; one that nothing closes is text.
            end = max(end, closings.after("-->", end - 2))
        name = (begin["name"] or "").lower()
        if name in _UNREAD and markup[begin.start() + 1] != "/":
            end = closings.after(f"</{name}", end)
        if name and name not in _WITHIN_LINES:
            yield "\n"
        place = search = end
    yield markup[place:]


def _tag_end(markup: str, place: int) -> int:
    """The end of a tag whose name ends at ``place``; -1 if no ">" closes it before the next "<".

    subtle: so that the time is linear, nothing here looks past the next "<".
    """
    limit = markup.find("<", place)
    limit = len(markup) if limit < 0 else limit
    first = markup.find(">", place, limit)
    end = place
    while first >= 0:
        mark = _UNQUOTED.match(markup, end).end()  # type: ignore[union-attr]
        if mark < limit and markup[mark] == ">":
            return mark + 1
        end = markup.find(markup[mark], mark + 1, limit) + 1 if mark < limit else 0
        if end == 0:  # a quote that does not end
            return first + 1
    return -1


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
