"""The model card: each figure in its own place."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sotag_convert.publish import add_baseline, published_figures
from sotag_convert.report.card import card
from sotag_convert.report.evaluation import measure_single
from sotag_edge.bundle import Manifest
from sotag_edge.decision import EarlyExit, MultiLabel, SingleLabel
from sotag_edge.errors import ModelError
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode
from tests.conftest import ROOT

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
    "macro_f1": 0.8701,
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
    """Accuracy and interval, macro-F1, loss, calibration error, share answered, accuracy of those; then the coverages."""
    text = card("m", MANIFEST, METRICS)
    figures, coverages = rows_of(text, "masked")
    assert figures == ["4,321", "0.8765 (0.8111 - 0.9222)", "0.8701", "0.345", "0.012", "96.4%", "0.9444"]
    assert coverages == ["0.8765", "0.8901", "0.9012", "0.9333", "0.9876"]
    assert rows_of(text, "texts")[1] == ["100%", "95%", "90%", "80%", "50%"]


def test_the_baseline_stands_beside_its_figure() -> None:
    """In the row of the texts that it was measured on, else in the sentence about the validation texts."""
    metrics = METRICS | {"evaluation": {"masked": FIGURES | {"baseline": 0.8555}, "title": FIGURES}}
    text = card("m", MANIFEST, metrics)
    assert rows_of(text, "texts")[0][1:3] == ["accuracy (95 % interval)", "baseline"]
    assert rows_of(text, "masked")[0][2] == "0.8555"
    assert rows_of(text, "title")[0][2] == ""
    assert "The baseline is a linear model of scikit-learn" in text
    folded = METRICS | {"training": FOLDED | {"baseline": 0.7999}}
    assert "the LSTM only 0.7002; that of the baseline: 0.7999. The baseline is" in card("m", MANIFEST, folded)
    assert "baseline" not in card("m", MANIFEST, METRICS)


@pytest.mark.parametrize("count", [20, 21])
def test_the_tags_have_a_table(count: int) -> None:
    """All of them up to 20; of more the ten with the lowest F1, and where the others are; those without texts are none."""
    labels = [
        {"label": f"t|{number}", "texts": number, "precision": 0.5, "recall": 0.25, "f1": 0.9 - number / 100}
        for number in range(count)
    ]
    text = card("m", MANIFEST, METRICS | {"evaluation": {"masked": FIGURES | {"labels": labels}}})
    shown = [line for line in text.splitlines() if line.startswith("| t\\|")]
    assert (
        shown[0 if count > 20 else -1]
        == f"| t\\|{count - 1} | {count - 1} | 0.5000 | 0.2500 | {0.91 - count / 100:.4f} |"
    )
    assert len(shown) == (10 if count > 20 else 20)
    assert ("The 10 tags with the lowest F1, of 21 (masked); `metrics.json` has all:" in text) == (count > 20)
    few = [label | {"texts": label["texts"] // 20} for label in labels]
    fewer = card("m", MANIFEST, METRICS | {"evaluation": {"masked": FIGURES | {"labels": few}}})
    assert ("| t\\|0 | 0 |" in fewer) == (count == 20)


@pytest.mark.parametrize("folder", sorted((ROOT / "models").glob("*/")), ids=lambda folder: folder.name)
def test_the_cards_of_the_models_here(folder: Path) -> None:
    """Each is what its metrics give; `make cards` writes them again."""
    metrics = json.loads((folder / "metrics.json").read_bytes())
    assert (folder / "README.md").read_text(encoding="utf-8") == card(folder.name, Manifest.read(folder), metrics)


def rows_of(text: str, name: str) -> list[list[str]]:
    """The cells of the rows of all tables that begin with a name."""
    rows = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [[cell.strip() for cell in row.strip("|").split("|")][1:] for row in rows]


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
    """Micro-F1 with its interval, macro-F1, precision, recall, loss, ECE, best tag, exact sets, answered; the ranks."""
    figures = {
        "texts": 4321,
        "micro_f1": 0.8765,
        "interval": [0.8111, 0.9222],
        "macro_f1": 0.7001,
        "precision": 0.9002,
        "recall": 0.8003,
        "log_loss": 1.234,
        "calibration_error": 0.0115,
        "precision_at": [[1, 0.951], [3, 0.5]],
        "recall_at": [[1, 0.5011], [3, 0.9022]],
        "exact": 0.612,
        "answered": 0.973,
        "off_topic_unknown": 0.812,
        "off_topic_auroc": 0.9345,
    }
    text = card("m", SEVERAL, METRICS | {"training": FOLDED, "evaluation": {"as given": figures}})
    main = [
        "4,321",
        "0.8765 (0.8111 - 0.9222)",
        "0.7001",
        "0.9002",
        "0.8003",
        "1.234",
        "0.011",
        "95.1%",
        "61.2%",
        "97.3%",
    ]
    ranks = [["1", "0.9510", "0.5011"], ["3", "0.5000", "0.9022"]]
    assert rows_of(text, "as given") == [main, *ranks]
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


def test_a_baseline_that_cannot_be_added_changes_nothing(tmp_path: Path) -> None:
    """Where the card cannot be made, the metrics stay; else both are written, and nothing is left beside them."""
    folder = Path(shutil.copytree(ROOT / "models" / "tiny", tmp_path / "tiny"))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "model.json").unlink()
    with pytest.raises(ModelError):
        add_baseline(folder, 0.75)
    assert (folder / "metrics.json").read_bytes() == before["metrics.json"]
    (folder / "model.json").write_bytes(before["model.json"])
    add_baseline(folder, 0.75)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name for name, content in after.items() if content != before.get(name)} == {"metrics.json", "README.md"}
    assert set(after) == set(before)
    assert "baseline" not in json.loads(after["metrics.json"])["evaluation"]["title"]
    assert json.loads(after["metrics.json"])["evaluation"]["masked"]["baseline"] == 0.75
