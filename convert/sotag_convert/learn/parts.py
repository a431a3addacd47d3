"""Examples -> the two parts of a model, a network and a linear branch, and their logits of texts that were not fitted on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.learn import calibrate
from sotag_convert.learn.corpus import Ragged
from sotag_convert.learn.fit import History, Validation, fit
from sotag_convert.learn.linear import FeatureCounts, LinearModel, LinearTable, fit_linear, table
from sotag_convert.learn.presets import Preset
from sotag_convert.learn.sizing import rows_within
from sotag_convert.learn.training_set import TrainingSet, build_training_set, for_network
from sotag_convert.network.architectures import NetworkSettings
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.network import Network
from sotag_convert.network.seed import SeedNetwork
from sotag_convert.progress import Progress
from sotag_convert.run_state import FitFile
from sotag_edge.decision import EarlyExit
from sotag_edge.errors import InputError
from sotag_edge.inputs import InputSettings
from sotag_edge.vocabulary import Vocabulary

_SPARE, _SPARE_ROWS = 20, 200  # the estimate of a size is wrong by a kilobyte at most


class Unseen(NamedTuple):
    """The logits of texts that the parts were not fitted on, shape [texts, outputs], and which labels the texts have.

    ``linear``: ``None`` without a linear branch.
    """

    network: calibrate.Floats
    linear: calibrate.Logits | None
    members: calibrate.Members

    def joined(self, others: Sequence[Unseen]) -> Unseen:
        """These texts, followed by the others."""
        everything = [self, *others]
        linear = None if self.linear is None else np.concatenate([part.linear for part in everything])
        return Unseen(
            np.concatenate([part.network for part in everything]),
            linear,
            np.concatenate([part.members for part in everything]),
        )


class Parts(NamedTuple):
    """A network and a linear branch that were fitted on the same texts.

    ``spare``: the table with more rows than its share, for a bundle that turns out smaller than it may be.
    """

    input: InputSettings
    vocabulary: Vocabulary
    network: Network
    table: LinearTable | None
    spare: LinearTable | None
    history: History
    texts: int
    labels: int
    off_topic: bool
    off_topic_texts: int
    seconds: int

    def unseen(self, examples: Examples) -> Unseen:
        """What the parts say about texts that they were not fitted on."""
        tokens = [self.input.tokens(text)[: self.input.max_tokens] for text in examples.texts]
        ids = [self.input.ids_of(of_text, self.vocabulary) for of_text in tokens]
        independent = self.network.settings.independent
        network = calibrate.network_logits(self.network.scores(ids), independent=independent)
        linear = None
        if self.table is not None:
            features = self.table.features()
            rows, counts = zip(*(features.rows(*of_text) for of_text in zip(tokens, ids, strict=True)), strict=True)
            linear = self.table.logits(Ragged.of(rows), Ragged.of(counts))
        return Unseen(network, linear, calibrate.members_of(examples, self.labels))

    def off_topic_unseen(self, texts: Sequence[str]) -> Unseen | None:
        """The same for off-topic texts; ``None`` without texts, or without an output for them."""
        return self.unseen(Examples(tuple(texts), ((),) * len(texts))) if texts and self.off_topic else None

    def beginnings(self, examples: Examples, tokens: int) -> tuple[calibrate.Floats, calibrate.Members]:
        """The network's logits of each text's first ``tokens`` tokens, shape [texts, outputs]; which texts may stop."""
        ids = [self.input.ids(text, self.vocabulary) for text in examples.texts]
        scores = self.network.scores([of_text[:tokens] for of_text in ids])
        logits = calibrate.network_logits(scores, independent=self.network.settings.independent)
        return logits, np.array([EarlyExit(tokens, 1.0).is_tried(len(of_text)) for of_text in ids])

    def whole(self, mix: calibrate.Mix) -> Network:
        """The network with the branch in it, if there is one: their logits are added in the mix's shares."""
        if self.table is None:
            offsets = np.full(self.network.settings.labels, mix.offset, np.float32)
            offsets[-1] += mix.off_topic
            return self.network.scaled(mix.share, offsets)
        rows = self.table.rows.copy()
        rows[:, :-1] *= mix.scale
        bias = self.table.bias * mix.scale + mix.offset
        bias[-1] += mix.off_topic
        return self.network.joined(mix.share, rows, bias)


def fit_parts(
    training: Examples,
    held_out: Examples | None,
    dataset: Dataset,
    preset: Preset,
    epochs: int,
    seed: int,
    progress: Progress,
    file: FitFile | None = None,
) -> Parts:
    """Fit both parts on ``training``; ``held_out`` chooses the epoch, if there is one. ``file``: see ``fit``."""
    start = time.monotonic()
    tf_keras.utils.set_random_seed(seed)
    with progress.stage("preparing the texts"):
        built = build_training_set(training, dataset, preset, seed)
    linear = spare = None
    if preset.rows and built.features is not None:
        with progress.stage("fitting the linear branch"):
            rows = np.flatnonzero(built.fitted)
            model = fit_linear(built.features, rows, built.members[rows], seed, off_topic=built.off_topic)
            linear, spare = _tables(model, built.features, preset, built)
    off_topic_texts = len(built.ids) - built.labelled
    built = for_network(built, preset, seed)  # the features were the largest thing in memory
    network = Network(_settings(preset, built))
    validation = _validation(held_out, built)
    prepared = time.monotonic() - start
    history = fit(network, built, validation, preset, epochs, seed, progress, file)
    return Parts(
        input=built.input,
        vocabulary=built.vocabulary,
        network=network,
        table=linear,
        spare=spare,
        history=history,
        texts=len(training),
        labels=built.labels,
        off_topic=built.off_topic,
        off_topic_texts=off_topic_texts,
        seconds=round(prepared + sum(epoch.seconds for epoch in history.epochs)),
    )


def _tables(
    model: LinearModel, features: FeatureCounts, preset: Preset, built: TrainingSet
) -> tuple[LinearTable, LinearTable | None]:
    """The table with the rows of a preset or, for a bundle of a certain size, those that fit, and the one with more."""
    if preset.room is None:
        return table(model, features, preset.rows or 0), None
    most = rows_within(preset.room, _settings(preset, built), built.vocabulary)
    spare = table(model, features, most + most // _SPARE + _SPARE_ROWS)
    return spare.most_useful(most), spare


def _settings(preset: Preset, built: TrainingSet) -> NetworkSettings:
    settings = preset.network(built.members.shape[1], len(built.vocabulary))
    if not built.independent:
        return settings
    if isinstance(settings, SeedNetwork):
        raise InputError("this preset's network gives each text one label, and some of the texts have several")
    return replace(settings, independent=True)


def _validation(held_out: Examples | None, built: TrainingSet) -> Validation | None:
    if held_out is None:
        return None
    ids = [built.input.ids(text, built.vocabulary) for text in held_out.texts]
    return Validation(ids, calibrate.members_of(held_out, built.labels))
