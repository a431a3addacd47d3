"""The lines of a table, for ``csv.reader``: decoded, bounded, and given back where a bad record took too many."""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

from sotag_edge.formats.decoding import LONGEST, chunks_of, decode, ended_pieces

_LONGEST_HEADER = 1 << 20  # bytes, in which the kind of line end is looked for
_MOST_LINES = 1000  # that follow an error and may belong to the bad record
_MOST_AGAIN = 1 << 20, 0.75  # characters that are read again: so many, and this part of all that are read
_LINE_END = re.compile(rb"\r\n?|\n")
_LONE_RETURN = re.compile(r"\r(?!\n)")


class Line(NamedTuple):
    """A line. ``replaced``: whether bytes of it were replaced. ``is_whole``: ``False`` if it was too long, and is empty."""

    number: int
    text: str
    replaced: bool = False
    is_whole: bool = True


class Lines:
    """The lines of a stream, each as soon as it ends. ``record``: those that were read since ``begin``.

    Lines end with LF or CRLF, or with CR if the header does. A record that grows longer than ``LONGEST`` characters looks
    like the end of the stream.
    """

    def __init__(self, stream: BinaryIO, *, has_quotes: bool) -> None:
        self.record: list[Line] = []
        self._size = 0  # characters of the record
        self._at_end = False
        self._again: deque[Line] = deque()
        self._read = self._given_back = 0  # characters
        self._lines = _decoded(ended_pieces(_chunks(stream, has_quotes=has_quotes), b"\n"))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = None
        if self._size <= LONGEST:
            line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None:
            self._at_end = True
            raise StopIteration
        self.record.append(line)
        self._size += len(line.text)
        self._read += len(line.text)
        return line.text

    def begin(self) -> None:
        """Begin a record."""
        self.record, self._size, self._at_end = [], 0, False

    def are_whole(self) -> bool:
        """Whether no line of the record was too long."""
        return all(line.is_whole for line in self.record)

    def give_back(self, count: int) -> None:
        """Give back the lines of the record after the first ``count``, to be read again."""
        self._again.extendleft(reversed(self.record[count:]))
        self.record = self.record[:count]

    def end_bad_record(self, delimiter: str) -> bool:
        """Go to the end of a record in which an error was met; returns whether a quote of it is never closed.

        The record ends at the line that makes the number of its quotes even. If a line that begins a row of its own comes
        first, or the stream ends, only the first line is bad, and the others are given back.
        """
        begins_row = _begins_row(delimiter)
        known = len(self.record)
        index = quotes = 0
        is_unclosed = False
        while not is_unclosed and (index < known or quotes % 2):
            text = self.record[index].text if index < known else next(self, "")
            quotes += text.count('"')
            is_unclosed = self._at_end or index > known + _MOST_LINES or (index > 0 and bool(begins_row.match(text)))
            index += 1
        # subtle: the limit keeps the time for a stream of bad records linear.
        if is_unclosed and self._given_back <= _MOST_AGAIN[0] + _MOST_AGAIN[1] * self._read:
            self._given_back += self._size - len(self.record[0].text)
            self.give_back(1)
        return is_unclosed


def _begins_row(delimiter: str) -> re.Pattern[str]:
    r"""Matches a line whose first quote opens a field, and does not close one of the lines before.

    >>> [bool(_begins_row(",").match(line)) for line in ('1,"a "b" c', 'a",b', '",b', '"\n')]
    [True, False, False, False]
    """
    mark = re.escape(delimiter)
    return re.compile(rf'(?:[^"]*{mark})?"(?!{mark}|\r?\n|$)')


def _decoded(pieces: Iterator[tuple[bytes | None, bool]]) -> Iterator[Line]:
    for number, (content, ended) in enumerate(pieces, start=1):
        if not ended and content == b"":  # nothing follows the last line end
            return
        if content is None:
            yield Line(number, "\n", is_whole=False)
            continue
        text, replaced = decode(content.removeprefix(codecs.BOM_UTF8) if number == 1 else content)
        # The library stops at a NUL before Python 3.11, and always at a lone carriage return.
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        text = _LONE_RETURN.sub(" ", text + "\n") if ended else _LONE_RETURN.sub(" ", text.removesuffix("\r"))
        yield Line(number, text, replaced)


def _chunks(stream: BinaryIO, *, has_quotes: bool) -> Iterator[bytes]:
    """The stream in pieces as they arrive. Where CR ends the header, all line ends become LF."""
    chunks = chunks_of(stream)
    head = b""
    while not (end := _header_end(head, has_quotes=has_quotes)) and len(head) < _LONGEST_HEADER:
        chunk = next(chunks, b"")
        head += chunk
        if not chunk:
            break
    if end != b"\r":
        yield from chain([head], chunks)
        return
    last = b""
    for chunk in chain([head], chunks):
        # subtle: a CR ends its line at once; an LF that arrives later is the rest of that line end.
        new = chunk[1:] if last == b"\r" and chunk.startswith(b"\n") else chunk
        yield new.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        last = chunk[-1:]


def _header_end(head: bytes, *, has_quotes: bool) -> bytes | None:
    r"""The first line end outside quotes, or the first LF at all; ``None`` if more bytes must be read.

    >>> _header_end(b'"a\rb",c\r1', has_quotes=True), _header_end(b"a\r", has_quotes=True)
    (b'\r', None)
    """
    line, feed, _ = head.partition(b"\n")
    outside = b" ".join((line + feed).split(b'"')[::2]) if has_quotes else line + feed
    match = _LINE_END.search(outside)
    if match is None:
        return feed or None
    if match[0] == b"\r" and match.end() == len(outside) and line.endswith(b"\r"):
        return None  # perhaps the LF follows
    return match[0]
