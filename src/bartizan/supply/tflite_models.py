"""Looks into TensorFlow Lite models: which operators they name, and whether their tables point inside of the file.

The flatbuffer is walked by its own offsets, every one of them checked. Built-in operators compute on tensors and
nothing else. Operators of TensorFlow itself ("Flex…") are judged by TensorFlow's list; other custom operators need code
of somebody's library and go to review.
"""

import struct
from collections.abc import Iterator

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Budget, unreadable
from bartizan.supply.tensorflow_operations import BLOCKED, ORDINARY

_FLEX = "Flex"
_CUSTOM = 32
_SHIPPED = frozenset({"TFLite_Detection_PostProcess", "AudioSpectrogram", "Mfcc", "NumericVerify", "HashtableFind"})
"""Custom operators that the runtime itself brings along."""


class _Broken(Exception):
    """An offset points outside of the file."""


def is_tflite(data: memoryview) -> bool:
    """Return whether `data` carries the identifier of a TensorFlow Lite model."""
    return bytes(data[4:8]) == b"TFL3"


def tflite(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with a model."""
    model = _Flat(data, budget)
    try:
        return list(dict.fromkeys(_findings(model, path)))
    except _Broken as error:
        return [unreadable(f"the model breaks off: {error}", path)]


class _Flat:
    """Reads tables and vectors of a flatbuffer."""

    def __init__(self, data: memoryview, budget: Budget) -> None:
        self._data, self._budget = data, budget

    def number(self, layout: str, at: int) -> int:
        """Read a number."""
        if at < 0 or at + struct.calcsize(layout) > len(self._data):
            raise _Broken(f"an offset to byte {at} of {len(self._data)}")
        value: int = struct.unpack_from(layout, self._data, at)[0]
        return value

    def size(self) -> int:
        """Return the length of the file."""
        return len(self._data)

    def root(self) -> int:
        """Return the place of the outermost table."""
        return self.number("<I", 0)

    def field(self, table: int, number: int) -> int:
        """Return the place of a table's field, or 0 where it has none."""
        self._budget.spend("opcodes")
        entries = table - self.number("<i", table)
        if 4 + 2 * number >= self.number("<H", entries):
            return 0
        offset = self.number("<H", entries + 4 + 2 * number)
        return table + offset if offset else 0

    def scalar(self, table: int, number: int, layout: str, default: int = 0) -> int:
        """Return a number in a table."""
        at = self.field(table, number)
        return self.number(layout, at) if at else default

    def vector(self, table: int, number: int, width: int) -> tuple[int, int]:
        """Return the place and length of a vector of items of `width` bytes; of length 0 where there is none."""
        at = self.field(table, number)
        if not at:
            return 0, 0
        at += self.number("<I", at)
        count = self.number("<I", at)
        if at + 4 + count * width > len(self._data):
            raise _Broken(f"a vector of {count} items at byte {at}")
        return at + 4, count

    def tables(self, table: int, number: int) -> Iterator[int]:
        """Yield the places of the tables in a vector."""
        start, count = self.vector(table, number, 4)
        for at in range(start, start + 4 * count, 4):
            yield at + self.number("<I", at)

    def text(self, table: int, number: int) -> str:
        """Return a text in a table."""
        start, count = self.vector(table, number, 1)
        return str(self._data[start : start + count], "utf-8", "replace")


def _findings(model: _Flat, path: str) -> Iterator[Finding]:
    root = model.root()
    codes = list(model.tables(root, 1))
    for code in codes:
        builtin = max(model.scalar(code, 0, "<b"), model.scalar(code, 3, "<i"))
        custom = model.text(code, 1)
        if builtin == _CUSTOM or custom:
            yield from _custom(custom, path)
    buffers = 0
    for buffer in model.tables(root, 4):
        buffers += 1
        model.vector(buffer, 0, 1)
        offset, size = model.scalar(buffer, 1, "<Q"), model.scalar(buffer, 2, "<Q")
        if offset > 1 and offset + size > model.size():
            raise _Broken(f"a buffer at byte {offset} of {size} bytes")
    for graph in model.tables(root, 2):
        tensors = 0
        for tensor in model.tables(graph, 0):
            tensors += 1
            if model.scalar(tensor, 2, "<I") >= max(1, buffers):
                yield _index("a tensor names a buffer that is not there", path)
        for operator in model.tables(graph, 3):
            if model.scalar(operator, 0, "<I") >= len(codes):
                yield _index("an operator has a number that is on no list of the file", path)
            for field in (1, 2):
                start, count = model.vector(operator, field, 4)
                if any(not -1 <= model.number("<i", start + 4 * one) < tensors for one in range(count)):
                    yield _index("an operator names a tensor that is not there", path)


def _index(why: str, path: str) -> Finding:
    return Finding("tflite-index", Severity.HIGH, f"{why}: a reader would look outside of its memory", path)


def _custom(name: str, path: str) -> Iterator[Finding]:
    shown = visible(name[:80])
    inner = name.removeprefix(_FLEX)
    if name.startswith(_FLEX) and inner in BLOCKED:
        yield Finding("tflite-operation", Severity.HIGH, f"{shown} {BLOCKED[inner]}", path)
    elif name not in _SHIPPED and not (name.startswith(_FLEX) and inner in ORDINARY):
        yield Finding("tflite-custom", Severity.MEDIUM, f"operator {shown} needs a library of somebody's", path)
