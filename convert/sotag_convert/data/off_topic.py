"""General off-topic texts: about many topics and in many languages, for training sets that have few of their own or none.

``off_topic.jsonl`` was written for this project. Each line has a text and its topic, which is for readers of the file: a
model's labels may cover any of the topics, under any name, so only the words of a text can show whether it is off-topic.
"""

from __future__ import annotations

import json
from importlib import resources


def off_topic_texts() -> tuple[str, ...]:
    """The texts of ``off_topic.jsonl``, in the order of the file: topic by topic."""
    content = resources.files("sotag_convert.data").joinpath("off_topic.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line)["text"] for line in content.split("\n") if line)
