"""``Parameter``: a parameter of a command, described without typer.

``app.py`` translates it for typer, and ``plain.py`` reads it in a run that does without typer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, get_args


class Parameter(NamedTuple):
    """An option, or an argument if it has no ``names``. The other fields are those of ``typer.Option``.

    ``parser`` raises ``ValueError`` with a sentence for the user.
    """

    names: tuple[str, ...]
    help: str
    rich_help_panel: str | None = None
    envvar: str | None = None
    parser: Callable[[str], Any] | None = None
    metavar: str | None = None
    autocompletion: Callable[[], list[str]] | None = None
    min: float | None = None
    max: float | None = None


def described(command: Callable[..., None]) -> dict[str, tuple[Any, Parameter]]:
    """The parameters of a function that are annotated with a ``Parameter``, by name: the type of each, and the description.

    >>> from typing import Annotated
    >>> def command(size: Annotated[int, Parameter(("--size",), "The size.")]) -> None: ...
    >>> described(command)["size"][0]
    <class 'int'>
    """
    signature = inspect.signature(command, eval_str=True)
    annotations = {name: get_args(parameter.annotation) for name, parameter in signature.parameters.items()}
    return {name: (entry[0], entry[1]) for name, entry in annotations.items() if _is_described(entry)}


def _is_described(annotation: tuple[Any, ...]) -> bool:
    return len(annotation) == len(("type", "description")) and isinstance(annotation[1], Parameter)
