"""Any bytes, in every format that is read, to every format that is written.

``make fuzz`` runs it. No input may raise; each has one result; and what is written parses back to the same sources.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from functools import cache
from typing import Any
from xml.sax.saxutils import quoteattr

from hypothesis import given
from hypothesis import strategies as st

from sotag_edge import Classifier
from sotag_edge.document import Result
from sotag_edge.formats import FORMATS, Fields, Layout, read_documents
from sotag_edge.formats.records import one_table
from sotag_edge.formats.template import TemplateWriter
from sotag_edge.pipeline import results
from sotag_edge.terminal import printable
from tests.conftest import FIXTURE

READABLE = [name for name, entry in FORMATS.items() if entry.reads and not entry.has_columns]
WRITABLE = [name for name, entry in FORMATS.items() if entry.writes and not entry.has_columns]
_RECORDS = st.lists(
    st.tuples(st.text(max_size=20), st.text(max_size=8), st.integers() | st.floats() | st.none() | st.text(max_size=3)),
    max_size=6,
)
_TEXT = "bread dough"
_MARKS = (
    "\0",
    "\n",
    "\r",
    "\r\n",
    '"',
    '""',
    ",",
    ";",
    "\t",
    "<",
    ">",
    "&#",
    "&#x1;",
    "<row ",
    "/>",
    "{",
    "}",
    "[",
    "]",
)
_MORE = ("\\ud800", "\\u0000", "1e999", "NaN", "\ufeff", "\x1b[2J", "<script>", "<!--", "]]>", "\u2028\x85", "9" * 5000)
_BYTES = (b"\xff\xfe", b"\xe9", b"\x1f\x8b", b"BZh91AY&SY", b"PK\x03\x04", b"[" * 2000)
_PIECES = st.sampled_from([*(piece.encode() for piece in (*_MARKS, *_MORE)), *_BYTES])
_EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 4), _PIECES | st.binary(max_size=4)), max_size=4)
_ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])


@cache
def classifier() -> Classifier:
    """The fixture model, loaded once."""
    return Classifier.load(FIXTURE)


def written_as(form: str, records: list[tuple[str, str, Any]]) -> str:
    """A file of a format with these texts, identifiers and further values."""
    stream = io.StringIO(newline="")
    if form in ("csv", "tsv"):
        dialect: dict[str, Any] = {"delimiter": "\t"} if form == "tsv" else {}
        rows = csv.writer(stream, **dialect)
        rows.writerow(["text", "id", "more"])
        rows.writerows([text, name, "" if more is None else more] for text, name, more in records)
    elif form == "jsonl":
        stream.writelines(json.dumps({"text": text, "id": name, "more": more}) + "\n" for text, name, more in records)
    elif form == "posts-xml":
        rows_of = (
            f'<row Id="{number}" PostTypeId="1" Title={quoteattr(text)} Body={quoteattr("<p>" + name)} />\n'
            for number, (text, name, _) in enumerate(records)
        )
        stream.write("<?xml version='1.0'?>\n<posts>\n" + "".join(rows_of) + "</posts>\n")
    else:
        stream.write({"lines": "\n", "nul": "\0", "text": " "}[form].join(text for text, _, _ in records))
    return stream.getvalue()


def edited(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """The content with some bytes replaced: ``place``, the number of bytes that go, and what comes."""
    for place, count, piece in edits:
        start = place % (len(content) + 1)
        content = content[:start] + piece + content[start + count :]
    return content


def sources_in(form: str, output: str, merged: bool) -> list[str] | None:
    """The source of each result in an output; ``None`` if the format does not keep it."""
    if form == "json":
        rows = json.loads(output)["results"]
    elif form == "jsonl":
        rows = [json.loads(line, parse_constant=_refused) for line in output.split("\n")[:-1]]
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(output, newline="")))
    else:
        return None
    name = "predicted_source" if merged and rows and "predicted_source" in rows[0] else "source"
    return [row[name] for row in rows]


def _refused(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@given(
    st.sampled_from(READABLE),
    st.sampled_from(WRITABLE),
    _RECORDS,
    _EDITS,
    _ENCODINGS,
    st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans()),
)
def test_any_stream_is_answered(
    form: str,
    output: str,
    records: list[tuple[str, str, Any]],
    edits: list[tuple[int, int, bytes]],
    encoding: str,
    switches: tuple[bool, bool, bool, bool, bool],
) -> None:
    """One result per document, whatever the bytes; the output is whole."""
    packed, html, merge, force, scores = switches
    content = edited(written_as(form, records).encode(encoding, errors="replace"), edits)
    source, target = FORMATS[form], FORMATS[output]
    merge = merge and target.merges(source)
    documents = list(
        read_documents(
            ["-"],
            io.BytesIO(gzip.compress(content, 1) if packed else content),
            input_format=source,
            fields=Fields(id="id" if source.has_records else None),
            html=html,
            force=force,
        )
    )
    if merge and target.is_table:
        documents = list(one_table(documents))
    answers = list(results(documents, classifier()))
    assert [answer.source for answer in answers] == [document.source for document in documents]
    assert all((answer.prediction is None) == (answer.error is not None) for answer in answers)
    check_output(output, answers, merge=merge, scores=scores)
    if not edits and encoding in ("utf-8", "utf-16") and not html:
        check_reading(form, records, answers)


def check_output(output: str, answers: list[Result], *, merge: bool, scores: bool) -> None:
    """Write the answers and parse what was written."""
    stream = io.StringIO(newline="")
    writer = FORMATS[output].writer(stream, Layout(classifier().labels, 2, scores, merge, True))
    template = TemplateWriter(io.StringIO(), "{source}\t{label}\t{error}")
    for answer in answers:
        writer.write(answer)
        template.write(answer)
    writer.close()
    text = stream.getvalue()
    text.encode("utf-8")  # no lone surrogates
    if not (merge and FORMATS[output].is_table):  # whose records stay as they are
        assert printable(text.replace("\n", "").replace("\t", "").replace("\r", "")) == text.translate(_NO_BREAKS)
    found = sources_in(output, text, merge)
    if found is not None:
        assert len(found) == len(answers)
        if not merge:
            assert found == [printable(answer.source) for answer in answers]
    elif output == "tsv" and not merge:
        assert [line.split("\t")[0] for line in text.split("\n")[:-1]] == [answer.source for answer in answers]


_NO_BREAKS = {10: None, 9: None, 13: None}


def check_reading(form: str, records: list[tuple[str, str, Any]], answers: list[Result]) -> None:
    """An input that nobody damaged gives each of its records."""
    if form == "jsonl":
        assert len(answers) == len(records)
        names = [name for _, name, _ in records]
    elif form == "posts-xml" and records:
        names = [str(number) for number in range(len(records))]
    else:
        return
    assert len(names) == len(answers)
    assert [name for name, answer in zip(names, answers, strict=True) if answer.id not in (name, None)] == []
    assert all(answer.error or answer.id is not None for answer in answers)
