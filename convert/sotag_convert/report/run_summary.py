"""The figures of a training run -> its ``Summary``, with the baseline that is trained and measured on the same texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.data.stratify import fold_of_each
from sotag_convert.progress import Progress
from sotag_convert.report.baseline import baseline_accuracy, cross_validated_baseline, is_affordable
from sotag_convert.report.evaluation import Evaluation
from sotag_convert.report.summary import Summary, model_argument
from sotag_edge.models import name_of


class Split(NamedTuple):
    """Texts that a model was trained on, and those that it was measured on: ``test``, or each fold of ``train``."""

    train: Examples
    test: Examples | None
    fold_of: Sequence[int] | None = None


def measured_split(dataset: Dataset, training: Examples, held_out: Examples | None, folds: int, seed: int) -> Split:
    """The texts that the figures of a run are of: the test texts, else the folds of cross-validation, or ``held_out``."""
    if dataset.test:
        return Split(dataset.train, dataset.test)
    return Split(training, held_out, fold_of_each(training.label_sets, folds, seed) if folds else None)


def run_summary(
    output: Path,
    dataset: Dataset,
    size: int,
    figures: Mapping[str, Any],
    evaluation: Evaluation | None,
    *,
    is_of_published: bool,
) -> Summary:
    """The summary without a baseline. ``figures``: of the validation texts, as in ``metrics.json``; ``size``: in bytes.

    ``evaluation``, ``is_of_published``: as in ``Summary``.
    """
    counts = dataset.train.counts(len(dataset.labels))
    return Summary(
        name_of(output) or model_argument(output),
        evaluation,
        size,
        tuple(zip(dataset.labels, counts, strict=True)),
        linear=figures.get("linear_accuracy"),
        lstm=figures.get("network_accuracy"),
        both=figures.get("both_accuracy"),
        is_of_published=is_of_published,
    )


def with_baseline(summary: Summary, split: Split, dataset: Dataset, progress: Progress) -> Summary:
    """The summary with the figure of the baseline. It is left out after Ctrl-C, and where it would take long."""
    if summary.evaluation is None:
        return summary
    if not is_affordable(len(split.train), len(dataset.labels)):
        progress.say("the baseline is left out: with so many texts and tags it would take long")
        return summary
    several = dataset.multi_label
    try:
        with progress.stage("measuring the baseline"):
            if split.test is not None:
                return replace(summary, baseline=baseline_accuracy(split.train, split.test, multi_label=several))
            folds = split.fold_of or ()
            return replace(summary, baseline=cross_validated_baseline(split.train, folds, multi_label=several))
    except KeyboardInterrupt:
        progress.warn("stopped: the model is complete, and the baseline is left out")
        return summary
