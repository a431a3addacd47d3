"""HTML -> the text that a person reads: tags removed, code kept, entities decoded, by the standard library's parser."""

from __future__ import annotations

from html.parser import HTMLParser

_BLOCKS = ("blockquote", "br", "dd", "div", "dl", "dt", "hr", "li", "ol", "p", "pre", "table", "td", "tr", "ul")
_LINES = frozenset([*_BLOCKS, "h1", "h2", "h3", "h4", "h5", "h6"])
_UNREAD = frozenset({"script", "style"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _UNREAD:
            self._unread += 1
        if tag in _LINES:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD:
            self._unread = max(0, self._unread - 1)
        if tag in _LINES:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.parts.append(data)


def strip_markup(markup: str) -> str:
    r"""The text of a piece of HTML, with a line end where a block starts or ends. Every input gives a text.

    >>> strip_markup("<p>Why is <code>a &lt; b</code> false?</p><pre>int a = 1;</pre>")
    'Why is a < b false?\n\nint a = 1;'
    """
    reader = _Reader()
    try:
        reader.feed(markup)
        reader.close()
    except AssertionError:  # the library's answer to "<![" without a section; the text stays as it is
        return markup.strip()
    return "".join(reader.parts).strip()
