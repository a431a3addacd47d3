"""Which options of ``classify`` go together, and the format of the output."""

from __future__ import annotations

from pathlib import Path

from sotag_edge.cli.extra import require_extra
from sotag_edge.errors import UsageError
from sotag_edge.formats import FORMATS, Format


def refuse_contradictions(
    used: frozenset[str], input_format: Format | None, output: Path | None, fail_on: str | None
) -> None:
    """Raise ``UsageError`` for options that exclude each other, or that lack the option they belong to."""
    exclusive = (
        ("best_guess", "threshold", "--best-guess cannot be combined with --threshold"),
        ("template", "to", "--format cannot be combined with --to"),
        ("template", "top_k", "--format cannot be combined with --top-k"),
        ("template", "scores", "--format cannot be combined with --scores"),
        ("template", "merge", "--format cannot be combined with --merge"),
        ("merge", "text", "--merge cannot be combined with --text, which has no record"),
        ("files_from", "paths", "--files-from cannot be combined with other paths"),
        ("files_from", "text", "--files-from cannot be combined with --text"),
    )
    for one, other, message in exclusive:
        if {one, other} <= used:
            raise UsageError(message)
    if "template" in used:
        refuse_text_as_columns(output, "a line per result")
    if "glob" in used and "recursive" not in used:
        raise UsageError("--glob needs --recursive: it selects the files in folders")
    if "null" in used and "files_from" not in used:
        raise UsageError("-0 needs --files-from: it is about the paths in that list")
    if fail_on not in (None, "unknown"):
        raise UsageError(f"invalid value {fail_on!r} for --fail-on (allowed: unknown)")
    if {"field", "id_field"} & used and not (input_format and input_format.has_records):
        raise UsageError("--field and --id need records: --from csv, tsv, jsonl, parquet or arrow")
    if "delimiter" in used and not (input_format and input_format.name == "csv"):
        raise UsageError("--delimiter needs --from csv")


def output_format_of(
    to: Format | None,
    input_format: Format | None,
    output: Path | None,
    *,
    merge: bool,
    on_terminal: bool,
    is_named: bool,
) -> Format:
    """The format of the output. Raises ``UsageError`` if it cannot merge.

    ``to``: from the command line if ``is_named``, else from a variable or the config file, which the suffix of the output
    overrules. An output without a suffix is a folder if the input has columns.
    """
    reads_columns = input_format is not None and input_format.has_columns
    merges_itself = input_format is not None and (input_format.can_merge or reads_columns)
    if merge and merges_itself and not (to and is_named):
        to = input_format
    elif output is not None and not is_named:
        to = input_format if reads_columns and not output.suffix else _by_suffix(output) or to
    to = to or FORMATS["table" if on_terminal else "tsv"]
    if merge and not (keeps_columns(input_format, to) or to.merges(input_format)):
        raise UsageError(
            "--merge needs records: --from jsonl --to jsonl or json; --from csv or tsv --to csv, tsv, jsonl or json"
        )
    refuse_text_as_columns(output, to.name, has_columns=to.has_columns)
    return to


def refuse_text_as_columns(output: Path | None, content: str, *, has_columns: bool = False) -> None:
    """Raise ``UsageError`` if a file would have the name of one with columns, and other ``content``."""
    form = output and _by_suffix(output)
    if form and form.has_columns and not has_columns:
        raise UsageError(f"{output} would get {content}: name it otherwise, or use --to {form.name}")


def _by_suffix(output: Path) -> Format | None:
    named = (
        entry for entry in FORMATS.values() if entry.writes and output.suffix in (f".{entry.name}", *entry.suffixes)
    )
    return next(named, None)


def keeps_columns(input_format: Format | None, output_format: Format) -> bool:
    """Whether files are tagged with all of their columns."""
    return input_format is not None and input_format.has_columns and output_format.has_columns


def refuse_for_columns(
    used: frozenset[str], input_format: Format | None, output_format: Format, binary: str, *, on_terminal: bool
) -> None:
    """Raise ``UsageError`` for options that a format of Arrow columns does not have, or that only they have;
    ``MissingDependencyError`` without pyarrow."""
    if (input_format and input_format.has_columns) or output_format.has_columns:
        require_extra("arrow")
    both = keeps_columns(input_format, output_format)
    if output_format.has_columns and on_terminal:
        raise UsageError(f"{output_format.name} is not for a terminal: name a file with --output")
    if output_format.has_columns and "top_k" in used:
        raise UsageError(f"--to {output_format.name} has no --top-k; --scores adds the score of every label")
    for option, name in (("prefix", "--prefix"), ("resume", "--resume")):
        if option in used and not both:
            raise UsageError(f"{name} needs files of columns: --from parquet or arrow, and --to one of them")
    for option, name in (("text", "--text"), ("id_field", "--id"), ("glob", "--glob")):
        if option in used and both:
            raise UsageError(f"{name} has no use from columns to columns: all columns of the files stay")
    if both and binary == "skip":
        raise UsageError("--binary skip would leave out rows, and all rows stay: each such row gets an error")
