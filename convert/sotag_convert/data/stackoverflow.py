"""The public Stack Overflow texts as data sets: ``stackoverflow`` and ``stackoverflow-topics``.

``stackoverflow`` joins the questions of Stack Overflow 16k, which are old, masked and flattened, with real questions and
titles as people typed them, real titles of other tags as off-topic texts, and texts that this project wrote. Without these,
a model that tags 91 % of the masked questions is right for 81 % of real titles, and answers 56 % of the off-topic ones.

A real question or title that repeats a test text is left out, by its row number (sotitle.py) or by its letters.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path

from sotag_convert.data import sotitle, tagged_titles
from sotag_convert.data.dataset import Dataset, Examples, LabelledTexts, Origin
from sotag_convert.data.downloads import cache_folder, local_copy
from sotag_convert.data.labels import label_set
from sotag_convert.data.reading import Say
from sotag_convert.data.stackoverflow_text import StackOverflow
from sotag_convert.data.tagged_titles import TaggedTitle, TitleParts, TitleRows
from sotag_convert.data.texts import Texts
from sotag_edge.errors import InputError

STACK_OVERFLOW, TOPICS = "stackoverflow", "stackoverflow-topics"
REAL_QUESTIONS, REAL_TITLES = "real questions", "real titles"
TAGS = {"c#": "csharp", "java": "java", "javascript": "javascript", "python": "python"}
"""The label of each of the four tags."""

_OWN = "this project: short questions and off-topic texts, written for it, under its own licence"
_WHOLE = 10_000  # questions of a label, with a body
_TITLES = 25_000  # of a label, without a body
_TEST, _VALIDATION_QUESTIONS = 100, 300  # of a label, a tenth of them at most
# Without titles among the validation texts, the scores of titles are too low by 4 points: the temperature suits long texts.
_VALIDATION_TITLES = 500
_VALIDATION = 0.1  # of the texts of Stack Overflow 16k


def with_public_texts(dataset: Dataset, archive: Path | None, say: Say) -> Dataset:
    """Stack Overflow 16k, joined with the other texts. ``archive``: a folder that may have copies of their files.

    Raises ``InputError``.
    """
    tagged = titles_with_tags(archive)
    whole, short = _questions(archive, {_key(title.text) for part in tagged for title in part})
    fewest = min(map(len, whole.values()))
    test, validation, further = (_part(whole, dataset, *places) for places in _places(fewest))
    kept = min(_VALIDATION_TITLES, fewest // 10)
    most = min(kept + _TITLES, *map(len, short.values()))
    held_out, titles = _part(short, dataset, 0, kept), _part(short, dataset, kept, most)
    own, own_off_topic = _own_texts(dataset)
    say(f"{len(further):,} real questions and {len(titles):,} real titles besides those of Stack Overflow 16k")
    train, masked = dataset.train.split(_VALIDATION, seed=0)
    on_topic = [_on_topic(part, dataset) for part in tagged]
    off_topic = [tuple(title.text for title in part if not TAGS.keys() & title.tags) for part in tagged]
    return replace(
        dataset,
        name=STACK_OVERFLOW,
        origin=replace(
            dataset.origin,
            sources=(*dataset.origin.sources, sotitle.SOURCE, tagged_titles.SOURCE, _OWN),
            general_off_topic=False,
        ),
        train=train,
        extra=further.joined(titles).joined(on_topic[0]).joined(own),
        off_topic=(*off_topic[0], *own_off_topic),
        validation=masked.joined(validation).joined(held_out).joined(on_topic[1]),
        validation_off_topic=off_topic[1],
        further_tests=(
            LabelledTexts(REAL_QUESTIONS, test),
            LabelledTexts(REAL_TITLES, on_topic[2], off_topic[2]),
        ),
    )


def topics(archive: Path | None) -> Dataset:
    """The titles with their tags among the 100 most frequent ones. Raises ``InputError``."""
    parts = titles_with_tags(archive)
    labels = tuple(sorted({tag for title in parts.train for tag in title.tags}))

    def examples(part: Sequence[TaggedTitle]) -> Examples:
        texts = Texts()
        for title in part:
            texts.add(title.text, label_set(title.tags))
        return texts.numbered(labels)[0]

    train, validation, test = map(examples, parts)
    origin = Origin(StackOverflow().licence, (tagged_titles.SOURCE,))
    return Dataset(TOPICS, labels, train, test, origin=origin, validation=validation, multi_label=True)


def titles_with_tags(archive: Path | None) -> TitleParts:
    """The titles with all their tags. ``archive``: a folder that may have a copy of their file. Raises ``InputError``."""
    cache = cache_folder()
    # The whole file in the cache is the download, which is made again if it is damaged.
    copy = local_copy(archive, tagged_titles.COPIES) or local_copy(cache, [tagged_titles.PART])
    with _naming(copy or cache):
        return tagged_titles.read_titles(cache, copy, TitleRows.shipped(), tagged_titles.URL, tagged_titles.SHA256)


def own_texts() -> list[tuple[str, str]]:
    """The text and the label, or ``unknown``, of each entry of ``questions.jsonl``."""
    content = resources.files("sotag_convert.data").joinpath("questions.jsonl").read_text(encoding="utf-8")
    entries = (json.loads(line) for line in content.split("\n") if line)
    return [(entry["text"], entry["label"]) for entry in entries]


def _own_texts(dataset: Dataset) -> tuple[Examples, tuple[str, ...]]:
    texts = Texts()
    for text, label in own_texts():
        texts.add(text, label_set(label))
    return texts.numbered(dataset.labels)


def _questions(archive: Path | None, known: set[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The texts of whole questions and those of titles, by label, in random order and without duplicates.

    ``known``: the keys of texts that are in another part. The questions of the split "test", of which every copy has the
    bodies, come first, so that the same ones measure a model whatever else a copy has. Of the questions beyond the first
    10,000 of a label only the titles are used: with all bodies there would be no titles.
    """
    cache = cache_folder()
    copy = local_copy(archive, sotitle.COPIES) or local_copy(cache, sotitle.COPIES)
    first, further, short = ({label: list[sotitle.Question]() for label in sotitle.FOLDERS} for _ in range(3))
    with _naming(copy or cache):
        read = sotitle.reader(cache, copy, sotitle.URL, sotitle.SHA256)
        for question in sotitle.questions(read, sotitle.excluded_rows()):
            key = _key(question.title)
            if key not in known:
                known.add(key)
                pool = short if not question.body else first if question.split == sotitle.TEST else further
                pool[question.label].append(question)
    for pool in (first, further, short):
        for questions in pool.values():
            random.Random(0).shuffle(questions)
    whole = {label: first[label] + further[label] for label in first}
    return (
        {label: [question.text for question in questions[:_WHOLE]] for label, questions in whole.items()},
        {label: [question.title for question in short[label] + whole[label][_WHOLE:]] for label in whole},
    )


