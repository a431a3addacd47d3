"""The texts that everything is measured on: the test texts, their titles, and samples of set numbers of tokens."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sotag_convert.data.dataset import Dataset
from sotag_convert.data.title import title
from sotag_edge.tokenizer import spans, tokenize

LENGTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)  # tokens
_SAMPLES = 50  # of each length


@dataclass(frozen=True, slots=True)
class Texts:
    """Test texts with the label of each, their titles, and samples by their number of tokens."""

    test: list[str]
    labels: list[str]
    titles: list[str]
    samples: dict[int, list[str]]

    def sets(self) -> dict[str, list[str]]:
        """All texts, by the name that ``serve.py`` calls them."""
        return {"test": self.test, "titles": self.titles} | {
            str(length): texts for length, texts in self.samples.items()
        }

    @staticmethod
    def mean_tokens(texts: Sequence[str]) -> float:
        """The mean number of tokens per text."""
        return statistics.fmean(len(tokenize(text)) for text in texts)


def texts_of(dataset: Dataset, count: int | None) -> Texts:
    """The first ``count`` of the shuffled test texts, or all. Raises ``SystemExit`` without test texts."""
    if dataset.test is None:
        raise SystemExit("the data set has no test texts")
    pairs = list(zip(dataset.test.texts, dataset.test.targets, strict=True))
    # Sorted by label on disk; every k-th text keeps the labels balanced.
    pairs = pairs[:: max(1, len(pairs) // count)][:count] if count else pairs
    test = [text for text, _ in pairs]
    labels = [dataset.labels[target] for _, target in pairs]
    return Texts(test, labels, [title(text) for text in test], samples(dataset.test.texts))


def samples(texts: Sequence[str]) -> dict[int, list[str]]:
    """Pieces of running text, with as many tokens as each of ``LENGTHS``."""
    running = " ".join(text.strip() for text in texts[: _SAMPLES * 20])
    shown, places = spans(running)
    found = {}
    for length in LENGTHS:
        starts = range(0, len(places) - length, (len(places) - length) // _SAMPLES)[:_SAMPLES]
        found[length] = [shown[places[start][0] : places[start + length - 1][1]] for start in starts]
    return found
