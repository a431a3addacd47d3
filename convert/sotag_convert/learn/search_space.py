"""The settings that ``autotune`` searches, their ranges, and a preset with other values of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sotag_convert.learn.presets import LinearSettings, Preset
from sotag_convert.network.architectures import ConvLstmNetwork, NetworkSettings
from sotag_edge.errors import UsageError

Values = Mapping[str, Any]

_LAYERS = (0.5, 0.75, 1.0, 1.25, 1.5)  # times the preset's


def described(settings: Preset, epochs: int, labels: int) -> dict[str, float]:
    """The settings that are searched for, by name, for the metrics and the log."""
    network = network_of(settings, labels)
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


def network_of(settings: Preset, outputs: int) -> ConvLstmNetwork:
    """The network of a preset with so many outputs. Raises ``UsageError`` for one that has not all that is searched for."""
    network = settings.network(outputs, settings.vocabulary)
    if not isinstance(network, ConvLstmNetwork):
        raise UsageError("this preset has no linear branch: autotune needs the preset default or tiny")
    return network


def own_values(settings: Preset, epochs: int) -> dict[str, Any]:
    """The preset's own values of everything that is searched for."""
    network = network_of(settings, 2)
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


def search_space(own: Values, kinds: Any, *, epochs: bool) -> dict[str, Any]:
    """The ranges that are searched, each around the preset's ``own`` value. ``kinds``: ``optuna.distributions``."""

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


def with_values(settings: Preset, values: Values) -> Preset:
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
