"""Off-topic titles of tags that a model has never seen: what a model answers that was trained without them.

Trains a model of ``stackoverflow`` without the off-topic titles that have one of some tags, and measures it on those titles:
the AUROC against real titles with one of the four tags, and how many of both are answered. Example:

    python benchmarks/left_out_tags.py --archive FOLDER --tags php html ruby c++
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from sotag_convert.data.dataset import Dataset, LabelledTexts
from sotag_convert.data.load import load
from sotag_convert.data.settings import DataSettings
from sotag_convert.data.stackoverflow import REAL_TITLES, own_texts, titles_with_tags
from sotag_convert.report.evaluate import evaluate_bundle
from sotag_convert.training import train_dataset
from sotag_edge.decision import UNKNOWN_LABEL

SEEN, LEFT_OUT = "other tags, seen", "other tags, left out"


def without(dataset: Dataset, left_out: set[str]) -> Dataset:
    """The data set without these texts in training and validation; its tests: titles of tags seen, and of tags left out."""
    (titles,) = (test for test in dataset.further_tests if test.name == REAL_TITLES)
    tests = (
        LabelledTexts(SEEN, titles.examples, tuple(text for text in titles.off_topic if text not in left_out)),
        LabelledTexts(LEFT_OUT, titles.examples, tuple(text for text in titles.off_topic if text in left_out)),
    )
    off_topic, validation = (
        tuple(text for text in texts if text not in left_out)
        for texts in (dataset.off_topic, dataset.validation_off_topic)
    )
    return replace(dataset, off_topic=off_topic, validation_off_topic=validation, further_tests=tests)


def main() -> None:
    """Train, measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, help="a folder with local copies of the public files")
    parser.add_argument("--tags", nargs="+", required=True, help="the tags whose titles are left out of the training")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    parts = titles_with_tags(options.archive)
    left_out = {text for text, label in own_texts() if label == UNKNOWN_LABEL}  # some are about the tags
    for tag in options.tags:
        of_tag = {title.text for part in parts for title in part if tag in title.tags}
        if not of_tag:
            parser.error(f"no title has the tag {tag!r}")
        left_out |= of_tag
    dataset = without(load("stackoverflow", DataSettings(archive=options.archive), print), left_out)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        train_dataset(dataset, folder, preset=options.preset, seed=options.seed)
        figures = {}
        for test in dataset.further_tests:
            (evaluation,) = evaluate_bundle(folder, test).values()
            figures[test.name] = {"off_topic_texts": len(test.off_topic), **evaluation.to_json()}
    names = ("off_topic_texts", "off_topic_auroc", "off_topic_unknown", "answered", "accuracy")
    print(json.dumps({test: {name: of[name] for name in names} for test, of in figures.items()}, indent=2))


if __name__ == "__main__":
    main()
