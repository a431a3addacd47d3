"""``classify`` without typer, whose import takes a sixth of a short run: for command lines of paths and valid options.

Anything else is typer's: other commands, ``--help``, values that are not valid, Windows, where it expands paths. The options
are read from the same annotations (options.py), so this module defines none.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, Union, get_args, get_origin

from sotag_edge.cli import settings
from sotag_edge.cli.parameters import Parameter, described
from sotag_edge.cli.process import exit_codes
from sotag_edge.errors import UsageError


class _Option(NamedTuple):
    """``name``: that of the function's parameter. ``kind``: the type of its value, or of each value if it ``repeats``."""

    name: str
    description: Parameter
    kind: Any
    repeats: bool


def plain(arguments: Sequence[str]) -> Callable[[], None] | None:
    """``classify`` with these arguments of the command line, and with the settings; ``None`` if typer must read them."""
    completes = any(name.startswith("_") and name.endswith("_COMPLETE") for name in os.environ)
    if arguments[:1] != ["classify"] or sys.platform == "win32" or completes:
        return None
    from sotag_edge.cli.classify import classify

    options = [_option(name, *entry) for name, entry in described(classify).items()]
    try:
        used = _parsed(arguments[1:], options)
        values = {**_settings(options, settings.configured()), **used}
    except (ValueError, UsageError):
        return None

    def run() -> None:
        with exit_codes():
            classify(used=frozenset(used), **values)

    return run


def _option(name: str, kind: Any, description: Parameter) -> _Option:
    if get_origin(kind) is Union:  # Optional
        kind = get_args(kind)[0]
    repeats = get_origin(kind) is list
    return _Option(name, description, get_args(kind)[0] if repeats else kind, repeats)


def _parsed(arguments: Sequence[str], options: Sequence[_Option]) -> dict[str, Any]:
    """The values on the command line by the names of their parameters. Raises ``ValueError`` if they are not plain."""
    by_name = {name: option for option in options for name in option.description.names}
    paths = next(option.name for option in options if not option.description.names)
    values: dict[str, Any] = {}
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "-" or not argument.startswith("-"):
            values.setdefault(paths, []).append(argument)
            continue
        name, has_value, text = argument.partition("=")
        option = by_name.get(name)
        if option is None or (option.name in values and not option.repeats) or (has_value and len(name) == len("-m")):
            raise ValueError(argument)
        if option.kind is bool and not has_value:
            values[option.name] = True
            continue
        value = _converted(text if has_value else next(remaining, "-"), option)
        values[option.name] = [*values.get(option.name, []), value] if option.repeats else value
    return values


def _settings(options: Sequence[_Option], configured: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the environment and of the config file. Raises ``ValueError`` if one is not valid."""
    values = {}
    for option in options:
        variable = option.description.envvar
        value = (os.environ.get(variable) if variable else None) or configured.get(option.name)
        if value is not None:
            values[option.name] = _converted(value, option)
    return values


def _converted(value: Any, option: _Option) -> Any:
    """A value in the type of its option. Raises ``ValueError`` for a type that only typer converts, too."""
    kind, description = option.kind, option.description
    if isinstance(value, str) and value.startswith("-"):  # perhaps the name of an option
        raise ValueError(value)
    if description.parser is not None:
        return description.parser(value)
    if kind in (int, float):
        number = kind(value)
        low = -math.inf if description.min is None else description.min
        high = math.inf if description.max is None else description.max
        if not low <= number <= high:
            raise ValueError(value)
        return number
    if kind is str or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(value)
    raise ValueError(value)
