"""A folder of labelled text, or the name ``stackoverflow`` -> a ``Dataset``. Reads text as it is; changes none of it.

The folder holds ``train/<label>/*.txt``, one text a file, and may hold ``test/<label>/*.txt``: the layout of Keras'
``text_dataset_from_directory`` and of TensorFlow's own text data sets. A folder ``unknown`` among the labels' holds texts
that have none of them.

``stackoverflow`` is joined by ``questions.jsonl``, short questions and texts about something else that this project wrote:
people type titles alone, of libraries that 8,000 old questions seldom or never name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from sotag_convert.data import stackoverflow as download
from sotag_edge.classifier import UNKNOWN_LABEL
from sotag_edge.errors import InputError


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts and, for each, the number of its label."""

    texts: tuple[str, ...]
    targets: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def split(self, fraction: float, seed: int) -> tuple[Examples, Examples]:
        """The examples without a share of each label, and that share. Raises ``InputError`` if a label is too small."""
        from sklearn.model_selection import train_test_split

        numbers = range(len(self))
        try:
            kept, taken = train_test_split(numbers, test_size=fraction, stratify=self.targets, random_state=seed)
        except ValueError as error:
            raise InputError(
                f"{len(self)} texts cannot give {fraction:.0%} to validation, some of each label ({error}): "
                "give more texts, another --validation, or 0"
            ) from error
        return self.take(kept), self.take(taken)

    def joined(self, others: Examples) -> Examples:
        """These examples and then those."""
        return Examples(self.texts + others.texts, self.targets + others.targets)

    def take(self, numbers: list[int]) -> Examples:
        """The examples of these positions, in this order."""
        return Examples(tuple(self.texts[n] for n in numbers), tuple(self.targets[n] for n in numbers))


_NONE = Examples((), ())


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled text. ``labels`` are in alphabetical order, the order of the network's outputs."""

    name: str
    labels: tuple[str, ...]
    train: Examples
    test: Examples | None
    licence: str | None = None
    mask: str | None = None
    """The word that stands where the texts' authors named their tag (``blank`` in the Stack Overflow data)."""
    own: Examples = _NONE
    """Short questions of this project's own: learned from too, and never kept apart to validate on."""
    others: tuple[str, ...] = ()
    """Texts that have none of the labels, of which the network learns to be unsure."""

    def sha256(self) -> str:
        """A hash of the training texts and their labels, for the manifest."""
        digest = hashlib.sha256()
        learned = self.train.joined(self.own)
        pairs = [(self.labels[target], text) for text, target in zip(learned.texts, learned.targets, strict=True)]
        for label, text in [*pairs, *((UNKNOWN_LABEL, text) for text in self.others)]:
            digest.update(f"{label}\0{text}\0".encode("utf-8", errors="surrogatepass"))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled texts to measure a model on. ``name``: which they are; ``mask``, ``others``: see ``Dataset``."""

    name: str
    examples: Examples
    mask: str | None = None
    others: tuple[str, ...] = ()


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error


@_readable()
def load(data: str) -> Dataset:
    """The data set in a folder, or the public one called ``stackoverflow``. Raises ``InputError``."""
    if data == download.STACK_OVERFLOW:
        dataset = _read_folder(download.stack_overflow(), name=data)
        own, others = _own_questions(dataset.labels)
        return replace(dataset, licence=download.LICENCE, mask=download.MASK, own=own, others=others)
    return _read_folder(Path(data), name=Path(data).resolve().name)


def _read_folder(folder: Path, name: str) -> Dataset:
    if not folder.is_dir():
        raise InputError(
            f"no data at {folder}: give a folder that holds train/<label>/*.txt, or the name {download.STACK_OVERFLOW!r}"
        )
    train = folder / "train"
    folders = sorted(entry.name for entry in train.iterdir() if entry.is_dir()) if train.is_dir() else []
    labels = [name for name in folders if name != UNKNOWN_LABEL]
    unwritable = [given for given in (*labels, name) if not _is_utf8(given)]
    if unwritable:
        raise InputError(f"{unwritable[0]!r} is not a name in UTF-8, which a model's files are in: rename the folder")
    if len(labels) < 2:
        raise InputError(
            f"{train} has {len(labels)} label folders, and two or more are needed: one text a file, as train/<label>/*.txt"
        )
    test = folder / "test"
    return Dataset(
        name,
        tuple(labels),
        _read_split(train, labels),
        _read_split(test, labels) if test.is_dir() else None,
        others=_read_split(train, [UNKNOWN_LABEL]).texts if UNKNOWN_LABEL in folders else (),
    )


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def own_questions() -> list[tuple[str, str]]:
    """The label, or ``unknown``, and the text of each entry of ``questions.jsonl``."""
    content = resources.files("sotag_convert.data").joinpath("questions.jsonl").read_text(encoding="utf-8")
    entries = (json.loads(line) for line in content.split("\n") if line)
    return [(entry["label"], entry["text"]) for entry in entries]


def _own_questions(labels: tuple[str, ...]) -> tuple[Examples, tuple[str, ...]]:
    entries = own_questions()
    own = [(text, labels.index(label)) for label, text in entries if label != UNKNOWN_LABEL]
    return (
        Examples(tuple(text for text, _ in own), tuple(target for _, target in own)),
        tuple(text for label, text in entries if label == UNKNOWN_LABEL),
    )


def _read_split(folder: Path, labels: list[str]) -> Examples:
    texts: list[str] = []
    targets: list[int] = []
    for target, label in enumerate(labels):
        files = sorted((folder / label).glob("*.txt"))
        if not files:
            raise InputError(f"the label {label!r} has no texts: there is no .txt file in {folder / label}")
        for file in files:
            try:
                texts.append(file.read_text(encoding="utf-8-sig", errors="replace"))
            except OSError as error:
                raise InputError(f"{file} cannot be read: {error.strerror}") from error
            targets.append(target)
    return Examples(tuple(texts), tuple(targets))


@_readable()
def load_labelled(data: str, labels: tuple[str, ...]) -> Labelled:
    """The texts to measure a model of these labels on: a data set's test texts, or its training texts where it has no
    others, or the ``<label>/*.txt`` of a folder that is not a data set. Raises ``InputError``."""
    public = data == download.STACK_OVERFLOW
    folder = download.stack_overflow() if public else Path(data)
    if not folder.is_dir():
        raise InputError(f"no data at {folder}: give a folder that holds test/<label>/*.txt, or <label>/*.txt")
    split = next((name for name in ("test", "train") if (folder / name).is_dir()), None)
    parent = folder / split if split else folder
    folders = sorted(entry.name for entry in parent.iterdir() if entry.is_dir())
    found = [name for name in folders if name != UNKNOWN_LABEL]
    if not found or not set(found) <= set(labels):
        raise InputError(f"{data} has the labels {', '.join(found) or '(none)'}, and the model {', '.join(labels)}")
    examples = _read_split(parent, found)
    others = _read_split(parent, [UNKNOWN_LABEL]).texts if UNKNOWN_LABEL in folders else ()
    targets = tuple(labels.index(found[target]) for target in examples.targets)
    name = {"test": "test texts", "train": "training texts", None: "texts"}[split]
    return Labelled(name, Examples(examples.texts, targets), download.MASK if public else None, others)
