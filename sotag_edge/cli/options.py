"""The types of command-line options, grouped as ``--help`` shows them. Commands share them; the defaults are theirs.

They are described without typer, see parameters.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

from sotag_edge.cli.parameters import Parameter
from sotag_edge.formats import FORMATS, Format
from sotag_edge.models import available
from sotag_edge.terminal import Color

_INPUT = "Input"
_MODEL = "Model and decision"
_OUTPUT = "Output"
_RUN = "Run"

READABLE = [name for name, entry in FORMATS.items() if entry.reads]
WRITABLE = [name for name, entry in FORMATS.items() if entry.writes]


def _format(name: str, allowed: list[str]) -> Format:
    if name not in allowed:
        raise ValueError(f"{name!r} is not one of {', '.join(allowed)}")
    return FORMATS[name]


def _input_format(name: str) -> Format:
    return _format(name, READABLE)


def _output_format(name: str) -> Format:
    return _format(name, WRITABLE)


def _delimiter(name: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(name, name)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise ValueError(f"{name!r} is not one character that can separate fields, such as ';', or 'tab'")
    return delimiter


def model_names() -> list[str]:
    """The names of all models, to complete."""
    return [path.name for path in available()]


Paths = Annotated[
    Optional[list[str]],
    Parameter(
        (),
        help="Files, one text each; '-' is standard input. Without files: standard input, one text per line.",
        rich_help_panel=_INPUT,
    ),
]
Texts = Annotated[
    Optional[list[str]], Parameter(("--text",), help="A text to tag. Can be repeated.", rich_help_panel=_INPUT)
]
InputFormat = Annotated[
    Optional[Format],
    Parameter(
        ("--from",),
        parser=_input_format,
        metavar="|".join(READABLE),
        autocompletion=lambda: READABLE,
        help="The format of the input. [default: text for files, lines for standard input]",
        rich_help_panel=_INPUT,
    ),
]
TextFields = Annotated[
    Optional[list[str]],
    Parameter(
        ("--field",),
        help="The field with the text, in csv, tsv, jsonl, parquet and arrow. Can be repeated: the texts are joined. "
        "[default: text]",
        rich_help_panel=_INPUT,
    ),
]
IdField = Annotated[
    Optional[str], Parameter(("--id",), help="The field with the identifier of the text.", rich_help_panel=_INPUT)
]
Delimiter = Annotated[
    Optional[str],
    Parameter(
        ("--delimiter",),
        parser=_delimiter,
        metavar="CHARACTER",
        help="The character between the fields of csv, or 'tab'; --to csv always writes commas. "
        "[default: a comma, or ';', tab or '|' where the header needs it]",
        rich_help_panel=_INPUT,
    ),
]
Html = Annotated[bool, Parameter(("--html",), help="Remove HTML markup from each text.", rich_help_panel=_INPUT)]
Recursive = Annotated[
    bool,
    Parameter(
        ("--recursive", "-r"),
        help="Read the files in folders, too.",
        rich_help_panel=_INPUT,
    ),
]
Glob = Annotated[
    str, Parameter(("--glob",), help="With --recursive: the names of the files to read.", rich_help_panel=_INPUT)
]
FilesFrom = Annotated[
    Optional[str],
    Parameter(("--files-from",), help="A file with one path per line; '-' is standard input.", rich_help_panel=_INPUT),
]
Binary = Annotated[
    Literal["error", "skip", "force"],
    Parameter(
        ("--binary",),
        help="Input that is not text: an error in its place, left out, or read as if it were text.",
        rich_help_panel=_INPUT,
    ),
]
Null = Annotated[
    bool,
    Parameter(
        ("-0", "--null"),
        help="With --files-from: a NUL ends each path.",
        rich_help_panel=_INPUT,
    ),
]
Model = Annotated[
    Optional[str],
    Parameter(
        ("--model", "-m"),
        envvar="SOTAG_EDGE_MODEL",
        autocompletion=model_names,
        help="The folder or name of a model. [default: 'default']",
        rich_help_panel=_MODEL,
    ),
]
ModelArgument = Annotated[
    Optional[str],
    Parameter(
        (),
        envvar="SOTAG_EDGE_MODEL",
        autocompletion=model_names,
        help="The folder or name of a model. [default: 'default']",
    ),
]
Threshold = Annotated[
    Optional[float],
    Parameter(
        ("--threshold",),
        envvar="SOTAG_EDGE_THRESHOLD",
        min=0,
        max=1,
        help="Answer 'unknown' if the best score is lower. A multi-label model answers with all labels from this score on. "
        "Above the score of the model's early exit more of a text is read. [default: the model's own]",
        rich_help_panel=_MODEL,
    ),
]
BestGuess = Annotated[
    bool,
    Parameter(
        ("--best-guess",), help="Never answer 'unknown', but at least with the best label.", rich_help_panel=_MODEL
    ),
]
Only = Annotated[
    Optional[list[str]],
    Parameter(
        ("--only",),
        help="Answer only with these labels, such as 'python,java'. Their scores do not change. Can be repeated.",
        rich_help_panel=_MODEL,
    ),
]
OutputFormat = Annotated[
    Optional[Format],
    Parameter(
        ("--to",),
        envvar="SOTAG_EDGE_TO",
        parser=_output_format,
        metavar="|".join(WRITABLE),
        autocompletion=lambda: WRITABLE,
        help="The format of the output. [default: that of the output's name, such as .csv; else table on a terminal, tsv "
        "elsewhere]",
        rich_help_panel=_OUTPUT,
    ),
]
OutputFile = Annotated[
    Optional[Path],
    Parameter(
        ("--output", "-o"),
        help="A file to write to, whole or not at all; a folder for several files of parquet or arrow. "
        "[default: standard output]",
        rich_help_panel=_OUTPUT,
    ),
]
TopK = Annotated[
    int,
    Parameter(("--top-k",), min=0, help="Show the K best labels, too, with their scores.", rich_help_panel=_OUTPUT),
]
Scores = Annotated[bool, Parameter(("--scores",), help="Show the score of every label.", rich_help_panel=_OUTPUT)]
Merge = Annotated[
    bool,
    Parameter(
        ("--merge",), help="Add the answer to the record of the text (csv, tsv, jsonl).", rich_help_panel=_OUTPUT
    ),
]
Prefix = Annotated[
    Optional[str],
    Parameter(
        ("--prefix",),
        help="From parquet or arrow to these: what the names of the added columns begin with, such as 'predicted_'.",
        rich_help_panel=_OUTPUT,
    ),
]
Resume = Annotated[
    bool,
    Parameter(
        ("--resume",),
        help="From a folder of parquet or arrow to a folder: keep the parts that are finished, and tag the others.",
        rich_help_panel=_OUTPUT,
    ),
]
Template = Annotated[
    Optional[str],
    Parameter(
        ("--format",),
        help="A line of your own per result, such as '{label}\\t{score:.3f}\\t{source}'.",
        rich_help_panel=_OUTPUT,
    ),
]
UseColor = Annotated[
    Color,
    Parameter(("--color",), envvar="SOTAG_EDGE_COLOR", help="Whether to use colours.", rich_help_panel=_OUTPUT),
]
Jobs = Annotated[
    int,
    Parameter(
        ("--jobs", "-j"),
        envvar="SOTAG_EDGE_JOBS",
        min=1,
        help="The number of processes. With more than one, texts wait for a batch.",
        rich_help_panel=_RUN,
    ),
]
FailOn = Annotated[
    Optional[str],
    Parameter(("--fail-on",), help="'unknown': exit with 1 if a text was answered so.", rich_help_panel=_RUN),
]
Quiet = Annotated[
    bool,
    Parameter(
        ("--quiet", "-q"),
        help="No warnings and no progress; only errors.",
        rich_help_panel=_RUN,
    ),
]
FactsFormat = Annotated[
    Literal["table", "json"], Parameter(("--to",), help="The format of the output.", rich_help_panel=_OUTPUT)
]
