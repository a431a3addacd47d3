"""SOTitle: real questions and titles of the four languages, 2008 to 2021, from a public repository of CSV files.

Each file has one quoted field a row; the rows of a split's files belong together: its titles, and of some splits bodies and
code. NLTK has cut the texts into tokens with spaces between them; ``restored`` undoes what our tokenizer reads differently.

Source: Liu et al., "SOTitle: A Transformer-based Post Title Generation Approach for Stack Overflow", SANER 2022.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import lzma
import re
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from importlib import resources
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sotag_convert.data.downloads import download, reason

_COMMIT = "3c5d8b6f80d7ac9b384228e39364e92cb8d58095"
URL = f"https://raw.githubusercontent.com/NTDXYG/SOTitle/{_COMMIT}/"
SOURCE = f"SOTitle, by Liu et al., SANER 2022: https://github.com/NTDXYG/SOTitle, commit {_COMMIT}"
ARCHIVE, FOLDER = COPIES = ("sotitle_raw.tar.xz", "SOTitle")
"""An archive of the repository's ``data/``, and a copy of the repository."""
FOLDERS = {"csharp": "C#", "java": "Java", "javascript": "JS", "python": "Python"}
"""The folder of each label."""
SPLITS, FIELDS = (TEST := "test", "valid", "train"), ("title", "body", "code")
SHA256 = {
    "data/C#/test_body.csv": "80cb403d64bd3c2c938f9a0aa1e0f409ea9dd8ddfdd3fcd6ad897be9e1f0d484",
    "data/C#/test_code.csv": "2d3896a9b83a05a03e89a1ba3290c49e3be84424440e15d909c172ca62bf9d90",
    "data/C#/test_title.csv": "6f90c7abb637d68c90ce7003d704dce81038e1d4fe834b3f11b524aa26a0ed2b",
    "data/C#/train_title.csv": "f8f4330af4bf5ad7f11092cded07d860b1e53b65e3ea204756e636a9db8a6626",
    "data/C#/valid_title.csv": "93acdc3e6e54c9759c7930909536a44b1ce1f50feaf1e524c743f967c9b2e928",
    "data/JS/test_body.csv": "52864c21f6665ce90133c92b9d59841e417f62192c9a72be6272c4fcd72adbc5",
    "data/JS/test_title.csv": "b0a2834cf95b832068429100e3efd2cb7e8724b5dbd206975163c5b64b723f4a",
    "data/JS/train_title.csv": "bdf12b4a89d65da9c2f03bd5d63510c8d460004603f9e7ae0c9ddefd62880784",
    "data/JS/valid_body.csv": "3b7b7f738e729a970d4a321bc29a400939178ec2ac3fdca88e61794fe4dc4b07",
    "data/JS/valid_title.csv": "5a77222eae6ff989d1ec2ed25401b42f51602968b1c931ddb40da6f630837afd",
    "data/Java/test_body.csv": "618f5bc1a41c1386342b201831a95afd4b1f4de7012d50345dcce16415d085e9",
    "data/Java/test_title.csv": "75fa8ca63ea8923730e5ac230765b6add217da556fd1fa8bad2376b70b468dc0",
    "data/Java/train_title.csv": "378e835180582a17dc15ba141c6f126c462e1b7af5f5acf16e75889ee78d6bc2",
    "data/Java/valid_body.csv": "44473fbf54419335069fe52d061c7e5dadbe6e545f6177d1d34444261377f0d3",
    "data/Java/valid_code.csv": "fa41cd1bb2a61a8f2e1762277ca5a982a0e77542bbe6176d6fc30ea5937e5533",
    "data/Java/valid_title.csv": "eb448b5a34320e6ceaff200c92acc66a7c62758a3b069a640b55749ffe4536dc",
    "data/Python/test_body.csv": "2671ad939c586ac52c88ad365fa4c2a0a85eb2800814a10ee898fd44b0feeae1",
    "data/Python/test_code.csv": "b51a5e5ac8d588339ff5d609b11594fafbe5eed45cb0da9a730043c505719af3",
    "data/Python/test_title.csv": "9039853e065487a75c0634fa7d966b2e043d23ddda1d44b99653e1d35de82d0a",
    "data/Python/train_title.csv": "91be842bd883e18c56e979cb2485a558b5040738ae4367b86bfba71661979757",
    "data/Python/valid_title.csv": "b50f7100e4e459e2996c59e070bca43c919da51f60524e87376dd8db29f8a4c6",
}
"""Of the files that are downloaded. The repository has larger ones, which a copy of it may have."""
ReadFile = Callable[[str], bytes | None]
"""The path of a file in the repository -> its content; ``None`` for a file that is not there."""

_DOWNLOADS = f"SOTitle-{_COMMIT[:8]}"  # subtle: not ``FOLDER``, or the next run would take the downloads for a copy
_LARGEST_FIELD = 1 << 24  # characters; the library's limit is 131,072
_CONTRACTION = re.compile(r"(\w) (n't)\b", re.IGNORECASE)
# A "#" is joined after a quote or a bracket only, as in $('#menu'): elsewhere it mostly begins a comment.
_SIGIL = re.compile(r"(?<![\w$@#])([$@]|(?<=['\"(] )#) (?=[^\W\d])")
_NAME = re.compile(r"\b([cCfF]) #(?!\w)")
_ENTITY = re.compile(r"& (lt|gt|amp|quot|nbsp|#\d+|# \d+) ;")
_CUT_WORDS = {
    f"{first} {second}": first + second
    for first, second in (("can", "not"), ("gon", "na"), ("wan", "na"), ("got", "ta"), ("gim", "me"), ("lem", "me"))
}
_WORDS = re.compile(rf"\b({'|'.join(_CUT_WORDS)})\b", re.IGNORECASE)


