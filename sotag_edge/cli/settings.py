"""Options that several commands have, and where their defaults come from.

An option's value is the command line's; else that of its ``SOTAG_EDGE_*`` variable; else the one in the user's
``config.toml``; else the program's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from sotag_edge.errors import UsageError

CONFIG_VARIABLE = "SOTAG_EDGE_CONFIG"
# The settings that have a variable and a line in config.toml, and what the program does without.
SETTINGS: dict[str, str] = {
    "model": "default",
    "threshold": "the model's own",
    "to": "table on a terminal, else tsv",
    "color": "auto",
    "jobs": "1",
}

_MAY_BE: dict[str, Callable[[Any], bool]] = {
    "model": lambda value: isinstance(value, str),
    "threshold": lambda value: isinstance(value, (int, float)) and 0 <= value <= 1,
    "to": lambda value: value in ("table", "tsv", "csv", "json", "jsonl"),
    "color": lambda value: value in ("auto", "always", "never"),
    "jobs": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
}

Model = Annotated[
    Optional[str],
    typer.Option("--model", "-m", envvar="SOTAG_EDGE_MODEL", help="A model's folder or name. [default: 'default']"),
]


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return f"SOTAG_EDGE_{setting.upper()}"


def config_file() -> Path:
    """Where the user's settings are: ``$SOTAG_EDGE_CONFIG``, or ``config.toml`` in the system's folder for them."""
    given = os.environ.get(CONFIG_VARIABLE)
    return Path(given) if given else Path(typer.get_app_dir("sotag-edge")) / "config.toml"


def configured() -> dict[str, Any]:
    """The settings in the user's file; none where there is no file. Raises ``UsageError`` for what cannot be understood."""
    path = config_file()
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        if os.environ.get(CONFIG_VARIABLE):
            raise UsageError(f"{path} does not exist, and ${CONFIG_VARIABLE} names it") from error
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        found: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    unknown = sorted(set(found) - set(SETTINGS))
    if unknown:
        raise UsageError(f"{path} sets {unknown[0]!r}, and there is no such setting: {', '.join(SETTINGS)}")
    for name, value in found.items():
        if not _MAY_BE[name](value):
            raise UsageError(
                f"{path} sets {name!r} to {value!r}, and that it cannot be: see sotag-edge classify --help"
            )
    return found
