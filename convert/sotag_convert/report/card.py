"""Manifest and metrics -> the model's card, ``README.md``. Every figure in it is one that a command measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_AGREEMENT = (
    "The model gives {agreement:.2%} of {texts:,} texts the same tag as the Keras network it was exported from; "
    "the largest difference of a score is {largest_difference:.4f}."
)
_EVALUATION = [
    "| texts | number | accuracy (95 % interval) | log loss | ECE | accuracy at 90 % coverage | answered | of them right |",
    "|---|---|---|---|---|---|---|---|",
]
_VIEWS = (
    'masked: the test texts as they are, with the tag\'s name replaced by "blank"; unmasked: with the name in its place; '
    "raw: that, with lines, capitals and marks restored as far as they can be; title: the first sentence."
)
_LIMITS = (
    "It knows the tags above and no other: what it is unsure of (a best score below {threshold}) it answers with `unknown`, "
    "and texts about something else do not all get that. "
    "It learned from the texts named above, with their habits and their age."
)


def card(name: str, manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """The card's Markdown."""
    data = manifest["training_data"]
    measured = metrics["verification"]
    rows = {
        "tags": ", ".join(manifest["labels"]),
        "trained on": f"{data['texts']} texts of `{data['name']}` (SHA-256 `{data['sha256'][:16]}…`)",
        **_besides(data),
        "licence of the data": data["licence"] or "not stated",
        "preset, seed": f"`{manifest['preset']}`, {manifest['seed']}",
        "recipe": f"`{manifest['recipe']}`",
        "bytes on the device": f"{measured['bytes']:,}",
        "tokens read": f"the first {manifest['sequence']['max_tokens']} of a text, `{manifest['tokenizer']['mode']}` mode",
        "temperature, threshold": f"{manifest['scores']['temperature']}, {manifest['scores']['threshold']}",
        "vocabulary": f"{manifest['network']['vocabulary']:,} tokens",
    }
    lines = [
        f"# {name}",
        "",
        f"A text classifier for {', '.join(manifest['labels'])}: an LSTM for TFLite, made by sotag-edge.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {key} | {value} |" for key, value in rows.items()),
        "",
        "## Accuracy",
        "",
        *_evaluation(metrics),
        "",
        _AGREEMENT.format(**measured),
        "",
        "## Limits",
        "",
        _LIMITS.format(**manifest["scores"]),
    ]
    if data["licence"]:
        lines += ["", "## Attribution", "", f"Trained on texts under {data['licence']}."]
    return "\n".join(lines) + "\n"


def _besides(data: Mapping[str, Any]) -> dict[str, str]:
    counts = {
        "short questions of this project's own": data.get("own_questions"),
        "texts of none of the tags": data.get("other_texts"),
    }
    found = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return {"and on": found} if found else {}


def _evaluation(metrics: Mapping[str, Any]) -> list[str]:
    lines = []
    validation = metrics["training"]["validation_accuracy"]
    if validation is not None:
        texts = metrics["training"]["validation_texts"]
        lines += [f"On {texts:,} validation texts, by the run that chose the epoch: {validation:.4f}.", ""]
    views = metrics.get("evaluation")
    if not views:
        return [*lines, "No labelled texts were given to measure the exported model on."]
    lines += [f"On the {metrics['verification']['on']}, on the device runtime:", "", *_EVALUATION]
    for view, found in views.items():
        at_90 = next(accuracy for share, accuracy in found["coverage"] if share == 0.9)
        low, high = found["interval"]
        answered = f"{found['answered']:.1%} | {found['answered_accuracy']:.4f}"
        lines.append(
            f"| {view} | {found['texts']:,} | {found['accuracy']:.4f} ({low:.4f} - {high:.4f}) | {found['log_loss']:.3f} "
            f"| {found['calibration_error']:.3f} | {at_90:.4f} | {answered} |"
        )
    return [*lines, "", _VIEWS] if len(views) > 1 else lines
