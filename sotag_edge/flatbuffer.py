"""Whether a ``.tflite`` file is what its format says: no offset, length or index in it leads outside.

A TFLite runtime does not check this (measured: tflite-runtime 2.14), so what a damaged file does depends on the memory
beside it: it may run in one process and crash the next one. The layout of the file: https://flatbuffers.dev/internals; its
tables: TensorFlow's ``schema.fbs``, version 3. What no model of ours has (several subgraphs, sparse or external tensors,
data outside of the tables) is refused.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Union

from sotag_edge.errors import ModelError

_MARK = b"TFL3"
_MOST_ENTRIES = 100_000  # of a vector of tables
_SCALARS = {"bool": 1, "i8": 1, "u8": 1, "i32": 4, "u32": 4, "f32": 4, "i64": 8, "u64": 8}  # bytes
_ABSENT = "absent"
# The fields of each table, in order. "[x]": a vector of x. A table of options has scalars only, if it is not named here.
_TABLES = {
    "Model": f"u32 [OperatorCode] [SubGraph] string [Buffer] [i32] [Metadata] [SignatureDef] {_ABSENT} {_ABSENT}",
    "OperatorCode": "i8 string i32 i32",
    "SubGraph": "[Tensor] [i32] [i32] [Operator] string i32",
    "Tensor": f"[i32] u8 u32 string QuantizationParameters bool {_ABSENT} [i32] bool {_ABSENT} {_ABSENT}",
    "QuantizationParameters": f"[f32] [f32] [f32] [i64] u8 {_ABSENT} i32",
    "Operator": f"u32 [i32] [i32] u8 options [u8] i8 [bool] [i32] {_ABSENT} {_ABSENT} u8 {_ABSENT} i32",
    "Buffer": f"[u8] {_ABSENT} {_ABSENT}",
    "Metadata": "string u32",
    "SignatureDef": f"[TensorMap] [TensorMap] string {_ABSENT} u32",
    "TensorMap": "string u32",
    "ReshapeOptions": "[i32]",
    "SqueezeOptions": "[i32]",
}
_OPTIONS = {17: "ReshapeOptions", 30: "SqueezeOptions"}
_REFUSED_OPTIONS = (3, 111, 115)  # others with vectors or strings
_BYTES = {
    0: 4,
    1: 2,
    2: 4,
    3: 1,
    4: 8,
    6: 1,
    7: 2,
    9: 1,
}  # of a value of each type of tensor that a model of ours can have
_MOST_VALUES = 2**31  # of a tensor


class _FaultError(Exception):
    pass


def check_flatbuffer(content: bytes) -> None:
    """Raises ``ModelError`` for the content of a ``.tflite`` file that leads outside itself."""
    try:
        _check_model(_File(content).root("Model"))
    except (_FaultError, struct.error) as fault:
        raise ModelError(f"it is not a valid TFLite file ({fault}): it is damaged, or made to do harm") from fault


Table = dict[int, Union[int, Sequence[int], "list[Table]"]]
"""The fields of a table that are there, by their numbers: scalars, vectors of scalars, and tables, one of them as a list."""


class _File:
    """Parses tables, and checks each place before it is read."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._tables = 0

    def root(self, kind: str) -> Table:
        if self._content[4:8] != _MARK:
            raise _FaultError("its mark is missing")
        return self._table(kind, self._number("I", 0))

    def _number(self, form: str, place: int) -> int:
        if place < 0:
            raise _FaultError("an offset leads outside")
        number: int = struct.unpack_from(f"<{form}", self._content, place)[0]
        return number

    def _table(self, kind: str, place: int) -> Table:
        self._tables += 1
        if self._tables > _MOST_ENTRIES or place % 4:
            raise _FaultError("too many tables" if self._tables > _MOST_ENTRIES else "a table is at an odd place")
        layout = place - self._number("i", place)
        size, width = self._number("H", layout), self._number("H", layout + 2)
        if size < 4 or size % 2 or max(layout + size, place + width) > len(self._content):
            raise _FaultError("a table is longer than the file")
        kinds = _TABLES[kind].split() if kind in _TABLES else []
        table: Table = {}
        for number in range((size - 4) // 2):
            offset = self._number("H", layout + 4 + 2 * number)
            if not offset:
                continue
            field = "u64" if not kinds else kinds[number] if number < len(kinds) else _ABSENT
            if field == "options":
                field = self._options(table)
            if offset < 4 or (offset + _SCALARS.get(field, 4) > width and kinds):
                raise _FaultError("a field is outside its table")
            table[number] = self._field(field, place + offset, is_known=bool(kinds))
        return table

    def _options(self, operator: Table) -> str:
        kind = operator.get(3, 0)
        if kind in _REFUSED_OPTIONS or not isinstance(kind, int):
            raise _FaultError("an operator has options that no model of ours has")
        return _OPTIONS.get(kind, "scalars")

    def _field(self, kind: str, place: int, *, is_known: bool) -> int | Sequence[int] | list[Table]:
        if kind == _ABSENT:
            raise _FaultError("a table has a field that no model of ours has")
        if kind in _SCALARS:
            if not is_known:  # of an unknown width, so the widest must fit
                return self._number("Q", place)
            return self._number({1: "B", 4: "I", 8: "Q"}[_SCALARS[kind]], place)
        target = place + self._number("I", place)
        if not kind.startswith("[") and kind != "string":
            return [self._table(kind, target)]
        entry = "u8" if kind == "string" else kind[1:-1]
        length, width = self._number("I", target), _SCALARS.get(entry, 4)
        begin, end = target + 4, target + 4 + length * width
        if target % 4 or end + (kind == "string") > len(self._content):
            raise _FaultError("a vector is longer than the file")
        if kind == "string" and self._content[end]:
            raise _FaultError("a text has no end")
        if entry not in _SCALARS:
            places = range(begin, end, 4)
            return [self._table(entry, place + self._number("I", place)) for place in places]
        if entry == "i32":
            return memoryview(self._content)[begin:end].cast("i") if begin % 4 == 0 else [0] * length
        return range(length)  # only their number matters


def _numbers(table: Table, field: int) -> Sequence[int]:
    value = table.get(field, ())
    return value if not isinstance(value, int) else ()  # type: ignore[return-value]


def _tables(table: Table, field: int) -> list[Table]:
    value = table.get(field, [])
    return value if isinstance(value, list) else []


def _scalar(table: Table, field: int) -> int:
    value = table.get(field, 0)
    return value if isinstance(value, int) else 0


def _check_model(model: Table) -> None:
    """Check the indices of the tables."""
    codes, graphs, buffers = _tables(model, 1), _tables(model, 2), _tables(model, 4)
    if len(graphs) != 1:
        raise _FaultError(f"it has {len(graphs)} graphs, not one")
    graph = graphs[0]
    tensors, operators = _tables(graph, 0), _tables(graph, 3)
    for tensor in tensors:
        _check_tensor(tensor, buffers)
    for operator in operators:
        _check_range([_scalar(operator, 0)], 0, len(codes), "an operator")
        for field in (1, 2, 8):
            _check_range(_numbers(operator, field), 0 if field == 2 else -1, len(tensors), "a tensor")
    for numbers in (_numbers(graph, 1), _numbers(graph, 2)):
        _check_range(numbers, 0, len(tensors), "a tensor")
    _check_range(_numbers(model, 5), 0, len(buffers), "a buffer")
    _check_range([_scalar(entry, 1) for entry in _tables(model, 6)], 0, len(buffers), "a buffer")
    for signature in _tables(model, 7):
        _check_range([_scalar(signature, 4)], 0, 1, "a graph")
        maps = _tables(signature, 0) + _tables(signature, 1)
        _check_range([_scalar(entry, 1) for entry in maps], 0, len(tensors), "a tensor")


def _check_tensor(tensor: Table, buffers: list[Table]) -> None:
    _check_range([_scalar(tensor, 2)], 0, len(buffers), "a buffer")
    shape = _numbers(tensor, 0)
    _check_range(shape, 0, _MOST_VALUES, "a dimension")
    _check_range(_numbers(tensor, 7), -1, _MOST_VALUES, "a dimension")
    width = _BYTES.get(_scalar(tensor, 1))
    if width is None or math.prod(shape) >= _MOST_VALUES:
        raise _FaultError("a tensor is of a kind that no model of ours has")
    data = len(_numbers(buffers[_scalar(tensor, 2)], 0))
    if data and data != width * math.prod(shape):
        raise _FaultError("a tensor and its data have different sizes")
    for quantization in _tables(tensor, 4):
        scales, zeros, dimension = (
            len(_numbers(quantization, 2)),
            len(_numbers(quantization, 3)),
            _scalar(quantization, 6),
        )
        per_channel = scales > 1
        if zeros > scales or (
            per_channel and not (dimension < len(shape) and scales == shape[dimension] and zeros == scales)
        ):
            raise _FaultError("a tensor's quantization does not fit its shape")


def _check_range(numbers: Sequence[int], low: int, end: int, what: str) -> None:
    if any(not low <= number < end for number in numbers):
        raise _FaultError(f"the number of {what} is out of range")
