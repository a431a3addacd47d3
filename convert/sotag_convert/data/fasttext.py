"""fastText's format -> texts with their labels: one text per line, with ``__label__x`` for each of its labels.

The labels are before the text or after it; in the middle they are words of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sotag_edge.document import Document
from sotag_edge.errors import InputError

PREFIX = "__label__"
_FIRST = re.compile(rf"(?:\s*{PREFIX}\S*)*\s*")
_LAST = re.compile(rf"\s{PREFIX}\S*$")


def labelled_lines(lines: Iterable[Document]) -> Iterator[Document]:
    """The documents of lines, with their labels: a tuple if there are several. Blank lines are left out.

    Raises ``InputError`` for a line without a label.
    """
    for line in lines:
        text, labels = split_line(line.text)
        if not labels and not text:
            continue
        if not labels:
            raise InputError(
                f"{line.source} has no label: a line of fastText's format begins with {PREFIX} and a label"
            )
        yield line._replace(text=text, label=labels[0] if len(labels) == 1 else labels)


def split_line(line: str) -> tuple[str, tuple[str, ...]]:
    """The text and the labels of a line.

    >>> split_line("__label__oven __label__bread why is my loaf flat ?")
    ('why is my loaf flat ?', ('oven', 'bread'))
    >>> split_line("why is my loaf flat ? __label__bread")
    ('why is my loaf flat ?', ('bread',))
    """
    start = _FIRST.match(line).end()  # type: ignore[union-attr]
    marks, text = line[:start].split(), line[start:].strip()
    while last := _LAST.search(text):
        marks.append(last[0].strip())
        text = text[: last.start()].rstrip()
    return text, tuple(mark.removeprefix(PREFIX) for mark in marks)
