"""Manifest and metrics -> the model card, ``README.md``. Every figure in it was measured by a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sotag_convert.progress import in_words
from sotag_edge.bundle import Manifest
from sotag_edge.decision import MultiLabel
from sotag_edge.terminal import printable

_AGREEMENT = (
    "The model gives {agreement:.2%} of {texts:,} texts the same tag as the Keras network that it was exported from; "
    "the largest difference of a score is {largest_difference:.4f}."
)
_HEADER = [
    "| texts | number | accuracy (95 % interval) | log loss | ECE | accuracy at 90 % coverage | answered | of them right |",
    "|---|---|---|---|---|---|---|---|",
]
_VIEWS = (
    'masked: the test texts as published, with the name of the tag replaced by "blank"; unmasked: with the name in its '
    "place; raw: unmasked, with lines, capitals and punctuation restored as far as possible; title: the first sentence."
)
_LIMITS = (
    "The model has no tags other than those above. It answers `unknown` if its best score is below {threshold}; some "
    "off-topic texts get a tag all the same. It was trained on the texts named above, and works best on similar ones."
)


def card(name: str, manifest: Manifest, metrics: Mapping[str, Any]) -> str:
    """The Markdown of a card. ``metrics``: the content of ``metrics.json``."""
    data = manifest.training_data
    labels = ", ".join(_text(label) for label in manifest.labels)
    decision = manifest.decision
    threshold = "one per tag" if isinstance(decision, MultiLabel) else f"{decision.threshold}"
    rows = {
        "tags": labels,
        "trained on": f"{data['texts']} texts of `{_text(data['name'])}` (SHA-256 `{_text(data['sha256'][:16])}…`)",
        **_further_texts(data),
        "licence of the data": _text(data["licence"] or "not stated"),
        "preset, seed": f"`{_text(str(manifest.preset))}`, {manifest.seed}",
        **_searched(metrics["training"]),
        "recipe": f"`{manifest.recipe}`",
        "bytes on the device": f"{metrics['verification']['bytes']:,}",
        "tokens read": f"the first {manifest.input.max_tokens} of a text, `{manifest.input.tokenizer.value}` mode",
        "temperature, threshold": f"{decision.temperature}, {threshold}",
        "vocabulary": f"{manifest.network['vocabulary']:,} tokens",
    }
    lines = [
        f"# {_text(name)}",
        "",
        f"A text classifier for {labels}: an LSTM for TFLite, made with sotag-edge.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {key} | {value} |" for key, value in rows.items()),
        "",
        "## Accuracy",
        "",
        *_accuracy(metrics),
        "",
        _AGREEMENT.format(**metrics["verification"]),
        "",
        "## Limits",
        "",
        _LIMITS.format(threshold="the threshold of its tag" if isinstance(decision, MultiLabel) else threshold),
    ]
    if data["licence"]:
        lines += ["", "## Attribution", "", f"Trained on texts under {_text(data['licence'])}."]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    r"""Text from a manifest as text of a table's cell, whatever characters it has.

    >>> _text("a|b\x1b[31m") == "a\\|b\ufffd[31m"
    True
    """
    return printable(text).replace("|", "\\|")


def _further_texts(data: Mapping[str, Any]) -> dict[str, str]:
    counts = {
        "short questions written for this project": data.get("extra_texts"),
        "off-topic texts": data.get("off_topic_texts"),
    }
    further = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return {"and on": further} if further else {}


def _searched(training: Mapping[str, Any]) -> dict[str, str]:
    """The settings that a search chose."""
    if "settings" not in training:
        return {}
    return {"settings": f"the best of {training['trials']:,} trials: {_text(in_words(training['settings']))}"}


def _accuracy(metrics: Mapping[str, Any]) -> list[str]:
    lines = []
    training = metrics["training"]
    if training["validation_accuracy"] is not None:
        accuracy = f"{training['validation_accuracy']:.4f}"
        lines += [f"On {training['validation_texts']:,} validation texts, which chose the epoch: {accuracy}.", ""]
    views = metrics.get("evaluation")
    if not views:
        return [*lines, "There were no further labelled texts to measure the exported model on."]
    lines += [f"On the {metrics['verification']['on']}, with the device runtime:", "", *_HEADER]
    lines += [_row(view, figures) for view, figures in views.items()]
    return [*lines, "", _VIEWS] if len(views) > 1 else lines


def _row(view: str, figures: Mapping[str, Any]) -> str:
    low, high = figures["interval"]
    at_90 = next(accuracy for share, accuracy in figures["coverage"] if share == 0.9)
    return (
        f"| {view} | {figures['texts']:,} | {figures['accuracy']:.4f} ({low:.4f} - {high:.4f}) "
        f"| {figures['log_loss']:.3f} | {figures['calibration_error']:.3f} | {at_90:.4f} "
        f"| {figures['answered']:.1%} | {figures['answered_accuracy']:.4f} |"
    )
