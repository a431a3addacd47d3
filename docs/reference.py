"""Writes docs/cli.md and the man page from the commands' own help.

``python docs/reference.py`` writes both; with ``--check`` it changes nothing and fails if they are out of date.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import typer

from sotag_edge.cli import settings
from sotag_edge.cli.app import app
from sotag_edge.cli.help import grouped
from sotag_edge.errors import __doc__ as exit_codes

DOCS = Path(__file__).parent
_OPTIONS_OF_TYPER = ("--help", "--install-completion", "--show-completion")
_SCHEMAS = """\
## Output

`--to tsv`: the columns `source`, `label` and `score`, without a header. `--id` adds the identifier after the source,
`--top-k K` adds K pairs of a label and its score, and `--scores` adds the score of each label in the model's order. A failed
input has an empty label and score. With a multi-label model `label` has all labels of the text, best first, as a row of
CSV (`java,"c++, c"`), and `score` is that of the first.

`--to csv`: the same columns with a header, then `reason` and `error`.

`--to jsonl`: one object per line. `--to json`: `{"schema_version": 1, "results": [...]}` with the same objects:

| field | type | when |
|---|---|---|
| `source` | text: `file`, `file:line`, `stdin:line` or `text:number` | always |
| `id` | text | with `--id` or `--from posts-xml` |
| `label` | text: a label of the model, the best one if there are several, or `unknown` | the input was read |
| `labels` | list: all labels of the text, best first; empty for `unknown` | the model is multi-label |
| `score` | number from 0 to 1: that of the label, or the best one | the input was read |
| `scores` | object: each label's score | the input was read |
| `reason` | `low score`, `too little text`, `mostly unknown words`, `not text` or `off-topic` | the label is `unknown` |
| `truncated` | `true` | the network read to its limit and the text goes on |
| `top` | list of `{"label", "score"}`, best first | with `--top-k` |
| `error` | text | the input failed |

With `--merge` these fields follow the fields of the input's record. If the record has a field of the same name, ours is
called `predicted_...`.

`--to parquet`, `--to arrow` (the extra `[arrow]`): the columns `source`, with `--id` or `--from posts-xml` also `id`, then
those of the next paragraph. From `parquet` or `arrow` to one of them all columns of the input come first instead, as they
are, and the output has the same rows in the same order:

| column | type | null |
|---|---|---|
| `label`: as above | string | the row has an error |
| `labels`, of a multi-label model, instead of `label`: as above | list of strings | the row has an error |
| `score`: as above, not rounded | double | the row has an error |
| `reason`: as above | string | the row has a label or an error |
| `error`: why the row has no answer | string | the row has an answer |
| `score_...` with `--scores`: the score of each label | double | the row has an error |

A column of one of these names in the input is refused; `--prefix` renames ours. `--field` takes columns of strings, of
bytes in UTF-8, and dictionaries of them. A row is an error if its text, or one of several, is null, not UTF-8, longer than
16 MiB or binary; where a null means no text, fill it in before.
Several files, or a folder, become a folder of parts with the same names; files whose name begins with `_` or `.` are left
out. Each part is written completely or not at all, and `--resume` keeps those that are there. It refuses parts of another
model, other options or another input. An Arrow file may be a file (Feather, version 2) or a stream; to a pipe a stream is
written.

`--format` has the fields `source`, `id`, `label`, `labels` (as in `tsv`; empty for `unknown`), `best_guess`, `score`,
`reason` and `error`.

**Several labels.** A multi-label model answers with every label whose score reaches the label's own threshold.
`--threshold X` is one threshold for all labels. `--best-guess`, or a threshold of 0, keeps the model's thresholds and
answers with the best label if no score reaches its threshold.

## A co-process

A process that keeps the model loaded and answers each record at once:

```
sotag-edge classify --from jsonl --to jsonl
```

Write `{"text": "..."}` and a line end, flush, and read one line. Close its input to stop it. Results are flushed whenever
the process is about to read more input, so it never waits with an answer that it has.

## Settings

The value is the one on the command line, else the variable, else the one in `config.toml` (`sotag-edge config` shows its
path), else the default.

| in config.toml | variable | default | allowed |
|---|---|---|---|
"""


def commands() -> list[tuple[str, Any]]:
    """Each command's name and the command itself, in the order of the help."""
    group: Any = typer.main.get_command(app)
    return list(group.commands.items())


def parameters(command: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each group of parameters, with their names on the command line and their meaning."""
    own = [parameter for parameter in command.params if not set(parameter.opts) & set(_OPTIONS_OF_TYPER)]
    return [(group, _rows(members)) for group, members in grouped(own).items()]


def _rows(members: list[Any]) -> list[tuple[str, str]]:
    rows = []
    for parameter in members:
        names = ", ".join(parameter.opts) if parameter.param_type_name == "option" else f"[{parameter.name.upper()}]"
        choices = getattr(parameter.type, "choices", None)
        if choices:
            names += " " + "|".join(str(getattr(choice, "value", choice)) for choice in choices)
        elif parameter.param_type_name == "option" and not parameter.is_flag:
            names += f" {parameter.metavar or parameter.type.name.upper()}"
        help_text = parameter.help or ""
        if parameter.default not in (None, False, "", ()) and parameter.show_default and "[default" not in help_text:
            help_text += f" [default: {getattr(parameter.default, 'value', parameter.default)}]"
        if parameter.envvar:
            help_text += f" [${parameter.envvar}]"
        rows.append((names, help_text.strip()))
    return rows


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


def _cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return text.replace("|", "\\|")


def markdown() -> str:
    """docs/cli.md."""
    lines = ["# The command line", "", "Written by `make docs` from the commands' own help.", ""]
    for name, command in commands():
        description, examples = described(command)
        lines += [f"## sotag-edge {name}", "", description, "", "```", *examples, "```", ""]
        for group, rows in parameters(command):
            lines += [f"| {group} | |", "|---|---|"]
            lines += [f"| `{_cell(names)}` | {_cell(text)} |" for names, text in rows]
            lines.append("")
    rows = [
        f"| `{name}` | `{settings.variable(name)}` | {setting.default} | {setting.allowed} |"
        for name, setting in settings.SETTINGS.items()
    ]
    lines += [*_SCHEMAS.splitlines(), *rows, "", "## Exit codes", "", "| code | meaning |", "|---|---|"]
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
        for names, text in (row for _, rows in parameters(command) for row in rows):
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
            sys.exit(f"{path} is out of date: run `make docs`")


if __name__ == "__main__":
    main()
