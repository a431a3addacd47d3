"""``sotag-edge config``."""

from __future__ import annotations

import json
import os
from typing import Annotated, Literal

import typer

from sotag_edge.cli import settings as options
from sotag_edge.formats.fields import printable


def config(
    to: Annotated[Literal["table", "json"], typer.Option("--to", help="The output's form.")] = "table",
) -> None:
    """Show the settings in force, and whether each is from the environment, the config file, or the program.

    Example: sotag-edge config
    """
    path = options.config_file()
    in_file = options.configured()
    rows = []
    for name, usual in options.SETTINGS.items():
        variable = options.variable(name)
        if os.environ.get(variable):
            rows.append((name, os.environ[variable], f"${variable}"))
        elif name in in_file:
            rows.append((name, str(in_file[name]), str(path)))
        else:
            rows.append((name, usual, "default"))
    if to == "json":
        settings = {name: {"value": value, "from": origin} for name, value, origin in rows}
        print(json.dumps({"file": str(path), "settings": settings}, indent=2))
        return
    from sotag_edge.terminal import print_rows

    print_rows(("setting", "value", "from"), rows)
    print(f"The config file is {printable(str(path))}{'' if path.is_file() else ' (there is none)'}.")
