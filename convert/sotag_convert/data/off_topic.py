"""General off-topic texts: about many topics and in many languages, for training sets that have few of their own or none.

``off_topic.jsonl`` was written for this project. Each line has a text and its topic, which is for readers of the file: a
model's labels may cover any of the topics, under any name, so only the words of a text can show whether it is off-topic.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from importlib import resources

from sotag_convert.data.dataset import Dataset

_FEW_GENERAL = 100  # general off-topic texts


def off_topic_texts() -> tuple[str, ...]:
    """The texts of ``off_topic.jsonl``, in the order of the file: topic by topic."""
    content = resources.files("sotag_convert.data").joinpath("off_topic.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line)["text"] for line in content.split("\n") if line)


def with_general(dataset: Dataset, seed: int) -> Dataset:
    """With some general off-topic texts, where nothing is known of those that the data set's model will see."""
    if not dataset.origin.general_off_topic:
        return dataset
    known = {*dataset.off_topic, *dataset.validation_off_topic, *dataset.test_off_topic}
    general = [text for text in off_topic_texts() if text not in known]
    count = len(general)
    if dataset.multi_label:  # where they are negative examples of each label, they must not outnumber the others
        count = min(count, max(_FEW_GENERAL, len(dataset.train) // 2))
    return replace(dataset, general=tuple(random.Random(seed).sample(general, count)))
