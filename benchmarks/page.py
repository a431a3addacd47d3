"""The results of ``make bench`` -> docs/benchmarks.md. Every figure comes from the results. Standard library only."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RELEASE = "previous release"
"""What the environment of the previous release is called in the results."""
_NAMES = {
    "fasttext": "fastText `.ftz`",
    "fasttext-plain": "fastText `.ftz`, ordinary feeding",
    "tfidf": "TF-IDF + LinearSVC",
    "nb-svm": "NB-SVM",
}
Results = Mapping[str, Any]

_HEAD = (
    "Written by `make bench` on {machine}. Times are of one machine and one moment; compare the ratios. The other systems "
    "learned from the {train:,} training texts, with the same tokenizer as ours. All systems were measured on the same "
    "{texts:,} test texts (the language's name masked, {mean:.0f} tokens on average), with one thread each."
)
_METHOD = (
    "Systems take turns, {rounds} times (rounds). Each ratio is computed within a round, from neighbours in time, and shown "
    "as the median of the rounds with their quartiles in brackets. Times are those of the processor where no other time is "
    "named. By the clock the turns took {wall_to_cpu:.2f} times as long: {idle}."
)
_SPEED = (
    "Texts per second from raw text, one by one, as a device gets them, and all at once: with `classify_many`, and with the "
    "functions for many texts of scikit-learn and fastText. p50 and p99: µs per text by the clock."
)
_FED = (
    "fastText is fed as well as it can be: `str.replace` spaces out the marks of a text, which is not split and joined, and "
    "the C++ object is called directly. The answers are those of the ordinary feeding for {agreement:.2%} of the texts, at "
    "{gain} its speed."
)
_QUESTIONS = (
    "`benchmarks/questions.jsonl` has questions as people type them, titles alone and whole ones, and texts about something "
    "else: recipes, poems, Haskell, SQL, other languages. None is learned from. `steer` was looked at while the rule for "
    "the threshold was chosen; `titles`, `questions` and `off-topic` were written by others than the questions that the "
    "models learned from, and compared models by their totals alone:"
)


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """One value divided by the other, for each round."""
    return [one / other for one, other in zip(above, below, strict=True)]


def spread(values: Sequence[float]) -> str:
    """The median, with the quartiles in brackets.

    >>> spread([1.0, 1.1, 1.2, 1.3, 9.0])
    '1.20x (1.10-1.30)'
    >>> spread([0.5])
    '0.50x'
    """
    if len(set(values)) == 1:
        return f"{values[0]:.2f}x"
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{statistics.median(values):.2f}x ({low:.2f}-{high:.2f})"


def column(usages: Iterable[Mapping[str, float]], name: str) -> list[float]:
    """One figure of all runs."""
    return [usage[name] for usage in usages]


def growth(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """The curves of the plots: tokens, memory and jobs; each is y by x, by line."""
    tokens = {
        _name(name): {length: statistics.median(values) for length, values in figures["lengths"].items()}
        for name, figures in results["systems"].items()
        if "lengths" in figures and not name.startswith("tiny")
    }
    memory = {name: {count: runs[0]["peak_mb"] for count, runs in by.items()} for name, by in results["memory"].items()}
    lines = results["lines"]["jobs"]
    jobs = {
        name: {count: lines / statistics.median(column(runs, "seconds")) for count, runs in by.items()}
        for name, by in results["jobs"].items()
    }
    return {"tokens": {name.replace("`", ""): curve for name, curve in tokens.items()}, "memory": memory, "jobs": jobs}


def render(results: Results, plots: Sequence[tuple[Path, str]]) -> str:
    """The page, without the section on own tags."""
    idle = "the machine was idle" if results["wall_to_cpu"] < 1.05 else "other work ran at the same time"
    mean = results["tokens"]["test"]
    sections = [
        ["# Benchmarks", _HEAD.format(**results, mean=mean), _METHOD.format(**results, idle=idle), *results["skipped"]],
        [_table(_speed(results)), _SPEED, _fed(results)],
        ["## Titles", *_titles(results)],
        ["## Start and memory", _table(_starts(results)), _about_starts(results)],
        ["## Streams and processes", *_streams(results)],
        ["## Growth", *(f"![{title}]({file.name})" for file, title in plots), _about_growth(results)],
        [
            "## Installed size",
            _table(_sizes(results)),
            "All files of the installed packages, without pip and setuptools.",
        ],
        [
            "## Tokens read",
            "The default model by the number of tokens that it reads of a text, without its early exit:",
            _table(_read(results)),
        ],
        ["## Short questions and texts about something else", _QUESTIONS, _table(_questions(results))],
    ]
    return "\n\n".join(part for section in sections for part in section) + "\n"


def _name(name: str) -> str:
    model, _, environment = name.partition(", ")
    return f"`{model}`, {environment}" if environment else _NAMES[name]


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _speed(results: Results) -> list[list[str]]:
    head = ["", "accuracy", "bytes", "one by one", "to fastText", "all at once", "to TF-IDF", "p50, p99 µs"]
    rows = [head]
    every = results["systems"]
    for name, figures in every.items():
        one = [f"{statistics.median(figures['one']):,.0f}", spread(ratios(figures["one"], every["fasttext"]["one"]))]
        at_once = ["", ""]
        if "all" in figures:
            gain = spread(ratios(figures["all"], every["tfidf"]["all"]))
            at_once = [f"{statistics.median(figures['all']):,.0f}", gain]
        times = f"{figures['p50']:.0f}, {figures['p99']:.0f}"
        rows.append([_name(name), f"{figures['accuracy']:.4f}", f"{figures['bytes']:,}", *one, *at_once, times])
    return rows


def _fed(results: Results) -> str:
    every = results["systems"]
    gain = spread(ratios(every["fasttext"]["one"], every["fasttext-plain"]["one"]))
    return _FED.format(agreement=results["agreement"], gain=gain)


def _titles(results: Results) -> list[str]:
    rows = [["", "texts a second", "to fastText", "to the previous release"]]
    every = results["systems"]
    old = every.get(f"default, {RELEASE}")
    for name, figures in every.items():
        if "titles" not in figures:
            continue
        same = old is not None and name.endswith((results["release_runtime"], RELEASE)) and not name.startswith("tiny")
        to_old = spread(ratios(figures["titles"], old["titles"])) if same and old is not None else ""
        to_fasttext = spread(ratios(figures["titles"], every["fasttext"]["titles"]))
        rows.append([_name(name), f"{statistics.median(figures['titles']):,.0f}", to_fasttext, to_old])
    about = f"The first sentences of the test texts, {results['tokens']['titles']:.0f} tokens on average, one by one."
    if old is not None:
        runtime = results["release_runtime"]
        whole = spread(ratios(every[f"default, {runtime}"]["one"], old["one"]))
        about += (
            f" The previous release is commit {results['commit']} with its own model, on {runtime}. On whole test texts the "
            f"speed is {whole} that of the previous release."
        )
    return [_table(rows), about]


def _floor(results: Results, name: str) -> str:
    _, _, environment = name.partition(", ")
    return f"floor, {environment}" if environment else next(name for name in results["starts"] if "floor" in name)


def _starts(results: Results) -> list[list[str]]:
    rows = [["", "processor ms", "to the floor", "wall ms", "to the floor", "peak MB"]]
    for name, runs in results["starts"].items():
        row = [_name(name) if not name.startswith("floor") else name]
        for figure in ("cpu", "seconds"):
            values, floor = column(runs, figure), column(results["starts"][_floor(results, name)], figure)
            row += [f"{1000 * statistics.median(values):.0f}", spread(ratios(values, floor))]
        rows.append([*row, f"{statistics.median(column(runs, 'peak_mb')):.1f}"])
    return rows


def _about_starts(results: Results) -> str:
    return (
        f"A process that tags one text, from its start to its end; {results['starts_each']} rounds. The floor is Python, "
        "NumPy, the runtime, typer and one run of the graph in the same environment, without our code. fastText and "
        "scikit-learn are compared with the first floor of the table."
    )


def _streams(results: Results) -> list[str]:
    lines = results["lines"]
    sentences = []
    for name, kind in ((name, kind) for name in results["jobs"] for kind in ("jobs", "jobs_short")):
        runs, texts = results[kind][name], "questions, one per line," if kind == "jobs" else "short lines"
        one = column(runs["1"], "seconds")
        gains = [
            f"`--jobs {count}` runs at {spread(ratios(one, column(more, 'seconds')))} the speed of `--jobs 1`, with "
            f"{spread(ratios(column(more, 'cpu'), column(runs['1'], 'cpu')))} the processor's time"
            for count, more in runs.items()
            if count != "1"
        ]
        sentences.append(
            f"With {name}, by the clock: {'; '.join(gains)}. `--jobs 1` tags {lines[kind] / statistics.median(one):,.0f} "
            f"per second, of {lines[kind]:,} {texts} in a file."
        )
    if not results["jobs"]:
        sentences.append("`--jobs` was not measured: this machine has one core.")
    for name, runs in results["loop"].items():
        command, loop = column(runs["command"], "cpu"), column(runs["loop"], "cpu")
        micros = [1e6 * statistics.median(values) / lines["loop"] for values in (command, loop)]
        sentences.append(
            f"With {name} the command runs at {spread(ratios(loop, command))} the speed of a bare loop over `Classifier` in "
            f"a process of its own: {micros[0]:.0f} and {micros[1]:.0f} µs per line, for {lines['loop']:,} short lines, "
            "start included."
        )
    return sentences


def _about_growth(results: Results) -> str:
    sentences = ["Tokens are those of the text; the model reads the first ones only. "]
    for name, runs in results["memory"].items():
        counts = sorted(map(int, runs))
        few, many = (runs[str(count)][0]["peak_mb"] for count in (counts[0], counts[-1]))
        sentences.append(
            f"With {name} the peak memory is {few:.1f} MB for {counts[0]:,} lines and {many:.1f} MB for {counts[-1]:,}: "
            f"{many / few:.2f} times as much. Every line is answered, in its place. "
        )
    return "".join(sentences).strip()


def _sizes(results: Results) -> list[list[str]]:
    rows = [["", "MB", "to the previous release"]]
    old = results["megabytes"].get(RELEASE)
    for name, size in results["megabytes"].items():
        is_same = old is not None and name == results.get("release_runtime")
        rows.append([name, f"{size:.1f}", f"{size / old:.2f}x" if is_same else ""])
    return rows


def _read(results: Results) -> list[list[str]]:
    rows = [["tokens", "accuracy", "µs a text"]]
    return rows + [
        [str(row["tokens"]), f"{row['accuracy']:.4f}", f"{row['micros']:.0f}"] for row in results["tokens_read"]
    ]


def _questions(results: Results) -> list[list[str]]:
    rows = [["texts", "number", "model", "best guess right", "answered `unknown`"]]
    return rows + [
        [
            row["set"],
            str(row["number"]),
            f"`{row['model']}`",
            f"{row['right']:.1%}" if "right" in row else "",
            f"{row['unknown']:.1%}",
        ]
        for row in results["questions"]
    ]
