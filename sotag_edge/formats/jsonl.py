"""``jsonl``: JSON Lines, one object per line. The same object per result is an element of ``json``.

A JSON array of objects is read too, as the records of the stream that it begins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, TextIO

from sotag_edge.document import Document, Result
from sotag_edge.errors import InputError
from sotag_edge.formats import lines
from sotag_edge.formats.fields import Layout, json_fields
from sotag_edge.formats.records import Fields, Number, distinct_names, record_document

if TYPE_CHECKING:
    from sotag_edge.decision import Prediction

_LONGEST_ARRAY = 64 * 1024**2  # characters; it is held in memory as a whole
_BREAKS = re.compile(r"[\t\r\n]")
_NOT_SPACE = re.compile(r"[^ \t\r\n]")
# Characters that json leaves as they are and that a terminal or a reader of lines may take for a command.
_NOT_FOR_TERMINALS = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class JsonRecord(dict[str, Any]):
    """A JSON object, and its ``source``: the text that it was parsed from.

    Merging writes this text and not the values, so that each number, escape and repeated key stays as it is.
    """

    source = ""


def read(stream: BinaryIO, name: str, fields: Fields) -> Iterator[Document]:
    """One document per line, a blank one too. A line that is not a JSON object is a document with an error.

    A stream that begins with an array of objects has one document per element, ``name:number``.
    """
    remaining = lines.read(stream, name, fields)
    for line in remaining:
        if not line.text.strip():
            yield _document(line, fields)
            continue
        begun = [line]
        text = line.text.strip()
        if text.startswith("[") and (text == "[" or "{" in text):
            if text.endswith("]"):
                yield from _array([line], name, fields)
                begun = []
            else:
                begun.extend(islice(remaining, 1))
                if _continues(text, begun[-1].text):
                    yield from _array(chain(begun, remaining), name, fields)
                    return
        yield from _documents(chain(begun, remaining), fields)


class Writer:
    """One object per line."""

    def __init__(self, stream: TextIO, layout: Layout) -> None:
        self._stream, self._layout = stream, layout
        is_usual = not (layout.top or layout.merge or layout.multi_label)
        labels = layout.labels if is_usual else ()
        self._names = {label: _for_terminals(_dumped(label)) for label in labels}

    def write(self, result: Result) -> None:
        """Write an object."""
        self._stream.write(self.line(result))

    def line(self, result: Result) -> str:
        """The line of an object. The usual one takes half of the time of the others."""
        answer = result.prediction
        if answer is None or not self._is_usual(result, answer):
            return json_object(result, self._layout) + "\n"
        names = self._names
        source, label, score = _dumped(result.source), names[answer.label], _number(answer.score)
        # The expression of _number again: twenty calls are a microsecond.
        scores = [
            names[name] + ": " + (_SHORTER.get(text := f"{score:.6f}") or text.rstrip("0"))
            for name, score in answer.scores.items()
        ]
        return f'{{"source": {source}, "label": {label}, "score": {score}, "scores": {{{", ".join(scores)}}}}}\n'

    def _is_usual(self, result: Result, answer: Prediction) -> bool:
        has_more = answer.reason or answer.truncated or result.id is not None
        return bool(self._names) and not has_more and result.source.isprintable()

    def close(self) -> None:
        """Nothing follows the last object."""


def json_object(result: Result, layout: Layout) -> str:
    """The JSON object of a result, on one line and safe to print on a terminal."""
    text = _dumped(json_fields(result, layout))
    record = result.record if layout.merge else None
    if record:
        theirs = record.source if isinstance(record, JsonRecord) else _dumped(distinct_names(record))
        text = f"{_BREAKS.sub(' ', theirs.removesuffix('}'))}, {text.removeprefix('{')}"
    return _for_terminals(text)


def _for_terminals(text: str) -> str:
    return _NOT_FOR_TERMINALS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _number(score: float) -> str:
    """A score as ``json_fields`` rounds it and Python's ``json`` writes it, in half of the time.

    >>> [_number(score) for score in (0.25, 0.00001234, 0.0, 1.0)]
    ['0.25', '1.2e-05', '0.0', '1.0']
    """
    text = f"{score:.6f}"
    return _SHORTER.get(text) or text.rstrip("0")


def _documents(remaining: Iterable[Document], fields: Fields) -> Iterator[Document]:
    """The document of each line. The lines of an object that is spread over several have one document, with an error."""
    is_spread = False
    for line in remaining:
        document = _document(line, fields)
        text = line.text.rstrip()
        if is_spread and document.error and (text[:1] in (" ", "\t") or text == "}"):
            is_spread = text != "}"
            continue
        is_spread = text == "{"
        yield document


def _document(line: Document, fields: Fields) -> Document:
    text = line.text.strip()
    if line.error:
        return line
    if not text:
        return Document(line.source, error=InputError(f"{line.source} is a blank line, not a JSON object"))
    if text == "{":
        reason = "an object is spread over lines; JSON Lines has one per line (jq -c . writes them so)"
    else:
        try:
            return _checked(line.source, _DECODER.decode(text), text, fields, line.replaced)
        except (ValueError, RecursionError) as error:
            reason = str(error)
    return Document(line.source, error=InputError(f"{line.source} is not valid JSON: {reason}"))


def _checked(source: str, value: object, text: str, fields: Fields, replaced: bool) -> Document:
    """The document of a parsed value."""
    if not isinstance(value, dict):
        return Document(source, error=InputError(f'{source} is not a JSON object, such as {{"text": ...}}'))
    record = JsonRecord(value)
    record.source = text
    return record_document(source, record, fields, replaced)


def _continues(first: str, second: str) -> bool:
    """Whether the second line goes on with the array that the first one begins, or both are JSON Lines.

    >>> _continues("[", "{"), _continues('[{"n": 1}', ',{"n": 2}'), _continues('[{"n": 1}', '{"n": 2}')
    (True, True, False)
    """
    return first.endswith(("[", "{", ",", ":")) or second.lstrip().startswith((",", "]", "}", ":"))


def _array(parts: Iterable[Document], name: str, fields: Fields) -> Iterator[Document]:
    """The documents of an array's elements. From the place on where it is broken, those of lines that are records."""
    kept: list[Document] = []
    size, replaced = 0, False
    for part in parts:
        size += len(part.text) + 1
        if part.error or size > _LONGEST_ARRAY:
            limit = f"{name} is a JSON array longer than {_LONGEST_ARRAY // 1024**2} MiB: write JSON Lines instead"
            yield Document(name, error=part.error or InputError(limit))
            return
        kept.append(part)
        replaced = replaced or part.replaced
    whole = "\n".join(part.text for part in kept)
    number = 0
    try:
        for number, (value, text) in enumerate(_elements(whole), start=1):
            yield _checked(f"{name}:{number}", value, text, fields, replaced)
    except (ValueError, RecursionError) as error:
        source = f"{name}:{number + 1}"
        yield Document(source, error=InputError(f"{source}: the JSON array is not valid here: {error}"))
        broken = whole.count("\n", 0, getattr(error, "pos", len(whole)))
        lines_left = (line._replace(text=line.text.strip().rstrip(",")) for line in kept[broken:])
        yield from (_document(line, fields) for line in lines_left if _is_object(line.text))
    else:
        if not number:
            yield Document(name, error=InputError(f"{name} is a JSON array without records"))


def _is_object(text: str) -> bool:
    try:
        return isinstance(_DECODER.decode(text), dict)
    except (ValueError, RecursionError):
        return False


def _elements(text: str) -> Iterator[tuple[object, str]]:
    """The elements of an array, parsed and as text. Raises ``ValueError`` where it is not valid."""
    position = _after_space(text, text.index("[") + 1)
    mark = text[position : position + 1]
    while mark != "]":
        value, end = _DECODER.raw_decode(text, position)
        yield value, text[position:end]
        position = _after_space(text, end)
        mark = text[position : position + 1]
        if mark == ",":
            position = _after_space(text, position + 1)
        elif mark != "]":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, position)
    if _after_space(text, position + 1) < len(text):
        raise json.JSONDecodeError("Extra data", text, position + 1)


def _after_space(text: str, position: int) -> int:
    match = _NOT_SPACE.search(text, position)
    return match.start() if match else len(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_dumped = json.JSONEncoder(ensure_ascii=False, default=str).encode  # the function json.dumps makes one for each call
_SHORTER = {f"{score:.6f}": repr(score) for score in (1.0, *(millionths / 1e6 for millionths in range(100)))}
_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_refuse)
