"""Fitting a network: the epoch that is kept, early stopping, Ctrl-C, batches and word dropout."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sotag_convert.learn import fit as fitting
from sotag_convert.learn.corpus import Ragged
from sotag_convert.learn.fit import Epoch, History, Validation, _is_as_good_as_any, fit
from sotag_convert.learn.presets import PRESETS, Preset
from sotag_convert.learn.step import TrainingStep
from sotag_convert.learn.training_set import FOLDS, TrainingSet
from sotag_convert.network.architectures import ConvLstmNetwork
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.network import Network, pad
from sotag_convert.progress import SilentProgress, Stage
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode
from sotag_edge.vocabulary import PADDING_ID, UNKNOWN_ID, Vocabulary

PRESET = replace(PRESETS["default"], ratios=False, word_dropout=0.0, patience=None, batch=8, batches=0)
SETTINGS = ConvLstmNetwork(2, 7, embedding=4, ratios=2, buckets=11, filters=4, units=4)


def training_set(texts: int = 24) -> TrainingSet:
    """Texts of tokens that tell the label: 3 and 4 of label 0, 5 and 6 of label 1."""
    draw = np.random.default_rng(1)
    labels = np.arange(texts) % 2
    members = np.eye(2, dtype=bool)[labels]
    return TrainingSet(
        InputSettings(TokenizerMode.CODE, 1000),
        Vocabulary(["[PAD]", "[UNK]", *"abcde"]),
        Ragged.of(draw.integers(3, 5, 4 + number) + 2 * label for number, label in enumerate(labels.tolist())),
        members.astype(np.float32),
        members,
        (np.arange(texts) % FOLDS).astype(np.int32),
        None,
        np.ones(texts, bool),
        off_topic=False,
        independent=False,
        labelled=texts,
    )


def network() -> Network:
    tf_keras.utils.set_random_seed(1)
    return Network(SETTINGS)


@pytest.mark.parametrize(
    ("losses", "kept"),
    [([0.5], 1), ([0.5, 0.3, 0.4], 2), ([0.5, 0.3, 0.305], 3), ([0.5, 0.3, 0.4, 0.29, 0.5], 4), ([None, None], 2)],
)
def test_the_last_epoch_within_a_standard_error_of_the_best_is_kept(losses: list[float | None], kept: int) -> None:
    """An epoch that is clearly worse than an earlier one is not kept; without validation the last epoch is."""
    epochs = [Epoch(number, 1, 1, loss, 0.01) for number, loss in enumerate(losses, start=1)]
    good = [number for number in range(1, len(epochs) + 1) if _is_as_good_as_any(epochs[:number])]
    assert good[-1] == kept


def run_of(
    monkeypatch: pytest.MonkeyPatch, losses: Sequence[float], preset: Preset = PRESET
) -> tuple[History, list[Any], Network]:
    """A run whose epochs are measured to have these validation losses; the weights after each epoch; the network."""
    weights: list[Any] = []

    def measure(network: Network, _: Validation, number: int, seconds: float, loss: float) -> Epoch:
        weights.append(network.model.get_weights())
        return Epoch(number, seconds, loss, losses[number - 1], 0.01, 0.5)

    monkeypatch.setattr(fitting, "_measure", measure)
    fitted = network()
    validation = Validation([[3, 4]], np.array([[True, False]]))
    history = fit(fitted, training_set(), validation, preset, len(losses), seed=1, progress=SilentProgress())
    return history, weights, fitted


def same(one: Sequence[NDArray[np.float32]], two: Sequence[NDArray[np.float32]]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(("losses", "kept"), [([0.5, 0.3, 0.6, 0.7], 2), ([0.5, 0.4, 0.3], 3)])
def test_the_network_is_left_with_the_weights_of_the_kept_epoch(
    monkeypatch: pytest.MonkeyPatch, losses: list[float], kept: int
) -> None:
    """Not with those of the last epoch, and not with those of the best epoch and of later ones mixed."""
    history, weights, fitted = run_of(monkeypatch, losses)
    assert (history.kept, len(history.epochs), history.interrupted) == (kept, len(losses), False)
    assert [number for number, state in enumerate(weights, start=1) if same(state, fitted.model.get_weights())] == [
        kept
    ]


class Recorded:
    """A training step that does not fit: it records the batches it gets."""

    def __init__(self, network: Network) -> None:
        self.network, self.batches = network, []
        self.graph = self

    graph = None

    def values(self) -> list[Any]:
        """Of nothing, which a step changes here."""
        return []

    def __call__(self, *batch: Any) -> float:
        """Keep the batch."""
        self.batches.append(batch)
        return 1.0


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Replaces the training step, so that a test sees what the network would be fitted on."""
    graph = Recorded(network())
    monkeypatch.setattr(Network, "take_weights", lambda *_: None)
    monkeypatch.setattr(fitting, "_training_step", lambda *_: graph)
    return graph


