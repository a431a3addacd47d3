"""A stratified split of texts that have one label or several: each label gives its share.

The labels are served in order of their number of texts, the rarest first, as in Sechidis et al., "On the Stratification of
Multi-Label Data", 2011: a rare label could not get its share any more after the common ones took theirs.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

Sets = Sequence[tuple[int, ...]]
"""The numbers of each text's labels; a text without labels is a stratum of its own."""


def held_out(label_sets: Sets, fraction: float, seed: int) -> list[int]:
    """The positions of ``fraction`` of each label's texts, in order; the same seed gives the same ones.

    What rounding leaves over is carried to the next label, so that the whole has its share even if each label has few
    texts. The last text of a label is never taken.

    >>> len(held_out([(0,)] * 50 + [(1,)] * 50, 0.1, seed=1)), held_out([(0,), (1,)], 0.5, seed=1)
    (10, [])
    """
    draw = random.Random(seed)
    by_label: dict[int, list[int]] = {}
    for position, labels in enumerate(label_sets):
        for label in labels or (_NO_LABEL,):
            by_label.setdefault(label, []).append(position)
    remaining = Counter({label: len(positions) for label, positions in by_label.items()})
    undecided = set(range(len(label_sets)))
    taken: list[int] = []
    rest = 0.0
    order = list(by_label)
    draw.shuffle(order)  # among labels with as many texts
    for label in sorted(order, key=lambda label: len(by_label[label])):
        positions = by_label[label]
        quota = fraction * len(positions) - (len(positions) - remaining[label]) + rest
        count = _rounded(quota)
        free = [position for position in positions if position in undecided]
        undecided.difference_update(free)
        draw.shuffle(free)
        for position in free:
            labels = label_sets[position] or (_NO_LABEL,)
            if count > 0 and all(remaining[other] > 1 for other in labels):
                taken.append(position)
                remaining.subtract(labels)
                count -= 1
                quota -= 1
        # subtle: texts that a label cannot give, or gave beyond its share with rarer labels, are no matter of the others.
        rest = 0.0 if count > 0 else max(quota, -0.5)
    return sorted(taken)


_NO_LABEL = -1


def _rounded(quota: float) -> int:
    return int(quota + 0.5 + 1e-9) if quota > 0 else 0


def fold_of_each(label_sets: Sets, folds: int, seed: int) -> list[int]:
    """The fold of each text, from 0 to ``folds`` - 1; each label's texts are dealt to the folds in turn.

    A text of several labels is dealt with the rarest one.

    >>> sorted(fold_of_each([(0,)] * 4 + [(1,)] * 2, 2, seed=1))
    [0, 0, 0, 1, 1, 1]
    """
    counts = Counter(label for labels in label_sets for label in labels)
    order = list(range(len(label_sets)))
    random.Random(seed).shuffle(order)
    order.sort(key=lambda position: min(((counts[label], label) for label in label_sets[position]), default=(0, -1)))
    assigned = [0] * len(order)
    for turn, position in enumerate(order):
        assigned[position] = turn % folds
    return assigned
