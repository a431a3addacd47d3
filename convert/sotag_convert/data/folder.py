"""Folders of labelled texts, one text per file -> texts with their labels.

The layout is that of Keras' ``text_dataset_from_directory``: ``<label>/*.txt``, in the folder itself, or in ``train/`` and
perhaps ``validation/`` and ``test/``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sotag_convert.data.labels import clean, label_set
from sotag_convert.data.reading import Reader
from sotag_convert.data.texts import PARTS, Parts, Texts
from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.errors import InputError
from sotag_edge.sources import Folders, expand

_TEXTS = Folders(recursive=True, glob="*.txt")
_NOT_LABELS = "__MACOSX"  # a folder of the archives that macOS makes


def label_folders(folder: Path) -> list[str]:
    """The names of the folders in a folder, in alphabetical order; none if there is no such folder.

    Hidden ones are left out, as hidden texts are.
    """
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir() if entry.is_dir())
    return sorted(name for name in names if not name.startswith(".") and name != _NOT_LABELS)


def part_folders(folder: Path) -> dict[str, Path]:
    """The folders of a data set by the name of their part. A folder without such folders is itself ``train``.

    A folder whose labels include "test" or "dev" is such a one.
    """
    if not (folder / "train").is_dir() and not label_folders(folder / "test"):
        return {"train": folder}
    return {PARTS[name]: folder / name for name in label_folders(folder) if name in PARTS and name != "training"}


def read_folder(folder: Path, reader: Reader, parts: Parts) -> None:
    """Add the texts of a data set to their parts. Raises ``InputError`` if it has no training texts, or a label no texts."""
    folders = part_folders(folder)
    if "train" not in folders:
        raise InputError(f"{folder} has test texts but no training texts: they are in train/<label>/*.txt")
    names = label_folders(folders["train"])
    labels = {clean(name) for name in names} - {UNKNOWN_LABEL}
    if len(labels) < 2:
        raise InputError(
            f"{folders['train']} has {len(labels)} label folders, and two or more are needed: <label>/*.txt, one text "
            "per file"
        )
    for part, place in folders.items():
        present = label_folders(place)
        further = [name for name in present if clean(name) not in {*labels, UNKNOWN_LABEL}]
        if further:
            raise InputError(
                f"{place / further[0]} has {part} texts of a label that {folders['train']} does not have: rename the "
                "folder, or remove it"
            )
        read_labels(place, present, reader, parts.part(part))


def read_labels(folder: Path, labels: Iterable[str], reader: Reader, texts: Texts) -> None:
    """Add each text in the folders of these labels. Raises ``InputError`` if a label has no texts.

    Files that are not text are left out.
    """
    for label in labels:
        try:
            labels_of_each = label_set(label)
        except ValueError as error:
            raise InputError(f"the name of the folder {str(folder / label)!r} {error}") from error
        for text in _read_label(folder / label, reader):
            texts.add(text, labels_of_each)


def _read_label(folder: Path, reader: Reader) -> Iterator[str]:
    first = next(iter(expand([str(folder)], _TEXTS)), None) if folder.is_dir() else None
    is_empty = True
    if isinstance(first, str):
        for document in reader.read(str(folder), skip_binary=True, folders=_TEXTS):
            is_empty = False
            yield document.text
    if is_empty:
        raise InputError(f"the label {folder.name!r} has no texts: there is no .txt file with text in {folder}")