@pytest.mark.parametrize(
    ("patience", "losses", "epochs"),
    [
        (1, [0.3, 0.5, 0.2, 0.1], 2),
        (2, [0.3, 0.5, 0.5, 0.1], 3),
        (2, [0.3, 0.5, 0.2, 0.5, 0.5, 0.5], 5),
        (3, [0.3, 0.5, 0.5, 0.5, 0.1], 4),
        (None, [0.3, 0.5, 0.5, 0.5, 0.5], 5),
    ],
)
def test_patience_is_the_number_of_epochs_without_a_better_one(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded, patience: int | None, losses: list[float], epochs: int
) -> None:
    """The run stops after so many; an epoch that is kept starts the count again."""
    history, _, _ = run_of(monkeypatch, losses, replace(PRESET, patience=patience))
    assert len(history.epochs) == epochs


def test_without_validation_the_last_epoch_is_kept() -> None:
    """Patience does not end such a run."""
    fitted = network()
    history = fit(fitted, training_set(), None, replace(PRESET, patience=1), 3, seed=1, progress=SilentProgress())
    assert (history.kept, len(history.epochs)) == (3, 3)
    assert history.epochs[-1].validation_loss is None
    assert not same(fitted.model.get_weights(), network().model.get_weights())


def test_the_network_fits_its_training_set() -> None:
    """Texts whose tokens tell the label are classified; the epochs report the validation of the network they left."""
    fitted, texts = network(), training_set(80)
    validation = Validation(texts.ids, texts.members)
    preset = replace(PRESET, learning_rate=0.02)
    history = fit(fitted, texts, validation, preset, 12, seed=1, progress=SilentProgress())
    accuracy = float((fitted.scores(texts.ids).argmax(axis=1) == texts.members.argmax(axis=1)).mean())
    assert accuracy > 0.9
    assert history.epochs[history.kept - 1].validation_accuracy == accuracy
    assert history.epochs[-1].loss < history.epochs[0].loss


class Interrupting(SilentProgress):
    """Sends Ctrl-C to this process when so many batches are done."""

    def __init__(self, batches: int) -> None:
        self.left, self.done, self.ended = batches, 0, False

    @contextmanager
    def stage(self, name: str, steps: int | None = None) -> Iterator[Stage]:
        """Begin the only stage, and note its end."""
        yield self
        self.ended = True

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count the batch."""
        self.done += n
        if self.done == self.left:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_ends_the_run_after_the_current_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best epoch so far is kept, with its weights, and Ctrl-C means again what it meant before."""
    before = signal.getsignal(signal.SIGINT)
    weights: list[Any] = []
    losses = [0.3, 0.5, 0.6]

    def measure(network: Network, _: Validation, number: int, seconds: float, loss: float) -> Epoch:
        weights.append(network.model.get_weights())
        return Epoch(number, seconds, loss, losses[number - 1], 0.01, 0.5)

    monkeypatch.setattr(fitting, "_measure", measure)
    fitted, progress = network(), Interrupting(3 + 3 + 1)  # 24 texts are three batches
    history = fit(
        fitted, training_set(), Validation([[3]], np.array([[True, False]])), PRESET, 10, seed=1, progress=progress
    )
    assert (history.interrupted, history.kept, len(history.epochs)) == (True, 1, 3)
    assert progress.done == 7
    assert progress.ended
    assert same(fitted.model.get_weights(), weights[0])
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_ends_the_program() -> None:
    """It raises KeyboardInterrupt as usual."""

    class Impatient(SilentProgress):
        @contextmanager
        def stage(self, name: str, steps: int | None = None) -> Iterator[Stage]:
            """Begin the only stage."""
            yield self

        def advance(self, n: int = 1, note: str = "") -> None:
            """Send Ctrl-C with each batch."""
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(network(), training_set(), None, PRESET, 2, seed=1, progress=Impatient())


