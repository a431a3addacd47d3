"""Manifest and metrics -> the model's card, ``README.md``. Every figure in it is one that a command measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_AGREEMENT = (
    "The model gives {agreement:.2%} of {texts:,} texts the same tag as the Keras network it was exported from; "
    "the largest difference of a score is {largest_difference:.4f}."
)
_LIMITS = (
    "It knows the tags above and no other: a text about something else gets one of them all the same. Scores are the "
    "network's own and are not calibrated. It learned from the texts named above, with their habits and their age."
)


def card(name: str, manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """The card's Markdown."""
    data = manifest["training_data"]
    measured = metrics["verification"]
    rows = {
        "tags": ", ".join(manifest["labels"]),
        "trained on": f"{data['texts']} texts of `{data['name']}` (SHA-256 `{data['sha256'][:16]}…`)",
        "licence of the data": data["licence"] or "not stated",
        "preset, seed": f"`{manifest['preset']}`, {manifest['seed']}",
        "recipe": f"`{manifest['recipe']}`",
        "bytes on the device": f"{measured['bytes']:,}",
        "tokens read": f"the first {manifest['sequence']['max_tokens']} of a text, `{manifest['tokenizer']['mode']}` mode",
        "vocabulary": f"{manifest['network']['vocabulary']:,} tokens",
    }
    figures = []
    validation = metrics["training"]["validation_accuracy"]
    if validation is not None:
        figures.append(("validation, Keras", metrics["training"]["validation_texts"], f"{validation:.4f}"))
    if measured["accuracy"] is not None:
        figures.append((f"{measured['on']}, Keras", measured["texts"], f"{measured['keras_accuracy']:.4f}"))
        figures.append(
            (f"{measured['on']}, this model on the device runtime", measured["texts"], f"{measured['accuracy']:.4f}")
        )
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
        *(
            ["| on | texts | accuracy |", "|---|---|---|"]
            if figures
            else ["No labelled texts were given to measure it on."]
        ),
        *(f"| {on} | {texts:,} | {value} |" for on, texts, value in figures),
        "",
        _AGREEMENT.format(**measured),
        "",
        "## Limits",
        "",
        _LIMITS,
    ]
    if data["licence"]:
        lines += ["", "## Attribution", "", f"Trained on texts under {data['licence']}."]
    return "\n".join(lines) + "\n"
