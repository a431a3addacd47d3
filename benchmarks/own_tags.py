"""``make bench-own-tags``: compare training on your own tags with fastText and scikit-learn; writes into docs/benchmarks.md.

Each result is appended to the results file at once, so a run that was stopped can be continued. ``--page`` writes the
section from the results so far. ``--python`` is the Python whose ``sotag-edge train`` is measured. The splits are kept as
CSV files, and all systems read them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import own_tags_memory
import own_tags_ours
import own_tags_page
import own_tags_rivals
import sections
from own_tags_data import AbsentError, DataSet, Example, Loader, sizes, subset, write
from own_tags_ours import BENCH, FailedError
from own_tags_sources import TITLES_FILE

ROOT = BENCH.parent
BUILD = ROOT / "build" / "bench" / "own-tags"
OURS = "sotag-edge"
_MILLION = 1_000_000
Row = dict[str, Any]


def systems(multi_label: bool) -> tuple[str, ...]:
    """The systems for data sets with one tag per text, or with several."""
    return (OURS, *(own_tags_rivals.SEVERAL if multi_label else own_tags_rivals.SINGLE))


class Results:
    """The lines of a results file. The last line of a measurement counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rows: dict[tuple[str, ...], Row] = {}
        if file.exists():
            for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
                try:
                    row = json.loads(line or "{}")
                except ValueError as error:
                    raise SystemExit(f"{file}:{number} is not a result: remove the line") from error
                self.rows |= {self._key(row): row} if row else {}

    def add(self, row: Row) -> None:
        """Append a result, unless the file has the same one."""
        if self.rows.get(self._key(row)) == row:
            return
        self.rows[self._key(row)] = row
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")

    def has(self, name: str, size: str, draw: int, system: str) -> bool:
        """Whether the file has a measurement that did not fail."""
        row = self.rows.get((name, size, str(draw), system))
        return row is not None and "error" not in row

    @staticmethod
    def _key(row: Row) -> tuple[str, ...]:
        return tuple(str(row.get(name, "")) for name in ("set", "size", "draw", "system"))


def prepare(dataset: DataSet, splits: Path, draws: int) -> Iterator[tuple[str, int, Path]]:
    """Write the splits of a data set, unless they exist: the size, the number of the draw and the folder of each."""
    for size in sizes(dataset):
        for draw in range(1, draws + 1 if size is not None else 2):
            name = f"{dataset.name}-{size or 'all'}" + (f"-{draw}" if draw > 1 else "")
            folder = splits / name
            folder.mkdir(parents=True, exist_ok=True)
            parts: dict[str, Sequence[Example]] = {
                "test": dataset.test,
                "off-topic": [Example(text, "unknown") for text in dataset.off_topic],
                "train": subset(dataset.train, size, draw),
            }
            if not (folder / "train.csv").exists():
                for part, examples in parts.items():
                    write(folder / f"{part}.new", examples)
                    (folder / f"{part}.new").rename(folder / f"{part}.csv")
            yield str(size or "all"), draw, folder


def result(system: str, folder: Path, python: str, multi_label: bool) -> Row:
    """The figures of one system on one split, or its ``error``."""
    try:
        if system == OURS:
            return own_tags_ours.result(python, folder, multi_label)
        command = [sys.executable, str(BENCH / "own_tags_rivals.py"), system, str(folder.resolve())]
        output, effort = own_tags_ours.run(command, folder)
        return json.loads(output) | effort
    except FailedError as error:
        return {"error": str(error)}


def measure(arguments: argparse.Namespace, results: Results) -> None:
    """Measure everything that the results file does not have."""
    loader = Loader(BUILD, arguments.data)
    for name in arguments.sets or loader.sets:
        try:
            dataset = loader.sets[name]()
        except AbsentError as error:
            say(f"{name} is skipped: {error}")
            continue
        about = {"about": dataset.about, "tags": dataset.tags, "multi_label": dataset.multi_label}
        counts = {"train": len(dataset.train), "test": len(dataset.test), "off_topic": len(dataset.off_topic)}
        results.add({"set": name, "system": "data", **about, **counts})
        for size, draw, folder in prepare(dataset, arguments.splits, arguments.draws):
            if arguments.sizes and size not in arguments.sizes:
                continue
            for system in systems(dataset.multi_label) if not arguments.prepare else ():
                skipped = arguments.systems and system not in arguments.systems
                if skipped or (results.has(name, size, draw, system) and not arguments.again):
                    continue
                say(f"{name}, {size} texts per tag: {system}")
                row = result(system, folder, arguments.python, dataset.multi_label)
                results.add({"set": name, "size": size, "draw": draw, "system": system} | row)


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    titles = f"the folder with {TITLES_FILE} [default: $SOTAG_EDGE_DATA]"
    add("--data", type=Path, default=os.environ.get("SOTAG_EDGE_DATA"), help=titles)
    add("--results", type=Path, default=BUILD / "results.jsonl", help="the results file")
    add("--splits", type=Path, default=BUILD / "splits", help="the folder for the splits")
    add("--python", default=str(ROOT / ".venv" / "bin" / "python"), help="the Python that trains")
    add("--sets", type=lambda text: text.split(","), help="only these data sets")
    add("--sizes", type=lambda text: text.split(","), help="only these numbers of texts per tag, such as 25,all")
    add("--systems", type=lambda text: text.split(","), help=f"only these systems, such as {OURS},svc")
    draws = "random draws of the training texts per size, for sizes below all [default: 1]"
    add("--draws", type=int, default=1, help=draws)
    add("--again", action="store_true", help="repeat measurements that the results file has")
    add("--prepare", action="store_true", help="only write the splits")
    add("--page", action="store_true", help="only write the page")
    memory = "instead, measure training on N synthetic texts [default: 1,000,000]"
    add("--memory", type=int, nargs="?", const=_MILLION, metavar="N", help=memory)
    return parser


def main() -> None:
    """Measure what is missing, then write the section of the page."""
    arguments = options().parse_args()
    results = Results(arguments.results)
    if arguments.memory:
        try:
            row: Row = own_tags_memory.measure(arguments.python, arguments.memory)
        except FailedError as error:
            raise SystemExit(f"training on {arguments.memory:,} texts failed: {error}") from error
        results.add({"set": "memory", "size": str(arguments.memory), "system": OURS} | row)
    elif not arguments.page:
        measure(arguments, results)
    if not arguments.prepare:
        text = own_tags_page.render(list(results.rows.values()))
        sections.update(ROOT / "docs" / "benchmarks.md", "own-tags", text)


if __name__ == "__main__":
    main()
