"""Files in the shape of the public ones, with other texts."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sotag_convert.data import sotitle
from sotag_convert.data.stackoverflow_16k import LABELS
from sotag_convert.data.tagged_titles import TaggedTitle, TitleParts, TitleRows


def sha256(content: bytes) -> str:
    """Of a file."""
    return hashlib.sha256(content).hexdigest()


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """Of each file."""
    return {name: sha256(content) for name, content in files.items()}


def tar(files: Mapping[str, bytes], mode: str, links: Sequence[tarfile.TarInfo] = ()) -> bytes:
    """An archive of links, then of files; ``mode``: its compression."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{mode}") as archive:
        for link in links:
            archive.addfile(link)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def sixteen_k(texts: Mapping[str, int], extra: str | None = None) -> bytes:
    """The archive of Stack Overflow 16k; ``texts``: of each label, by part; ``extra``: the name of one more file."""
    names = [
        f"{split}/{label}/{number}.txt" for split, count in texts.items() for label in LABELS for number in range(count)
    ]
    return tar({name: f"a question in {name}".encode() for name in [*names, *([extra] if extra else [])]}, "gz")


def training_sha256(count: int) -> str:
    """The hash of the training texts of ``sixteen_k``, of which each label has so many."""
    digest = hashlib.sha256()
    for label in LABELS:
        contents = [f"a question in train/{label}/{number}.txt".encode() for number in range(count)]
        digest.update("".join(sorted(map(sha256, contents))).encode())
    return digest.hexdigest()


def table(rows: Sequence[str]) -> bytes:
    """A file of SOTitle: one quoted field a row."""
    lines = io.StringIO(newline="")
    csv.writer(lines, quoting=csv.QUOTE_ALL).writerows([row] for row in rows)
    return lines.getvalue().encode()


def packed(place: Path, files: Mapping[str, bytes]) -> Path:
    """A copy of SOTitle as an archive, whose names begin with "./"."""
    copy = place / sotitle.ARCHIVE
    copy.write_bytes(tar({f"./{name}": content for name, content in files.items()}, "xz"))
    return copy


def unpacked(place: Path, files: Mapping[str, bytes]) -> Path:
    """A copy of SOTitle as a folder."""
    for name, content in files.items():
        path = place / sotitle.FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return place / sotitle.FOLDER


def tagged_tsv(titles: Sequence[TaggedTitle]) -> bytes:
    """The file of tagged titles: the first one is in row 1."""
    lines = io.StringIO(newline="")
    rows = [(title.text, str(list(title.tags))) for title in titles]
    csv.writer(lines, delimiter="\t", lineterminator="\n").writerows([("title", "tags"), *rows])
    return lines.getvalue().encode()


def tagged_jsonl(titles: Sequence[TaggedTitle]) -> bytes:
    """The same as JSON lines."""
    lines = (json.dumps({"row": title.row, "text": title.text, "tags": title.tags}) for title in titles)
    return gzip.compress("\n".join(lines).encode())


def rows_of(parts: TitleParts) -> TitleRows:
    """The numbers of these titles, and the SHA-256 of their content, in the order of the numbers."""
    titles = sorted(title for part in parts for title in part)
    lines = (f"{title.row}\t{title.text}\t{','.join(title.tags)}\n" for title in titles)
    train, validation, test = (frozenset(title.row for title in part) for part in parts)
    return TitleRows(train, validation, test, sha256("".join(lines).encode()))
