"""Training set -> a fitted network: batches, word dropout, learning rate, the best epoch, early stopping and Ctrl-C.

Works on ids: reads no text and no bundles.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sotag_convert.interrupts import noted_interrupts
from sotag_convert.learn import calibrate
from sotag_convert.learn.presets import Preset
from sotag_convert.learn.ratios import fold_ratios
from sotag_convert.learn.saved_fit import Epoch, SavedFit, write
from sotag_convert.learn.step import TrainingStep
from sotag_convert.learn.training_set import TrainingSet
from sotag_convert.network.keras import tf, tf_keras
from sotag_convert.network.network import DENSE, Network, pad
from sotag_convert.progress import Progress
from sotag_convert.run_state import FitFile
from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID

FITTING = "training the network"
"""The name of the stage in which the first Ctrl-C raises no ``KeyboardInterrupt``."""
_POOL = 40  # batches whose texts are sorted by length together: little padding, and still a random order


@dataclass(frozen=True, slots=True)
class Validation:
    """Texts that the network is not trained on, as ids, and which labels each of them has, shape [texts, labels]."""

    ids: Sequence[Sequence[int]]
    members: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class History:
    """The epochs of a run, the number of the one whose weights were kept, and whether Ctrl-C ended it.

    ``abandoned``: whether a second Ctrl-C did, so that nothing further is to be done.
    """

    epochs: tuple[Epoch, ...]
    kept: int
    interrupted: bool
    abandoned: bool = False


def fit(
    network: Network,
    training_set: TrainingSet,
    validation: Validation | None,
    preset: Preset,
    epochs: int,
    seed: int,
    progress: Progress,
    file: FitFile | None = None,
) -> History:
    """Fit ``network`` in place and leave it with the weights of its best epoch.

    The best epoch is the last one whose validation loss is within a standard error of the lowest; without validation texts
    it is the last epoch. The first Ctrl-C ends the run after the current batch and keeps the best epoch so far; so does a
    second one, at once, if an epoch is complete. Otherwise it raises ``KeyboardInterrupt``. ``file``: has the state after
    each complete epoch; if it has one already, the fit goes on from there, and its result is the same.
    """
    best = network.model.get_weights()
    saved = SavedFit.read(file, best) if file else None
    if saved and saved.is_over:
        progress.say(f"was fitted before the interruption: kept epoch {saved.kept}")
        network.model.set_weights(saved.weights)
        return History(tuple(saved.epochs), saved.kept, interrupted=False)
    batches = _Batches(training_set, preset, seed)
    step = _training_step(network, training_set, preset, len(batches) * epochs)
    done: list[Epoch] = []
    kept, abandoned = 0, False
    if saved:
        step.restore(saved)
        done, kept, best = saved.epochs, saved.kept, saved.weights
        progress.say(f"continuing after epoch {len(done)}")
    rest = len(batches) * (epochs - len(done))
    with noted_interrupts() as interrupted, progress.stage(FITTING, rest) as stage:
        try:
            for number in range(len(done) + 1, epochs + 1):
                start = time.monotonic()
                losses: list[float] = []
                for batch in batches.of_epoch(number):
                    losses.append(step(*batch))
                    stage.advance(note=_describe(number, epochs, float(np.mean(losses[-100:])), done, network))
                    if interrupted:
                        break
                network.take_weights(step.graph)
                epoch = _measure(network, validation, number, time.monotonic() - start, float(np.mean(losses)))
                done.append(epoch)
                progress.say(_describe(number, epochs, epoch.loss, done, network) + f", {epoch.seconds:.0f} s")
                if _is_as_good_as_any(done):
                    kept, best = number, network.model.get_weights()
                is_over = number == epochs or _is_stale(number - kept, preset, validation)
                if file and len(losses) == len(batches):  # an epoch that Ctrl-C cut short is repeated
                    _save(file, done, kept, best, [] if is_over else step.values(), progress)
                if interrupted or is_over:
                    break
        except KeyboardInterrupt:
            if not kept:
                raise
            abandoned = True
    progress.say(f"kept epoch {kept}")
    network.model.set_weights(best)
    return History(tuple(done), kept, bool(interrupted), abandoned)


def _training_step(network: Network, training_set: TrainingSet, preset: Preset, steps: int) -> TrainingStep:
    graph = network.fitting_graph(fold_ratios(training_set, network.settings) if preset.ratios else {})
    loss = _summed_cross_entropy if network.settings.independent else "categorical_crossentropy"
    graph.compile(_optimizer(preset, steps), loss)
    if network.settings.independent:
        _start_from_shares(graph, training_set)
    return TrainingStep(graph)


def _start_from_shares(graph: Any, training_set: TrainingSet) -> None:
    """Start with the share of the texts as the score of each label: most are rare, and learning that takes long."""
    members = training_set.members
    shares = (members.sum(axis=0) + 1) / (len(members) + 2)
    kernel, _ = graph.get_layer(DENSE).get_weights()
    graph.get_layer(DENSE).set_weights([kernel, np.log(shares / (1 - shares))])


def _save(
    file: FitFile, done: list[Epoch], kept: int, best: list[Any], variables: list[Any], progress: Progress
) -> None:
    """Write the state after an epoch. A full disk does not end the run."""
    try:
        write(file, done, kept, best, variables)
    except OSError as error:
        progress.warn(
            f"{file.path} cannot be written ({error.strerror}): --resume would repeat epoch {done[-1].number}"
        )


def _is_stale(epochs: int, preset: Preset, validation: Validation | None) -> bool:
    """Whether so many epochs without a better one are enough."""
    return preset.patience is not None and validation is not None and epochs >= preset.patience


def _summed_cross_entropy(targets: Any, scores: Any) -> Any:
    """The loss of several labels per text: the sum over them, so that it does not depend on their number."""
    return tf.reduce_sum(tf_keras.backend.binary_crossentropy(targets, scores), axis=-1)


def _is_as_good_as_any(epochs: Sequence[Epoch]) -> bool:
    """Whether the last epoch's validation loss is within a standard error of the lowest; always, without validation.

    Of epochs whose losses differ by less than that the last one is kept, because its learning rate was lowest.
    """
    best = min(epochs, key=lambda epoch: epoch.validation_loss or 0)
    last = epochs[-1]
    if last.validation_loss is None or best.validation_loss is None or best.standard_error is None:
        return True
    return last.validation_loss <= best.validation_loss + best.standard_error


def _measure(network: Network, validation: Validation | None, number: int, seconds: float, loss: float) -> Epoch:
    if validation is None:
        return Epoch(number, seconds, loss)
    independent = network.settings.independent
    scores = network.scores(validation.ids)
    logits = calibrate.network_logits(scores, independent=independent)[:, : validation.members.shape[1]]
    accuracy = calibrate.accuracy(scores.astype(np.float64), validation.members, independent=independent)
    # The loss of the calibrated scores, which the device will answer with: without the temperature an early epoch can look
    # best only because its scores are less confident.
    mix = calibrate.fit_mix(logits, None, validation.members, independent=independent)
    losses = calibrate.log_losses(mix.scores(logits, None), validation.members, independent=independent)
    error = float(losses.std() / len(losses) ** 0.5)
    return Epoch(number, seconds, loss, float(losses.mean()), error, accuracy)


def _describe(number: int, epochs: int, loss: float, done: list[Epoch], network: Network) -> str:
    text = f"epoch {number}/{epochs}, loss {loss:.3f}"
    if done and done[-1].validation_accuracy is not None:
        figure = "micro-F1" if network.settings.independent else "accuracy"
        text += f", validation {figure} {done[-1].validation_accuracy:.4f}"
    return text


class _Batches:
    """The batches of an epoch: the same in every run with this seed, whatever was drawn before. ``len``: their number."""

    def __init__(self, training_set: TrainingSet, preset: Preset, seed: int) -> None:
        self._training_set, self._seed = training_set, seed
        self._word_dropout, self._dropout_tokens = preset.word_dropout, preset.word_dropout_tokens
        self._size = preset.batch_size(len(training_set.ids))

    def __len__(self) -> int:
        return math.ceil(len(self._training_set.ids) / self._size)

    def of_epoch(self, number: int) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """Ids with words dropped, the numbers of the sets of ratios, and targets."""
        texts, random = self._training_set, np.random.default_rng((self._seed, number))
        for batch in _batches(texts.ids.lengths, self._size, random):
            ids = pad([texts.ids[text] for text in batch], texts.input.pad_to)
            ids = _drop_words(ids, self._word_dropout, self._dropout_tokens, random)
            yield ids, texts.folds[batch], texts.targets[batch].astype(np.float32)


def _batches(lengths: NDArray[np.int64], size: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Batches of text numbers, in random order; each text is in one batch, with texts of about the same length."""
    order = random.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), size * _POOL):
        pool = order[start : start + size * _POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[first : first + size] for first in range(0, len(pool), size)]
    return (batches[number] for number in random.permutation(len(batches)))


