"""Folders of labelled texts, one text per file -> texts with their labels.

The layout is that of Keras' ``text_dataset_from_directory``: ``<label>/*.txt``, in ``train/`` and ``test/`` for a data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sotag_convert.data.reading import read
from sotag_edge.errors import InputError
from sotag_edge.sources import Folders

_TEXTS = Folders(recursive=True, glob="*.txt")


def label_folders(folder: Path) -> list[str]:
    """The names of the folders in a folder, in alphabetical order; none if there is no such folder."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []


def read_labels(folder: Path, labels: Sequence[str]) -> list[tuple[str, str]]:
    """Each text in the folders of these labels, with its label. Raises ``InputError`` if a label has no texts."""
    return [(text, label) for label in labels for text in _read_label(folder / label)]


def _read_label(folder: Path) -> list[str]:
    texts = [document.text for document in read(str(folder), folders=_TEXTS)] if folder.is_dir() else []
    if not texts:
        raise InputError(f"the label {folder.name!r} has no texts: there is no .txt file in {folder}")
    return texts
