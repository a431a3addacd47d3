"""A preset and some texts -> the preset with the best settings that were found in a limited time.

Every trial trains on the same texts with the same seed, and its loss is that of the whole model on the same validation
texts: both parts mixed, and calibrated. The first trial has the preset's own settings, so on these texts the result is never
worse. Optuna's TPE sampler proposes the others. The study is in memory.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sotag_convert.data.dataset import Examples
from sotag_convert.learn import calibrate
from sotag_convert.learn.cross_validation import Run
from sotag_convert.learn.fit import FITTING
from sotag_convert.learn.presets import LinearSettings, Preset
from sotag_convert.network.architectures import ConvLstmNetwork, NetworkSettings
from sotag_convert.network.keras import tf_keras
from sotag_convert.progress import Progress, SilentProgress, Stage, in_words
from sotag_edge.errors import UsageError

Values = Mapping[str, Any]
Sized = Callable[[Preset], Preset]
"""A preset -> the preset that a bundle of the right size has."""

_RANDOM_TRIALS = 8  # before the sampler has seen enough to propose better ones
_LAYERS = (0.5, 0.75, 1.0, 1.25, 1.5)  # times the preset's


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best settings of ``trials`` trials, and their number of epochs at most; ``loss``: the log loss of the best one.

    Without a finished trial, after Ctrl-C, they are the preset's own, and the loss is ``None``.
    """

    settings: Preset
    epochs: int
    trials: int
    loss: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial measured on the validation texts."""

    loss: float
    accuracy: float


def best_settings(
    run: Run,
    training: Examples,
    held_out: Examples,
    seconds: float,
    sized: Sized,
    *,
    tune_epochs: bool,
) -> Tuned:
    """Try settings for about ``seconds``, at least those of the run; ``sized`` is applied to those of each trial.

    No trial is begun that is likely to end later. ``tune_epochs``: whether the number of epochs is one of the settings. The
    same seed gives the same trials, as long as there is time for them. Ctrl-C ends the search with the best settings so far;
    during the training of a network it takes effect after the current batch, and a second one raises ``KeyboardInterrupt``.
    Raises ``UsageError`` for a preset without a linear branch.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=run.seed, n_startup_trials=_RANDOM_TRIALS)
    study = optuna.create_study(sampler=sampler)
    space = _space(run.settings, run.epochs if tune_epochs else None, optuna.distributions)
    own = _own(run.settings, run.epochs)
    study.enqueue_trial({name: own[name] for name in space})
    best = Tuned(sized(run.settings), run.epochs, 0, None)
    start = time.monotonic()
    while not best.trials or _is_time(start, seconds, best.trials):
        trial = study.ask(space)
        settings, epochs = sized(_with(run.settings, trial.params)), trial.params.get("epochs", run.epochs)
        began = time.monotonic()
        outcome = _tried(run._replace(settings=settings, epochs=epochs), training, held_out, best.trials + 1)
        if outcome is None:
            run.progress.warn(f"stopped after {best.trials} trials: their best settings are used")
            break
        study.tell(trial, outcome.loss)
        better = best.loss is None or outcome.loss < best.loss
        best = (
            Tuned(settings, epochs, best.trials + 1, outcome.loss) if better else replace(best, trials=best.trials + 1)
        )
        run.progress.say(
            f"trial {best.trials}: log loss {outcome.loss:.4f} (best {best.loss:.4f}), accuracy {outcome.accuracy:.4f}, "
            f"{time.monotonic() - began:.0f} s; {in_words(described(settings, epochs, len(run.dataset.labels)))}"
        )
    return best


def described(settings: Preset, epochs: int, labels: int) -> dict[str, float]:
    """The settings that are searched for, by name, for the metrics and the log."""
    network = _network_of(settings, labels)
    return {
        "vocabulary": settings.vocabulary,
        "rows": settings.rows or 0,
        "embedding": network.embedding,
        "filters": network.filters,
        "units": network.units,
        "epochs": epochs,
        "learning_rate": float(f"{settings.learning_rate:.3g}"),
        "word_dropout": round(settings.word_dropout, 3),
        "spatial_dropout": round(network.spatial_dropout, 3),
        "dropout": round(network.dropout, 3),
        "teacher_share": round(settings.teacher_share, 3),
        "linear_strength": float(f"{settings.linear.strength:.3g}"),
        "ngram_weight": round(settings.linear.ngram_weight, 3),
    }


def _is_time(start: float, seconds: float, trials: int) -> bool:
    """Whether a further trial is likely to end in time."""
    elapsed = time.monotonic() - start
    return elapsed + elapsed / trials <= seconds


