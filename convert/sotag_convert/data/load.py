"""A folder, a file of records, texts in memory, or the name ``stackoverflow`` -> a ``Dataset`` or ``LabelledTexts``.

The label ``unknown`` is for off-topic texts, which have none of the labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sotag_convert.data import folder as folders
from sotag_convert.data import stackoverflow
from sotag_convert.data.dataset import Dataset, Examples, LabelledTexts
from sotag_convert.data.reading import Reader
from sotag_convert.data.records import read_records
from sotag_convert.data.stackoverflow_text import StackOverflow
from sotag_edge.decision import UNKNOWN_LABEL
from sotag_edge.errors import InputError
from sotag_edge.formats import Fields

Pairs = Sequence[tuple[str, str]]
"""Texts, each with its label or ``unknown``."""
Say = Callable[[str], object]


def _say_nothing(_: str) -> None:
    pass


@contextmanager
def _reading(say: Say) -> Iterator[Reader]:
    reader = Reader()
    try:
        yield reader
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error
    finally:
        for note in reader.notes():
            say(note)


def load(data: str, fields: Fields | None = None, input_format: str | None = None, say: Say = _say_nothing) -> Dataset:
    """The data set in a folder or a file of records, or the public one called ``stackoverflow``. Raises ``InputError``.

    A folder holds ``train/<label>/*.txt`` and may hold ``test/<label>/*.txt``, and off-topic texts in ``train/unknown/``.
    ``fields``, ``input_format``: of a file of records, see ``read_records``; all its texts are training texts. ``say``
    receives a sentence about texts that were skipped because they are not text, or in which bytes were replaced.
    """
    with _reading(say) as reader:
        if data == stackoverflow.STACK_OVERFLOW:
            dataset = _dataset(data, *_read_folder(stackoverflow.stack_overflow(), reader))
            extra, off_topic = _examples(stackoverflow.extra_texts(), dataset.labels)
            return replace(dataset, extra=extra, off_topic=off_topic, origin=StackOverflow())
        path = _existing(data)
        if path.is_dir():
            return _dataset(path.resolve().name, *_read_folder(path, reader))
        return _dataset(path.name, read_records(data, fields, input_format, reader))


def load_labelled(
    data: str,
    labels: Sequence[str],
    fields: Fields | None = None,
    input_format: str | None = None,
    say: Say = _say_nothing,
) -> LabelledTexts:
    """The texts to measure a model with these labels on. Raises ``InputError``.

    They are the test texts of a data set, or its training texts if it has no test texts; the ``<label>/*.txt`` of another
    folder; or all texts of a file of records. ``say``: see ``load``.
    """
    with _reading(say) as reader:
        if data == stackoverflow.STACK_OVERFLOW:
            labelled = _labelled_folder(stackoverflow.stack_overflow(), data, labels, reader)
            return replace(labelled, origin=StackOverflow())
        path = _existing(data)
        if path.is_dir():
            return _labelled_folder(path, data, labels, reader)
        pairs = read_records(data, fields, input_format, reader)
    _check_labels(data, {label for _, label in pairs}, labels)
    return LabelledTexts("texts", *_examples(pairs, labels))


def from_texts(
    texts: Sequence[str],
    labels: Sequence[str],
    test_texts: Sequence[str] = (),
    test_labels: Sequence[str] = (),
    name: str = "texts",
) -> Dataset:
    """The data set of these texts; ``labels``: the label of each, or ``unknown``. Raises ``InputError``."""
    dataset = _dataset(name, _paired(texts, labels))
    if not test_texts and not test_labels:
        return dataset
    return replace(dataset, test=label_texts(test_texts, test_labels, dataset.labels).examples)


def label_texts(texts: Sequence[str], text_labels: Sequence[str], labels: Sequence[str]) -> LabelledTexts:
    """Texts to measure a model with these ``labels`` on; ``text_labels``: the label of each text, or ``unknown``.

    Raises ``InputError``.
    """
    pairs = _paired(texts, text_labels)
    _check_labels("this list", text_labels, labels)
    return LabelledTexts("texts", *_examples(pairs, labels))


def _paired(texts: Sequence[str], labels: Sequence[str]) -> Pairs:
    if len(texts) != len(labels):
        raise InputError(f"{len(texts)} texts and {len(labels)} labels: each text needs one label")
    empty = [number for number, label in enumerate(labels, start=1) if not isinstance(label, str) or not label.strip()]
    if empty:
        raise InputError(f"the label of text {empty[0]} is empty: {labels[empty[0] - 1]!r}")
    return list(zip(texts, labels, strict=True))


def _existing(data: str) -> Path:
    path = Path(data)
    if not path.exists():
        raise InputError(
            f"no data at {path}: use a folder that holds train/<label>/*.txt, a file of records, such as texts.csv, "
            f"or the name {stackoverflow.STACK_OVERFLOW!r}"
        )
    return path


def _read_folder(folder: Path, reader: Reader) -> tuple[Pairs, Pairs | None]:
    """The training texts of a data set, and its test texts if there are any."""
    names = folders.label_folders(folder / "train")
    labels = [label for label in names if label != UNKNOWN_LABEL]
    if len(labels) < 2:
        raise InputError(
            f"{folder / 'train'} has {len(labels)} label folders, and two or more are needed: train/<label>/*.txt, "
            "one text per file"
        )
    further = sorted(set(folders.label_folders(folder / "test")) - {*labels, UNKNOWN_LABEL})
    if further:
        raise InputError(
            f"{folder / 'test' / further[0]} has test texts of a label that {folder / 'train'} does not have: "
            "rename the folder, or remove it"
        )
    test = folders.read_labels(folder / "test", labels, reader) if (folder / "test").is_dir() else None
    return folders.read_labels(folder / "train", names, reader), test


def _labelled_folder(folder: Path, data: str, labels: Sequence[str], reader: Reader) -> LabelledTexts:
    names = {"test": "test texts", "train": "training texts"}
    split = next((split for split in names if (folder / split).is_dir()), "")
    present = folders.label_folders(folder / split)
    _check_labels(data, present, labels)  # before anything is read: it may be any folder
    pairs = folders.read_labels(folder / split, present, reader)
    return LabelledTexts(names.get(split, "texts"), *_examples(pairs, labels))


def _check_labels(data: str, present: Iterable[str], labels: Sequence[str]) -> None:
    """Raise ``InputError`` if there are no labels, or some that the model does not have."""
    names = sorted(set(present) - {UNKNOWN_LABEL})
    if not names or not set(names) <= set(labels):
        raise InputError(f"{data} has the labels {', '.join(names) or '(none)'}, and the model {', '.join(labels)}")


def _dataset(name: str, train: Pairs, test: Pairs | None = None) -> Dataset:
    labels = sorted({label for _, label in train} - {UNKNOWN_LABEL})
    unwritable = [text for text in (*labels, name) if text.encode(errors="replace").decode() != text]
    if unwritable:
        raise InputError(f"{unwritable[0]!r} is not a name in UTF-8, which the files of a model are in: rename it")
    if len(labels) < 2:
        raise InputError(f"{name} has {len(labels)} labels, and two or more are needed")
    examples, off_topic = _examples(train, labels)
    return Dataset(name, tuple(labels), examples, _examples(test, labels)[0] if test is not None else None, off_topic)


def _examples(pairs: Pairs, labels: Sequence[str]) -> tuple[Examples, tuple[str, ...]]:
    """The texts that have a label, and the off-topic ones."""
    numbers = {label: number for number, label in enumerate(labels)}
    labelled = [(text, numbers[label]) for text, label in pairs if label != UNKNOWN_LABEL]
    off_topic = tuple(text for text, label in pairs if label == UNKNOWN_LABEL)
    return Examples.single((text for text, _ in labelled), (target for _, target in labelled)), off_topic