def _drop_words(ids: NDArray[np.int32], share: float, tokens: int, random: np.random.Generator) -> NDArray[np.int32]:
    """Replace a share of the tokens by the unknown token, so that the network depends on no single token and is trained on
    unknown ones. Padding stays.

    Of a text with fewer than ``tokens`` tokens it is a smaller share: a title says less without a word.
    """
    if not share:
        return ids
    is_token = ids != PADDING_ID
    shares = share * np.minimum(is_token.sum(axis=1, keepdims=True) / tokens, 1)
    return np.where((random.random(ids.shape) < shares) & is_token, UNKNOWN_ID, ids)


def _optimizer(preset: Preset, steps: int) -> Any:
    if preset.optimizer == "rmsprop":
        return tf_keras.optimizers.RMSprop(preset.learning_rate)
    return tf_keras.optimizers.AdamW(_WarmCosine(preset.learning_rate, steps), weight_decay=0.01, clipnorm=1.0)


class _WarmCosine(tf_keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # tf_keras has no types
    """A learning rate that rises over the first twentieth of the steps and falls to 0 along a cosine."""

    def __init__(self, peak: float, steps: int) -> None:
        self._peak, self._steps = peak, steps

    def __call__(self, step: Any) -> Any:
        done = tf.cast(step, tf.float32) / self._steps
        return self._peak * tf.minimum(done * 20 + 1 / self._steps, 0.5 * (1 + tf.cos(np.pi * done)))
