"""The end of a training run in figures and sentences: ``Summary``. Prints nothing (see cli/summary.py)."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sotag_convert.data.dataset import VALIDATION_TEXTS
from sotag_convert.report.evaluation import Evaluation, LabelFigures, SingleLabelEvaluation

_OF_OTHER_MODELS = "The figures are of models that were trained on parts of the texts. Measure this one on other texts."
OF_TRAINING_TEXTS = "The model was trained on these texts: its figures on other texts will be lower."
_WIDE = 0.1  # of an interval: more than 5 points to each side
_FEW = 10  # texts of a tag
_WORST = 3


def off_topic_sentences(views: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the figures of each view say about off-topic texts; ``views``: their fields, by name."""
    sentences = []
    for name, figures in views.items():
        unknown, auroc = figures.get("off_topic_unknown"), figures.get("off_topic_auroc")
        if unknown is not None and auroc is not None:
            sentences.append(
                f"{name}: {unknown:.1%} of off-topic texts are answered unknown; one of them has a lower best score than "
                f"one of the others with a probability of {auroc:.3f} (AUROC)."
            )
    return sentences


def measured_cautions(evaluation: Evaluation) -> list[str]:
    """Sentences about what the figures of a model on any texts do not show, because there are too few."""
    few = _rare([(label.label, label.texts) for label in evaluation.labels if label.texts], evaluation.on)
    return [*about_interval(evaluation), *([f"{few}: so few show little about a tag."] if few else [])]


def about_interval(evaluation: Evaluation) -> list[str]:
    """A sentence if the interval of the main figure is wide."""
    low, high = evaluation.interval
    if high - low <= _WIDE:
        return []
    texts, name = f"{evaluation.texts:,} {evaluation.on}", evaluation.figure_name
    return [f"{texts} are too few to know the {name}: it is somewhere from {low:.2f} to {high:.2f}."]


def _rare(texts_per_tag: Sequence[tuple[str, int]], kind: str) -> str:
    """The beginning of a sentence about the rarest of the tags with few texts. ``kind``: of the texts, in the plural.

    >>> _rare([("orders", 40), ("billing", 1)], "test texts")
    "The tag 'billing' has 1 test text"
    """
    few = sorted((count, tag) for tag, count in texts_per_tag if count < _FEW)
    if not few:
        return ""
    (count, tag), others = few[0], len(few) - 1
    more = f", and {others} more {'tag has' if others == 1 else 'tags have'} under {_FEW}" if others else ""
    return f"The tag {tag!r} has {count} {kind.removesuffix('s') if count == 1 else kind}{more}"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a training run came to. Shares are from 0 to 1; ``None`` where nothing was measured.

    ``model``: as ``classify --model`` takes it, see ``model_argument``. ``evaluation``: of the published model, if
    ``is_of_published``; else of texts that were held out from the models before it, such as in cross-validation. ``linear``,
    ``lstm``, ``both``: the accuracy on the validation texts of each branch without the other, and of the whole network; of a
    multi-label model the micro-F1 of the labels with a score of at least 0.5. ``baseline``: the figure of
    ``baseline_accuracy`` on the texts of the evaluation. ``bytes``: on the device. ``texts_per_tag``: the training texts.
    """

    model: str
    evaluation: Evaluation | None
    bytes: int
    texts_per_tag: tuple[tuple[str, int], ...]
    linear: float | None = None
    lstm: float | None = None
    both: float | None = None
    baseline: float | None = None
    is_of_published: bool = True

    def worst_tags(self) -> list[LabelFigures]:
        """The three tags with the lowest F1, of those that the evaluation has texts of."""
        measured = [label for label in self.evaluation.labels if label.texts] if self.evaluation else []
        return sorted(measured, key=lambda label: (label.f1, -label.texts))[:_WORST]

    def confusion(self) -> tuple[str, str, int] | None:
        """The most frequent error of a single-label model: tag, best guess, number of texts; ``None`` without errors."""
        if not isinstance(self.evaluation, SingleLabelEvaluation):
            return None
        return next(iter(self.evaluation.confusions(1)), None)

    def cautions(self) -> list[str]:
        """Sentences about what these figures do not show, because there are too few texts."""
        return [*self._about_measurement(), *self._about_interval(), *self._about_tags(), *self._about_baseline()]

    def next_step(self) -> str:
        """The command that uses the model."""
        return f"sotag-edge classify -m {shlex.quote(self.model)} FILE"

    def _about_measurement(self) -> list[str]:
        if self.evaluation is None:
            return ["The model was not measured: evaluate it on texts that it was not trained on."]
        if not self.is_of_published:
            return [_OF_OTHER_MODELS]
        if self.evaluation.on == VALIDATION_TEXTS:
            return ["The validation texts also chose the epoch and the thresholds: figures on test texts may be lower."]
        return []

    def _about_interval(self) -> list[str]:
        return about_interval(self.evaluation) if self.evaluation else []

    def _about_tags(self) -> list[str]:
        few = _rare(self.texts_per_tag, "training texts")
        return [f"{few}: with so few the model mostly guesses."] if few else []

    def _about_baseline(self) -> list[str]:
        if self.evaluation is None or self.baseline is None:
            return []
        low, high = self.evaluation.interval
        if self.baseline < low:
            return []
        if self.baseline > high:
            return ["The baseline is better than this model by more than chance: more texts per tag should help."]
        return ["The difference from the baseline is within chance: these texts do not show which one is better."]


def model_argument(folder: Path) -> str:
    """A folder as ``--model`` takes it: with a separator, because without one it would be a name.

    >>> model_argument(Path("models") / "mine") == str(Path("models") / "mine")
    True
    >>> model_argument(Path("mine")) == f".{os.sep}mine"
    True
    """
    is_plain = len(folder.parts) == 1 or str(folder).startswith("-")
    return f".{os.sep}{folder}" if is_plain and not folder.is_absolute() else str(folder)
