"""Test texts -> the views of them that stand for what people type.

The Stack Overflow texts are lower-cased, flattened, and have "blank" wherever their authors named the tag. A model that is
good at those alone is of no use to anybody, so it is measured on four more views of the same questions.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Mapping, Sequence

from sotag_convert.learn.augment import SPELLINGS, title, unmask

AS_GIVEN = "as given"
MASKED, UNMASKED, RAW, TITLE, TITLE_MASKED = "masked", "unmasked", "raw", "title", "title, masked"

_LINE_END = re.compile(r"(?<=[;{}>:,)])\.+|\.{2,}")
_SENTENCE_START = re.compile(r"(^|[.?!] +|\n\n)([a-z])")  # not a line of code


def views(texts: Sequence[str], labels: Sequence[str], mask: str | None) -> Mapping[str, Sequence[str]]:
    """The texts of each view, by its name, in the order of ``texts``; ``labels``: each text's label.

    Without a mask there is one, the texts as given. With one: ``masked`` (as given), ``unmasked`` (the mask replaced by the
    tag as its author would have typed it), ``raw`` (that, with lines, case and marks restored as far as they can be),
    ``title`` (the first sentence, unmasked) and ``title, masked``.
    """
    if mask is None:
        return {AS_GIVEN: texts}
    draw = random.Random(0)
    unmasked = [unmask(text, mask, label, draw) for text, label in zip(texts, labels, strict=True)]
    return {
        MASKED: texts,
        UNMASKED: unmasked,
        RAW: [raw(text) for text in unmasked],
        TITLE: [title(text) for text in unmasked],
        TITLE_MASKED: [title(text) for text in texts],
    }


def raw(text: str) -> str:
    r"""A flattened text as it may have been typed: entities decoded, line ends, doubled quotes and capitals restored.

    >>> raw('"how do i write a c# loop?..i tried:.for (;;) {.print(""a &lt; b"");.}"')
    'How do I write a C# loop?\n\nI tried:\nfor (;;) {\nprint("a < b");\n}'
    """
    text = html.unescape(html.unescape(text.strip().strip('"').replace('""', '"')))
    text = _LINE_END.sub(lambda found: "\n" * min(2, len(found[0])), text)
    text = _SENTENCE_START.sub(lambda found: found[1] + found[2].upper(), text)
    text = re.sub(r"\bi\b(?=['\s])", "I", text)
    for usual, *_ in SPELLINGS.values():
        text = re.sub(rf"(?<![\w./$]){re.escape(usual.lower())}(?![\w./]\w)", usual, text)
    return text
