"""Data and a preset -> a published bundle: fit, choose what was measured on texts that were not fitted on, publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sotag_convert.checkpoint import Checkpoint
from sotag_convert.data.dataset import VALIDATION_TEXTS, Dataset, Examples, LabelledTexts
from sotag_convert.data.off_topic import with_general
from sotag_convert.export.parity import Parity
from sotag_convert.interrupts import deferred_interrupts
from sotag_convert.learn.autotune import Search, check_search, searched
from sotag_convert.learn.cross_validation import (
    Chosen,
    Run,
    cross_validated,
    fold_count,
    trained_again,
    training_metrics,
    validated,
)
from sotag_convert.learn.presets import PRESETS, Preset
from sotag_convert.learn.sizing import plan_for
from sotag_convert.network.bounds import MOST_LABELS
from sotag_convert.progress import Progress, SilentProgress
from sotag_convert.publish import SizeLimit, add_baseline, publish
from sotag_convert.report.evaluate import Measured
from sotag_convert.report.evaluation import Evaluation
from sotag_convert.report.held_out import held_out_evaluation
from sotag_convert.report.run_summary import Split, measured_split, run_summary, with_baseline
from sotag_convert.report.summary import Summary
from sotag_convert.run_state import RunState, facts_of
from sotag_convert.source import Source
from sotag_convert.staging import refuse_existing, staged
from sotag_edge.errors import InputError, ModelError, UsageError

_FEW = 100  # texts per tag
_SHARE_OF_FEW = 0.25  # for validation, in a search for settings; with fewer the differences are chance


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """The result of a training run.

    ``interrupted``: whether Ctrl-C ended it; the bundle then has the best epoch until then. ``parity``: how the published
    model compares with Keras. ``summary``: its figures, beside those of a baseline. ``measured``: what the published model
    answered, by view of the texts; empty without texts that it was not trained on.
    """

    output: Path
    interrupted: bool
    parity: Parity
    summary: Summary
    measured: Mapping[str, Measured]

    @property
    def evaluation(self) -> Evaluation | None:
        """The figures on test texts, else on validation texts or those of the cross-validation; see ``Summary``."""
        return self.summary.evaluation


def train_dataset(
    dataset: Dataset,
    output: Path,
    *,
    preset: str = "default",
    epochs: int | None = None,
    validation: float | None = None,
    seed: int = 1,
    refit: bool = False,
    force: bool = False,
    resume: bool = False,
    max_size: int | None = None,
    autotune: float | None = None,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train on ``dataset.train`` and publish a bundle in ``output``.

    ``epochs``: the largest number of epochs; ``validation``: the share of the training texts that is held out to choose the
    epoch and to fit the temperature and the threshold. By default both are the preset's. With ``validation=0`` all texts
    are trained on, the last epoch is kept, and the scores are not calibrated. ``refit``: train again on all texts, with the
    number of epochs and the calibration of the first run. ``resume``: continue the interrupted run into ``output``, see
    run_state.py; the result is that of an uninterrupted one. ``max_size``: the bytes that the bundle has at most on the
    device; it is as close to them as the texts allow. ``autotune``: the seconds in which better settings are searched for,
    see learn/autotune.py. Raises ``SotagEdgeError``; then nothing is written, but after a complete run the network is kept
    in a checkpoint, see checkpoint.py.
    """
    refuse_existing(output, force)
    settings = _checked(dataset, preset, epochs, validation, autotune, refit=refit)
    search = None if autotune is None else Search(autotune, epochs is None, partial(plan_for, max_size, dataset))
    epochs = settings.epochs_of(len(dataset.train)) if epochs is None else epochs
    progress = progress or SilentProgress()
    settings = plan_for(max_size, dataset, settings)
    checkpoint, state = Checkpoint(output, settings.recipe), RunState(output)
    facts = facts_of(
        dataset.sha256_of_all(),
        preset=preset,
        epochs=epochs,
        validation=validation,
        refit=refit,
        seed=seed,
        max_size=max_size,
        autotune=autotune,
    )
    everything = with_general(dataset, seed) if settings.off_topic_repeats else dataset
    run = Run(everything, preset, settings, epochs, seed, progress, state)
    try:
        with staged(output, force) as folder:
            _begin(state, facts, progress, resume=resume)
            report, split = _train(run, folder, checkpoint, validation, search, refit=refit, max_size=max_size)
    except BaseException as error:
        _say_what_is_kept(error, checkpoint, state, progress)
        raise
    checkpoint.remove()
    if report.interrupted:
        if state.is_kept:
            progress.warn(f"{output} has the best network so far; {state}")
        return report
    state.remove()
    return replace(report, summary=_with_baseline(report, split, dataset, progress))


