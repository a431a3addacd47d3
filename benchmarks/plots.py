"""The growth curves of ``make bench`` as SVG files. The only module that imports matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Curves = Mapping[str, Mapping[float, float]]
"""For each line of a plot: y by x."""
_WIDTH, _HEIGHT = 5.0, 3.2  # inches
_MARKERS = "os^Dvx"  # lines can be told apart without colours, too


def draw(results: Mapping[str, Any], folder: Path) -> list[tuple[Path, str]]:
    """Write all plots: the file and the title of each."""
    plots = [
        ("growth-tokens", "Time against tokens", "tokens per text", "µs per text", results["growth"]["tokens"]),
        ("growth-memory", "Memory against texts", "texts in one run", "peak MB", results["growth"]["memory"]),
        ("growth-processes", "Throughput against processes", "--jobs", "texts per second", results["growth"]["jobs"]),
    ]
    written = []
    for name, title, x, y, curves in plots:
        if curves:
            numbers = {line: {float(at): value for at, value in points.items()} for line, points in curves.items()}
            file = folder / f"benchmarks-{name}.svg"
            _draw(file, x, y, numbers, logarithmic=name != "growth-processes")
            written.append((file, title))
    return written


def _draw(file: Path, x: str, y: str, curves: Curves, *, logarithmic: bool) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The same file for the same numbers: no date, and no random names.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sotag-edge", "font.size": 9}):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), facecolor="white", layout="constrained")
        axes = figure.subplots()
        for marker, (name, points) in zip(_MARKERS, curves.items(), strict=False):
            axes.plot(list(points), list(points.values()), marker=marker, markersize=4, label=name)
        if logarithmic:
            axes.set_xscale("log")
        if logarithmic and y.startswith("µs"):
            axes.set_yscale("log")
        else:
            axes.set_ylim(0, 1.1 * max(value for points in curves.values() for value in points.values()))
        if not logarithmic:
            axes.set_xticks(sorted({at for points in curves.values() for at in points}))
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
        figure.savefig(file, metadata={"Date": None})
