"""The public Stack Overflow data set: its download, once, to a folder in the user's cache, and its extra texts.

The archive is the one of TensorFlow's "Load text" tutorial. Its publisher gives no checksum, so the checks are that the
transfer was whole, that the archive can be unpacked, and that it holds the expected number of texts. An interrupted download
leaves nothing in the cache and starts again.

``questions.jsonl`` has extra texts that this project wrote, short questions and off-topic texts: people type titles only,
about libraries that 8,000 old questions seldom or never name.
"""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
import zlib
from importlib import resources
from pathlib import Path, PurePosixPath

from sotag_edge.errors import InputError
from sotag_edge.trial import CACHE_VARIABLE

STACK_OVERFLOW = "stackoverflow"
URL = "https://storage.googleapis.com/download.tensorflow.org/data/stack_overflow_16k.tar.gz"
TEXTS_PER_LABEL = {"train": 2000, "test": 2000}
LABELS = ("csharp", "java", "javascript", "python")
_SECONDS = 60


def extra_texts() -> list[tuple[str, str]]:
    """The text and the label, or ``unknown``, of each entry of ``questions.jsonl``."""
    content = resources.files("sotag_convert.data").joinpath("questions.jsonl").read_text(encoding="utf-8")
    entries = (json.loads(line) for line in content.split("\n") if line)
    return [(entry["text"], entry["label"]) for entry in entries]


def stack_overflow(url: str = URL) -> Path:
    """The folder with ``train/`` and ``test/``; downloads 30 MB the first time. Raises ``InputError``."""
    import pooch
    import requests

    cache = Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("sotag-edge"))
    folder = cache / "stack_overflow_16k"
    if folder.is_dir():
        return folder
    pooch.get_logger().setLevel("WARNING")  # its messages are about its own parameters
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the cache {cache} cannot be created ({error.strerror}): set ${CACHE_VARIABLE} to another folder"
        ) from error
    try:
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            archive = pooch.retrieve(
                url, known_hash=None, path=scratch, downloader=pooch.HTTPDownloader(timeout=_SECONDS)
            )
            unpacked = Path(scratch, "unpacked")
            _unpack(Path(archive), unpacked)
            _check(unpacked)
            unpacked.rename(folder)
    except requests.RequestException as error:
        raise InputError(
            f"{url} cannot be downloaded ({type(error).__name__}): try again, or fetch it by other means, unpack it "
            f"and use its folder instead of {STACK_OVERFLOW!r}"
        ) from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise InputError(f"{url} did not give a usable archive: {error}") from error
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    """Write the texts of the archive and nothing else, so that no member's name or link can lead outside.

    ``extractall(filter="data")`` would do, but Debian 12's Python 3.11.2 does not have it.
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            match PurePosixPath(member.name).parts:
                case (split, label, name) if (
                    content and split in TEXTS_PER_LABEL and label in LABELS and name.endswith(".txt")
                ):
                    (folder / split / label).mkdir(parents=True, exist_ok=True)
                    (folder / split / label / name).write_bytes(content.read())


def _check(folder: Path) -> None:
    for split, expected in TEXTS_PER_LABEL.items():
        for label in LABELS:
            count = len(list((folder / split / label).glob("*.txt")))
            if count != expected:
                raise OSError(f"it has {count} texts in {split}/{label}, not the expected {expected}")
