"""The public Stack Overflow data set: its download, once, to a folder in the user's cache, and its extra texts.

The archive is the one of TensorFlow's "Load text" tutorial. Its publisher gives no checksum, so the checks are that the
transfer was whole, that the archive can be unpacked, and that it holds the expected number of texts. An interrupted download
leaves nothing in the cache and starts again. A local copy of the archive gives the same data set.

``questions.jsonl`` has extra texts that this project wrote, short questions and off-topic texts: people type titles only,
about libraries that 8,000 old questions seldom or never name.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import tarfile
import tempfile
import zlib
from importlib import resources
from pathlib import Path, PurePosixPath

from sotag_convert.data.reading import Say, say_nothing
from sotag_edge.errors import InputError
from sotag_edge.trial import CACHE_VARIABLE

STACK_OVERFLOW = "stackoverflow"
URL = "https://storage.googleapis.com/download.tensorflow.org/data/stack_overflow_16k.tar.gz"
TEXTS_PER_LABEL = {"train": 2000, "test": 2000}
LABELS = ("csharp", "java", "javascript", "python")
_ARCHIVE = "stack_overflow_16k.tar.gz"
_FOLDER = "stack_overflow_16k"
_SECONDS = 60


def extra_texts() -> list[tuple[str, str]]:
    """The text and the label, or ``unknown``, of each entry of ``questions.jsonl``."""
    content = resources.files("sotag_convert.data").joinpath("questions.jsonl").read_text(encoding="utf-8")
    entries = (json.loads(line) for line in content.split("\n") if line)
    return [(entry["text"], entry["label"]) for entry in entries]


def stack_overflow(
    url: str = URL, *, archive: Path | None = None, known_hash: str | None = None, say: Say = say_nothing
) -> Path:
    """The folder with ``train/`` and ``test/``; downloads 30 MB the first time. Raises ``InputError``.

    ``archive``: a local copy to unpack instead; by default the file of the same name in the cache, if there is one. It may
    lack test texts, and ``say`` receives how many it has. ``known_hash``: the SHA-256 that the download must have.
    """
    cache = _cache()
    folder = cache / _FOLDER
    if archive is None:
        if folder.is_dir():
            return folder
        if (cache / _ARCHIVE).is_file():
            archive = cache / _ARCHIVE
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        unpacked = Path(scratch, "unpacked")
        if archive is None:
            _unpack_checked(_download(url, Path(scratch), known_hash), unpacked, url, whole=True)
        else:
            _unpack_checked(archive, unpacked, str(archive), whole=False)
            tests = len(list(unpacked.glob("test/*/*.txt")))
            say(f"{archive} has {tests:,} of {TEXTS_PER_LABEL['test'] * len(LABELS):,} test texts")
            folder = cache / f"{_FOLDER}-{_sha256(archive)[:16]}"  # another copy may have other test texts
        if folder.is_dir():
            return folder
        unpacked.rename(folder)
    return folder


def _cache() -> Path:
    """The folder of the cache, created if it is missing."""
    if os.environ.get(CACHE_VARIABLE):
        cache = Path(os.environ[CACHE_VARIABLE])
    else:
        import pooch

        cache = Path(pooch.os_cache("sotag-edge"))
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the cache {cache} cannot be created ({error.strerror}): set ${CACHE_VARIABLE} to another folder"
        ) from error
    return cache


def _download(url: str, folder: Path, known_hash: str | None) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # its messages are about its own parameters
    downloader = pooch.HTTPDownloader(timeout=_SECONDS)
    try:
        return Path(pooch.retrieve(url, known_hash=known_hash, path=folder, downloader=downloader))
    except requests.RequestException as error:
        raise InputError(
            f"{url} cannot be downloaded ({type(error).__name__}): try again, or fetch it by other means and name it "
            f"with --archive, or unpack it and use its folder instead of {STACK_OVERFLOW!r}"
        ) from error
    except ValueError as error:  # another hash
        raise InputError(f"{url} did not give the expected archive: its SHA-256 is not {known_hash}") from error
    except OSError as error:
        raise InputError(f"{url} did not give a usable archive: {error}") from error


def _unpack_checked(archive: Path, folder: Path, name: str, *, whole: bool) -> None:
    """Unpack the archive called ``name`` and check what it holds. Raises ``InputError``."""
    if not archive.is_file():
        raise InputError(f"there is no archive at {archive}")
    try:
        _unpack(archive, folder)
        _check(folder, whole=whole)
    except tarfile.ReadError as error:
        why = str(error).split("\n", maxsplit=1)[0].rstrip(":")
        raise InputError(f"{name} is not a usable archive of {STACK_OVERFLOW!r}: {why}") from error
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise InputError(f"{name} is not a usable archive of {STACK_OVERFLOW!r}: {error}") from error


def _sha256(archive: Path) -> str:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


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


def _check(folder: Path, *, whole: bool) -> None:
    """Raise ``OSError`` unless the training texts are complete, and so are the test texts if they must be ``whole``."""
    for split, expected in TEXTS_PER_LABEL.items():
        for label in LABELS:
            count = len(list((folder / split / label).glob("*.txt")))
            if count != expected and (whole or split == "train" or not 1 <= count <= expected):
                raise OSError(f"it has {count} texts in {split}/{label}, not the expected {expected}")
