"""A folder of labelled texts, texts in memory, or the name ``stackoverflow`` -> a ``Dataset`` or ``LabelledTexts``.

The label ``unknown`` is for off-topic texts, which have none of the labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sotag_convert.data import folder as folders
from sotag_convert.data import stackoverflow
from sotag_convert.data.dataset import Dataset, Examples, LabelledTexts, Origin
from sotag_convert.data.stackoverflow_text import StackOverflow
from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.errors import InputError

Pairs = Sequence[tuple[str, str]]
"""Texts, each with its label or ``unknown``."""


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error


@_readable()
def load(data: str) -> Dataset:
    """The data set in a folder, or the public one called ``stackoverflow``. Raises ``InputError``.

    The folder holds ``train/<label>/*.txt`` and may hold ``test/<label>/*.txt``, and off-topic texts in ``train/unknown/``.
    """
    if data == stackoverflow.STACK_OVERFLOW:
        return _load_folder(stackoverflow.stack_overflow(), data, stackoverflow.extra_texts(), StackOverflow())
    return _load_folder(Path(data), Path(data).resolve().name)


@_readable()
def load_labelled(data: str, labels: Sequence[str]) -> LabelledTexts:
    """The texts to measure a model with these labels on. Raises ``InputError``.

    They are a data set's test texts, or its training texts if it has no test texts, or the ``<label>/*.txt`` of a folder
    that is not a data set.
    """
    public = data == stackoverflow.STACK_OVERFLOW
    folder = stackoverflow.stack_overflow() if public else Path(data)
    if not folder.is_dir():
        raise InputError(f"no data at {folder}: use a folder that holds test/<label>/*.txt, or <label>/*.txt")
    split = next((name for name in ("test", "train") if (folder / name).is_dir()), None)
    parent = folder / split if split else folder
    names = folders.label_folders(parent)
    present = [name for name in names if name != UNKNOWN_LABEL]
    if not present or not set(present) <= set(labels):
        raise InputError(f"{data} has the labels {', '.join(present) or '(none)'}, and the model {', '.join(labels)}")
    examples, off_topic = _examples(folders.read_labels(parent, names), labels)
    name = {"test": "test texts", "train": "training texts", None: "texts"}[split]
    return LabelledTexts(name, examples, off_topic, StackOverflow() if public else Origin())


def from_texts(texts: Sequence[str], labels: Sequence[str], name: str = "texts") -> Dataset:
    """The data set of these texts; ``labels``: the label of each, or ``unknown``. Raises ``InputError``."""
    if len(texts) != len(labels):
        raise InputError(f"{len(texts)} texts and {len(labels)} labels: each text needs one label")
    empty = [number for number, label in enumerate(labels, start=1) if not isinstance(label, str) or not label.strip()]
    if empty:
        raise InputError(f"the label of text {empty[0]} is empty: {labels[empty[0] - 1]!r}")
    return _dataset(name, list(zip(texts, labels, strict=True)))


def _load_folder(folder: Path, name: str, extra: Pairs = (), origin: Origin | None = None) -> Dataset:
    if not folder.is_dir():
        raise InputError(
            f"no data at {folder}: use a folder that holds train/<label>/*.txt, or the name {stackoverflow.STACK_OVERFLOW!r}"
        )
    names = folders.label_folders(folder / "train")
    labels = [label for label in names if label != UNKNOWN_LABEL]
    if len(labels) < 2:
        raise InputError(
            f"{folder / 'train'} has {len(labels)} label folders, and two or more are needed: train/<label>/*.txt, "
            "one text per file"
        )
    train = folders.read_labels(folder / "train", names)
    test = folders.read_labels(folder / "test", labels) if (folder / "test").is_dir() else None
    return _dataset(name, train, test, extra, origin)


def _dataset(
    name: str, train: Pairs, test: Pairs | None = None, extra: Pairs = (), origin: Origin | None = None
) -> Dataset:
    labels = sorted({label for _, label in train} - {UNKNOWN_LABEL})
    unwritable = [text for text in (*labels, name) if not _is_utf8(text)]
    if unwritable:
        raise InputError(f"{unwritable[0]!r} is not a name in UTF-8, which the files of a model are in: rename it")
    if len(labels) < 2:
        raise InputError(f"{name} has {len(labels)} labels, and two or more are needed")
    examples, off_topic = _examples(train, labels)
    extra_examples, extra_off_topic = _examples(extra, labels)
    return Dataset(
        name,
        tuple(labels),
        examples,
        None if test is None else _examples(test, labels)[0],
        off_topic + extra_off_topic,
        extra_examples,
        origin or Origin(),
    )


def _examples(pairs: Pairs, labels: Sequence[str]) -> tuple[Examples, tuple[str, ...]]:
    """The texts that have a label, and the off-topic ones."""
    numbers = {label: number for number, label in enumerate(labels)}
    labelled = [(text, numbers[label]) for text, label in pairs if label != UNKNOWN_LABEL]
    off_topic = tuple(text for text, label in pairs if label == UNKNOWN_LABEL)
    return Examples(tuple(text for text, _ in labelled), tuple(target for _, target in labelled)), off_topic


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
