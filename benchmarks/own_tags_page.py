"""Result lines of ``own_tags.py`` -> its section of docs/benchmarks.md. Standard library only."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

_OURS = "sotag-edge"
_SMALL = ("fasttext", "fasttext-subwords", "svc")  # ours is compared with the best of these
_LARGE = "char-svc"
_NAMES = {
    _OURS: "sotag-edge",
    "fasttext": "fastText",
    "fasttext-subwords": "fastText, subwords",
    "svc": "SVC",
    "char-svc": "SVC, characters",
    "fasttext-ova": "fastText, one against all, threshold .5",
    "lr": "TF-IDF + LR, one against the rest, threshold .5",
    "lr-tuned": "the same, threshold tuned out of fold",
    "char-lr-tuned": "the same with characters, threshold tuned",
}
_HEAD = (
    "Written by `make bench-own-tags`. `sotag-edge train` with its default settings is compared with fastText (25 epochs, "
    "word bigrams), fastText with subwords of 3 to 5 characters, SVC (LinearSVC on TF-IDF of one and two words), and SVC "
    "with TF-IDF of 1 to 5 characters as well. All systems have the same training texts, a number per tag or all, and the "
    "same test texts. A source package or a conversation never has texts in both."
)
_ACCURACY = (
    "Accuracy on the test texts (the best guess, never `unknown`). The last two columns are differences in points: to the "
    "best of fastText, fastText with subwords and SVC, and to SVC with characters. Blank: not measured."
)
_EFFORT = (
    "Macro F1 is the mean over the tags. KB: all files of a model; scikit-learn's are saved with joblib, and fastText's "
    "have 800 MB unless quantized. Seconds and MB are those of our training, with one thread; MB is the peak memory of its "
    "largest process. The last two columns are the share of test texts that get a tag, and of off-topic texts answered "
    "`unknown`."
)
_SEVERAL = "Several tags per text. Precision at 1 and 3 is of the tags with the highest scores:"
Row = dict[str, Any]
Key = tuple[str, str, str]


def render(rows: Sequence[Row]) -> str:
    """The text of the section."""
    data = {row["set"]: row for row in rows if row["system"] == "data"}
    averages = means(row for row in rows if row["system"] != "data" and row["set"] != "memory")
    single = [name for name in data if not data[name]["multi_label"]]
    several = [name for name in data if data[name]["multi_label"]]
    lines = ["## Your own tags", "", _HEAD, "", *_sets(data)]
    if single:
        lines += ["", _ACCURACY, "", *_accuracies(averages, single), *_summary(averages, single)]
        lines += ["", _EFFORT, "", *_efforts(averages, single)]
    if any(name in several for name, _, _ in averages):
        lines += ["", _SEVERAL, "", *_several(averages, several)]
    lines += _failures(averages)
    lines += [_memory(row) for row in rows if row["set"] == "memory"]
    return "\n".join(lines)


def means(rows: Iterable[Row]) -> dict[Key, Row]:
    """The mean of each figure over the draws, by set, size and system. A draw that failed counts only if all did."""
    by_key: dict[Key, list[Row]] = {}
    for row in rows:
        by_key.setdefault((row["set"], row["size"], row["system"]), []).append(row)
    averages = {}
    for key, draws in by_key.items():
        good = [row for row in draws if "error" not in row]
        names = [name for name, value in (good or draws)[0].items() if isinstance(value, (int, float))]
        averages[key] = {name: statistics.fmean(row[name] for row in good) for name in names} if good else draws[0]
    return averages


def _sets(data: dict[str, Row]) -> list[str]:
    rows = ["| | texts | tags | training texts | test texts |", "|---|---|---|---|---|"]
    return rows + [
        f"| {name} | {row['about']} | {row['tags']} | {row['train']:,} | {row['test']:,} |"
        for name, row in data.items()
    ]


def _accuracies(averages: dict[Key, Row], names: Sequence[str]) -> list[str]:
    shown = (_OURS, *_SMALL, _LARGE)
    head = " | ".join(_NAMES[system] for system in shown)
    rows = [f"| | texts per tag | {head} | to the best | to SVC, characters |", "|---" * (len(shown) + 4) + "|"]
    for name, size in _sizes(averages, names):
        cells = [
            "failed"
            if "error" in averages.get((name, size, system), {})
            else _share(_accuracy(averages, name, size, system))
            for system in shown
        ]
        cells += ["" if points is None else f"{points:+.1f}" for points in _differences(averages, name, size)]
        rows.append(f"| {name} | {size} | {' | '.join(cells)} |")
    return rows


def _accuracy(averages: dict[Key, Row], name: str, size: str, system: str) -> float | None:
    return averages.get((name, size, system), {}).get("accuracy")


def _differences(averages: dict[Key, Row], name: str, size: str) -> tuple[float | None, float | None]:
    """Ours less the best of ``_SMALL``, and less ``_LARGE``, in points; ``None`` unless all of them were measured."""
    ours, large, *small = (_accuracy(averages, name, size, system) for system in (_OURS, _LARGE, *_SMALL))
    if ours is None:
        return None, None
    to_best = None if None in small else round(100 * (ours - max(filter(None, small))), 1)
    return to_best, None if large is None else round(100 * (ours - large), 1)


def _summary(averages: dict[Key, Row], names: Sequence[str]) -> list[str]:
    """How many rows of the table reach what was aimed at."""
    pairs = [_differences(averages, name, size) for name, size in _sizes(averages, names)]
    to_best = [best for best, _ in pairs if best is not None]
    to_large = [large for _, large in pairs if large is not None]
    if not to_best or not to_large:
        return []
    within, above = sum(points >= -1 for points in to_best), sum(points > 0 for points in to_best)
    near, nearer = sum(points >= -2 for points in to_large), sum(points >= -0.5 for points in to_large)
    text = (
        f"Of {len(to_best)} comparisons with the best of the three, {within} are at most one point below it and {above} "
        f"above it. Of {len(to_large)} comparisons with SVC with characters, {near} are at most two points below it and "
        f"{nearer} at most half a point."
    )
    return ["", text]


def _efforts(averages: dict[Key, Row], names: Sequence[str]) -> list[str]:
    head = "| | texts per tag | macro F1 | SVC | SVC, characters | KB | SVC | SVC, characters "
    rows = [f"{head}| seconds | MB | answered | off-topic `unknown` |", "|---" * 12 + "|"]
    for name, size in _sizes(averages, names):
        ours, *others = (averages.get((name, size, system), {}) for system in (_OURS, "svc", _LARGE))
        cells = [_share(row.get("macro_f1")) for row in (ours, *others)]
        cells += [_number(row.get("bytes"), 1e-3) for row in (ours, *others)]
        cells += [_number(ours.get("seconds")), _number(ours.get("peak_mb"))]
        cells += [_percent(ours.get("answered")), _percent(ours.get("off_topic_unknown"))]
        rows.append(f"| {name} | {size} | {' | '.join(cells)} |")
    return rows


def _several(averages: dict[Key, Row], names: Sequence[str]) -> list[str]:
    rows = ["| | | micro F1 | macro F1 | precision at 1 | at 3 | KB | seconds |", "|---" * 8 + "|"]
    keys = sorted((key for key in averages if key[0] in names), key=lambda key: (key[0], [*_NAMES].index(key[2])))
    for name, size, system in keys:
        row = averages[name, size, system]
        if "error" not in row:
            cells = [_share(row.get(figure)) for figure in ("micro_f1", "macro_f1", "precision_1", "precision_3")]
            cells += [_number(row.get("bytes"), 1e-3), _number(row.get("seconds"))]
            rows.append(f"| {name} | {_NAMES[system]} | {' | '.join(cells)} |")
    return rows


def _failures(averages: dict[Key, Row]) -> list[str]:
    failed = [(*key, row["error"]) for key, row in averages.items() if "error" in row]
    lines = [f"- {name}, {size} texts per tag, {_NAMES[system]}: {error}" for name, size, system, error in failed]
    return ["", "Failed:", "", *lines] if lines else []


def _memory(row: Row) -> str:
    return (
        f"\nTraining on {row['texts']:,} short synthetic texts in 100 tags ({row['file_mb']:,} MB) takes "
        f"{row['seconds'] / 60:.0f} minutes; the peak memory of its largest process is {row['peak_mb']:,} MB."
    )


def _sizes(averages: dict[Key, Row], names: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of set and size that have results, in the order of the sets, the smallest size first."""
    pairs = {(name, size) for name, size, _ in averages if name in names}
    return sorted(pairs, key=lambda pair: (names.index(pair[0]), pair[1] == "all", pair[1].zfill(9)))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".removeprefix("0")


def _number(value: float | None, factor: float = 1) -> str:
    return "" if value is None else f"{value * factor:,.0f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
