"""Folders of labelled texts, one text per file -> texts with their labels.

The layout is that of Keras' ``text_dataset_from_directory``: ``<label>/*.txt``, in ``train/`` and ``test/`` for a data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sotag_convert.data.reading import Reader
from sotag_edge.errors import InputError
from sotag_edge.sources import Folders

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


def read_labels(folder: Path, labels: Sequence[str], reader: Reader) -> list[tuple[str, str]]:
    """Each text in the folders of these labels, with its label. Raises ``InputError`` if a label has no texts.

    Files that are not text are left out.
    """
    return [(text, label) for label in labels for text in _read_label(folder / label, reader)]


def _read_label(folder: Path, reader: Reader) -> list[str]:
    has_texts = next(folder.rglob(_TEXTS.glob), None) is not None
    documents = reader.read(str(folder), skip_binary=True, folders=_TEXTS) if has_texts else ()
    texts = [document.text for document in documents]
    if not texts:
        raise InputError(f"the label {folder.name!r} has no texts: there is no .txt file with text in {folder}")
    return texts
