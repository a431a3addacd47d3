"""The labels that a text comes with -> a set of label names, or a reason why they are none.

Names that differ only in white space are one. The label ``unknown`` is for off-topic texts, which have none of the labels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.errors import InputError

_MOST_LISTED = 10  # labels in an error
LONGEST_LABEL = 1_000  # characters, as in a manifest

LabelSet = tuple[str, ...]
"""The different labels of a text in alphabetical order; empty for an off-topic text."""


def label_set(value: object, separator: str | None = None) -> LabelSet:
    """The labels of a text: ``value`` is one label, or a collection of them; an empty collection is an off-topic text.

    ``separator``: the text between the labels within a string. Raises ``ValueError`` with words that follow the name of the
    label or its field.

    >>> label_set(" support  team "), label_set(["b", "a", "b"]), label_set("a, b,", ","), label_set("unknown")
    (('support team',), ('a', 'b'), ('a', 'b'), ())
    """
    if isinstance(value, str):
        parts = [name for part in (value.split(separator) if separator else [value]) if (name := clean(part))]
        if not parts:
            raise ValueError(f"is empty: {value[:_SHOWN]!r}")
    elif isinstance(value, Collection):
        parts = []
        for entry in value:
            if not isinstance(entry, str) or not clean(entry):
                raise ValueError(f"has an empty label in its list: {entry!r}")
            parts.append(clean(entry))
    else:
        raise ValueError("is empty: None" if value is None else f"is {value!r}, not a string or a list of strings")
    labels = tuple(sorted(set(parts)))
    if UNKNOWN_LABEL not in labels:
        return labels
    if len(labels) > 1:
        raise ValueError(f"has {UNKNOWN_LABEL!r}, which is for texts with none of the labels, beside others")
    return ()


def clean(name: str) -> str:
    r"""The name of a label without white space around it, and with single spaces in it.

    >>> clean(" support\tteam ")
    'support team'
    """
    return " ".join(name.split())


def check_names(names: Iterable[str], place: str) -> None:
    """Raise ``InputError`` if a label, or the name of the data set, cannot be one of a model. ``place``: where they are."""
    for name in names:
        if name.encode(errors="replace").decode() != name:
            raise InputError(f"{name!r} is not a name in UTF-8, which the files of a model are in: rename it")
        if len(name) > LONGEST_LABEL:
            raise InputError(
                f"{place} has a label of {len(name):,} characters, {name[:_SHOWN]!r}..., and {LONGEST_LABEL:,} are the "
                "most: does the label field have the texts?"
            )
        if name != UNKNOWN_LABEL and name.casefold() == UNKNOWN_LABEL:
            raise InputError(
                f"{place} has the label {name!r}, which differs only in case from {UNKNOWN_LABEL!r}, the label of "
                f"off-topic texts: write {UNKNOWN_LABEL!r} if it is meant, or rename it"
            )


_SHOWN = 40  # characters in an error


def check_labels(data: str, present: Iterable[str], labels: Sequence[str]) -> None:
    """Raise ``InputError`` if there are no labels, or some that the model does not have."""
    names = set(present) - {UNKNOWN_LABEL}
    if not names or not names <= set(labels):
        others = listed(sorted(names - set(labels)) + sorted(names & set(labels))) or "(none)"
        raise InputError(f"{data} has the labels {others}, and the model {listed(labels)}")


def listed(names: Sequence[str]) -> str:
    """The first names, for a sentence."""
    more = f" and {len(names) - _MOST_LISTED:,} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more
