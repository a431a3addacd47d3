"""Settings: options whose defaults come from the environment or from the user's ``config.toml``.

The value of an option is the one on the command line, else its ``SOTAG_EDGE_*`` variable, else the one in ``config.toml``,
else the program's own default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from sotag_edge.errors import UsageError
from sotag_edge.formats import FORMATS
from sotag_edge.terminal import Color

CONFIG_VARIABLE = "SOTAG_EDGE_CONFIG"


class Setting(NamedTuple):
    """``default``: what applies without the setting, in words. ``allowed``: its values, in words. ``accepts``: a check."""

    default: str
    allowed: str
    accepts: Callable[[Any], bool]


def _one_of(*names: str) -> dict[str, Any]:
    return {"allowed": ", ".join(names), "accepts": lambda value: value in names}


SETTINGS: dict[str, Setting] = {
    "model": Setting("default", "the folder or name of a model", lambda value: isinstance(value, str)),
    "threshold": Setting(
        "the model's own", "a number from 0 to 1", lambda value: isinstance(value, (int, float)) and 0 <= value <= 1
    ),
    "to": Setting(
        "table on a terminal, tsv elsewhere",
        **_one_of(*(f.name for f in FORMATS.values() if f.writes and not f.has_columns)),
    ),
    "color": Setting("auto", **_one_of(*(color.value for color in Color))),
    "jobs": Setting(
        "1",
        "a whole number from 1",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
    ),
}


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return f"SOTAG_EDGE_{setting.upper()}"


def config_file() -> Path:
    """The user's file: ``$SOTAG_EDGE_CONFIG``, or ``config.toml`` in the system's folder for settings."""
    path = os.environ.get(CONFIG_VARIABLE)
    return Path(path) if path else _folder() / "config.toml"


def _folder() -> Path:
    """The system's folder for the settings of this program."""
    if sys.platform in ("win32", "darwin"):
        import typer

        return Path(typer.get_app_dir("sotag-edge"))
    # The same folder as typer's: a run without typer is a sixth faster.
    return Path(os.environ.get("XDG_CONFIG_HOME", os.path.expanduser("~/.config")), "sotag-edge")  # noqa: PTH111  # no home


def configured() -> dict[str, Any]:
    """The settings in the user's file; none if there is no file. Raises ``UsageError`` for a file that is not valid."""
    path = config_file()
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        if os.environ.get(CONFIG_VARIABLE):
            raise UsageError(f"${CONFIG_VARIABLE} is {path}, which does not exist") from error
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        values: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    for name, value in values.items():
        if name not in SETTINGS:
            raise UsageError(f"{path}: unknown setting {name!r} (known: {', '.join(SETTINGS)})")
        if not SETTINGS[name].accepts(value):
            raise UsageError(f"{path}: invalid value {value!r} for {name!r} (allowed: {SETTINGS[name].allowed})")
    return values
