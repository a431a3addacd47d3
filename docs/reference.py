"""Regenerates docs/cli.md and the man page from the commands themselves.

``python docs/reference.py`` writes them; ``--check`` changes nothing and fails where it would.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import typer

from sotag_edge.cli import settings as options
from sotag_edge.cli.app import app
from sotag_edge.errors import __doc__ as exit_codes

DOCS = Path(__file__).parent
_OPTIONS_OF_TYPER = ("--help", "--install-completion", "--show-completion")
_SCHEMAS = """\
## What the output holds

`--to tsv`: `source`, `label`, `score`, without a header; with `--id` the identifier behind the source; with `--top-k K`
pairs of `label`, `score`; with `--scores` the score of each label in the model's order. A failed input has an empty label
and score.

`--to csv`: the same columns under a header, then `reason` and `error`.

`--to jsonl`: one object a line; `--to json`: `{"schema_version": 1, "results": [...]}` with the same objects:

| field | type | when |
|---|---|---|
| `source` | text: the file, `file:line`, `stdin:line`, `text:number` | always |
| `id` | text | with `--id`, and from `posts-xml` |
| `label` | text: a label of the model, or `unknown` | the input was read |
| `score` | number from 0 to 1: the best score | the input was read |
| `scores` | object: each label's score | the input was read |
| `reason` | `low score`, `too little text`, `mostly unknown words` | the label is `unknown` |
| `top` | list of `{"label", "score"}`, best first | with `--top-k` |
| `error` | text | the input failed |

With `--merge` these fields follow those of the input's record; one that the record has too is called `predicted_...`.

## A co-process

A process that keeps the model loaded and answers each record as soon as it is written:

```
sotag-edge classify --from jsonl --to jsonl
```

Write `{"text": "..."}` and a line end, flush, and read one line. End its input to end it.

## Settings

Each is the option's; else the variable's; else the one in `config.toml` (`sotag-edge config` shows where that is); else the
program's own.

| in config.toml | variable | without |
|---|---|---|
"""


def commands() -> list[tuple[str, Any]]:
    """Each command's name and the command itself, in the order of the help."""
    group: Any = typer.main.get_command(app)
    return list(group.commands.items())


def parameters(command: Any) -> list[tuple[str, str]]:
    """Each parameter as it is typed, and what it means."""
    found = []
    for parameter in command.params:
        if set(parameter.opts) & set(_OPTIONS_OF_TYPER):
            continue
        names = ", ".join(parameter.opts) if parameter.param_type_name == "option" else f"[{parameter.name.upper()}]"
        choices = getattr(parameter.type, "choices", None)
        if choices:
            names += " " + "|".join(str(getattr(choice, "value", choice)) for choice in choices)
        elif parameter.param_type_name == "option" and not parameter.is_flag:
            names += f" {parameter.type.name.upper()}"
        help_text = parameter.help or ""
        if parameter.default not in (None, False, ()) and parameter.show_default and "[default" not in help_text:
            help_text += f" [default: {getattr(parameter.default, 'value', parameter.default)}]"
        if parameter.envvar:
            help_text += f" [${parameter.envvar}]"
        found.append((names, help_text.strip()))
    return found


def described(command: Any) -> tuple[str, list[str]]:
    """A command's description and its examples."""
    paragraphs = inspect.cleandoc(command.help).split("\n\n")
    text = [" ".join(paragraph.split()) for paragraph in paragraphs]
    examples = [paragraph.removeprefix("Example: ") for paragraph in text if paragraph.startswith("Example: ")]
    return "\n\n".join(paragraph for paragraph in text if not paragraph.startswith("Example: ")), examples


def codes() -> list[tuple[str, str]]:
    """The exit codes, from the table in errors.py."""
    rows = [line.split(maxsplit=1) for line in (exit_codes or "").splitlines() if line[:1].isdigit()]
    return [(code, meaning) for code, meaning in rows]


def markdown() -> str:
    """docs/cli.md."""
    lines = ["# The command line", "", "Written by `make docs` from the commands' own help.", ""]
    for name, command in commands():
        description, examples = described(command)
        lines += [f"## sotag-edge {name}", "", description, "", "```", *examples, "```", "", "| | |", "|---|---|"]
        lines += [
            f"| `{names.replace('|', chr(92) + '|')}` | {text.replace('|', chr(92) + '|')} |"
            for names, text in parameters(command)
        ]
        lines.append("")
    settings = [f"| `{name}` | `{options.variable(name)}` | {usual} |" for name, usual in options.SETTINGS.items()]
    lines += [*_SCHEMAS.splitlines(), *settings, "", "## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in codes()]
    lines += ["", "Shell completion: `sotag-edge --install-completion` (bash, zsh, fish).", ""]
    return "\n".join(lines)


def man() -> str:
    """The man page, in roff."""

    def plain(text: str) -> str:
        escaped = text.replace("\\", "\\e").replace("-", "\\-")
        return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in escaped.splitlines())

    lines = [
        '.TH SOTAG\\-EDGE 1 "" "sotag\\-edge"',
        ".SH NAME",
        "sotag\\-edge \\- tag texts on a small computer",
        ".SH SYNOPSIS",
    ]
    lines += [".B sotag\\-edge", "COMMAND [OPTIONS]"]
    for name, command in commands():
        description, examples = described(command)
        lines += [f".SH {plain(name.upper())}", plain(description)]
        for names, text in parameters(command):
            lines += [".TP", f".B {plain(names)}", plain(text)]
        for example in examples:
            lines += [".PP", ".EX", plain(example), ".EE"]
    lines += [".SH EXIT STATUS"]
    for code, meaning in codes():
        lines += [".TP", f".B {code}", plain(meaning)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write both, or with ``--check`` compare them."""
    for path, content in ((DOCS / "cli.md", markdown()), (DOCS / "sotag-edge.1", man())):
        if "--check" not in sys.argv:
            path.write_text(content, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != content:
            sys.exit(f"{path} is not what the commands say: run `make docs`")


if __name__ == "__main__":
    main()