@pytest.mark.parametrize("texts", [1, 7, 8, 9, 64, 1000])
def test_an_epoch_has_every_text_once(texts: int) -> None:
    """In batches of the size that was asked for, except for the last one of each pool."""
    lengths = np.random.default_rng(1).integers(1, 90, texts)
    batches = list(fitting._batches(lengths, 8, np.random.default_rng(2)))
    assert sorted(np.concatenate(batches).tolist()) == list(range(texts))
    assert len(batches) == -(-texts // 8)
    assert max(map(len, batches)) <= 8


def test_batches_have_texts_of_about_one_length_in_random_order() -> None:
    """Within a pool there is no text between the lengths of another batch; the shortest texts do not come first."""
    lengths = np.random.default_rng(1).permutation(320)
    batches = list(fitting._batches(lengths, 8, np.random.default_rng(2)))
    assert all(np.ptp(lengths[batch]) == 7 for batch in batches)
    order = [int(lengths[batch].min()) for batch in batches]
    assert order != sorted(order)
    again = [batch.tolist() for batch in fitting._batches(lengths, 8, np.random.default_rng(2))]
    assert again == [batch.tolist() for batch in batches]
    other = [batch.tolist() for batch in fitting._batches(lengths, 8, np.random.default_rng(3))]
    assert other != again


def test_word_dropout_makes_its_share_of_the_tokens_unknown() -> None:
    """Every other token stays as it is, and padding stays padding."""
    ids = np.tile(np.array([5, 6, 7, PADDING_ID], np.int32), (1000, 100))
    dropped = fitting._drop_words(ids, 0.15, 1, np.random.default_rng(1))
    assert (dropped[ids == PADDING_ID] == PADDING_ID).all()
    changed = dropped != ids
    assert (dropped[changed] == UNKNOWN_ID).all()
    assert changed[ids != PADDING_ID].mean() == pytest.approx(0.15, abs=0.005)
    assert fitting._drop_words(ids, 0.0, 1, np.random.default_rng(1)) is ids


def test_short_texts_lose_fewer_words() -> None:
    """In proportion to their tokens, padding not counted, up to so many of them."""
    lengths = np.array([8, 32, 64, 200])
    ids = np.where(np.arange(200) < np.repeat(lengths, 2000)[:, None], 5, PADDING_ID).astype(np.int32)
    changed = fitting._drop_words(ids, 0.2, 64, np.random.default_rng(1)) != ids
    shares = changed.sum(axis=1).reshape(4, 2000).mean(axis=1) / lengths
    assert shares == pytest.approx([0.025, 0.1, 0.2, 0.2], abs=0.005)


def test_each_text_is_fitted_with_its_own_target_and_fold(recorded: Recorded) -> None:
    """Each epoch fits on every text of the training set, with padding after it, its target and the number of its fold."""
    texts = training_set()
    fit(recorded.network, texts, None, PRESET, 2, seed=1, progress=SilentProgress())
    seen = [
        (tuple(ids[ids != PADDING_ID].tolist()), int(fold), tuple(target.tolist()))
        for batch in recorded.batches
        for ids, fold, target in zip(*batch, strict=True)
    ]
    expected = [
        (tuple(ids.tolist()), int(fold), tuple(target.tolist()))
        for ids, fold, target in zip(texts.ids, texts.folds, texts.targets, strict=True)
    ]
    assert sorted(seen) == sorted(2 * expected)


def test_words_are_dropped_in_batches_that_are_fitted(recorded: Recorded) -> None:
    """The preset's share of the tokens, and no padding."""
    texts = training_set(400)
    fit(recorded.network, texts, None, replace(PRESET, word_dropout=0.5), 1, seed=1, progress=SilentProgress())
    lengths = sorted(int((ids != PADDING_ID).sum()) for batch in recorded.batches for ids in batch[0])
    assert lengths == sorted(map(len, texts.ids))
    tokens = np.concatenate([batch[0].ravel() for batch in recorded.batches])
    assert (tokens[tokens != PADDING_ID] == UNKNOWN_ID).mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("ratios", [True, False])
def test_ratios_are_used_where_the_preset_says_so(ratios: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fitting graph gets the tables of the network, or none; and the network is left with those of all texts."""
    tables: list[dict[str, Any]] = []
    build = Network.fitting_graph
    monkeypatch.setattr(Network, "fitting_graph", lambda self, given: (tables.append(given), build(self, given))[1])
    fitted = network()
    fit(fitted, training_set(), None, replace(PRESET, ratios=ratios), 1, seed=1, progress=SilentProgress())
    assert set(tables[0]) == ({"tokens", "bigrams"} if ratios else set())


def test_validation_is_measured_on_calibrated_scores() -> None:
    """The loss is that of the scores as the device answers with them, and its error that of their mean."""
    fitted, texts = network(), training_set(80)
    validation = Validation(texts.ids, texts.members)
    epoch = fitting._measure(fitted, validation, 4, 1.5, 0.7)
    scores = fitted.scores(texts.ids).astype(np.float64)
    mix = fitting.calibrate.fit_mix(np.log(scores), None, texts.members, independent=False)
    assert abs(mix.share - 1) > 0.001
    losses = -np.log(mix.scores(np.log(scores), None)[texts.members])
    assert (epoch.number, epoch.seconds, epoch.loss) == (4, 1.5, 0.7)
    assert epoch.validation_loss == pytest.approx(losses.mean(), rel=1e-4)
    assert epoch.standard_error == pytest.approx(losses.std() / 80**0.5, rel=1e-4)
    assert epoch.validation_accuracy == (scores.argmax(axis=1) == texts.members.argmax(axis=1)).mean()


def test_the_learning_rate_warms_up_and_falls_to_nothing() -> None:
    """It rises over the first twentieth of the steps and falls along a cosine."""
    schedule = fitting._WarmCosine(0.01, 1000)
    rates = [float(schedule(step)) for step in (0, 25, 50, 500, 1000)]
    assert rates == pytest.approx([0.00001, 0.00501, 0.00994, 0.005, 0.0], abs=1e-5)


def test_a_padded_batch_is_fitted_like_the_texts_in_it() -> None:
    """Padding after a text changes neither its loss nor, so, its gradient."""
    graph = network().fitting_graph({})
    texts = [[3, 4, 3], [5] * 40]
    alone = [graph([pad([text]), np.array([0])]).numpy()[0] for text in texts]
    np.testing.assert_allclose(graph([pad(texts), np.array([0, 0])]).numpy(), alone, atol=1e-6)


def test_a_step_is_that_of_keras() -> None:
    """The same loss and the same weights after it as with `train_on_batch`."""
    texts = [[3, 4, 3], [5] * 40, [6]]
    ids, sets, targets = pad(texts), np.zeros(3, np.int32), np.eye(2, dtype=np.float32)[[0, 1, 0]]
    results = []
    for _ in range(2):
        tf_keras.utils.set_random_seed(1)
        graph = network().fitting_graph({})
        graph.compile("rmsprop", "categorical_crossentropy")
        step = TrainingStep(graph)
        keras = graph.train_on_batch
        losses = [step(ids, sets, targets) if results else float(keras([ids, sets], targets)) for _ in range(3)]
        results.append((losses, graph.get_weights()))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    for mine, expected in zip(results[1][1], results[0][1], strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-5)


def test_several_labels_are_fitted_too() -> None:
    """A text may have both of them, or none."""
    tf_keras.utils.set_random_seed(1)
    fitted = Network(replace(SETTINGS, filters=16, units=16, independent=True))
    draw = np.random.default_rng(1)
    members = np.array([[False, False], [True, False], [False, True], [True, True]] * 30)
    words = [[2, 2], [3, 2], [2, 5], [3, 5]]
    texts = replace(
        training_set(120),
        ids=Ragged.of(draw.permutation(words[number % 4] * 3) for number in range(120)),
        targets=members.astype(np.float32),
        members=members,
        independent=True,
    )
    preset = replace(PRESET, learning_rate=0.02)
    history = fit(fitted, texts, Validation(texts.ids, members), preset, 20, seed=1, progress=SilentProgress())
    assert ((fitted.scores(texts.ids) > 0.5) == members).mean() > 0.9
    assert (history.epochs[history.kept - 1].validation_accuracy or 0) > 0.9


def test_the_loss_of_several_labels_is_a_sum() -> None:
    """With a mean, each of 100 labels would count a hundredth."""
    loss = fitting._summed_cross_entropy(np.array([[1.0, 0, 0]], np.float32), np.array([[0.5, 0.5, 0.5]], np.float32))
    np.testing.assert_allclose(loss, [3 * np.log(2)], rtol=1e-5)


@pytest.mark.parametrize(("texts", "size"), [(50, 8), (6400, 64), (1_000_000, 250), (100_000_000, 512)])
def test_the_batch_follows_the_number_of_texts(texts: int, size: int) -> None:
    """An epoch of few texts has many small batches, one of very many texts larger ones."""
    assert PRESETS["default"].batch_size(texts) == size


@pytest.mark.parametrize(("texts", "epochs"), [(50, 5), (600_000, 5), (1_000_000, 3), (10_000_000, 1)])
def test_very_many_texts_have_fewer_epochs(texts: int, epochs: int) -> None:
    """A few million texts are enough."""
    assert PRESETS["default"].epochs_of(texts) == epochs
