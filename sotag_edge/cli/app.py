"""The command line: each command parses, calls, and renders. The only place that exits.

Commands that train or convert import the workstation side only when they run.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sotag_edge.cli import settings as options
from sotag_edge.errors import INTERRUPTED, TERMINATED, SotagEdgeError

# Each command and the module that it is in, in the order of the help.
_COMMANDS = {
    "classify": "sotag_edge.cli.classify",
    "explain": "sotag_edge.cli.explain",
    "train": "sotag_convert.cli.train",
    "convert": "sotag_convert.cli.convert",
    "evaluate": "sotag_convert.cli.evaluate",
    "models": "sotag_edge.cli.models",
    "info": "sotag_edge.cli.models",
    "verify": "sotag_edge.cli.verify",
    "benchmark": "sotag_edge.cli.benchmark",
    "doctor": "sotag_edge.cli.doctor",
    "config": "sotag_edge.cli.config",
}
_ABOUT_A_MODEL = ("doctor", "info", "verify", "benchmark")
_APP: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None}


class _Lazily(Mapping[str, Any]):
    """Each command by its name, made when it is asked for: to make them all took a fifth of a short run's time."""

    def __getitem__(self, name: str) -> Any:
        module = import_module(_COMMANDS[name])
        alone = typer.Typer(add_completion=False, **_APP)
        alone.command(name)(getattr(module, name))
        return typer.main.get_command(alone)

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


class _Commands(TyperGroup):
    """Turns what a command raises into one sentence on stderr and an exit code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = _Lazily()

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SotagEdgeError as error:
            from sotag_edge.formats.fields import printable

            print(f"sotag-edge: {printable(str(error))}", file=sys.stderr)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(INTERRUPTED) from interrupt
        except BrokenPipeError as closed:
            # The reader of standard output has gone (`| head`): a quiet end. (That of stderr may go without anybody's loss,
            # see classify.py.) What is left in the buffer must have somewhere to go at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from closed


app = typer.Typer(
    name="sotag-edge",
    cls=_Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    **_APP,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from sotag_edge import __version__
        from sotag_edge import machine as device

        found = ", ".join(f"{name} {number}" for name, number in device.runtimes().items())
        print(f"sotag-edge {__version__} ({found or 'no TFLite runtime'})")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  # its callback does it
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Tag programming questions, or any texts with your own tags, on a small computer."""
    # "config" shows what is in the file, and which of it is in force.
    settings = options.configured() if context.invoked_subcommand != "config" else {}
    shared = {name: value for name, value in settings.items() if name in ("model", "color")}
    model = {name: value for name, value in settings.items() if name == "model"}
    context.default_map = {"classify": settings, "explain": shared} | dict.fromkeys(_ABOUT_A_MODEL, model)


def main() -> None:
    """The entry point of the ``sotag-edge`` command."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the caller closed it
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # open to the end
    for stream in (sys.stdout, sys.stderr):
        # Tags and sources are UTF-8 whatever the locale says, and a name that is not text must not stop the rest.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    code: Any = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # so that what was begun is cleared away
    try:
        app()
    except SystemExit as end:
        code = end.code
    except OSError as error:
        print(f"sotag-edge: the output cannot be written: {error.strerror}", file=sys.stderr)
        code = 1
    _end(code if isinstance(code, int) else int(code is not None))


def _end(code: int) -> None:
    """End the process now: Python's own way to take everything down took a seventh of a short run (18 ms of 124)."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.flush()
            except OSError:
                code = code or 1
    if "tensorflow" in sys.modules:  # which has files to clear away
        sys.exit(code)
    os._exit(code)
