"""``--help``: options in groups, as wide as the terminal, with colour on one. It needs no rich, so other runs stay fast."""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperCommand

WIDEST = 120  # columns


class GroupedCommand(TyperCommand):
    """Lists arguments and options under the ``rich_help_panel`` of each, in the order of the function's parameters."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the groups; options without one come last."""
        groups: dict[str, list[tuple[str, str]]] = {}
        rest = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            group = getattr(parameter, "rich_help_panel", None)
            if record is not None and group is not None:
                groups.setdefault(group, []).append(record)
            elif record is not None:
                rest.append(record)
        for name, records in [*groups.items(), ("Options", rest)]:
            if records:
                with formatter.section(_styled(name, bold=True)):
                    formatter.write_dl([(_styled(names, fg="cyan"), text) for names, text in records])


def _styled(text: str, **style: Any) -> str:
    """Text with colours, which typer removes again where the output is not a terminal."""
    return text if os.environ.get("NO_COLOR") else typer.style(text, **style)
