"""The options that the workstation's commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from sotag_convert.data.settings import DataSettings
from sotag_edge.errors import UsageError
from sotag_edge.formats import Fields
from sotag_edge.models import is_name, place_for

DATA = "Data"
OUTPUT = "Output"
_RUN = "Run"

_FORMATS = ["csv", "tsv", "jsonl", "fasttext", "posts-xml"]
DATA_HELP = (
    "Folders with <tag>/*.txt, one text per file, perhaps in train/, validation/ and test/, and off-topic texts in "
    "unknown/; CSV, TSV, JSON Lines or fastText files, a Posts.xml, or '-' for standard input; or a public data set, "
    "which is downloaded: 'stackoverflow'; 'stackoverflow-16k', the benchmark that is a part of it; or "
    "'stackoverflow-topics', titles with several tags."
)


def output_folder(output: str) -> Path:
    """The folder to write a model to: a name is a folder among the user's models, anything with a separator a path.

    Raises ``UsageError`` for a name that a model cannot have.
    """
    return Path(output) if output and not is_name(output) else place_for(output)


def report_file(value: str) -> Path:
    """The file of ``--report``. Raises ``UsageError`` if it could not be written, before anything takes time."""
    path = Path(value)
    if path.is_dir():
        raise UsageError(f"{path} is a directory: name a file for --report, such as {path / 'report.html'}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path.parent} is not a folder: make it first, or name another file for --report")
    return path


Data = Annotated[list[str], typer.Argument(help=DATA_HELP, rich_help_panel=DATA)]
InputFormat = Annotated[
    Optional[str],
    typer.Option(
        "--from",
        metavar="|".join(_FORMATS),
        autocompletion=lambda: _FORMATS,
        help="The format of the files. [default: the one in the name, else the one of the first line]",
        rich_help_panel=DATA,
    ),
]
TextFields = Annotated[
    Optional[list[str]],
    typer.Option(
        "--field",
        help="The field with the text in a file of records. Can be repeated: the texts are joined. [default: text]",
        rich_help_panel=DATA,
    ),
]
LabelField = Annotated[
    str, typer.Option("--label-field", help="The field with the tag in a file of records.", rich_help_panel=DATA)
]
LabelSeparator = Annotated[
    Optional[str],
    typer.Option(
        "--label-separator",
        help="What separates the tags in the label field, such as ','. The model gives a text several tags then.",
        rich_help_panel=DATA,
    ),
]
MultiLabel = Annotated[
    bool,
    typer.Option(
        "--multi-label",
        help="A text may have several tags. [default: if a text has a list of tags]",
        rich_help_panel=DATA,
    ),
]
Tags = Annotated[
    Optional[str],
    typer.Option(
        "--tags",
        metavar="TAG,TAG,...",
        help="The tags to keep. Texts without one of them are left out. [default: all]",
        rich_help_panel=DATA,
    ),
]
MinTexts = Annotated[
    Optional[int],
    typer.Option(
        "--min-texts",
        min=1,
        help="Keep only tags with this number of texts. [default: 50 for a Posts.xml without --tags, else 1]",
        rich_help_panel=DATA,
    ),
]
SplitField = Annotated[
    Optional[str],
    typer.Option(
        "--split-field",
        help="The field that says which part a record is in: train, validation or test. [default: split, if there is one]",
        rich_help_panel=DATA,
    ),
]
TestData = Annotated[
    Optional[str],
    typer.Option("--test", help="A file or folder of test texts, with the same fields.", rich_help_panel=DATA),
]
Archive = Annotated[
    Optional[Path],
    typer.Option(
        "--archive",
        metavar="FILE|FOLDER",
        help="Local copies of the public data: the file stack_overflow_16k.tar.gz, or a folder that has it, a clone of the "
        "repository SOTitle, and validation.tsv. [default: those in $SOTAG_EDGE_CACHE, else the download]",
        rich_help_panel=DATA,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        parser=output_folder,
        metavar="NAME|FOLDER",
        help="A name for the model, or the folder to write it to: with a slash, such as ./mine.",
        rich_help_panel=OUTPUT,
    ),
]
Report = Annotated[
    Optional[Path],
    typer.Option(
        "--report",
        parser=report_file,
        metavar="FILE",
        help="Write a page for a browser: figures by tag, confusions, calibration, and mistakes with the words that led to "
        "them. Texts of the data are in it.",
        rich_help_panel=OUTPUT,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the model in the output folder.", rich_help_panel=OUTPUT)]

Log = Annotated[
    Optional[Path],
    typer.Option(
        "--log", metavar="FILE", help="Append all messages to a file, details too, with the time.", rich_help_panel=_RUN
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, notes or figures; only warnings.", rich_help_panel=_RUN)
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print details, too.", rich_help_panel=_RUN)]


Command = Callable[..., None]


def expanded(settings: Callable[..., DataSettings]) -> Callable[[Command], Command]:
    """A decorator for a command with a parameter ``settings``: on the command line it has the options of this function.

    So that each option is written once, and a command's own parameters stay readable.
    """

    def decorate(command: Command) -> Command:
        own, group = (inspect.signature(function, eval_str=True).parameters for function in (command, settings))
        parameters = [part for name, one in own.items() for part in (group.values() if name == "settings" else [one])]

        def run(**values: Any) -> None:
            chosen = {name: values.pop(name) for name in group}
            command(settings=settings(**chosen), **values)

        run.__doc__ = command.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {part.name: part.annotation for part in parameters}
        return run

    return decorate


def labelled_settings(
    input_format: InputFormat = None,
    field: TextFields = None,
    label_field: LabelField = "label",
    label_separator: LabelSeparator = None,
    archive: Archive = None,
) -> DataSettings:
    """How texts for a model that exists are read, from the options. Raises ``UsageError``."""
    if label_separator is not None and not label_separator:
        raise UsageError("--label-separator is empty: name the text between two tags, such as ','")
    fields = Fields(tuple(field or ["text"]), label=label_field)
    return DataSettings(fields, input_format, label_separator, archive=archive)


def data_settings(
    input_format: InputFormat = None,
    field: TextFields = None,
    label_field: LabelField = "label",
    label_separator: LabelSeparator = None,
    multi_label: MultiLabel = False,
    tags: Tags = None,
    min_texts: MinTexts = None,
    split_field: SplitField = None,
    test: TestData = None,
    archive: Archive = None,
) -> DataSettings:
    """How texts for a new model are read, from the options. Raises ``UsageError``."""
    chosen = tuple(dict.fromkeys(tag for part in (tags or "").split(",") if (tag := " ".join(part.split()))))
    if tags is not None and not chosen:
        raise UsageError("--tags names no tag: write --tags python,pandas")
    return replace(
        labelled_settings(input_format, field, label_field, label_separator, archive),
        multi_label=multi_label,
        tags=chosen,
        min_texts=min_texts,
        split_field=split_field,
        test=test,
    )
