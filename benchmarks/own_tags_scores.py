"""Labels and guesses -> accuracy and F1, the same for all systems of ``own_tags.py``. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence


def single(labels: Sequence[str], guesses: Sequence[str]) -> dict[str, float]:
    """Accuracy, and the mean F1 over the labels of the test texts.

    >>> single(["a", "a", "b", "b"], ["a", "a", "b", "a"])
    {'accuracy': 0.75, 'macro_f1': 0.7333}
    """
    right = sum(label == guess for label, guess in zip(labels, guesses, strict=True))
    _, macro = _f1([{label} for label in labels], [{guess} for guess in guesses])
    return {"accuracy": round(right / len(labels), 4), "macro_f1": round(macro, 4)}


def several(
    labels: Sequence[Collection[str]], guesses: Sequence[Collection[str]], rankings: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Micro F1, the mean F1 over the tags of the test texts, and ranking precision at 1 and 3.

    ``rankings``: the tags of each text, the most likely one first.

    >>> several([{"a", "b"}, {"b"}], [{"a"}, {"b"}], [["a", "c", "b"], ["b", "a", "c"]])
    {'micro_f1': 0.8, 'macro_f1': 0.8333, 'precision_1': 1.0, 'precision_3': 0.5}
    """
    micro, macro = _f1(labels, guesses)
    figures = {"micro_f1": micro, "macro_f1": macro}
    for depth in (1, 3):
        hits = (len(set(ranked[:depth]) & set(own)) for own, ranked in zip(labels, rankings, strict=True))
        figures[f"precision_{depth}"] = sum(hits) / depth / len(labels)
    return {name: round(value, 4) for name, value in figures.items()}


def _f1(labels: Sequence[Collection[str]], guesses: Sequence[Collection[str]]) -> tuple[float, float]:
    """Micro F1, and macro F1 over the tags of ``labels``."""
    own = Counter(tag for tags in labels for tag in tags)
    guessed = Counter(tag for tags in guesses for tag in tags)
    both = Counter(tag for tags, others in zip(labels, guesses, strict=True) for tag in set(tags) & set(others))
    micro = 2 * both.total() / max(1, own.total() + guessed.total())
    return micro, sum(2 * both[tag] / (own[tag] + guessed[tag]) for tag in own) / len(own)
