"""``classify`` from files of Arrow columns to such files: their columns stay, and those of the answers follow."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from sotag_edge.arrow import Columns
from sotag_edge.atomic import output_stream
from sotag_edge.classifier import Classifier
from sotag_edge.cli.process import warn
from sotag_edge.errors import InputError, UsageError
from sotag_edge.formats import Format
from sotag_edge.sources import STDIN, opened_as_bytes
from sotag_edge.tables import Files, Part, Tag, parts_of, tagging


class Run(NamedTuple):
    """One run: ``paths`` are tagged into ``output``, a file or a folder; ``None`` is standard output."""

    paths: list[str]
    output: Path | None
    resume: bool
    quiet: bool
    jobs: int


def tag_files(run: Run, source: Format, target: Format, columns: Columns, classifier: Classifier) -> tuple[bool, bool]:
    """Tag all files. Returns whether an input or a row failed, and whether a row was answered ``unknown``."""
    note = {"model": classifier.bundle.digest, "threshold": classifier.threshold, **asdict(columns)}
    files = Files(source, target, columns, note)
    parts = _parts(run, files)
    answers = _Answers(run, files)
    with tagging(classifier, columns, run.jobs) as tag:
        batches = answers.of_all(parts, tag)
        if not run.quiet and sys.stderr.isatty():
            from sotag_edge.cli.progress import counted

            batches = counted(batches, lambda batch: batch.num_rows)
        for _ in batches:
            pass
    return answers.failed, answers.unknown


def _parts(run: Run, files: Files) -> list[Part] | None:
    """The parts of a folder; ``None`` if one file is tagged into one."""
    if len(run.paths) == 1 and not Path(run.paths[0]).is_dir():
        if run.resume:
            raise UsageError("--resume needs a folder of parts: a single file is written whole or not at all")
        return None
    if run.output is None:
        raise UsageError("several files are tagged into a folder: name one with --output")
    if STDIN in run.paths:
        raise UsageError("standard input cannot be tagged beside files: it has no name")
    if run.output.exists() and not run.output.is_dir():
        raise UsageError(f"{run.output} is a file, but several files are tagged: name a folder")
    if run.output.is_dir() and any(run.output.iterdir()) and not run.resume:
        raise UsageError(f"{run.output} exists: name another folder, or use --resume to keep its finished parts")
    return parts_of(run.paths, run.output, files)


class _Answers:
    """The answers of a run. ``failed``: whether an input or a row has none. ``unknown``: whether a row has this one."""

    def __init__(self, run: Run, files: Files) -> None:
        self.failed = self.unknown = False
        self._run, self._files = run, files

    def of_all(self, parts: list[Part] | None, tag: Tag) -> Iterator[pa.RecordBatch]:
        """The answers of each batch, as they are written. A file that fails is reported, and the others follow."""
        if parts is None:
            yield from self._reported(self._run.paths[0], self._of_file(self._run.paths[0], self._run.output, tag))
        for part in parts or ():
            done = self._files.finished(part) if self._run.resume else None
            if done is None:
                _make_folder(part.target.parent)
                done = self._of_file(part.source, part.target, tag)
            yield from self._reported(part.source, done)

    def _reported(self, path: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._counted(path, batches)
        except InputError as error:
            self.failed = True
            warn(str(error))

    def _of_file(self, path: str, output: Path | None, tag: Tag) -> Iterator[pa.RecordBatch]:
        with opened_as_bytes(path, sys.stdin.buffer) as source, output_stream(output) as stream:
            yield from self._files.tag(source, _name(path), stream.buffer, tag)
            stream.flush()

    def _counted(self, path: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The answers of a file; its errors are reported at its end."""
        rows = errors = 0
        first = ""
        prefix = self._files.columns.prefix
        for answers in batches:
            faults = answers.column(f"{prefix}error")
            if faults.null_count < len(faults):
                if not errors:
                    place, fault = next((place, fault) for place, fault in enumerate(faults.to_pylist()) if fault)
                    first = f"row {rows + place + 1:,}: {fault}"
                errors += len(faults) - faults.null_count
            reasons = answers.column(f"{prefix}reason")
            self.unknown = self.unknown or reasons.null_count < len(reasons)
            rows += len(faults)
            yield answers
        if errors:
            self.failed = True
            warn(f"{_name(path)}: no answer for {errors:,} of {rows:,} rows, first {first}")


def _name(path: str) -> str:
    return "standard input" if path == STDIN else path


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be made: {error.strerror}") from error
