"""Manifest and metrics -> the model card, ``README.md``. Every figure in it was measured by a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sotag_convert.progress import in_words
from sotag_convert.report.card_figures import BASELINE, cell_text, detail_lines, view_lines
from sotag_convert.report.summary import off_topic_sentences
from sotag_edge.bundle import Manifest
from sotag_edge.decision import MultiLabel

_AGREEMENT = (
    "The model gives {agreement:.2%} of {texts:,} texts the same {tags} as the Keras network that it was exported from; "
    "the largest difference of a score is {largest_difference:.4f}."
)
_VIEWS = {
    "masked": 'the test texts as published, with the name of the tag replaced by "blank"',
    "unmasked": "with the name in its place",
    "raw": "unmasked, with lines, capitals and punctuation restored as far as possible",
    "title": "the first sentence, unmasked",
    "title, masked": "the first sentence as published",
    "real questions": "other questions, as their authors typed them",
    "real titles": "titles with one of the tags, as their authors typed them",
}
_LIMITS = (
    "The model has no tags other than those above. {rule}; some off-topic texts get a tag all the same. It reads the first "
    "{tokens:,} tokens of a text, about as many words and punctuation marks, and nothing after them. It was trained on the "
    "texts named above, and works best on similar ones."
)
_MOST_NAMED = 20  # tags in the first sentence
_ONE_TAG = "It answers `unknown` if its best score is below {threshold}"
_SEVERAL_TAGS = "It answers with each tag whose score reaches the threshold of the tag, and `unknown` if none does"


def card(name: str, manifest: Manifest, metrics: Mapping[str, Any]) -> str:
    """The Markdown of a card. ``metrics``: the content of ``metrics.json``."""
    data = manifest.training_data
    labels = ", ".join(cell_text(label) for label in manifest.labels)
    named = labels if len(manifest.labels) <= _MOST_NAMED else f"{len(manifest.labels):,} tags"
    several = isinstance(manifest.decision, MultiLabel)
    rows = {
        "tags": labels,
        "tags per text": "any number" if several else "one",
        "trained on": f"{data['texts']} texts of `{cell_text(data['name'])}` (SHA-256 `{cell_text(data['sha256'][:16])}…`)",
        **_further_texts(data),
        "licence of the data": cell_text(data["licence"] or "not stated"),
        "preset, seed": f"`{cell_text(str(manifest.preset))}`, {manifest.seed}",
        **_searched(metrics["training"]),
        "recipe": f"`{manifest.recipe}`",
        "network": _network(manifest, metrics["training"]),
        "bytes on the device": f"{metrics['verification']['bytes']:,}",
        "tokens read": f"the first {manifest.input.max_tokens} of a text, `{manifest.input.tokenizer.value}` mode",
        **({"early exit": str(manifest.early_exit)} if manifest.early_exit else {}),
        **_decision(manifest),
        "vocabulary": f"{manifest.network['vocabulary']:,} tokens",
    }
    lines = [
        f"# {cell_text(name)}",
        "",
        f"A text classifier for {named}: for TFLite, made with sotag-edge.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {key} | {value} |" for key, value in rows.items()),
        "",
        "## Accuracy",
        "",
        *_accuracy(metrics, several=several),
        "",
        _AGREEMENT.format(tags="tags" if several else "tag", **metrics["verification"]),
        "",
        "## Limits",
        "",
        _limits(manifest),
    ]
    if data["licence"]:
        lines += ["", "## Attribution", "", f"Trained on texts under {cell_text(data['licence'])}."]
    if data["licence"] and data.get("sources"):
        lines += ["", "The texts were published in:", "", *(f"- {cell_text(source)}" for source in data["sources"])]
    return "\n".join(lines) + "\n"


def _further_texts(data: Mapping[str, Any]) -> dict[str, str]:
    counts = {
        "extra texts": data.get("extra_texts"),
        "off-topic texts": data.get("off_topic_texts"),
    }
    further = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return {"and on": further} if further else {}


def _searched(training: Mapping[str, Any]) -> dict[str, str]:
    """The settings that a search chose."""
    if "settings" not in training:
        return {}
    return {"settings": f"the best of {training['trials']:,} tried: {cell_text(in_words(training['settings']))}"}


def _network(manifest: Manifest, training: Mapping[str, Any]) -> str:
    """The parts of the network, and whether one of them was found to be of no use."""
    rows = manifest.network.get("rows", 0)
    if not rows:
        return "an LSTM"
    linear = f"a linear branch over {rows:,} tokens, pairs of tokens and character n-grams"
    if training.get("network_share") == 0:
        return f"{linear}; an LSTM beside it has no weight, because it did not help"
    return f"an LSTM, and {linear}; their scores are added up"


def _decision(manifest: Manifest) -> dict[str, str]:
    """The rows about the scores and what becomes of them."""
    decision = manifest.decision
    if isinstance(decision, MultiLabel):
        low, high = min(decision.thresholds), max(decision.thresholds)
        return {"temperature, thresholds": f"{decision.temperature}, one per tag from {low} to {high}"}
    rows = {"temperature, threshold": f"{decision.temperature}, {decision.threshold}"}
    if manifest.off_topic:
        rows["off-topic output"] = "a score of its own for texts with none of the tags, which lowers the others"
    return rows


def _accuracy(metrics: Mapping[str, Any], *, several: bool) -> list[str]:
    lines = _validation(metrics["training"], several=several)
    views = metrics.get("evaluation")
    if not views:
        return [*lines, "There were no further labelled texts to measure the exported model on."]
    lines += [f"On the {metrics['verification']['on']}, with the device runtime:", ""]
    lines += view_lines(views, several=several)
    lines += [line for sentence in off_topic_sentences(views) for line in ("", sentence)]
    explained = "; ".join(f"{view}: {_VIEWS[view]}" for view in views if view in _VIEWS)
    lines += ["", f"{explained}."] if explained else []
    return [*lines, *detail_lines(views, several=several)]


def _validation(training: Mapping[str, Any], *, several: bool) -> list[str]:
    """What was measured while the model was trained: of each part of the network, if it has two."""
    if training["validation_accuracy"] is None:
        return []
    accuracy = f"{training['validation_accuracy']:.4f}"
    figure = "micro-F1 of the tags with a score of at least 0.5" if several else "accuracy"
    if training.get("linear_accuracy") is not None and training.get("network_accuracy") is not None:
        linear, lstm = (f"{training[name]:.4f}" for name in ("linear_accuracy", "network_accuracy"))
        accuracy = f"{accuracy}; with the linear branch only {linear}, with the LSTM only {lstm}"
    on = f"On {training['validation_texts']:,} validation texts, which chose the epoch"
    if training.get("folds"):
        texts = f"{training['validation_texts']:,} texts, each tagged by a model that was trained without it"
        on = f"In cross-validation with {training['folds']} folds ({texts})"
    if training.get("baseline") is not None:
        return [f"{on}, {figure}: {accuracy}; that of the baseline: {training['baseline']:.4f}. {BASELINE}.", ""]
    return [f"{on}, {figure}: {accuracy}.", ""]


def _limits(manifest: Manifest) -> str:
    decision = manifest.decision
    rule = _SEVERAL_TAGS if isinstance(decision, MultiLabel) else _ONE_TAG.format(threshold=decision.threshold)
    return _LIMITS.format(rule=rule, tokens=manifest.input.max_tokens)
