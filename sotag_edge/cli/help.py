"""``--help``: options in groups, as wide as the terminal, with colour on one. It needs no rich, so other runs stay fast."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand

WIDEST = 120  # columns


class GroupedCommand(TyperCommand):
    """Lists arguments and options under the ``rich_help_panel`` of each, in the order of the function's parameters."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the groups."""
        for name, parameters in grouped(self.get_params(ctx)).items():
            records = [record for parameter in parameters if (record := parameter.get_help_record(ctx))]
            if records:
                with formatter.section(_styled(name, bold=True)):
                    formatter.write_dl([(_styled(names, fg="cyan"), text) for names, text in records])


def grouped(parameters: Sequence[Any]) -> dict[str, list[Any]]:
    """The parameters of a command by group; those without a group are "Arguments" and "Options"."""
    groups: dict[str, list[Any]] = {}
    for parameter in parameters:
        kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
        groups.setdefault(getattr(parameter, "rich_help_panel", None) or kind, []).append(parameter)
    return groups


def _styled(text: str, **style: Any) -> str:
    """Text with colours, which typer removes again where the output is not a terminal."""
    return text if os.environ.get("NO_COLOR") else typer.style(text, **style)
