"""``DataSettings``: how labelled data is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sotag_edge.formats import Fields

LABEL_FIELD = "label"
SPLIT_FIELD = "split"
_FIELDS = Fields(label=LABEL_FIELD)


@dataclass(frozen=True, slots=True)
class DataSettings:
    """How labelled data is read; by default everything is recognised.

    ``fields``: those with the text and the label of a record. ``input_format``: the format of all files; ``None``
    recognises that of each. ``label_separator``: the text between the labels of one record. ``split_field``: the field that
    says which part of the data set a record is in; ``None`` is "split" in the records that have it, and "" is none.
    ``multi_label``: a text may have several labels even if none has. ``tags``: the labels to keep, by default all that have
    ``min_texts`` training texts. ``test``: a file or folder of test texts. ``archive``: local copies of a public data set
    (public.py).
    """

    fields: Fields = _FIELDS
    input_format: str | None = None
    label_separator: str | None = None
    split_field: str | None = None
    multi_label: bool = False
    tags: tuple[str, ...] = ()
    min_texts: int | None = None
    test: str | None = None
    archive: Path | None = None


DEFAULT = DataSettings()
