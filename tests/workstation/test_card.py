"""The model card: each figure in its own place."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sotag_convert.publish import published_figures
from sotag_convert.report.card import card
from sotag_convert.report.evaluation import measure_single
from sotag_edge.bundle import Manifest
from sotag_edge.decision import EarlyExit, MultiLabel, SingleLabel
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode

MANIFEST = Manifest(
    labels=("a", "b"),
    input=InputSettings(TokenizerMode.CODE, max_tokens=77),
    decision=SingleLabel(temperature=1.25, threshold=0.375),
    recipe="mixed",
    preset="tiny",
    seed=9,
    training_data={
        "name": "letters",
        "texts": 1234,
        "extra_texts": 1500,
        "off_topic_texts": 40,
        "sha256": "0123456789abcdef" * 4,
        "licence": "CC0",
    },
    network={"vocabulary": 5678},
)
FIGURES: dict[str, Any] = {
    "texts": 4321,
    "accuracy": 0.8765,
    "interval": [0.8111, 0.9222],
    "log_loss": 0.345,
    "calibration_error": 0.012,
    "coverage": [[1.0, 0.8765], [0.95, 0.8901], [0.9, 0.9012], [0.8, 0.9333], [0.5, 0.9876]],
    "answered": 0.964,
    "answered_accuracy": 0.9444,
}
METRICS: dict[str, Any] = {
    "training": {"validation_accuracy": 0.8123, "validation_texts": 800},
    "verification": {
        "on": "test texts",
        "texts": 4321,
        "agreement": 0.9975,
        "largest_difference": 0.0432,
        "bytes": 65432,
    },
    "evaluation": {"masked": FIGURES, "title": FIGURES | {"accuracy": 0.7}},
}


def test_each_column_has_its_own_figure() -> None:
    """Accuracy and interval, loss, calibration error, accuracy at 90 % coverage, share answered, accuracy of those."""
    row = next(line for line in card("m", MANIFEST, METRICS).splitlines() if line.startswith("| masked"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["masked", "4,321", "0.8765 (0.8111 - 0.9222)", "0.345", "0.012", "0.9012", "96.4%", "0.9444"]


def test_the_facts_of_the_manifest() -> None:
    """The table has labels, data, licence, preset, bytes, tokens, calibration and vocabulary; the text the agreement."""
    text = card("m", MANIFEST, METRICS)
    for words in (
        "# m\n",
        "| tags | a, b |",
        "| trained on | 1234 texts of `letters` (SHA-256 `0123456789abcdef…`) |",
        "| and on | 1,500 extra texts, 40 off-topic texts |",
        "| licence of the data | CC0 |",
        "| preset, seed | `tiny`, 9 |",
        "| bytes on the device | 65,432 |",
        "| tokens read | the first 77 of a text, `code` mode |",
        "| temperature, threshold | 1.25, 0.375 |",
        "| vocabulary | 5,678 tokens |",
        "On 800 validation texts, which chose the epoch, accuracy: 0.8123.",
        "gives 99.75% of 4,321 texts the same tag",
        "largest difference of a score is 0.0432",
        "best score is below 0.375",
        "Trained on texts under CC0.",
        "masked: the test texts as published",
    ):
        assert words in text, words


def test_what_is_missing_is_left_out_or_said() -> None:
    """Without further texts, a licence, validation or labelled texts, the card says so and invents nothing."""
    metrics = copy.deepcopy(METRICS)
    metrics["training"]["validation_accuracy"] = None
    del metrics["evaluation"]
    data = {"name": "letters", "texts": 12, "sha256": "0" * 64, "licence": None}
    manifest = Manifest(
        MANIFEST.labels, MANIFEST.input, MANIFEST.decision, training_data=data, network=MANIFEST.network
    )
    text = card("m", manifest, metrics)
    assert "| licence of the data | not stated |" in text
    assert "no further labelled texts" in text
    for words in ("and on", "validation texts", "Attribution", "masked:"):
        assert words not in text


def test_one_view_needs_no_explanation() -> None:
    """A person's own data has one view, and the card does not explain the views of another data set."""
    metrics = METRICS | {"evaluation": {"as given": FIGURES}}
    assert "masked:" not in card("m", MANIFEST, metrics)


def test_sources_and_many_tags() -> None:
    """Each source has a line; of over twenty tags the first sentence has the number only."""
    data = MANIFEST.training_data | {"sources": ["a book", "a <shelf> | a box"]}
    text = card(
        "m", replace(MANIFEST, labels=tuple(f"tag{number}" for number in range(21)), training_data=data), METRICS
    )
    assert "- a book\n- a <shelf> \\| a box\n" in text
    assert "A text classifier for 21 tags: " in text
    assert "| tags | tag0, tag1, " in text


