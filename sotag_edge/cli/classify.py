"""``sotag-edge classify``."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Optional

import typer

from sotag_edge.atomic import output_stream
from sotag_edge.classifier import Classifier, Prediction
from sotag_edge.cli import settings as options
from sotag_edge.errors import INTERRUPTED, InputError, UsageError
from sotag_edge.formats import STDIN, Document, Fields, Folders, InputForm, read_documents, without_markup
from sotag_edge.formats.fields import Result, Shape, printable
from sotag_edge.formats.forms import RECORDS
from sotag_edge.formats.writers import Color, FormatWriter, OutputForm, Writer, make_writer
from sotag_edge.sources import paths_from

_FORMAT_SAYS_ALL = "--format says all: it goes without --to, --top-k, --scores and --merge"
_FILES_FROM_NAMES_ALL = "--files-from names all files: it goes without other paths and without --text"
_MERGED = {
    OutputForm.JSONL: RECORDS,
    OutputForm.JSON: RECORDS,
    OutputForm.CSV: (InputForm.CSV, InputForm.TSV),
    OutputForm.TSV: (InputForm.CSV, InputForm.TSV),
}


def classify(
    context: typer.Context,
    paths: Annotated[
        Optional[list[str]],
        typer.Argument(help="Files, each one text; '-' is standard input. Without any, standard input, each line one."),
    ] = None,
    text: Annotated[Optional[list[str]], typer.Option("--text", help="A text to tag; may be given again.")] = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Read the files in folders.")] = False,
    glob: Annotated[str, typer.Option("--glob", help="Of the files in folders, those of this name.")] = "*",
    files_from: Annotated[
        Optional[str], typer.Option("--files-from", help="A file with a path a line; '-' is standard input.")
    ] = None,
    null: Annotated[bool, typer.Option("-0", "--null", help="The paths of --files-from end with a NUL.")] = False,
    form: Annotated[
        Optional[InputForm],
        typer.Option("--from", help="How the input is cut into texts. [default: text for files, lines for stdin]"),
    ] = None,
    field: Annotated[
        Optional[list[str]],
        typer.Option(
            "--field", help="The field that is the text, in jsonl, csv and tsv; several are joined. [default: text]"
        ),
    ] = None,
    id_field: Annotated[Optional[str], typer.Option("--id", help="The field that is the text's identifier.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Take the markup out of each text.")] = False,
    model: options.Model = None,
    threshold: Annotated[
        Optional[float],
        typer.Option(
            "--threshold",
            envvar="SOTAG_EDGE_THRESHOLD",
            min=0,
            max=1,
            help="Answer 'unknown' where the best score is lower. [default: the model's own]",
        ),
    ] = None,
    best_guess: Annotated[bool, typer.Option("--best-guess", help="Never answer 'unknown'.")] = False,
    only: Annotated[
        Optional[str],
        typer.Option(
            "--only", help="Answer with these labels alone, as 'python,java'; their scores stay what they are."
        ),
    ] = None,
    to: Annotated[
        Optional[OutputForm],
        typer.Option(
            "--to", envvar="SOTAG_EDGE_TO", help="The output's form. [default: table on a terminal, tsv elsewhere]"
        ),
    ] = None,
    template: Annotated[
        Optional[str],
        typer.Option(
            "--format", help="A line of your own for each result, such as '{label}\\t{score:.3f}\\t{source}'."
        ),
    ] = None,
    top_k: Annotated[
        int, typer.Option("--top-k", min=0, help="Show so many of the best labels, the first included, too.")
    ] = 0,
    scores: Annotated[bool, typer.Option("--scores", help="Show the score of every label.")] = False,
    merge: Annotated[
        bool, typer.Option("--merge", help="Add the answer to the record that the text is from (jsonl, csv, tsv).")
    ] = False,
    output: Annotated[
        Optional[Path],
        typer.Option("--output", "-o", help="A file to write to, whole or not at all. [default: stdout]"),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", "-j", envvar="SOTAG_EDGE_JOBS", min=1, help="Use so many cores; texts then wait for batches."
        ),
    ] = 1,
    color: Annotated[
        Color, typer.Option("--color", envvar="SOTAG_EDGE_COLOR", help="Colours in the table.")
    ] = Color.AUTO,
    fail_on: Annotated[
        Optional[str], typer.Option("--fail-on", help="'unknown': exit with 1 if a text was answered so.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No warnings and no progress; what fails is said.")
    ] = False,
) -> None:
    """Tag texts: one result an input, in order.

    Example: sotag-edge classify question.txt

    Example: cat questions.txt | sotag-edge classify --to jsonl

    Example: sotag-edge classify --from csv --field title --field body --id id --merge --to csv posts.csv
    """
    _refuse_contradictions(context)
    sources = _sources(paths, text, files_from, null=null)
    on_terminal = output is None and sys.stdout.isatty()
    if to is None or (merge and not _was_given(context, "to")):
        to = _usual_form(form, merge=merge, on_terminal=on_terminal)
    if merge and form not in _MERGED.get(to, ()):
        raise UsageError(
            "--merge needs records: --from jsonl with --to jsonl or json; --from csv or tsv with any but table"
        )

    wanted = tuple(only.split(",")) if only is not None else None
    load = functools.partial(Classifier.load, model, 0.0 if best_guess else threshold, wanted)
    with _quick_interrupt():
        classifier = load()  # also with --jobs: what is wrong with the model is said here, once
    labels = tuple(label for label in classifier.labels if wanted is None or label in wanted)
    shape = Shape(labels, top_k, scores, merge, ids=id_field is not None or form is InputForm.POSTS_XML)
    documents = _documents(
        text, sources, form, Fields(tuple(field or ["text"]), id_field), Folders(recursive, glob), html=html
    )
    if merge and to in (OutputForm.CSV, OutputForm.TSV):
        documents = _of_one_table(documents)
    with output_stream(output) as stream:
        known = None if recursive or (form not in (None, InputForm.TEXT) and sources != [STDIN]) else sources
        writer: Writer = (
            FormatWriter(stream, template) if template is not None else make_writer(to, stream, shape, known, color)
        )
        if jobs > 1:
            from sotag_edge.pipeline import classify_in_parallel

            answers = classify_in_parallel(documents, load, jobs)
        else:
            answers = _one_by_one(documents, classifier)
        progress = not quiet and not on_terminal and sys.stderr.isatty()
        failed, unknown = _write(_followed(answers) if progress else answers, writer, quiet=quiet)
    if failed or (fail_on and unknown):
        raise typer.Exit(1)


def _refuse_contradictions(context: typer.Context) -> None:
    """Raise ``UsageError`` for options of the command line that do not go together, or go without what they are about."""
    given = {name for name in context.params if _was_given(context, name)}
    pairs = (
        ("best_guess", "threshold", "--best-guess and --threshold contradict each other: give one of them"),
        ("template", "to", _FORMAT_SAYS_ALL),
        ("template", "top_k", _FORMAT_SAYS_ALL),
        ("template", "scores", _FORMAT_SAYS_ALL),
        ("template", "merge", _FORMAT_SAYS_ALL),
        ("merge", "text", "--merge is about records: it goes without --text"),
        ("files_from", "paths", _FILES_FROM_NAMES_ALL),
        ("files_from", "text", _FILES_FROM_NAMES_ALL),
    )
    for one, other, why in pairs:
        if {one, other} <= given:
            raise UsageError(why)
    needs = (
        ("glob", "recursive", "--glob is about the files in folders: give --recursive too"),
        ("null", "files_from", "-0 is about the paths of --files-from: give that too"),
    )
    for one, other, why in needs:
        if one in given and other not in given:
            raise UsageError(why)
    if context.params["fail_on"] not in (None, "unknown"):
        raise UsageError(f"--fail-on knows 'unknown' alone, not {context.params['fail_on']!r}")
    if {"field", "id_field"} & given and context.params["form"] not in RECORDS:
        raise UsageError("--field and --id are about records: give --from jsonl, csv or tsv too")


def _sources(paths: list[str] | None, text: list[str] | None, files_from: str | None, *, null: bool) -> list[str]:
    if files_from is not None:
        return paths_from(files_from, sys.stdin.buffer, nul=null)
    if not paths and not text and sys.stdin.isatty():
        raise UsageError("nothing to classify: name one or more files, or pipe texts in, one a line")
    return paths or ([] if text else [STDIN])


def _usual_form(form: InputForm | None, *, merge: bool, on_terminal: bool) -> OutputForm:
    if merge and form in RECORDS:
        return OutputForm(form.value)
    return OutputForm.TABLE if on_terminal else OutputForm.TSV


def _documents(
    texts: list[str] | None,
    sources: Iterable[str],
    form: InputForm | None,
    fields: Fields,
    folders: Folders,
    *,
    html: bool,
) -> Iterator[Document]:
    given = (Document(f"text:{number}", text) for number, text in enumerate(texts or [], start=1))
    yield from map(without_markup, given) if html else given
    html = html and form is not InputForm.POSTS_XML  # whose markup is taken out as it is read
    yield from read_documents(sources, sys.stdin.buffer, form=form, fields=fields, folders=folders, html=html)


def _of_one_table(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents; one whose record has other fields than the first one's has an error: a table has one first row."""
    first: list[str] | None = None
    for document in documents:
        if document.record is None:
            yield document
            continue
        first = list(document.record) if first is None else first
        if list(document.record) == first:
            yield document
        else:
            error = InputError(
                f"{document.source} has other fields than the first record, and --merge makes one table: use --to jsonl"
            )
            yield Document(document.source, error=error, id=document.id)


