"""The options that the workstation's commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from sotag_edge.formats import FORMATS, Fields
from sotag_edge.models import is_name, place_for

DATA = "Data"
OUTPUT = "Output"
_RUN = "Run"

_RECORDS = [name for name, entry in FORMATS.items() if entry.reads and entry.has_records]


def output_folder(output: str) -> Path:
    """The folder to write a model to: a name is a folder among the user's models, anything with a separator a path.

    Raises ``UsageError`` for a name that a model cannot have.
    """
    return Path(output) if output and not is_name(output) else place_for(output)


InputFormat = Annotated[
    Optional[str],
    typer.Option(
        "--from",
        metavar="|".join(_RECORDS),
        autocompletion=lambda: _RECORDS,
        help="The format of a file of records. [default: the one in its name]",
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


def fields(text: list[str] | None, label: str) -> Fields:
    """The fields of a record, from the options."""
    return Fields(tuple(text or ["text"]), label=label)
