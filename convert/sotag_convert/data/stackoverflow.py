"""The public Stack Overflow data set -> a folder in the user's cache, fetched once.

The archive is the one of TensorFlow's "Load text" tutorial. Its publisher gives no checksum, so what is checked is that
the transfer was whole, that the archive can be unpacked, and that it holds the texts it is known to hold. An interrupted
download leaves nothing behind and starts again.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

import pooch
import requests

from sotag_edge.errors import InputError

STACK_OVERFLOW = "stackoverflow"
URL = "https://storage.googleapis.com/download.tensorflow.org/data/stack_overflow_16k.tar.gz"
LICENCE = "CC BY-SA, by the contributors of Stack Overflow"
MASK = "blank"
TEXTS_PER_LABEL = {"train": 2000, "test": 2000}
LABELS = ("csharp", "java", "javascript", "python")
CACHE_VARIABLE = "SOTAG_EDGE_CACHE"
_SECONDS = 60


def stack_overflow(url: str = URL) -> Path:
    """The folder with ``train/`` and ``test/``; downloads 30 MB the first time. Raises ``InputError``."""
    cache = Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("sotag-edge"))
    folder = cache / "stack_overflow_16k"
    if folder.is_dir():
        return folder
    pooch.get_logger().setLevel("WARNING")  # it would advise the user on its own parameters
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the cache {cache} cannot be made ({error.strerror}): set ${CACHE_VARIABLE} to another folder"
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
            f"and give its folder instead of {STACK_OVERFLOW!r}"
        ) from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise InputError(f"{url} did not give a usable archive: {error}") from error
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    """Write the texts of the archive and nothing else, so that no member's name or link can lead outside.

    Not by ``extractall(filter="data")``: Debian 12's Python 3.11.2 does not have it.
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
            found = len(list((folder / split / label).glob("*.txt")))
            if found != expected:
                raise OSError(f"it has {found} texts in {split}/{label}, and {expected} were expected")
