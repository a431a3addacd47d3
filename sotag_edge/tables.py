"""Files of Arrow columns -> the same files with the columns of the answers: all of their columns, rows and order stay.

A file is read and written in small batches, and worker processes get the columns of the text only, so memory does not grow
with the file. Needs pyarrow: the extra ``arrow``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from sotag_edge.arrow import Columns
from sotag_edge.classifier import Classifier
from sotag_edge.column_files import readable
from sotag_edge.document import Document
from sotag_edge.errors import InputError, UsageError
from sotag_edge.formats import Format
from sotag_edge.pipeline import results_in_batches
from sotag_edge.sources import Folders, expand
from sotag_edge.workers import Processes, Work

Tag = Callable[[Iterable[pa.RecordBatch]], Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]]
"""Batches -> each with its answers, in order."""

_NOTE = b"sotag_edge"  # in the metadata of a tagged file: what it was made with


@contextmanager
def tagging(classifier: Classifier, columns: Columns, jobs: int = 1) -> Iterator[Tag]:
    """What tags the rows of batches, in this process or in ``jobs`` ones, until the block ends."""
    if jobs == 1:
        yield partial(_here, classifier, columns)
        return
    load = partial(Classifier, classifier.bundle, classifier.threshold, classifier.answerable)
    with Processes(partial(_tagging, load, columns), jobs) as processes:
        yield partial(_elsewhere, processes, columns)


def _here(
    classifier: Classifier, columns: Columns, batches: Iterable[pa.RecordBatch]
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    for batch in batches:
        yield batch, columns.answers(results_in_batches(columns.documents(batch), classifier))


def _elsewhere(
    processes: Processes, columns: Columns, batches: Iterable[pa.RecordBatch]
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    tasks = ((_packed(_texts(batch, columns)), batch) for batch in batches)
    for answers, batch in processes.answers(tasks):
        yield batch, _unpacked(answers)


def _texts(batch: pa.RecordBatch, columns: Columns) -> pa.RecordBatch:
    """The columns of the text. A dictionary has the values that occur: it would be sent as a whole with each batch."""
    names = list(dict.fromkeys(columns.text))
    return pa.RecordBatch.from_arrays([_compact(batch.column(name)) for name in names], names=names)


def _compact(column: pa.Array) -> pa.Array:
    if not pa.types.is_dictionary(column.type):
        return column
    places = column.indices.dictionary_encode()
    return pa.DictionaryArray.from_arrays(places.indices, column.dictionary.take(places.dictionary))


def _tagging(load: Callable[[], Classifier], columns: Columns) -> Work:
    """What a worker process does."""
    classifier = load()

    def work(task: bytes) -> bytes:
        batch = _unpacked(task)
        return _packed(columns.answers(results_in_batches(columns.documents(batch), classifier)))

    return work


def _packed(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _unpacked(content: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(content) as reader:
        return reader.read_next_batch()


@dataclass(frozen=True, slots=True)
class Files:
    """How files are tagged: their formats, and what is noted in each, by which ``is_finished`` recognises it."""

    source: Format
    target: Format
    columns: Columns
    note: dict[str, Any]

    def tag(self, stream: BinaryIO, name: str, output: BinaryIO, tag: Tag) -> Iterator[pa.RecordBatch]:
        """Tag the rows of a file into ``output``; the answers, as they are written.

        Raises ``InputError`` if the file cannot be read to its end or has no such columns.
        """
        with readable(name, self.source.name):
            reader = _module(self.source).Reader(stream)
            schema = self.columns.schema(reader.schema)
        noted = schema.with_metadata({**(schema.metadata or {}), _NOTE: self._note(stream)})
        batches = _read(reader.batches(), name, self.source.name)
        begun = list(islice(batches, 1))
        same = {"codec": reader.codec} if begun and self.source == self.target and hasattr(reader, "codec") else {}
        try:
            with _module(self.target).sink(output, noted, **same) as sink:
                for batch, answers in tag(chain(begun, batches)):
                    sink.write(pa.RecordBatch.from_arrays([*batch.columns, *answers.columns], schema=noted))
                    yield answers
        except pa.ArrowException as error:  # a type that the format does not have
            fault = str(error).splitlines()[0]
            raise InputError(f"{name} cannot be written as {self.target.name}: {fault}") from error

    def is_finished(self, part: Part) -> bool:
        """Whether a part is there. A file that is there was written to its end.

        Raises ``UsageError`` if it was made with another model, with other options or from another file.
        """
        if not part.target.exists():
            return False
        with part.target.open("rb") as stream, Path(part.source).open("rb") as source:
            try:
                metadata = _module(self.target).Reader(stream).schema.metadata or {}
            except (pa.ArrowException, OSError):
                metadata = {}
            if metadata.get(_NOTE) == self._note(source):
                return True
        raise UsageError(
            f"{part.target} was not made from {part.source} with this model and these options: name another folder"
        )

    def _note(self, source: BinaryIO) -> bytes:
        status = os.fstat(source.fileno())
        own = {"source_bytes": status.st_size, "source_modified": status.st_mtime_ns}
        return json.dumps({**self.note, **own}, sort_keys=True).encode()


def _read(batches: Iterable[pa.RecordBatch], name: str, kind: str) -> Iterator[pa.RecordBatch]:
    with readable(name, kind):
        yield from batches


def _module(form: Format) -> Any:
    return import_module(f"sotag_edge.formats.{form.name}")


class Part(NamedTuple):
    """A file and what it becomes."""

    source: str
    target: Path


def parts_of(paths: Iterable[str], output: Path, files: Files) -> list[Part]:
    """The files of paths, each with its place in the folder ``output``: those of a folder keep their places in it.

    Files whose name, or a folder's within the path, begins with "." or "_" are left out, as by Spark. Raises ``InputError``
    if a folder has no others, ``UsageError`` if two files have the same place or one would be read again.
    """
    parts: dict[Path, str] = {}
    for path in paths:
        folder = Path(path) if Path(path).is_dir() else Path(path).parent
        if output.resolve().is_relative_to(folder.resolve()) and Path(path).is_dir():
            raise UsageError(f"{output} is in the folder {path}, whose files are read: name a folder outside")
        found = [entry for entry in expand([path], Folders(recursive=True)) if not isinstance(entry, Document)]
        own = (
            [file for file in found if not _is_left_out(Path(file).relative_to(folder))]
            if Path(path).is_dir()
            else found
        )
        if not own:
            raise InputError(f"the folder {path} has no file to tag")
        for file in own:
            place = output / _renamed(Path(file).relative_to(folder), files)
            if place in parts:
                raise UsageError(f"{parts[place]} and {file} would both become {place}: tag them one after the other")
            parts[place] = file
    return [Part(source, target) for target, source in parts.items()]


def _is_left_out(path: Path) -> bool:
    return any(name.startswith(("_", ".")) for name in path.parts)


def _renamed(path: Path, files: Files) -> Path:
    """The path with the suffix of the format in which it is written."""
    if files.source == files.target:
        return path
    stem = path.stem if path.suffix in files.source.suffixes else path.name
    return path.with_name(stem + files.target.suffixes[0])