def _tried(run: Run, training: Examples, held_out: Examples, number: int) -> Outcome | None:
    """What one trial measures; ``None`` if Ctrl-C ends it. A network may have too many weights to be tried."""
    try:
        network = _network_of(run.settings, len(run.dataset.labels) + 1)
        replace(network, rows=run.settings.vocabulary + (run.settings.rows or 0))
    except ValueError:
        return Outcome(math.inf, 0.0)
    quiet = _TrialProgress(run.progress)
    try:
        with run.progress.stage(f"trial {number}"):
            parts = run._replace(progress=quiet).fit(training, held_out)
            unseen = None if parts.history.interrupted else parts.unseen(held_out)
    except KeyboardInterrupt:
        if quiet.was_fitting:
            raise
        return None
    finally:
        tf_keras.backend.clear_session()  # else each trial's graphs stay in memory
    if parts.history.abandoned:
        raise KeyboardInterrupt
    if unseen is None:
        return None
    independent = parts.network.settings.independent
    members = unseen.members
    mix = calibrate.fit_mix(unseen.network, unseen.linear, members, independent=independent)
    scores = mix.scores(unseen.network, unseen.linear)
    loss = float(calibrate.log_losses(scores, members, independent=independent).mean())
    return Outcome(math.inf if math.isnan(loss) else loss, calibrate.accuracy(scores, members, independent=independent))


class _TrialProgress(SilentProgress):
    """Shows the stages of a trial, and its lines only to those who want details.

    ``was_fitting``: whether Ctrl-C ended the fit of a network, which only a second one does.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.was_fitting = False

    def say(self, text: str) -> None:
        """Show a line as a detail."""
        self._progress.detail(text)

    detail = warn = say

    @contextmanager
    def stage(self, name: str, steps: int | None = None) -> Iterator[Stage]:
        """Show a stage."""
        with self._progress.stage(name, steps) as stage:
            try:
                yield stage
            except KeyboardInterrupt:
                self.was_fitting = name == FITTING
                raise


def _network_of(settings: Preset, outputs: int) -> ConvLstmNetwork:
    network = settings.network(outputs, settings.vocabulary)
    if not isinstance(network, ConvLstmNetwork):
        raise UsageError("this preset is kept as it was published: autotune needs the preset default or tiny")
    return network


def _own(settings: Preset, epochs: int) -> dict[str, Any]:
    """The preset's own values of everything that is searched for."""
    network = _network_of(settings, 2)
    return {
        "vocabulary": settings.vocabulary,
        "rows": settings.rows,
        "learning_rate": settings.learning_rate,
        "epochs": epochs,
        "word_dropout": settings.word_dropout,
        "spatial_dropout": network.spatial_dropout,
        "dropout": network.dropout,
        "teacher_share": settings.teacher_share,
        "strength": settings.linear.strength,
        "ngram_weight": settings.linear.ngram_weight,
        **dict.fromkeys(("embedding", "filters", "units"), 1.0),
    }


def _space(settings: Preset, epochs: int | None, kinds: Any) -> dict[str, Any]:
    """The ranges that are searched, each around the preset's own value. ``kinds``: ``optuna.distributions``."""
    own = _own(settings, epochs or 1)

    def around(name: str, factor: float) -> Any:
        value = own[name]
        if isinstance(value, int):
            return kinds.IntDistribution(max(1, round(value / factor)), max(1, round(value * factor)), log=True)
        return kinds.FloatDistribution(value / factor, value * factor, log=True)

    def share(name: str, most: float) -> Any:
        return kinds.FloatDistribution(0.0, max(most, own[name]))

    space = {
        "vocabulary": around("vocabulary", 2),
        "rows": around("rows", 2),
        "learning_rate": around("learning_rate", 3),
        "word_dropout": share("word_dropout", 0.4),
        "spatial_dropout": share("spatial_dropout", 0.5),
        "dropout": share("dropout", 0.7),
        "teacher_share": share("teacher_share", 0.9),
        "strength": around("strength", 4),
        "ngram_weight": around("ngram_weight", 3),
        **{name: kinds.CategoricalDistribution(_LAYERS) for name in ("embedding", "filters", "units")},
    }
    return space | {"epochs": around("epochs", 2)} if epochs else space


def _with(settings: Preset, values: Values) -> Preset:
    """A preset with other values."""
    layers = {name: values[name] for name in ("embedding", "filters", "units")}
    dropouts = {name: values[name] for name in ("spatial_dropout", "dropout")}
    return replace(
        settings,
        vocabulary=values["vocabulary"],
        rows=values["rows"],
        learning_rate=values["learning_rate"],
        word_dropout=values["word_dropout"],
        teacher_share=values["teacher_share"],
        linear=LinearSettings(values["strength"], values["ngram_weight"]),
        network=partial(_network, settings.network, layers, dropouts),
    )


def _network(
    network: Callable[[int, int], NetworkSettings], layers: Values, dropouts: Values, outputs: int, tokens: int
) -> NetworkSettings:
    """A preset's network with layers of other sizes, each times its factor, and other dropouts."""
    settings = network(outputs, tokens)
    sizes = {name: max(1, round(getattr(settings, name) * factor)) for name, factor in layers.items()}
    return replace(settings, **sizes, **dropouts)
