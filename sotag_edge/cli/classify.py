"""``sotag-edge classify``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from sotag_edge.atomic import output_stream
from sotag_edge.classifier import Classifier
from sotag_edge.cli import options
from sotag_edge.cli.combinations import keeps_columns, output_format_of, refuse_contradictions, refuse_for_columns
from sotag_edge.cli.labels import labels_from
from sotag_edge.cli.loading import loading_numpy
from sotag_edge.cli.process import warn
from sotag_edge.cli.writing import Warnings, flush, write
from sotag_edge.document import Document, Result
from sotag_edge.errors import NotTextError, UsageError
from sotag_edge.formats import Fields, Format, Layout, Writer, checked, read_documents, without_markup
from sotag_edge.formats.decoding import decoded
from sotag_edge.formats.records import intact, one_table
from sotag_edge.pipeline import results
from sotag_edge.sources import STDIN, Folders, paths_from
from sotag_edge.terminal import Color


def classify(
    used: frozenset[str],
    paths: options.Paths = None,
    input_format: options.InputFormat = None,
    field: options.TextFields = None,
    id_field: options.IdField = None,
    delimiter: options.Delimiter = None,
    text: options.Texts = None,
    html: options.Html = False,
    recursive: options.Recursive = False,
    glob: options.Glob = "*",
    files_from: options.FilesFrom = None,
    null: options.Null = False,
    binary: options.Binary = "error",
    model: options.Model = None,
    threshold: options.Threshold = None,
    best_guess: options.BestGuess = False,
    only: options.Only = None,
    to: options.OutputFormat = None,
    output: options.OutputFile = None,
    top_k: options.TopK = 0,
    scores: options.Scores = False,
    merge: options.Merge = False,
    prefix: options.Prefix = "",
    resume: options.Resume = False,
    template: options.Template = None,
    color: options.UseColor = Color.AUTO,
    jobs: options.Jobs = 1,
    fail_on: options.FailOn = None,
    quiet: options.Quiet = False,
) -> None:
    """Tag texts: one result per text, in order.

    Example: sotag-edge classify question.txt

    Example: cat questions.txt | sotag-edge classify --to jsonl

    Example: sotag-edge classify --from csv --field title --field body --id id --merge --to csv posts.csv

    Example: sotag-edge classify --from parquet --field body --to parquet --output tagged/ posts/
    """
    refuse_contradictions(used, input_format, fail_on)
    on_terminal = output is None and sys.stdout.isatty()
    named = None if template else output
    wanted = None if template else to  # which a variable may name
    form = output_format_of(wanted, input_format, named, merge=merge, on_terminal=on_terminal, is_named="to" in used)
    refuse_for_columns(used, input_format, form, binary, on_terminal=on_terminal)
    fields = Fields(tuple(field or ["text"]), id_field, delimiter=delimiter)
    sources = _paths(paths, text, files_from, null=null)
    inputs = _Inputs(text or [], sources, input_format, fields, Folders(recursive, glob), html, binary, quiet)
    _refuse_input_as_output(output, sources)
    with loading_numpy():
        classifier = Classifier.load(model, 0.0 if best_guess else threshold, labels_from(only, model))
    several = classifier.is_multi_label
    layout = Layout(classifier.answerable, top_k, scores, merge, inputs.have_ids(), several, inputs.names(), color)
    outputs = _Outputs(form, output, layout, template, prefix, resume, jobs, on_terminal)
    failed, unknown = (_tag_files if keeps_columns(input_format, form) else _write)(inputs, outputs, classifier)
    if failed or (fail_on and unknown):
        raise SystemExit(1)


def _write(inputs: _Inputs, outputs: _Outputs, classifier: Classifier) -> tuple[bool, bool]:
    """One result per text. Returns whether an input failed, and whether one was answered ``unknown``."""
    form, layout = outputs.format, outputs.layout
    with output_stream(outputs.path) as stream:
        documents = inputs.documents(before_read=partial(flush, stream))
        if layout.merge:
            documents = one_table(intact(documents)) if form.is_table else intact(documents)
        template = outputs.template
        writer = form.writer(stream, layout) if template is None else _template_writer(stream, template)
        answers = results(documents, classifier, outputs.jobs)
        progress = not inputs.quiet and not outputs.on_terminal and sys.stderr.isatty()
        warnings = Warnings(classifier.max_tokens, quiet=inputs.quiet)
        summary = write(_counted(answers) if progress else answers, writer, warnings)
        stream.flush()
    return summary


def _tag_files(inputs: _Inputs, outputs: _Outputs, classifier: Classifier) -> tuple[bool, bool]:
    """The same files with our columns. Returns as ``_write`` does."""
    from sotag_edge.arrow import Columns
    from sotag_edge.cli.tables import Run, tag_files

    columns = Columns.of(
        classifier,
        inputs.fields.text,
        html=inputs.html,
        scores=outputs.layout.scores,
        prefix=outputs.prefix,
        force=inputs.binary == "force",
    )
    run = Run(inputs.paths, outputs.path, outputs.resume, inputs.quiet, outputs.jobs)
    return tag_files(run, inputs.format or outputs.format, outputs.format, columns, classifier)


class _Outputs(NamedTuple):
    """Where the results of one run go, and how. ``prefix`` and ``resume`` are for files whose columns stay."""

    format: Format
    path: Path | None
    layout: Layout
    template: str | None
    prefix: str
    resume: bool
    jobs: int
    on_terminal: bool


class _Inputs(NamedTuple):
    """The texts and files of one run, and how they are read."""

    texts: list[str]
    paths: list[str]
    format: Format | None
    fields: Fields
    folders: Folders
    html: bool
    binary: str
    quiet: bool

    def documents(self, before_read: Callable[[], None]) -> Iterator[Document]:
        """The documents in order, the texts of the command line first; without binary ones if these are left out.

        ``before_read`` is called before each read from the system.
        """
        documents = self._all(before_read)
        return self._without_binary(documents) if self.binary == "skip" else documents

    def _without_binary(self, documents: Iterable[Document]) -> Iterator[Document]:
        skipped = 0
        for document in documents:
            if isinstance(document.error, NotTextError):
                skipped += 1
            else:
                yield document
        if skipped and not self.quiet:
            warn(
                "1 input was left out because it is not text"
                if skipped == 1
                else f"{skipped} inputs were left out because they are not text"
            )

    def _all(self, before_read: Callable[[], None]) -> Iterator[Document]:
        for number, text in enumerate(self.texts, start=1):
            document = decoded(f"text:{number}", os.fsencode(text))
            if self.binary != "force":
                document = checked(document)
            yield without_markup(document) if self.html else document
        yield from read_documents(
            self.paths,
            sys.stdin.buffer,
            input_format=self.format,
            fields=self.fields,
            folders=self.folders,
            html=self.html,
            force=self.binary == "force",
            before_read=before_read,
        )

    def names(self) -> list[str] | None:
        """The sources of all documents, if they are known before the first is read."""
        one_text_per_path = not self.folders.recursive and (self.format is None or self.format.name == "text")
        return self.paths if one_text_per_path or self.paths == [STDIN] else None

    def have_ids(self) -> bool:
        """Whether the documents have identifiers."""
        return self.fields.id is not None or (self.format is not None and self.format.has_ids)


def _paths(paths: list[str] | None, texts: list[str] | None, files_from: str | None, *, null: bool) -> list[str]:
    if files_from is not None:
        return paths_from(files_from, sys.stdin.buffer, nul=null)
    if not paths and not texts and sys.stdin.isatty():
        raise UsageError("nothing to classify: name one or more files, or pipe texts in, one per line")
    return paths or ([] if texts else [STDIN])


def _refuse_input_as_output(output: Path | None, sources: list[str]) -> None:
    """Raise ``UsageError`` if a file would be replaced by its own results."""
    for source in sources if output else ():
        with suppress(OSError, ValueError):  # it does not exist, or is no path
            if source != STDIN and os.path.isfile(source) and os.path.samefile(source, str(output)):  # noqa: PTH113, PTH121
                raise UsageError(f"{output} is an input, which the results would replace: name another file")


def _template_writer(stream: TextIO, template: str) -> Writer:
    from sotag_edge.formats.template import TemplateWriter

    return TemplateWriter(stream, template)


def _counted(answers: Iterable[Result]) -> Iterator[Result]:
    from sotag_edge.cli.progress import counted

    return counted(answers)