def _was_given(context: typer.Context, name: str) -> bool:
    """Whether an option is on the command line; its value may also be from a variable or the config file."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@contextmanager
def _quick_interrupt() -> Iterator[None]:
    """Ctrl-C ends the process at once: an import of NumPy that is interrupted says that NumPy is broken."""
    usual = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _one_by_one(documents: Iterable[Document], classifier: Classifier) -> Iterator[tuple[Document, Prediction | None]]:
    for document in documents:
        yield document, None if document.error else classifier.classify(document.text)


def _followed(
    answers: Iterable[tuple[Document, Prediction | None]],
) -> Iterator[tuple[Document, Prediction | None]]:
    from sotag_edge.cli.progress import followed

    return followed(answers)


def _write(answers: Iterable[tuple[Document, Prediction | None]], writer: Writer, *, quiet: bool) -> tuple[bool, bool]:
    """Write every answer; whether an input failed, and whether one was answered ``unknown``."""
    failed = unknown = replaced = False
    for document, prediction in answers:
        if document.replaced and not replaced and not quiet:
            replaced = True
            _say(f"{document.source} is not all UTF-8; the bytes that are not were replaced (said once)")
        if document.error:
            failed = True
            _say(str(document.error))
        unknown = unknown or (prediction is not None and prediction.reason is not None)
        error = str(document.error) if document.error else None
        writer.write(Result(document.source, prediction, error, document.id, document.record))
    writer.close()
    return failed, unknown


def _say(message: str) -> None:
    try:
        print(f"sotag-edge: {printable(message)}", file=sys.stderr)
    except OSError:  # nobody listens any more; that must not cost anybody an answer
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
