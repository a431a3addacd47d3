"""``sotag-edge benchmark``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any, Literal, Optional

import typer

from sotag_edge import bundle as bundles
from sotag_edge import machine as device
from sotag_edge.classifier import Classifier
from sotag_edge.formats import Document, InputForm, read_documents
from sotag_edge.pipeline import classify_in_parallel

_LENGTHS = (10, 50, 200, 1000)
_SECONDS = 1.0  # for each length and number of processes


def benchmark(
    model: Annotated[
        Optional[str], typer.Argument(envvar="SOTAG_EDGE_MODEL", help="A model's folder or name. [default: 'default']")
    ] = None,
    texts: Annotated[
        Optional[str], typer.Argument(help="A file with a text a line, to time in place of drawn ones.")
    ] = None,
    to: Annotated[Literal["table", "json"], typer.Option("--to", help="The output's form.")] = "table",
) -> None:
    """Measure how fast a model tags on this very device, and how much memory it takes.

    Example: sotag-edge benchmark default
    """
    start = time.perf_counter()
    classifier = Classifier.load(model)
    load = time.perf_counter() - start
    if texts is None:
        drawn = {f"{length} tokens": _drawn(classifier, length) for length in _LENGTHS}
    else:
        documents = list(read_documents([texts], sys.stdin.buffer, form=InputForm.LINES))
        for document in documents:
            if document.error:
                raise document.error
        drawn = {texts: [document.text for document in documents] or [""]}
    found: dict[str, Any] = {
        "model": str(classifier.bundle.path),
        "bytes": bundles.size(classifier.bundle.path),
        "runtime": device.runtimes(),
        "processor": device.cpu(),
        "cores": device.cores(),
        "load_ms": round(load * 1000, 2),
        "texts": {name: _measured(classifier, sample) for name, sample in drawn.items()},
        "processes": {
            str(jobs): _in_parallel(model, list(drawn.values())[-1], jobs) for jobs in _numbers(device.cores())
        },
        "peak_mb": device.peak_megabytes(),
        "temperature_c": device.temperature(),
        "throttled": device.throttled(),
    }
    if to == "json":
        print(json.dumps(found, indent=2))
        return
    from sotag_edge.terminal import print_benchmark

    print_benchmark(found)


def _numbers(cores: int) -> list[int]:
    """1, 2, 4 ... and all the cores."""
    return [*(2**n for n in range(cores.bit_length()) if 2**n < cores), cores]


def _in_parallel(model: str | None, texts: Sequence[str], jobs: int) -> int:
    """Texts a second of so many processes, as ``classify --jobs`` uses them, from the first answer on."""
    first = 0.0

    def documents() -> Iterator[Document]:
        while not first or time.perf_counter() < first + _SECONDS:
            yield from (Document("", text) for text in texts)

    answered = 0
    for answered, _ in enumerate(classify_in_parallel(documents(), partial(Classifier.load, model), jobs)):  # noqa: B007
        first = first or time.perf_counter()
    return round(answered / (time.perf_counter() - first))


def _drawn(classifier: Classifier, length: int) -> list[str]:
    """Texts of so many of the model's own tokens."""
    from random import Random

    draw = Random(0)
    tokens = classifier.bundle.vocabulary.tokens[2:] or ("a",)
    return [" ".join(draw.choices(tokens, k=length)) for _ in range(20)]


def _measured(classifier: Classifier, texts: Sequence[str]) -> dict[str, float]:
    """Microseconds of single texts, tokenized and tagged, for a second or so; one core."""
    for text in texts[:20]:
        classifier.classify(text)
    times: list[float] = []
    end = time.perf_counter() + _SECONDS
    while time.perf_counter() < end or len(times) < 2:
        for text in texts:
            start = time.perf_counter()
            classifier.classify(text)
            times.append((time.perf_counter() - start) * 1e6)
    from statistics import quantiles

    percentiles = quantiles(times, n=100)
    return {
        "p50_us": round(percentiles[49], 1),
        "p95_us": round(percentiles[94], 1),
        "p99_us": round(percentiles[98], 1),
        "texts_a_second": round(1e6 * len(times) / sum(times)),
    }