@contextmanager
def _naming(place: Path) -> Iterator[None]:
    """Names the copy, or the cache, in the error of a file that has another content."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise InputError(f"{place} is not usable ({error}): replace it, or remove it for a download") from error


def _places(fewest: int) -> tuple[tuple[int, int], ...]:
    """Where the questions of each label for the test, for validation and for training begin and end."""
    test = min(_TEST, fewest // 10)
    validation = test + min(_VALIDATION_QUESTIONS, fewest // 10)
    return (0, test), (test, validation), (validation, fewest)


def _part(pool: Mapping[str, Sequence[str]], dataset: Dataset, start: int, end: int) -> Examples:
    """The texts of each label from a place to another."""
    chosen = [(text, dataset.labels.index(label)) for label, texts in pool.items() for text in texts[start:end]]
    return Examples.single((text for text, _ in chosen), (target for _, target in chosen))


def _on_topic(titles: Iterable[TaggedTitle], dataset: Dataset) -> Examples:
    """The titles with exactly one of the four tags, whatever other tags they have."""
    tagged = ((title.text, TAGS.keys() & title.tags) for title in titles)
    chosen = [(text, dataset.labels.index(TAGS[next(iter(tags))])) for text, tags in tagged if len(tags) == 1]
    return Examples.single((text for text, _ in chosen), (target for _, target in chosen))


def _key(text: str) -> str:
    """The letters and digits of a text: two with the same are duplicates."""
    return "".join(filter(str.isalnum, text.casefold()))
