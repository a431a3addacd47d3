"""The ``sotag-edge`` command: its commands by name, and the exit code of each error. The only place that exits."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sotag_edge.cli import settings
from sotag_edge.cli.help import WIDEST, GroupedCommand
from sotag_edge.cli.parameters import Parameter, described
from sotag_edge.cli.process import exit_codes

# Each command and its module, in the order of the help. The workstation side is known by these names only.
_COMMANDS = {
    "classify": "sotag_edge.cli.classify",
    "explain": "sotag_edge.cli.explain",
    "train": "sotag_convert.cli.train",
    "check-data": "sotag_convert.cli.check_data",
    "convert": "sotag_convert.cli.convert",
    "evaluate": "sotag_convert.cli.evaluate",
    "models": "sotag_edge.cli.models",
    "info": "sotag_edge.cli.info",
    "verify": "sotag_edge.cli.verify",
    "serve": "sotag_edge.cli.serve",
    "spark": "sotag_edge.cli.spark",
    "benchmark": "sotag_edge.cli.benchmark",
    "doctor": "sotag_edge.cli.doctor",
    "config": "sotag_edge.cli.config",
}
_WITH_MODEL_SETTING = ("doctor", "info", "verify", "spark", "benchmark")
_TYPER: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None}


class _Commands(Mapping[str, Any]):
    """Each command by its name, loaded when it is looked up: loading all took a fifth of a short run."""

    def __getitem__(self, name: str) -> Any:
        module = import_module(_COMMANDS[name])
        single = typer.Typer(add_completion=False, **_TYPER)
        single.command(name, cls=GroupedCommand)(_with_typer(getattr(module, name.replace("-", "_"))))
        return typer.main.get_command(single)

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


def _with_typer(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters are described for typer. ``used``, if it has this parameter: those on the command line."""
    ours = described(command)
    signature = inspect.signature(command, eval_str=True)

    def run(context: typer.Context, **values: Any) -> None:
        if "used" in signature.parameters:
            values["used"] = frozenset(name for name in values if _is_on_command_line(context, name))
        command(**values)

    parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for name, parameter in signature.parameters.items():
        kind, description = ours.get(name, (None, None))
        annotation = Annotated[kind, _for_typer(description)] if description else parameter.annotation
        if name != "used":
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=annotation))
    run.__doc__ = command.__doc__
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return run


def _is_on_command_line(context: typer.Context, name: str) -> bool:
    """Whether the value of a parameter is; it can also come from a variable or the config file."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _for_typer(description: Parameter) -> Any:
    fields = description._asdict()
    names, parser = fields.pop("names"), fields.pop("parser")
    if parser is not None:
        fields["parser"] = _with_sentence(parser)
    return typer.Option(*names, **fields) if names else typer.Argument(**fields)


def _with_sentence(parser: Callable[[str], Any]) -> Callable[[str], Any]:
    """A parser whose error typer shows: of a ``ValueError`` it shows the value only."""

    @wraps(parser)
    def parse(text: str) -> Any:
        try:
            return parser(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return parse


class _Group(TyperGroup):
    """Turns an error into one sentence on stderr and an exit code."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.commands: Any = _Commands()

    def invoke(self, ctx: Any) -> Any:
        with exit_codes():
            return super().invoke(ctx)


app = typer.Typer(
    name="sotag-edge",
    cls=_Group,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
    **_TYPER,
)


def _print_version(requested: bool) -> None:
    if requested:
        from sotag_edge import __version__, machine

        runtimes = ", ".join(f"{name} {version}" for name, version in machine.runtimes().items())
        print(f"sotag-edge {__version__} ({runtimes or 'no TFLite runtime'})")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  # handled by its callback
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Tag programming questions, or any texts with your own tags, on a small computer."""
    # `config` shows the file itself.
    values = settings.configured() if context.invoked_subcommand != "config" else {}
    model = {name: value for name, value in values.items() if name == "model"}
    shared = {name: value for name, value in values.items() if name in ("model", "color")}
    # Not by typer, which would take a variable of several models apart at each blank.
    models = {} if os.environ.get(settings.variable("model")) else {name: [value] for name, value in model.items()}
    commands = {"classify": values, "explain": shared, "serve": models}
    context.default_map = commands | dict.fromkeys(_WITH_MODEL_SETTING, model)
