"""``sotag-edge benchmark``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Optional

import typer

from sotag_edge import machine
from sotag_edge.bundle import device_bytes
from sotag_edge.classifier import Classifier
from sotag_edge.cli import options
from sotag_edge.cli.info import print_facts
from sotag_edge.cli.loading import loading_numpy
from sotag_edge.document import Document
from sotag_edge.formats import FORMATS, read_documents
from sotag_edge.pipeline import results
from sotag_edge.terminal import print_rows

_LENGTHS = (10, 50, 200, 1000)  # tokens
_SECONDS = 1.0  # per length and per number of processes


def benchmark(
    model: options.ModelArgument = None,
    texts: Annotated[
        Optional[str], typer.Argument(help="A file with one text per line, to time instead of random texts.")
    ] = None,
    to: options.FactsFormat = "table",
) -> None:
    """Measure the speed and the memory of a model on this machine.

    Example: sotag-edge benchmark default
    """
    start = time.perf_counter()
    with loading_numpy():
        classifier = Classifier.load(model)
    load = time.perf_counter() - start
    samples = {texts: _lines_of(texts)} if texts else _random_samples(classifier)
    cores = machine.cores()
    figures: dict[str, Any] = {
        "model": str(classifier.bundle.path),
        "bytes": device_bytes(classifier.bundle.path),
        "runtime": machine.runtimes(),
        "processor": machine.cpu(),
        "cores": cores,
        "load_ms": round(load * 1000, 2),
        "texts": {name: _latency(classifier, sample) for name, sample in samples.items()},
        "processes": {
            str(jobs): _throughput(classifier, list(samples.values())[-1], jobs) for jobs in _job_counts(cores)
        },
        "peak_mb": machine.peak_megabytes(),
        "temperature_c": machine.temperature(),
        "throttled": machine.throttled(),
    }
    if to == "json":
        print(json.dumps(figures, indent=2))
        return
    print_facts({name: value for name, value in figures.items() if name != "texts"})
    header = ("texts", "p50 µs", "p95 µs", "p99 µs", "texts per second")
    print_rows(header, [(name, *latency.values()) for name, latency in figures["texts"].items()])


def _lines_of(file: str) -> list[str]:
    documents = list(read_documents([file], sys.stdin.buffer, input_format=FORMATS["lines"]))
    for document in documents:
        if document.error:
            raise document.error
    return [document.text for document in documents] or [""]


def _random_samples(classifier: Classifier) -> dict[str, list[str]]:
    """For each length, texts drawn from the model's own vocabulary."""
    from random import Random

    draw = Random(0)
    tokens = classifier.bundle.vocabulary.tokens[2:] or ("a",)
    return {f"{length} tokens": [" ".join(draw.choices(tokens, k=length)) for _ in range(20)] for length in _LENGTHS}


def _job_counts(cores: int) -> list[int]:
    """1, 2, 4 and so on, and all cores.

    >>> _job_counts(6)
    [1, 2, 4, 6]
    """
    return [*(2**n for n in range(cores.bit_length()) if 2**n < cores), cores]


def _throughput(classifier: Classifier, texts: Sequence[str], jobs: int) -> int:
    """Texts per second with this number of processes, as for ``classify --jobs``, from the first answer on."""
    first = 0.0

    def documents() -> Iterator[Document]:
        while not first or time.perf_counter() < first + _SECONDS:
            yield from (Document("", text) for text in texts)

    answered = 0
    for answered, _ in enumerate(results(documents(), classifier, jobs)):  # noqa: B007
        first = first or time.perf_counter()
    return round(answered / (time.perf_counter() - first))


def _latency(classifier: Classifier, texts: Sequence[str]) -> dict[str, float]:
    """Percentiles of the microseconds per text, tokenized and tagged one at a time on one core."""
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
        "texts_per_second": round(1e6 * len(times) / sum(times)),
    }
