"""Examples -> the parts of a model, with a mix and a decision chosen on texts that they were not fitted on.

These are validation texts, or of few texts all of them: the folds of a cross-validation.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np

from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.data.stratify import fold_of_each
from sotag_convert.learn import calibrate
from sotag_convert.learn.early_exit import beginning, fit_early_exit
from sotag_convert.learn.parts import Parts, Unseen, fit_parts
from sotag_convert.learn.presets import Preset
from sotag_convert.progress import Progress
from sotag_convert.run_state import RunState
from sotag_edge.decision import Decision, EarlyExit, MultiLabel, SingleLabel
from sotag_edge.errors import InputError

_FOLDS = 3
_MOST_FOLDED = 5_000  # texts; of more a tenth says enough


class Run(NamedTuple):
    """A data set, a preset by its name and its settings, and what else each fit of a run shares.

    ``state``: keeps the fits for a run that is resumed.
    """

    dataset: Dataset
    preset: str
    settings: Preset
    epochs: int
    seed: int
    progress: Progress
    state: RunState

    def fit(self, name: str, training: Examples, held_out: Examples | None, epochs: int | None = None) -> Parts:
        """The parts that are fitted on ``training``, in at most ``epochs`` epochs or the run's.

        ``name``: of the fit, which no other of the run has.
        """
        file = self.state.fit_file(name)
        return fit_parts(
            training, held_out, self.dataset, self.settings, epochs or self.epochs, self.seed, self.progress, file
        )


class Chosen(NamedTuple):
    """Parts, how they are added up, and the decision that follows; ``figures``: of texts that were not fitted on.

    ``held_out``: the scores of these texts, shape [texts, outputs], and their members; ``None`` without such texts.
    """

    parts: Parts
    mix: calibrate.Mix
    decision: Decision
    figures: dict[str, object]
    held_out: tuple[calibrate.Floats, calibrate.Members] | None = None
    early_exit: EarlyExit | None = None


def fold_count(dataset: Dataset, preset: Preset) -> int:
    """The number of folds of the cross-validation, 0 for a split."""
    if dataset.validation or preset.rows is None:
        return 0
    return min(_FOLDS, len(dataset.train)) if len(dataset.train) <= _MOST_FOLDED else 0


def validated(run: Run, training: Examples, held_out: Examples | None) -> Chosen:
    """Parts that were fitted on one part of the texts, and chosen on the other."""
    parts = run.fit("split", training, held_out)
    if held_out is None:
        return _choose(parts, None, run)
    off_topic = parts.off_topic_unseen(run.dataset.validation_off_topic)
    chosen = _choose(parts, parts.unseen(held_out), run, off_topic)
    return chosen._replace(early_exit=_early_exit(chosen, held_out))


def _early_exit(chosen: Chosen, examples: Examples) -> EarlyExit | None:
    """The early exit of a network that can have one, chosen on the texts that chose the decision."""
    parts = chosen.parts
    if parts.input.step is None or chosen.held_out is None or not isinstance(chosen.decision, SingleLabel):
        return None
    tokens = beginning(parts.input.max_tokens, parts.input.step)
    logits, is_longer = parts.beginnings(examples, tokens)
    first, whole = chosen.mix.scores(logits, None), chosen.held_out[0]
    return fit_early_exit(first[:, : parts.labels], whole[:, : parts.labels], is_longer, tokens)


def cross_validated(run: Run, folds: int) -> Chosen:
    """The parts of the last fold, chosen on what those of each fold say about the fold's texts.

    Ctrl-C ends it after a fold, with what is known by then.
    """
    examples = run.dataset.train
    fold_of = np.array(fold_of_each(examples.label_sets, folds, run.seed))
    unseen: list[Unseen] = []
    kept: list[int] = []
    parts: Parts | None = None
    for fold in range(folds):
        run.progress.say(f"fold {fold + 1} of {folds}")
        held_out = examples.take(np.flatnonzero(fold_of == fold).tolist())
        try:
            rest = examples.take(np.flatnonzero(fold_of != fold).tolist())
            fitted = run.fit(f"fold-{fold + 1}", rest, held_out)
        except KeyboardInterrupt:
            if parts is None:
                raise
            parts = parts._replace(history=replace(parts.history, interrupted=True))
            break
        parts = fitted
        unseen.append(parts.unseen(held_out))
        kept.append(parts.history.kept)
        if parts.history.interrupted:
            break
    if parts is None:
        raise InputError(f"{run.dataset.name} has no texts")
    epoch = round(float(np.mean(kept)))
    parts = parts._replace(history=replace(parts.history, kept=epoch)) if len(kept) == folds else parts
    chosen = _choose(parts, unseen[0].joined(unseen[1:]), run)
    return chosen._replace(figures=chosen.figures | {"folds": len(kept)})


def _choose(parts: Parts, unseen: Unseen | None, run: Run, off_topic: Unseen | None = None) -> Chosen:
    """The mix and the decision for parts, from what they say about texts that they were not fitted on, if there are any.

    ``off_topic``: what they say about off-topic ones.
    """
    independent, labels = parts.network.settings.independent, parts.labels
    if unseen is None:
        decision: Decision = MultiLabel(1.0, (0.5,) * labels) if independent else SingleLabel()
        return Chosen(
            parts, calibrate.usual_mix(independent, linear=parts.table is not None), decision, {"validation_texts": 0}
        )
    network, linear, members = unseen
    figures: dict[str, object] = {"validation_texts": len(members)}

    def scored(
        one: calibrate.Logits | None, other: calibrate.Logits | None
    ) -> tuple[calibrate.Mix, calibrate.Floats, float]:
        others = off_topic and (
            None if one is None else off_topic.network,
            None if other is None else off_topic.linear,
        )
        mix = calibrate.fit_mix(one, other, members, independent=independent, off_topic=others)
        scores = mix.scores(one, other)
        return mix, scores, round(calibrate.accuracy(scores, members, independent=independent), 5)

    mix, scores, accuracy = scored(network, linear)
    if linear is not None:
        alone, lstm = scored(None, linear), scored(network, None)
        name = "micro-F1" if independent else "accuracy"
        run.progress.say(
            f"{name} on validation texts: linear branch {alone[2]:.4f}, LSTM {lstm[2]:.4f}, both {accuracy:.4f}"
        )
        figures |= {"linear_accuracy": alone[2], "network_accuracy": lstm[2], "both_accuracy": accuracy}
        if alone[2] > accuracy:  # where the LSTM only lowers the log loss
            mix, scores, accuracy = alone
    figures["validation_accuracy"] = accuracy
    mixed = None if off_topic is None else mix.scores(off_topic.network, off_topic.linear)
    decision = calibrate.fit(scores, members, independent=independent, off_topic=mixed)
    if off_topic is not None:
        figures["validation_off_topic_texts"] = len(off_topic.members)
    return Chosen(parts, mix, decision, figures, (scores, members))


def trained_again(first: Chosen, run: Run) -> Chosen | None:
    """Train on all texts, for as many epochs as the first run kept. ``None`` if Ctrl-C interrupts it."""
    run.progress.say("training on all texts")
    try:
        parts = run.fit("all", run.dataset.train, None, first.parts.history.kept)
    except KeyboardInterrupt:  # before its first batch
        parts = None
    if parts is not None and parts.history.abandoned:
        raise KeyboardInterrupt
    if parts is None or parts.history.interrupted:
        run.progress.warn("stopped: the model of the first run is kept")
        return None
    return first._replace(parts=parts, figures=first.figures | {"refit_seconds": parts.seconds})


def training_metrics(chosen: Chosen) -> dict[str, object]:
    """The figures of a run for ``metrics.json``, and the figures of each epoch."""
    history = chosen.parts.history
    return {
        "epochs": [
            {name: round(value, 5) if isinstance(value, float) else value for name, value in asdict(epoch).items()}
            for epoch in history.epochs
        ],
        "kept_epoch": history.kept,
        "seconds": chosen.parts.seconds,
        "validation_accuracy": None,
        **chosen.figures,
        "network_share": round(chosen.mix.share, 4),
        "linear_scale": round(chosen.mix.scale, 4),
    }
