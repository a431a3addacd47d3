"""Public files: downloaded once to a folder in the user's cache, checked by their SHA-256; and local copies of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from sotag_edge.errors import InputError
from sotag_edge.trial import CACHE_VARIABLE

_SECONDS = 60


def cache_folder() -> Path:
    """The folder of the cache, created if it is missing. Raises ``InputError``."""
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


def download(url: str, folder: Path, known_hash: str | None, name: str, copy: str | None = None) -> Path:
    """The file at ``url``, in ``folder`` as ``name``; if it is there already, with the known hash, no request is sent.

    ``copy``: the local copy that a user can have instead, by default ``name``. A transfer that fails leaves no file. Raises
    ``InputError``.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # its messages are about its own parameters
    downloader = pooch.HTTPDownloader(timeout=_SECONDS)
    otherwise = f"try again, or name a folder with --archive that has {copy or name}"
    try:
        return Path(pooch.retrieve(url, known_hash=known_hash, fname=name, path=folder, downloader=downloader))
    except requests.RequestException as error:
        why = type(error).__name__ if error.response is None else f"HTTP status {error.response.status_code}"
        raise InputError(f"{url} cannot be downloaded ({why}): {otherwise}") from error
    except ValueError as error:  # another hash
        raise InputError(
            f"{url} did not give the expected file (its SHA-256 is not {known_hash}): {otherwise}"
        ) from error
    except OSError as error:
        raise InputError(
            f"{url} cannot be saved in {folder} ({error.strerror}): set ${CACHE_VARIABLE} to another folder"
        ) from error


def local_copy(folder: Path | None, names: Iterable[str]) -> Path | None:
    """The first of these files and folders that a folder has."""
    return next((folder / name for name in names if (folder / name).exists()), None) if folder else None


def reason(error: Exception) -> str:
    """The first line of an error in an archive; tarfile lists its attempts to open one in further lines."""
    return str(error).split("\n", maxsplit=1)[0].rstrip(":")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
