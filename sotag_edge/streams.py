"""The bytes of an input -> a stream of text in UTF-8: gzip is decompressed, UTF-16 and UTF-32 are decoded by their marks.

A format that is not text is recognised by its first bytes, and named. No stream is ever held in memory as a whole.
"""

from __future__ import annotations

import codecs
import io
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from sotag_edge.errors import NotTextError

if TYPE_CHECKING:
    _Buffered = io.BufferedReader[Any]

_CHUNK = 1 << 16  # bytes
_GZIP = b"\x1f\x8b"
_TAR = b"ustar"
_TAR_PLACE = 257  # bytes from the start of the archive
_COMPRESSED = {
    b"\xfd7zXZ\0": "compressed with xz",
    b"(\xb5/\xfd": "compressed with zstd",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"\x1f\x9d": "compressed with compress",
    **dict.fromkeys((b"BZh%d1AY&SY" % level for level in range(1, 10)), "compressed with bzip2"),
    b"PK\x03\x04": "a ZIP archive, as are files of Excel, Word and OpenDocument (save a sheet as CSV)",
    b"PK\x05\x06": "an empty ZIP archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
}
_BINARY = {
    b"%PDF-": "a PDF document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office document (.doc, .xls)",
    b"\x89PNG\r\n\x1a\n": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF87a": "a GIF picture",
    b"GIF89a": "a GIF picture",
    b"SQLite format 3\0": "an SQLite database",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\x7fELF": "a program",
}
_COLUMNS = {b"PAR1": ("a Parquet file", "parquet"), b"ARROW1\0": ("an Arrow file", "arrow")}
_ENCODINGS = {  # the marks of UTF-32 first: one of them begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_MARKS = (_GZIP, *_COMPRESSED, *_BINARY, *_COLUMNS, *_ENCODINGS)
_LONGEST_MARK = max(map(len, _MARKS))


def text_stream(stream: BinaryIO, name: str, *, force: bool = False) -> BinaryIO:
    """The text of a stream, in UTF-8 if it has the mark of another encoding.

    Raises ``NotTextError`` if the first bytes are those of an archive, a picture, or another format that is not text;
    with ``force`` they are passed on as they are.
    """
    head, stream = _begun(stream)
    if head.startswith(_GZIP):
        head, stream = _begun(_stream(_decompressed(stream)))
        if head.startswith(_GZIP) and not force:
            raise NotTextError(f"{name} is compressed with gzip twice, not text: decompress it first")
    if not force:
        _refuse_binary(head, stream, name)
    encoding = next((encoding for mark, encoding in _ENCODINGS.items() if head.startswith(mark)), None)
    return _stream(_in_utf8(stream, encoding)) if encoding else stream


def begins_as_text(content: bytes) -> bool:
    """Whether ``text_stream`` would give these bytes as they are, if they are all of a stream.

    >>> begins_as_text(b"Why?"), begins_as_text(b"%PDF-1.7")
    (True, False)
    """
    return not (content.startswith(_MARKS) or content.startswith(_TAR, _TAR_PLACE))


def before_each_read(stream: BinaryIO, action: Callable[[], None]) -> BinaryIO:
    """The stream, read through another buffer: ``action`` is called when that is empty, before a read that may wait.

    So a program can write many answers at once, and still none of them waits for further input.
    """
    return io.BufferedReader(_Watched(stream.raw if isinstance(stream, io.BufferedReader) else stream, action))


class _Watched(io.RawIOBase):
    def __init__(self, stream: Any, action: Callable[[], None]) -> None:
        super().__init__()
        self._stream, self._action = stream, action

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._action()
        count: int | None = self._stream.readinto(buffer)
        return count


def _refuse_binary(head: bytes, stream: _Buffered, name: str) -> None:
    for mark, kind in _COMPRESSED.items():
        if head.startswith(mark):
            raise NotTextError(f"{name} is {kind}, not text: unpack it first")
    for mark, kind in _BINARY.items():
        if head.startswith(mark):
            raise NotTextError(f"{name} is {kind}, not text")
    for mark, (kind, form) in _COLUMNS.items():
        if head.startswith(mark):
            raise NotTextError(f"{name} is {kind}, not text: --from {form} reads it")
    # subtle: only bytes that have arrived; to wait for more would stop a program that waits for its first answer.
    if head and stream.peek(_TAR_PLACE + len(_TAR))[_TAR_PLACE:].startswith(_TAR):
        raise NotTextError(f"{name} is a tar archive, not text: unpack it first")


def _begun(stream: BinaryIO) -> tuple[bytes, _Buffered]:
    """The first bytes of a stream, enough to recognise it by, and the stream, which still has them."""
    buffered: _Buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)
    head = buffered.peek(_LONGEST_MARK)[:_LONGEST_MARK]
    if not _is_incomplete(head):
        return head, buffered
    # A pipe may bring the first byte alone, and peek does not wait for the second.
    begun = b""
    while _is_incomplete(begun) or not begun:
        chunk = buffered.read1(_CHUNK)
        if not chunk:
            break
        begun += chunk
    return begun[:_LONGEST_MARK], _stream(_rejoined(begun, buffered))


def _is_incomplete(head: bytes) -> bool:
    """Whether more bytes could make a mark of these."""
    return bool(head) and any(len(head) < len(mark) and mark.startswith(head) for mark in _MARKS)


class _Pieces(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _stream(pieces: Iterator[bytes]) -> _Buffered:
    return io.BufferedReader(_Pieces(pieces), _CHUNK)


def _rejoined(head: bytes, stream: _Buffered) -> Iterator[bytes]:
    yield head
    while chunk := stream.read1(_CHUNK):
        yield chunk


def _decompressed(stream: _Buffered) -> Iterator[bytes]:
    """The content of all gzip members. Bytes after the last one are left out, as gzip itself does.

    subtle: not by the gzip module, which loses the whole text for them. Raises ``zlib.error`` for damaged data, ``EOFError``
    if they end early.
    """
    member = zlib.decompressobj(wbits=31)
    data = b""
    while True:
        data = data or stream.read1(_CHUNK)
        content = member.decompress(data, _CHUNK)
        ended = not data and not content
        data = member.unconsumed_tail
        if content:
            yield content
        if member.eof:
            data = member.unused_data.lstrip(b"\0")
            while len(data) < len(_GZIP) and (more := stream.read1(_CHUNK)):
                data = (data + more).lstrip(b"\0")  # files are padded with zeros on tape
            if not data.startswith(_GZIP):
                return
            member = zlib.decompressobj(wbits=31)
        elif ended:
            raise EOFError("the gzip data end early")


def _in_utf8(stream: _Buffered, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    while chunk := stream.read1(_CHUNK):
        if text := decoder.decode(chunk):
            yield text.encode("utf-8", errors="replace")
    yield decoder.decode(b"", final=True).encode("utf-8", errors="replace")
