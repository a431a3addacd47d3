"""Stack Overflow 16k, a public benchmark: its download, once, to a folder in the user's cache.

The archive is the one of TensorFlow's "Load text" tutorial. Its publisher gives no checksum, so the checks are that the
transfer was whole, that the archive can be unpacked, that it holds the expected number of texts, and the SHA-256 of the
training texts. An interrupted download leaves nothing in the cache and starts again. A local copy of the archive gives the
same data set.
"""

from __future__ import annotations

import hashlib
import lzma
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

from sotag_convert.data.downloads import cache_folder, download, reason, sha256_of
from sotag_convert.data.reading import Say, say_nothing
from sotag_edge.errors import InputError

SIXTEEN_K = "stackoverflow-16k"
URL = "https://storage.googleapis.com/download.tensorflow.org/data/stack_overflow_16k.tar.gz"
TEXTS_PER_LABEL = {"train": 2000, "test": 2000}
TRAINING_SHA256 = "30c0267b3b0b5e4ce0a391bd98b34e64275812bc00925490379b3bd4e5909afe"
LABELS = ("csharp", "java", "javascript", "python")
SOURCE = f'Stack Overflow 16k, of TensorFlow\'s tutorial "Load text": {URL}'
ARCHIVE = "stack_overflow_16k.tar.gz"
_FOLDER = "stack_overflow_16k"


def stack_overflow_16k(
    url: str = URL, *, archive: Path | None = None, known_hash: str | None = None, say: Say = say_nothing
) -> Path:
    """The folder with ``train/`` and ``test/``; downloads 30 MB the first time. Raises ``InputError``.

    ``archive``: a local copy to unpack instead; by default the file of the same name in the cache, if there is one. It may
    lack test texts, and ``say`` receives how many it has. ``known_hash``: the SHA-256 that the download must have.
    """
    cache = cache_folder()
    folder = cache / _FOLDER
    if archive is None:
        if folder.is_dir():
            return folder
        if (cache / ARCHIVE).is_file():
            archive = cache / ARCHIVE
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        unpacked = Path(scratch, "unpacked")
        if archive is None:
            _unpack_checked(download(url, Path(scratch), known_hash, ARCHIVE), unpacked, url, whole=True)
        else:
            _unpack_checked(archive, unpacked, str(archive), whole=False)
            tests = len(list(unpacked.glob("test/*/*.txt")))
            say(f"{archive} has {tests:,} of {TEXTS_PER_LABEL['test'] * len(LABELS):,} test texts")
            folder = cache / f"{_FOLDER}-{sha256_of(archive)[:16]}"  # another copy may have other test texts
        if folder.is_dir():
            return folder
        unpacked.rename(folder)
    return folder


def _unpack_checked(archive: Path, folder: Path, name: str, *, whole: bool) -> None:
    """Unpack the archive called ``name`` and check what it holds. Raises ``InputError``."""
    if not archive.is_file():
        raise InputError(f"there is no archive at {archive}")
    try:
        _unpack(archive, folder)
        _check(folder, whole=whole)
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        otherwise = "try again, or name a copy with --archive" if whole else f"get the file of {URL}"
        raise InputError(f"{name} is not a usable archive of {SIXTEEN_K!r} ({reason(error)}): {otherwise}") from error


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
    if _training_sha256(folder) != TRAINING_SHA256:
        raise OSError("its training texts are not the expected ones: their SHA-256 differs")


def _training_sha256(folder: Path) -> str:
    """Of the hashes of the training texts, sorted, label by label."""
    digest = hashlib.sha256()
    for label in LABELS:
        files = (folder / "train" / label).glob("*.txt")
        digest.update("".join(sorted(sha256_of(file) for file in files)).encode())
    return digest.hexdigest()