def test_off_topic_texts_are_told_by_view() -> None:
    """Of a view with off-topic texts: how many are unknown, and the AUROC."""
    real = FIGURES | {"off_topic_unknown": 0.7654, "off_topic_auroc": 0.9123}
    text = card("m", MANIFEST, METRICS | {"evaluation": {"masked": FIGURES, "real titles": real}})
    assert "real titles: 76.5% of off-topic texts are answered unknown; " in text
    assert "0.912 (AUROC)" in text
    assert "real titles: titles with one of the tags" in text
    assert "masked: 76" not in text


SEVERAL = replace(MANIFEST, decision=MultiLabel(1.0, (0.125, 0.75)), network={"vocabulary": 5678, "rows": 9000})
FOLDED = {
    "validation_accuracy": 0.8123,
    "validation_texts": 800,
    "folds": 3,
    "linear_accuracy": 0.8001,
    "network_accuracy": 0.7002,
    "network_share": 0.25,
}


def test_a_model_of_several_tags_has_figures_of_its_own() -> None:
    """Micro-F1 with its interval, macro-F1, precision, recall, best tag, exact sets, answered."""
    figures = {
        "texts": 4321,
        "micro_f1": 0.8765,
        "interval": [0.8111, 0.9222],
        "macro_f1": 0.7001,
        "precision": 0.9002,
        "recall": 0.8003,
        "precision_at": [[1, 0.951], [3, 0.5]],
        "exact": 0.612,
        "answered": 0.973,
        "off_topic_unknown": 0.812,
        "off_topic_auroc": 0.9345,
    }
    text = card("m", SEVERAL, METRICS | {"training": FOLDED, "evaluation": {"as given": figures}})
    row = next(line for line in text.splitlines() if line.startswith("| as given"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    expected = ["4,321", "0.8765 (0.8111 - 0.9222)", "0.7001", "0.9002", "0.8003", "95.1%", "61.2%", "97.3%"]
    assert cells == ["as given", *expected]
    for words in (
        "| tags per text | any number |",
        "| temperature, thresholds | 1.0, one per tag from 0.125 to 0.75 |",
        "micro-F1 of the tags with a score of at least 0.5: 0.8123;",
        "gives 99.75% of 4,321 texts the same tags",
        "answers with each tag whose score reaches the threshold of the tag",
        "as given: 81.2% of off-topic texts are answered unknown; one of them has a lower best score",
        "than one of the others with a probability of 0.934 (AUROC).",
    ):
        assert words in text, words


def test_the_parts_of_the_network_and_its_cross_validation() -> None:
    """Each part has its own figure; a part without weight is said to have none."""
    manifest = replace(MANIFEST, network={"vocabulary": 5678, "rows": 9000}, off_topic=True)
    text = card("m", manifest, METRICS | {"training": FOLDED})
    for words in (
        "an LSTM, and a linear branch over 9,000 tokens, pairs of tokens and character n-grams; their scores are added up",
        "with 3 folds (800 texts, each tagged by a model that was trained without it), accuracy: 0.8123;",
        "; with the linear branch only 0.8001, with the LSTM only 0.7002.",
        "| off-topic output | a score of its own",
        "It reads the first 77 tokens of a text",
    ):
        assert words in text, words
    text = card("m", manifest, METRICS | {"training": FOLDED | {"network_share": 0.0}})
    assert "an LSTM beside it has no weight" in text
    assert "| network | an LSTM |" in card("m", MANIFEST, METRICS)
    assert "off-topic output" not in card("m", MANIFEST, METRICS)


def test_the_early_exit_has_a_row() -> None:
    """Only of a model that has one."""
    settings = replace(MANIFEST.input, max_tokens=384, step=16)
    manifest = replace(MANIFEST, input=settings, early_exit=EarlyExit(96, 0.94))
    assert "| early exit | after 96 tokens of over 192, from a score of 0.94 |" in card("m", manifest, METRICS)
    assert "early exit" not in card("m", MANIFEST, METRICS)


@pytest.mark.parametrize("count", [100, 101])
def test_metrics_have_no_table_of_a_million_confusions(count: int) -> None:
    """With many labels it would be larger than the model; the figures of the labels are kept."""
    labels = tuple(map(str, range(count)))
    evaluation = measure_single(np.eye(count), [True] * count, range(count), labels)
    figures = published_figures(evaluation)
    assert ("confusion" in figures) == (count == 100)
    assert len(figures["labels"]) == count
