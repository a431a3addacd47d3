"""Folders of labelled texts, one text per file -> texts with their labels.

The layout is that of Keras' ``text_dataset_from_directory``: ``<label>/*.txt``, in ``train/`` and ``test/`` for a data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sotag_edge.errors import InputError


def label_folders(folder: Path) -> list[str]:
    """The names of the folders in a folder, in alphabetical order; none if there is no such folder."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []


def read_labels(folder: Path, labels: Sequence[str]) -> list[tuple[str, str]]:
    """Each text in the folders of these labels, with its label. Raises ``InputError`` if a label has no texts."""
    return [(text, label) for label in labels for text in _read_label(folder, label)]


def _read_label(folder: Path, label: str) -> list[str]:
    files = sorted((folder / label).glob("*.txt"))
    if not files:
        raise InputError(f"the label {label!r} has no texts: there is no .txt file in {folder / label}")
    return [file.read_text(encoding="utf-8-sig", errors="replace") for file in files]
