"""How the texts of the Stack Overflow data set differ from those that people type, and the versions that undo it.

The texts are whole questions, lower-cased and flattened, with the word "blank" wherever their authors named the tag. Real
questions name it and may be a title only: a model of the masked texts that scores 0.92 on such texts gets 0.70 on real ones.
So a model is trained on a second version of each text, and measured on four more views of the test texts.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sotag_convert.data.dataset import Origin
from sotag_convert.data.title import title

MASK = "blank"
"""The word that stands where the authors named the tag."""
MASKED, UNMASKED, RAW, TITLE, TITLE_MASKED = "masked", "unmasked", "raw", "title", "title, masked"

# How people write a tag in a sentence, the usual spelling more than once. Other tags are spelled as the label is.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "csharp": ("C#", "C#", "C#", "C#", "csharp", ".NET", "C# .NET"),
    "java": ("Java", "Java", "Java", "Java 8"),
    "javascript": ("JavaScript", "JavaScript", "Javascript", "JS"),
    "python": ("Python", "Python", "Python", "Python 3", "python3"),
}

_LINE_END = re.compile(r"(?<=[;{}>:,)])\.+|\.{2,}")
_SENTENCE_START = re.compile(r"(^|[.?!] +|\n\n)([a-z])")  # not a line of code


@dataclass(frozen=True, slots=True)
class StackOverflow(Origin):
    """The origin of the Stack Overflow texts."""

    licence: str | None = "CC BY-SA, by the contributors of Stack Overflow"

    def versions(self, text: str, labels: Sequence[str], draw: random.Random) -> list[str]:
        """The text with its tag masked, as in the benchmark, and with it named.

        In a text that names its tag, or has capitals, "blank" is only a word: those of the benchmark have none.
        """
        masked = mask(text, labels[0])
        if masked != text:
            return [masked, text]
        return [text, unmask(text, labels[0], draw)] if text == text.lower() else [text]

    def views(self, texts: Sequence[str], labels: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Five views: ``masked`` (the texts as they are), ``unmasked`` (the mask replaced by the tag as its author would
        have typed it), ``raw`` (unmasked, with lines, case and marks restored as far as possible), ``title`` (the first
        sentence, unmasked) and ``title, masked``."""
        draw = random.Random(0)
        unmasked = [unmask(text, label, draw) for text, label in zip(texts, labels, strict=True)]
        return {
            MASKED: texts,
            UNMASKED: unmasked,
            RAW: [raw(text) for text in unmasked],
            TITLE: [title(text) for text in unmasked],
            TITLE_MASKED: [title(text) for text in texts],
        }


def mask(text: str, label: str) -> str:
    """The text with the names of its tag masked, as in the benchmark.

    >>> mask("Java 8: how do I import java.util.* into a JavaScript file?", "java")
    'blank 8: how do I import blank.util.* into a JavaScript file?'
    """
    names = "c#|csharp" if label == "csharp" else re.escape(label)
    return re.sub(rf"(?<![^\W_])(?:{names})(?![^\W\d_]|#)", MASK, text, flags=re.IGNORECASE)


def unmask(text: str, label: str, draw: random.Random) -> str:
    """The text with the tag's name in place of the mask.

    Within code (``import blank.util``) the name is the label itself; within a sentence each text has one spelling. The
    same letters elsewhere (``target="_blank"``, the blanks in a form) stay.

    >>> unmask("blank: import blank.util.* into my _blank", "java", random.Random(1))
    'Java: import java.util.* into my _blank'
    """
    spelling = draw.choice(SPELLINGS.get(label, (label,)))
    text = re.sub(rf"(?<![\w./\\\"'$]){MASK}(?![\w/\\]|[.'\"]\w)", lambda _: spelling, text)
    return re.sub(rf"(?<!_){MASK}(?!s\b)", lambda _: label, text)


def raw(text: str) -> str:
    r"""A flattened text as it may have been typed: entities decoded, line ends, doubled quotes and capitals restored.

    >>> raw('"how do i write a c# loop?..i tried:.for (;;) {.print(""a &lt; b"");.}"')
    'How do I write a C# loop?\n\nI tried:\nfor (;;) {\nprint("a < b");\n}'
    """
    text = html.unescape(html.unescape(text.strip().strip('"').replace('""', '"')))
    text = _LINE_END.sub(lambda dots: "\n" * min(2, len(dots[0])), text)
    text = _SENTENCE_START.sub(lambda start: start[1] + start[2].upper(), text)
    text = re.sub(r"\bi\b(?=['\s])", "I", text)
    for usual, *_ in SPELLINGS.values():
        text = re.sub(rf"(?<![\w./$]){re.escape(usual.lower())}(?![\w./]\w)", usual, text)
    return text
