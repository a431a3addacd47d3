"""Input that is not text in UTF-8, and text without end: named, decoded, or refused in its place."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import random
import struct
import tarfile
import tracemalloc
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sotag_edge import Classifier
from sotag_edge.document import Document
from sotag_edge.errors import InputError, NotTextError
from sotag_edge.formats import FORMATS, read_documents
from sotag_edge.formats.decoding import LONGEST, fault_of
from tests.conftest import ROOT, Run

QUESTION = "How do I merge two pandas data frames in Python?"
JAVA = "Why is my Spring bean null in this Java class?"
DRAW = random.Random(7)


def png() -> bytes:
    """A picture of random grey."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + DRAW.randbytes(32) for _ in range(32))
    header = struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def archive(mode: str) -> bytes:
    """A tar archive with one question."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as tar:
        entry = tarfile.TarInfo("question.txt")
        entry.size = len(QUESTION)
        tar.addfile(entry, io.BytesIO(QUESTION.encode()))
    return content.getvalue()


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("question.txt", QUESTION)
    return content.getvalue()


BINARY: dict[str, tuple[bytes, str]] = {
    "png": (png(), "a PNG picture"),
    "zip": (zipped(), "a ZIP archive"),
    "pdf": (b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n", "a PDF document"),
    "bz2": (bz2.compress(QUESTION.encode()), "compressed with bzip2"),
    "xz": (lzma.compress(QUESTION.encode()), "compressed with xz"),
    "zst": (b"\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00a", "compressed with zstd"),
    "tar": (archive("w:"), "a tar archive"),
    "tar.gz": (archive("w:gz"), "a tar archive"),
    "gz.gz": (gzip.compress(gzip.compress(QUESTION.encode())), "compressed with gzip twice"),
    "random": (DRAW.randbytes(3000), "control characters"),
    "short": (bytes(range(24)), "control characters"),
    "elf": (b"\x7fELF" + DRAW.randbytes(400), "a program"),
    "utf-16le": (QUESTION.encode("utf-16-le"), "UTF-16 without its mark"),
    "utf-16be": (QUESTION.encode("utf-16-be"), "UTF-16 without its mark"),
    "cp1251": ("Как отсортировать список кортежей в языке?".encode("cp1251"), "another encoding"),
}


def documents(content: bytes, form: str | None = None, *, force: bool = False) -> list[Document]:
    """What is read of standard input."""
    chosen = FORMATS[form] if form else None
    return list(read_documents(["-"], io.BytesIO(content), input_format=chosen, force=force))


@pytest.mark.parametrize("kind", list(BINARY))
def test_a_binary_file_is_an_error_that_names_it(kind: str) -> None:
    """Whatever its kind; and it is read all the same if that is asked for."""
    content, words = BINARY[kind]
    (document,) = documents(content, "text")
    assert isinstance(document.error, NotTextError)
    assert words in str(document.error)
    (forced,) = documents(content, "text", force=True)
    assert forced.error is None


@pytest.mark.parametrize("form", ["lines", "csv", "tsv", "jsonl", "nul", "posts-xml"])
def test_an_archive_is_named_in_every_format(form: str) -> None:
    """Not an error for each of its lines."""
    (document,) = documents(zipped(), form)
    assert "a ZIP archive" in str(document.error)


def test_binary_files_among_others(run: Run, tmp_path: Path) -> None:
    """An error in its place by default, left out with a count, or tagged; never a label."""
    (tmp_path / "a.txt").write_text(QUESTION)
    (tmp_path / "b.png").write_bytes(png())
    (tmp_path / "c.txt").write_text(JAVA)
    arguments = ["classify", "-r", ".", "--to", "jsonl"]
    default, skipped, forced = (run(*arguments, *more) for more in ([], ["--binary", "skip"], ["--binary", "force"]))
    rows = [[json.loads(line) for line in done.stdout.splitlines()] for done in (default, skipped, forced)]
    assert [row.get("label") for row in rows[0]] == ["python", None, "java"]
    assert "not text" in rows[0][1]["error"]
    assert [row["label"] for row in rows[1]] == ["python", "java"]
    assert "1 input was left out" in skipped.stderr
    assert run(*arguments, "--binary", "skip", "--quiet").stderr == ""
    assert [row["label"] for row in rows[2]] == ["python", "unknown", "java"]
    assert [done.returncode for done in (default, skipped, forced)] == [1, 0, 0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-8-sig"])
@pytest.mark.parametrize("form", ["text", "lines", "csv", "tsv", "jsonl", "nul", "posts-xml"])
def test_a_byte_order_mark_names_the_encoding(form: str, encoding: str) -> None:
    """In each format, and within gzip too."""
    text = {
        "csv": f"text\n{QUESTION}\n",
        "tsv": f"text\n{QUESTION}\n",
        "jsonl": json.dumps({"text": QUESTION}) + "\n",
        "posts-xml": f"<?xml version='1.0' encoding='utf-16'?>\n<posts>\n"
        f'<row Id="1" PostTypeId="1" Title="{QUESTION}" />\n</posts>\n',
    }.get(form, QUESTION)
    content = text.encode(encoding)
    if encoding.endswith(("le", "be")):
        content = "\ufeff".encode(encoding) + content
    for stream in (content, gzip.compress(content)):
        (document,) = documents(stream, form)
        assert (document.text.strip(), document.error, document.replaced) == (QUESTION, None, False)


class Dripping(io.RawIOBase):
    """A pipe that brings one byte at a time."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        byte = self._content.read(1)
        buffer[: len(byte)] = byte
        return len(byte)