def reader(cache: Path, copy: Path | None, url: str, sha256: Mapping[str, str]) -> ReadFile:
    """Reads files of the repository at ``url``; ``sha256``: of the ones that are downloaded.

    ``cache``: the folder that they are downloaded to; ``copy``: an archive or a folder to read instead, one of ``COPIES``.
    Reading raises ``InputError`` if the download fails, ``ValueError`` if the copy has another content.
    """
    if copy is None:
        folder = cache / _DOWNLOADS
        instead = f"{FOLDER}, a copy of the repository"
        return lambda path: (
            download(url + quote(path), folder, sha256[path], path.replace("/", "-"), instead).read_bytes()
            if path in sha256
            else None
        )
    read: ReadFile = partial(_content, copy) if copy.is_dir() else _unpacked(copy).get

    def checked(path: str) -> bytes | None:
        content = read(path)
        if path in sha256 and (content is None or hashlib.sha256(content).hexdigest() != sha256[path]):
            raise ValueError(
                f"{path} is {'missing' if content is None else 'not the expected file: its SHA-256 differs'}"
            )
        return content

    return checked


def _content(folder: Path, path: str) -> bytes | None:
    file = folder / path
    return file.read_bytes() if file.is_file() else None


def _unpacked(archive: Path) -> dict[str, bytes]:
    """The content of each file in an archive, by its name from ``data/``. Raises ``ValueError``."""
    try:
        with tarfile.open(archive) as tar:
            files = ((member.name, tar.extractfile(member)) for member in tar if member.isfile())
            return {name.removeprefix("./"): file.read() for name, file in files if file}
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
        raise ValueError(f"it cannot be unpacked: {reason(error)}") from error


class Question(NamedTuple):
    """A question with one label; ``split``: one of ``SPLITS``; ``body``: empty where only the title is known."""

    label: str
    split: str
    title: str
    body: str = ""

    @property
    def text(self) -> str:
        """The title and the body."""
        return f"{self.title}\n\n{self.body}" if self.body else self.title


def questions(read: ReadFile, excluded: Mapping[str, Collection[int]]) -> Iterator[Question]:
    """The questions, without the ``excluded`` rows. Raises ``ValueError`` for a file of another shape.

    Splits with bodies come first; files that ``read`` does not have are left out.
    """
    for label, folder in FOLDERS.items():
        for split in SPLITS:
            columns = [_rows(read, f"data/{folder}/{split}_{field}.csv") for field in FIELDS]
            titles, bodies, codes = columns
            if titles is None:
                continue
            for field, column in zip(FIELDS, columns, strict=True):
                if column is not None and len(column) != len(titles):
                    raise ValueError(f"{folder}/{split} has {len(titles)} titles, and {len(column)} rows of {field}")
            left_out = excluded[f"{folder}/{split}"]
            if max(left_out, default=-1) >= len(titles):
                raise ValueError(
                    f"{folder}/{split} has {len(titles)} titles, and row {max(left_out)} is to be left out"
                )
            for number, title in enumerate(titles):
                if number not in left_out:
                    body = bodies[number] if bodies else ""
                    code = codes[number] if codes and bodies else ""
                    yield Question(label, split, restored(title), restored("\n".join(filter(None, (body, code)))))


def excluded_rows() -> dict[str, frozenset[int]]:
    """By folder and split the numbers of the rows that are never learned from, from 0.

    They repeat a text, or nearly, of the Stack Overflow 16k set or of another set that models are measured on.
    """
    content = resources.files("sotag_convert.data").joinpath("excluded_rows.json").read_text(encoding="utf-8")
    return {name: frozenset(rows) for name, rows in json.loads(content).items()}


def restored(text: str) -> str:
    r"""A text that NLTK's tokenizer has cut, so that it has the tokens of the original.

    Spaces beside other marks stay, because the tokenizer of this project makes each mark a token of its own.

    >>> restored("Why do n't `` C # '' and $ scope work with @ Override , & lt ; br & gt ; ?")
    'Why don\'t " C# " and $scope work with @Override , &lt; br &gt; ?'
    """
    text = text.replace("``", '"').replace("''", '"')
    text = _CONTRACTION.sub(r"\1\2", text)
    text = _WORDS.sub(lambda cut: cut[0].replace(" ", ""), text)
    text = _ENTITY.sub(lambda cut: cut[0].replace(" ", ""), text)
    return _SIGIL.sub(r"\1", _NAME.sub(r"\1#", text))


def _rows(read: ReadFile, path: str) -> Sequence[str] | None:
    content = read(path)
    if content is None:
        return None
    # subtle: csv.field_size_limit is global; the limit is raised for this reading only.
    usual = csv.field_size_limit(_LARGEST_FIELD)
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not CSV in UTF-8: {error}") from error
    finally:
        csv.field_size_limit(usual)
    if any(len(row) != 1 for row in rows):
        raise ValueError(f"{path} has rows that are not one field")
    return [field for (field,) in rows]
