"""Lessons -> a fitted network: batches, word dropout, learning rate, the best epoch, an early or asked-for stop.

Knows nothing of text, files or bundles.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

import numpy
from numpy.typing import NDArray

from sotag_convert.learn import calibrate
from sotag_convert.learn.presets import Preset
from sotag_convert.learn.training_set import Lessons, fold_ratios
from sotag_convert.network.keras import tf, tf_keras
from sotag_convert.network.network import Network, pad
from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID

_POOL = 40  # batches whose texts are sorted by length together: little padding, and still a random order


class Progress(Protocol):
    """Whoever is told how a run goes."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def begin(self, batches: int) -> None:
        """The run has so many batches, all epochs together."""

    def advance(self, description: str) -> None:
        """One batch is done."""

    def end(self) -> None:
        """The run is over, maybe before its last batch."""


@dataclass(frozen=True, slots=True)
class Validation:
    """Texts that the network does not learn from, as ids, and the number of each one's label."""

    ids: Sequence[Sequence[int]]
    targets: Sequence[int]


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch reached; the validation figures are ``None`` in a run without validation texts.

    ``standard_error`` is that of the validation loss, for there are only so many texts.
    """

    number: int
    seconds: float
    loss: float
    validation_loss: float | None = None
    standard_error: float | None = None
    validation_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The epochs of a run, the number of the one whose weights were kept, and whether Ctrl-C ended it."""

    epochs: tuple[Epoch, ...]
    kept: int
    interrupted: bool


def fit(
    network: Network,
    lessons: Lessons,
    validation: Validation | None,
    preset: Preset,
    epochs: int,
    seed: int,
    progress: Progress,
) -> History:
    """Fit ``network`` in place and leave it with the weights of its best epoch.

    The best epoch is the last one whose validation loss is within a standard error of the lowest; without validation texts
    it is the last of all. The first Ctrl-C ends the run after the batch at hand and keeps the best so far.
    """
    random = numpy.random.default_rng(seed)
    lengths = numpy.array([len(text) for text in lessons.ids])
    size = preset.batch_size(len(lengths))
    batches = -(-len(lengths) // size)
    graph = network.fitting_graph(fold_ratios(lessons, network.settings))
    graph.compile(_optimizer(preset, batches * epochs), "categorical_crossentropy")
    done: list[Epoch] = []
    kept: tuple[int, Any] = (0, network.model.get_weights())
    progress.begin(batches * epochs)
    with _interruptions() as interrupted:
        for number in range(1, epochs + 1):
            start = time.monotonic()
            losses = []
            for batch in _batches(lengths, size, random):
                ids = _drop_words(pad([lessons.ids[text] for text in batch]), preset.word_dropout, random)
                losses.append(float(graph.train_on_batch([ids, lessons.folds[batch]], lessons.targets[batch])))
                progress.advance(_describe(number, epochs, float(numpy.mean(losses[-100:])), done))
                if interrupted:
                    break
            network.take_weights(graph)
            epoch = _measure(network, validation, number, time.monotonic() - start, float(numpy.mean(losses)))
            done.append(epoch)
            progress.say(_describe(number, epochs, epoch.loss, done) + f", {epoch.seconds:.0f} s")
            if _is_as_good_as_any(done):
                kept = (number, network.model.get_weights())
            if interrupted or (preset.patience is not None and validation and number - kept[0] >= preset.patience):
                break
    progress.end()
    progress.say(f"kept epoch {kept[0]}")
    network.model.set_weights(kept[1])
    return History(tuple(done), kept[0], bool(interrupted))


def _is_as_good_as_any(epochs: Sequence[Epoch]) -> bool:
    """Whether the last epoch's validation loss is within a standard error of the lowest; without validation it always is.

    Of epochs that so few texts cannot tell apart the last is kept, for its learning rate is lowest.
    """
    best = min(epochs, key=lambda epoch: epoch.validation_loss or 0)
    last = epochs[-1]
    if last.validation_loss is None or best.validation_loss is None or best.standard_error is None:
        return True
    return last.validation_loss <= best.validation_loss + best.standard_error


def _measure(network: Network, validation: Validation | None, number: int, seconds: float, loss: float) -> Epoch:
    if validation is None:
        return Epoch(number, seconds, loss)
    scores = network.scores(validation.ids).astype(numpy.float64)
    accuracy = float((scores.argmax(axis=1) == validation.targets).mean())
    # The loss of the scores as they will be answered: without the temperature, an early epoch can look best only because
    # it is less sure of itself.
    settings = calibrate.fit(scores, validation.targets)
    losses = calibrate.log_losses(calibrate.calibrated(scores, settings), validation.targets)
    error = float(losses.std() / len(losses) ** 0.5)
    return Epoch(number, seconds, loss, float(losses.mean()), error, accuracy)


def _describe(number: int, epochs: int, loss: float, done: list[Epoch]) -> str:
    text = f"epoch {number}/{epochs}, loss {loss:.3f}"
    if done and done[-1].validation_accuracy is not None:
        text += f", validation accuracy {done[-1].validation_accuracy:.4f}"
    return text


def _batches(
    lengths: NDArray[numpy.int64], size: int, random: numpy.random.Generator
) -> Iterator[NDArray[numpy.int64]]:
    """Every text once: batches in random order, each of texts of about the same length."""
    order = random.permutation(len(lengths))
    found = []
    for start in range(0, len(order), size * _POOL):
        pool = order[start : start + size * _POOL]
        pool = pool[numpy.argsort(lengths[pool], kind="stable")]
        found += [pool[first : first + size] for first in range(0, len(pool), size)]
    return (found[number] for number in random.permutation(len(found)))


def _drop_words(ids: NDArray[numpy.int32], share: float, random: numpy.random.Generator) -> NDArray[numpy.int32]:
    """Make a share of the tokens unknown, so that the network leans on no single one and learns what unknown ones mean."""
    if not share:
        return ids
    return numpy.where((random.random(ids.shape) < share) & (ids != PADDING_ID), UNKNOWN_ID, ids)


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
        return self._peak * tf.minimum(done * 20 + 1 / self._steps, 0.5 * (1 + tf.cos(numpy.pi * done)))


@contextmanager
def _interruptions() -> Iterator[list[int]]:
    """A list that the first Ctrl-C makes non-empty; a second one ends the program as usual."""
    seen: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        seen.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
