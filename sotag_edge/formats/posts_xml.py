"""``posts-xml``: the questions of a Stack Exchange data dump's ``Posts.xml``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sotag_edge.document import Document
from sotag_edge.errors import InputError
from sotag_edge.formats.records import Fields

_QUESTION = "1"


def read(stream: BinaryIO, name: str, _: Fields) -> Iterator[Document]:
    """One document per question: its title and its body without markup, with the post's id."""
    from xml.etree import ElementTree

    from sotag_edge.markup import strip_markup

    try:
        # Expat itself refuses entities that grow without bound (since 2.4.1, 2021).
        events = ElementTree.iterparse(stream, events=("start", "end"))  # noqa: S314
        root = next(events)[1]
        for event, element in events:
            if event == "end" and element.tag == "row":
                if element.get("PostTypeId") == _QUESTION:
                    text = f"{element.get('Title', '')}\n{strip_markup(element.get('Body', ''))}"
                    yield Document(f"{name}:{element.get('Id')}", text, id=element.get("Id"))
                root.clear()  # keeps memory flat
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # the last two come from odd encodings
        yield Document(name, error=InputError(f"{name} is not a complete Posts.xml: {error}"))