@pytest.mark.parametrize(
    "make", [str.encode, lambda text: gzip.compress(text.encode()), lambda text: text.encode("utf-16")]
)
def test_bytes_that_arrive_one_by_one(make: Callable[[str], bytes]) -> None:
    """The first byte alone does not say what follows."""
    text = f"{QUESTION}\n(B%PDF\n"
    stream = io.BufferedReader(Dripping(make(text)))
    found = list(read_documents(["-"], stream))
    assert [document.text for document in found] == text.splitlines()


@pytest.mark.parametrize("rest", [b"\0" * 1000, b"trailing", b"\x1f", b"\0\0" + gzip.compress(b"\nsecond", mtime=0)])
def test_bytes_after_gzip(rest: bytes) -> None:
    """Padding and other bytes do not cost the text; a second member goes on with it."""
    (document,) = documents(gzip.compress(QUESTION.encode()) + rest, "text")
    assert document.text == QUESTION + ("\nsecond" if b"\x8b" in rest else "")


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 1_000_000])
def test_gzip_of_any_size(size: int) -> None:
    """Content that ends within a chunk or with it; a stream that is cut anywhere is an error in its place."""
    content = DRAW.randbytes(size // 2 + 1).hex()[:size].encode()
    packed = gzip.compress(content)
    (document,) = documents(packed, "text")
    assert document.text == content.decode()
    for cut in (len(packed) - 1, len(packed) - 9, 11):
        assert "read to its end" in str(documents(packed[:cut], "text")[0].error)


class Flood(io.RawIOBase):
    """Gigabytes of one letter, after a beginning and before an end."""

    def __init__(self, begin: bytes, end: bytes, chunks: int = 3000) -> None:
        super().__init__()
        self._chunks: Iterator[bytes] = iter([begin, *[b"a" * 65536] * chunks, end])

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = next(self._chunks, b"")
        assert len(piece) <= len(buffer)
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize(
    ("form", "begin", "end", "after"),
    [
        ("text", b"", b"", []),
        ("lines", b"", b"\nbread dough\n", ["bread dough"]),
        ("nul", b"", b"\0bread dough", ["bread dough"]),
        ("jsonl", b'{"text": "', b'"}\n{"text": "bread dough"}\n', ["bread dough"]),
        ("csv", b"text\n", b"\nbread dough\n", ["bread dough"]),
        ("tsv", b"text\n", b"\nbread dough\n", ["bread dough"]),
        (
            "posts-xml",
            b'<posts><row Body="',
            b'"/><row Id="2" PostTypeId="1" Title="bread dough"/></posts>',
            ["bread dough"],
        ),
    ],
)
def test_a_text_without_end_takes_little_memory(form: str, begin: bytes, end: bytes, after: list[str]) -> None:
    """As a gzip bomb makes one: an error in its place, and the next texts are answered."""
    stream = io.BufferedReader(Flood(begin, end), 1 << 16)
    tracemalloc.start()
    try:
        found = list(read_documents(["-"], stream, input_format=FORMATS[form]))
        assert tracemalloc.get_traced_memory()[1] < 8 * LONGEST
    finally:
        tracemalloc.stop()
    assert "is longer than 16 MiB" in str(found[0].error)
    assert isinstance(found[0].error, InputError)
    assert [document.text.strip() for document in found[1:]] == after


def test_a_byte_that_is_not_utf8_changes_no_answer() -> None:
    """The word that has it is an unknown one, as it would be in UTF-8."""
    classifier = Classifier.load(ROOT / "models" / "default")
    text = "In meinem Café-Programm läuft pandas nicht: naïve Größe, how do I merge data frames?"
    latin = text.encode("latin-1").decode(errors="replace")
    assert classifier.classify(latin) == classifier.classify(text)


NO_WORDS: dict[str, Callable[[bytes], str]] = {
    "base64": lambda content: base64.encodebytes(content).decode(),
    "base85": lambda content: base64.b85encode(content).decode(),
    "hex": lambda content: content.hex(" "),
    "hex dump": lambda content: "\n".join(
        f"{place:08x}: {content[place : place + 16].hex(' ', 2)}" for place in range(0, len(content), 16)
    ),
    "array": lambda content: ", ".join(f"0x{byte:02x}" for byte in content),
    "numbers": lambda content: ", ".join(map(str, content)),
    "floats": lambda content: "\n".join(f"{byte / 7:.3f},{byte}" for byte in content),
    "uuids": lambda content: "\n".join(
        str(uuid.UUID(bytes=content[n : n + 16])) for n in range(0, len(content) - 15, 16)
    ),
    "latin-1": lambda content: content.decode("latin-1"),
    "replaced": lambda content: content.decode(errors="replace"),
    "marks": lambda content: "".join("!@#$%^&*()[]{};:,.<>/?"[byte % 22] for byte in content),
}


@pytest.mark.parametrize("model", ["default", "tiny"])
@pytest.mark.parametrize("kind", list(NO_WORDS))
def test_text_without_words_is_unknown(kind: str, model: str) -> None:
    """A dump of bytes or a list of numbers is text, and has no tag."""
    classifier = Classifier.load(ROOT / "models" / model)
    draw = random.Random(kind)
    answers = [classifier.classify(NO_WORDS[kind](draw.randbytes(size))) for size in (60, 300, 2000) for _ in range(5)]
    assert [answer.label for answer in answers] == ["unknown"] * 15


@pytest.mark.parametrize(
    "text", ["c#", "c# list", "x = [" + "1, 2, 3, " * 20 + "]\nsort this list of numbers in python please"]
)
def test_few_words_are_words(text: str) -> None:
    """A short text needs no long word, and numbers may stand beside words."""
    assert Classifier.load(ROOT / "models" / "default").classify(text).label != "unknown"


def test_the_fault_of_a_text() -> None:
    """An accident is none: a stray control character, a colour, a byte that was replaced."""
    assert fault_of("x" * 50 + "\0\0\0") is None
    assert fault_of("\x1b[31mred\x1b[0m " * 10 + "\ufffd") is None
    assert fault_of("ein Mädchen für Größe".encode("latin-1").decode(errors="replace") * 10) is None
    assert fault_of("\0" * 4) is not None