def _with_baseline(report: TrainingReport, split: Split, dataset: Dataset, progress: Progress) -> Summary:
    """The summary with the baseline, which is added to the figures of the published model: it is complete without."""
    summary = with_baseline(report.summary, split, dataset, progress)
    if summary.baseline is not None:
        try:
            add_baseline(report.output, summary.baseline)
        except (OSError, ModelError) as error:
            progress.warn(f"the model is complete, but the baseline is not among its figures: {error}")
    return summary


def _begin(state: RunState, facts: dict[str, Any], progress: Progress, *, resume: bool) -> None:
    if state.exists and not resume:
        progress.warn(f"begins anew, and replaces the interrupted run in {state.folder}, which --resume continues")
    state.begin(facts, resume=resume)


def _say_what_is_kept(error: BaseException, checkpoint: Checkpoint, state: RunState, progress: Progress) -> None:
    """Name the folders that a run which ended with an error leaves."""
    if checkpoint.is_kept:
        progress.warn(str(checkpoint))
    if state.is_kept:
        progress.warn(str(state))
    elif isinstance(error, KeyboardInterrupt) and not checkpoint.is_kept:
        progress.warn("stopped before an epoch was complete: nothing is kept")


def _checked(
    dataset: Dataset,
    preset: str,
    epochs: int | None,
    validation: float | None,
    autotune: float | None,
    *,
    refit: bool,
) -> Preset:
    """The preset's settings. Raises ``UsageError`` for a value out of range, ``InputError`` for too many labels."""
    if preset not in PRESETS:
        raise UsageError(f"unknown preset {preset!r} (presets: {', '.join(PRESETS)})")
    if epochs is not None and epochs < 1:
        raise UsageError(f"epochs must be 1 or more, not {epochs}")
    if validation is not None and not 0 <= validation < 1:
        raise UsageError(f"validation must be from 0 to below 1, not {validation}")
    if validation is not None and dataset.validation:
        raise UsageError(f"{dataset.name} has validation texts of its own: leave out --validation")
    if refit and validation == 0:
        raise UsageError("refit needs validation texts: it repeats the run that they chose")
    if len(dataset.labels) > MOST_LABELS:
        raise InputError(f"{dataset.name} has {len(dataset.labels):,} labels, and {MOST_LABELS:,} are the most")
    if autotune is not None:
        check_search(PRESETS[preset], autotune, validation)
    return PRESETS[preset]


def _train(
    run: Run,
    folder: Path,
    checkpoint: Checkpoint,
    share: float | None,
    search: Search | None,
    *,
    refit: bool,
    max_size: int | None,
) -> tuple[TrainingReport, Split]:
    """Train, and write the bundle into ``folder``. ``share``: of the validation texts; ``None`` chooses how to validate."""
    dataset, settings, progress = run.dataset, run.settings, run.progress
    folds = fold_count(dataset, settings) if share is None else 0
    training, held_out = _split(dataset, 0.0 if folds else settings.validation if share is None else share, run.seed)
    _announce(run.dataset, held_out, folds, settings, progress)
    figures: dict[str, object] = {}
    if search is not None:
        few = _SHARE_OF_FEW if folds else settings.validation
        run, figures = searched(run, *_split(dataset, share or few, run.seed), search)
    first = cross_validated(run, folds) if folds else validated(run, training, held_out)
    first = first._replace(figures=first.figures | figures)
    with deferred_interrupts():
        source = _source(first, run)
        checkpoint.keep(source, folder.parent)
    if first.parts.history.abandoned:
        raise KeyboardInterrupt
    again = (refit or folds > 0) and not first.parts.history.interrupted
    whole = run._replace(dataset=run.dataset.with_validation_texts())
    refitted = trained_again(first, whole) if again else None
    if refitted:
        run = whole
        with deferred_interrupts():
            source = _source(refitted, run)
            checkpoint.keep(source, folder.parent)
    labelled = _measured_on(dataset, None if folds or refitted else held_out)
    limit = _limit(max_size, refitted or first, run)
    with progress.stage("exporting and verifying"):
        published = publish(source, settings.recipe, folder, checkpoint.output.resolve().name, labelled, limit)
    evaluation = published.evaluation or held_out_evaluation(first, dataset.labels, folds)
    is_of_published = published.evaluation is not None
    summary = run_summary(
        checkpoint.output, dataset, published.parity.bytes, first.figures, evaluation, is_of_published=is_of_published
    )
    interrupted = first.parts.history.interrupted or (again and refitted is None)
    split = measured_split(dataset, training, held_out, folds, run.seed)
    return TrainingReport(checkpoint.output, interrupted, published.parity, summary, published.measured), split


