"""The end of a training run in figures and sentences: ``Summary``. Prints nothing (see cli/summary.py)."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from sotag_convert.report.evaluate import Evaluation, LabelFigures

_WIDE = 0.1  # of an interval: more than 5 points to each side
_FEW = 10  # texts of a tag
_WORST = 3


@dataclass(frozen=True, slots=True)
class Summary:
    """What a training run came to. Shares are from 0 to 1; ``None`` where nothing was measured.

    ``model``: as ``classify --model`` takes it, see ``model_argument``. ``evaluation``: of the published model. ``linear``,
    ``lstm``, ``both``: the accuracy on the validation texts of each branch without the other, and of the whole network.
    ``baseline``: the figure of ``baseline_accuracy`` on the texts of the evaluation. ``bytes``: on the device.
    ``texts_per_tag``: the training texts.
    """

    model: str
    evaluation: Evaluation | None
    bytes: int
    texts_per_tag: tuple[tuple[str, int], ...]
    linear: float | None = None
    lstm: float | None = None
    both: float | None = None
    baseline: float | None = None

    def worst_tags(self) -> list[LabelFigures]:
        """The three tags with the lowest F1, of those that the evaluation has texts of."""
        measured = [label for label in self.evaluation.labels if label.texts] if self.evaluation else []
        return sorted(measured, key=lambda label: label.f1)[:_WORST]

    def confusion(self) -> tuple[str, str, int] | None:
        """The most frequent error: tag, best guess, and the number of texts; ``None`` without errors."""
        if self.evaluation is None:
            return None
        names = [label.label for label in self.evaluation.labels]
        errors = [
            (count, names[tag], names[guess])
            for tag, row in enumerate(self.evaluation.confusion)
            for guess, count in enumerate(row)
            if guess != tag and count
        ]
        count, tag, guess = max(errors, key=lambda error: error[0], default=(0, "", ""))
        return (tag, guess, count) if errors else None

    def cautions(self) -> list[str]:
        """Sentences about what these figures do not show, because there are too few texts."""
        return [*self._about_interval(), *self._about_tags(), *self._about_baseline()]

    def next_step(self) -> str:
        """The command that uses the model."""
        return f"sotag-edge classify -m {shlex.quote(self.model)} FILE"

    def _about_interval(self) -> list[str]:
        if self.evaluation is None:
            return ["The model was not measured: evaluate it on texts that it was not trained on."]
        low, high = self.evaluation.interval
        if high - low <= _WIDE:
            return []
        texts = f"{self.evaluation.texts:,} {self.evaluation.on}"
        return [f"{texts} are too few to know the accuracy: it is somewhere from {low:.2f} to {high:.2f}."]

    def _about_tags(self) -> list[str]:
        few = sorted((count, tag) for tag, count in self.texts_per_tag if count < _FEW)
        if not few:
            return []
        (count, tag), others = few[0], len(few) - 1
        more = f", and {others} more {'tag has' if others == 1 else 'tags have'} under {_FEW}" if others else ""
        texts = f"{count} training {'text' if count == 1 else 'texts'}"
        return [f"The tag {tag!r} has {texts}{more}: with so few the model mostly guesses."]

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
