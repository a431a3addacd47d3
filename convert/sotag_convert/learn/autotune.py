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
from typing import Any, NamedTuple

from sotag_convert.data.dataset import Examples
from sotag_convert.learn import calibrate
from sotag_convert.learn.cross_validation import Run
from sotag_convert.learn.fit import FITTING
from sotag_convert.learn.parts import fit_parts
from sotag_convert.learn.presets import PRESETS, Preset
from sotag_convert.learn.search_space import Values, described, network_of, own_values, search_space, with_values
from sotag_convert.network.keras import tf_keras
from sotag_convert.progress import Progress, SilentProgress, Stage, in_words
from sotag_convert.run_state import FitFile
from sotag_edge.errors import UsageError

_RANDOM_TRIALS = 8  # before the sampler has seen enough to propose better ones
_FILE = "search"
_MOST_TRIALS = 10**9


class Search(NamedTuple):
    """A search for about ``seconds``. ``epochs``: whether their number is one of the settings that it changes; ``sized``: a
    preset -> the preset that a bundle of the right size has."""

    seconds: float
    epochs: bool
    sized: Callable[[Preset], Preset]


@dataclass(frozen=True, slots=True)
class Tuned:
    """The values of the best of ``trials`` trials, see ``search_space``; ``loss``: its log loss.

    Without a finished trial, after Ctrl-C, they are the preset's own, and the loss is ``None``.
    """

    values: Values
    trials: int
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial measured on the validation texts."""

    loss: float
    accuracy: float


def check_search(preset: Preset, seconds: float, validation: float | None) -> None:
    """Raise ``UsageError`` for a search that is not possible. ``validation``: the share of the validation texts."""
    if validation == 0:
        raise UsageError("autotune needs validation texts: it compares settings on them")
    if not 0 < seconds < math.inf:
        raise UsageError(f"autotune must be a number of seconds above 0, not {seconds}")
    network_of(preset, 2)  # raises for a preset without a linear branch


def searched(run: Run, training: Examples, held_out: Examples | None, search: Search) -> tuple[Run, dict[str, object]]:
    """The run with the best settings that a search finds, and its figures for the metrics.

    A run that is resumed takes them from its state. Raises ``UsageError`` without validation texts.
    """
    if held_out is None:
        raise UsageError("autotune needs validation texts: it compares settings on them")
    preset, file = PRESETS[run.preset], run.state.fit_file(_FILE)
    tuned = _read(file, preset, run.epochs, tune_epochs=search.epochs)
    if tuned is None:
        run.progress.say(f"searching for settings, measured on {len(held_out):,} validation texts")
        tuned = best_settings(run._replace(settings=preset), training, held_out, search)
        try:
            file.write({"values": dict(tuned.values), "trials": tuned.trials}, [])
        except OSError as error:
            run.progress.warn(f"{file.path} cannot be written ({error.strerror}): --resume would search again")
    settings, epochs = search.sized(with_values(preset, tuned.values)), tuned.values["epochs"]
    chosen = described(settings, epochs, len(run.dataset.labels))
    run.progress.say(f"the best of {tuned.trials} tried: {in_words(chosen)}")
    return run._replace(settings=settings, epochs=epochs), {"trials": tuned.trials, "settings": chosen}


def best_settings(run: Run, training: Examples, held_out: Examples, search: Search) -> Tuned:
    """Try settings in the time of the search, at least those of the run.

    No trial is begun that is likely to end later. The same seed gives the same trials, as long as there is time for them.
    Ctrl-C ends the search with the best settings so far; during the training of a network it takes effect after the current
    batch, and a second one raises ``KeyboardInterrupt``.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=run.seed, n_startup_trials=_RANDOM_TRIALS)
    study = optuna.create_study(sampler=sampler)
    own = own_values(run.settings, run.epochs)
    space = search_space(own, optuna.distributions, epochs=search.epochs)
    study.enqueue_trial({name: own[name] for name in space})
    best = Tuned(own, 0)
    start = time.monotonic()
    while not best.trials or _is_time(start, search.seconds, best.trials):
        trial = study.ask(space)
        values = own | trial.params
        settings = search.sized(with_values(run.settings, values))
        began = time.monotonic()
        outcome = _tried(run._replace(settings=settings, epochs=values["epochs"]), training, held_out, best.trials + 1)
        if outcome is None:
            run.progress.warn(
                f"the search was stopped, trials finished: {best.trials}; the best settings so far are used"
            )
            break
        study.tell(trial, outcome.loss)
        is_better = best.loss is None or outcome.loss < best.loss
        best = Tuned(values, best.trials, outcome.loss) if is_better else best
        best = replace(best, trials=best.trials + 1)
        chosen = described(settings, values["epochs"], len(run.dataset.labels))
        run.progress.say(
            f"trial {best.trials}: log loss {outcome.loss:.4f} (best {best.loss:.4f}), accuracy {outcome.accuracy:.4f}, "
            f"{time.monotonic() - began:.0f} s; {in_words(chosen)}"
        )
    return best


def _read(file: FitFile, preset: Preset, epochs: int, *, tune_epochs: bool) -> Tuned | None:
    """What the search of an interrupted run ended with. Raises ``InputError`` if the file is damaged."""
    import optuna

    content = file.read(0)
    if content is None:
        return None
    own = own_values(preset, epochs)
    space = search_space(own, optuna.distributions, epochs=tune_epochs)
    try:
        values: Mapping[str, Any] = content.facts["values"]
        trials = content.facts["trials"]
        if not isinstance(trials, int) or not 0 <= trials <= _MOST_TRIALS:
            raise ValueError
        params = {name: type(own[name])(values[name]) for name in space}
        optuna.trial.create_trial(params=params, distributions=space, value=0.0)  # checks the ranges
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise file.damaged() from error
    return Tuned(own | params, trials)


def _is_time(start: float, seconds: float, trials: int) -> bool:
    """Whether a further trial is likely to end in time."""
    elapsed = time.monotonic() - start
    return elapsed + elapsed / trials <= seconds


def _tried(run: Run, training: Examples, held_out: Examples, number: int) -> Outcome | None:
    """What one trial measures; ``None`` if Ctrl-C ends it. A network may have too many weights to be tried."""
    try:
        network = network_of(run.settings, len(run.dataset.labels) + 1)
        replace(network, rows=run.settings.vocabulary + (run.settings.rows or 0))
    except ValueError:
        return Outcome(math.inf, 0.0)
    quiet = _TrialProgress(run.progress)
    try:
        with run.progress.stage(f"trial {number}"):
            parts = fit_parts(training, held_out, run.dataset, run.settings, run.epochs, run.seed, quiet)
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
    logits = mix.logits(unseen.network, unseen.linear)[:, : members.shape[1]]  # without that of off-topic texts
    scores = calibrate.Mix(1.0, 0.0, 0.0, independent).scores(logits, None)
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