def _limit(max_size: int | None, chosen: Chosen, run: Run) -> SizeLimit | None:
    """How the bundle gets its size."""
    parts = chosen.parts
    if max_size is None or parts.table is None or parts.spare is None:
        return None
    spare = parts.spare

    def resized(rows: int) -> Source:
        return _source(chosen._replace(parts=parts._replace(table=spare.most_useful(rows))), run)

    return SizeLimit(max_size, len(parts.table.hashes), len(spare.hashes), resized)


def _split(dataset: Dataset, share: float, seed: int) -> tuple[Examples, Examples | None]:
    """The texts to train on, and those to validate on: the data set's own, or a share of its training texts."""
    if dataset.validation:
        return dataset.train, dataset.validation
    return dataset.train.split(share, seed) if share else (dataset.train, None)


def _announce(dataset: Dataset, held_out: Examples | None, folds: int, preset: Preset, progress: Progress) -> None:
    fewest = min(dataset.train.counts(len(dataset.labels)))
    if fewest < _FEW:
        progress.say(
            f"a tag has only {fewest} text{'' if fewest == 1 else 's'}; below {_FEW} texts per tag the accuracy can be low: "
            "measure it on test texts"
        )
    more = f", {len(dataset.extra):,} extra texts" if dataset.extra and preset.extra_texts else ""
    off_topic = len(dataset.off_topic) + len(dataset.general)
    more += f", {off_topic:,} off-topic texts" if off_topic and preset.off_topic_repeats else ""
    held = len(held_out) if held_out else 0
    validation = f"{folds} folds" if folds else f"{held:,} {'more' if dataset.validation else 'of them'} for validation"
    progress.say(f"{len(dataset.train):,} texts ({validation}){more}, {len(dataset.labels):,} tags")
    if dataset.off_topic and not preset.off_topic_repeats:
        progress.say("this preset does not use off-topic texts")


def _source(chosen: Chosen, run: Run) -> Source:
    """Everything that the bundle is made from."""
    dataset, parts = run.dataset, chosen.parts
    return Source(
        labels=dataset.labels,
        input=parts.input,
        decision=chosen.decision,
        off_topic=parts.off_topic,
        early_exit=chosen.early_exit,
        vocabulary=parts.vocabulary,
        features=parts.table and parts.table.content(),
        network=parts.whole(chosen.mix),
        preset=run.preset,
        seed=run.seed,
        training_data={
            "name": dataset.name,
            "texts": parts.texts,
            "extra_texts": len(dataset.extra) if run.settings.extra_texts else 0,
            "off_topic_texts": parts.off_topic_texts,
            "sha256": dataset.sha256(),
            "licence": dataset.origin.licence,
            **({"sources": list(dataset.origin.sources)} if dataset.origin.sources else {}),
        },
        metrics={"training": training_metrics(chosen)},
    )


def _measured_on(dataset: Dataset, held_out: Examples | None) -> LabelledTexts | None:
    """The test texts; else the validation texts that the published model was not fitted on."""
    if dataset.test:
        further = dataset.further_tests
        return LabelledTexts("test texts", dataset.test, dataset.test_off_topic, dataset.origin, further)
    if held_out:
        return LabelledTexts(VALIDATION_TEXTS, held_out, dataset.validation_off_topic, dataset.origin)
    return None
