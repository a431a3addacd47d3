"""Real titles with all their tags among the 100 most frequent ones, from a public repository.

Titles without any of a model's tags are real off-topic texts; all of them are a multi-label data set. ``title_rows.json``
says which rows are learned from, which choose settings, and which measure: the other rows are not used.
"""

from __future__ import annotations

import ast
import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from sotag_convert.data.downloads import download, sha256_of

URL = (
    "https://raw.githubusercontent.com/kponichtera/remla-stackoverflow-tagger/"
    "a1c53785a89eb8148181036a73408a4a9e85cfb2/src/learning_service/data/validation.tsv"
)
SOURCE = f"titles with the 100 most frequent tags: {URL}"
SHA256 = "fafd81ea0fb3aca6dbdd239b80759a20dbcd1a80a919fd5e6aafc7eabf15cefb"
PART, FILE = COPIES = ("so_titles_100tags.jsonl.gz", "validation.tsv")
"""The rows of ``title_rows.json`` only, as JSON Lines with "row", "text" and "tags"; and the file itself."""

_NOT_READABLE = (ValueError, TypeError, KeyError, SyntaxError, RecursionError, EOFError, zlib.error, csv.Error)


class TaggedTitle(NamedTuple):
    """A title and its tags; ``row``: of the file, whose header is row 0."""

    row: int
    text: str
    tags: tuple[str, ...]


class TitleRows(NamedTuple):
    """The numbers of the rows of each part, and the SHA-256 of their content."""

    train: frozenset[int]
    validation: frozenset[int]
    test: frozenset[int]
    sha256: str

    @classmethod
    def shipped(cls) -> TitleRows:
        """Those of ``title_rows.json``."""
        content = json.loads(
            resources.files("sotag_convert.data").joinpath("title_rows.json").read_text(encoding="utf-8")
        )
        train, validation, test = (frozenset(content[name]) for name in ("train", "validation", "test"))
        return cls(train, validation, test, content["sha256"])


class TitleParts(NamedTuple):
    """The titles of each part."""

    train: list[TaggedTitle]
    validation: list[TaggedTitle]
    test: list[TaggedTitle]


def read_titles(cache: Path, copy: Path | None, rows: TitleRows, url: str, sha256: str) -> TitleParts:
    """The titles in the file at ``url``.

    ``cache``: the folder that it is downloaded to; ``copy``: a file to read instead, one of ``COPIES``; ``sha256``: of the
    file. Raises ``InputError`` if the download fails, ``ValueError`` if the copy has another content.
    """
    file = copy or download(url, cache, sha256, FILE)
    if file.name == FILE and sha256_of(file) != sha256:
        raise ValueError("its SHA-256 differs")
    try:
        titles = sorted(_read_whole(file) if file.name == FILE else _read_part(file))
    except _NOT_READABLE as error:
        raise ValueError(f"it has another shape: {type(error).__name__}: {error}") from error
    parts = [[title for title in titles if title.row in numbers] for numbers in rows[:3]]
    digest = hashlib.sha256()
    for title in sorted(title for of_part in parts for title in of_part):
        digest.update(f"{title.row}\t{title.text}\t{','.join(title.tags)}\n".encode())
    if digest.hexdigest() != rows.sha256:
        raise ValueError("its rows are not those that the project was measured with")
    return TitleParts(*parts)


def _read_whole(file: Path) -> Iterator[TaggedTitle]:
    with file.open(encoding="utf-8", newline="") as lines:
        for row, fields in enumerate(csv.reader(lines, delimiter="\t")):
            if row:
                text, tags = fields
                yield _title(row, text, ast.literal_eval(tags))


def _read_part(file: Path) -> Iterator[TaggedTitle]:
    with gzip.open(file) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            entry = json.loads(line)
            yield _title(entry["row"], entry["text"], entry["tags"])


def _title(row: object, text: object, tags: object) -> TaggedTitle:
    if isinstance(row, int) and isinstance(text, str) and isinstance(tags, list):
        names = tuple(tag for tag in tags if isinstance(tag, str))
        if len(names) == len(tags):
            return TaggedTitle(row, text, names)
    raise ValueError(f"row {row!r} is not a title with a list of tags")
