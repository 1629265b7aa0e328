"""Headers of tensor files that hold no code: safetensors, GGUF, NumPy. They are read to account for every byte.

A safetensors header must describe all bytes once, in order, without overlap (its own specification). A GGUF file may
carry a chat template, which is a Jinja program that a server will run: only what chat templates need is allowed in it.
"""

import ast
import json
import math
import re
import struct
from typing import Any

import numpy as np

from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Budget, unreadable
from bartizan.supply.chat_templates import chat_template
from bartizan.supply.pickles import scan_pickle

_WIDTHS = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8, "C64": 8,
}  # fmt: skip
_HEADER_LIMIT = 100_000_000
_NUMPY_HEADER = 1 << 20


def is_safetensors(data: memoryview) -> bool:
    """Return whether `data` begins like a safetensors file."""
    return len(data) >= 9 and data[8] == 0x7B and struct.unpack_from("<Q", data)[0] <= _HEADER_LIMIT


def safetensors(data: memoryview, path: str) -> list[Finding]:
    """Return what is wrong with a safetensors file; nothing when every byte is accounted for."""

    def wrong(why: str) -> list[Finding]:
        return [Finding("safetensors-header", Severity.HIGH, why, path)]

    size = struct.unpack_from("<Q", data)[0]
    if 8 + size > len(data):
        return [unreadable("the header is longer than the file", path)]
    try:
        pairs = json.loads(bytes(data[8 : 8 + size]), object_pairs_hook=lambda items: items)
        names = [name for name, _ in pairs]
        header: dict[str, Any] = {name: dict(value) for name, value in pairs if isinstance(value, list)}
    except (ValueError, TypeError, RecursionError) as error:
        return wrong(f"the header is no JSON object of tensors: {type(error).__name__}")
    if len(set(names)) != len(names):
        return wrong("a tensor is described twice")
    spans = []
    for name, about in header.items():
        if name == "__metadata__":
            continue
        try:
            (begin, end), shape, width = about["data_offsets"], about["shape"], _WIDTHS[about["dtype"]]
            if not all(type(side) is int and side >= 0 for side in [begin, end, *shape]):
                raise TypeError
            count = math.prod(shape)
        except (KeyError, TypeError, ValueError):
            return wrong(f"tensor {name[:80]!r} is not described as the format wants")
        if end - begin != count * width:
            return wrong(f"tensor {name[:80]!r}: {end - begin} bytes for {count} items of {width}")
        spans.append((begin, end))
    return _covered(sorted(spans), len(data) - 8 - size, wrong)


def _covered(spans: list[tuple[int, int]], size: int, wrong: Any) -> list[Finding]:
    at = 0
    for begin, end in spans:
        if begin != at:
            found: list[Finding] = wrong(f"tensors overlap or leave a hole at byte {min(begin, at)}")
            return found
        at = end
    left: list[Finding] = wrong(f"{size - at} bytes belong to no tensor") if at != size else []
    return left


_GGUF_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_GGUF_TEXT, _GGUF_ARRAY = 8, 9
_GGUF_SIDES = 8


class _Gguf:
    """Reads the key-value part of a GGUF file with every length checked."""

    def __init__(self, data: memoryview, budget: Budget) -> None:
        self._data, self._at, self._budget = data, 8, budget

    def number(self, layout: str) -> int:
        """Read a number."""
        size = struct.calcsize(layout)
        if self._at + size > len(self._data):
            raise ValueError("cut off")
        value: int = struct.unpack_from(layout, self._data, self._at)[0]
        self._at += size
        return value

    def text(self) -> str:
        """Read a text."""
        size = self.number("<Q")
        if size > len(self._data) - self._at:
            raise ValueError(f"a text of {size} bytes where {len(self._data) - self._at} are left")
        value = str(self._data[self._at : self._at + size], "utf-8", "replace")
        self._at += size
        return value

    def value(self, kind: int, depth: int = 0) -> str | None:
        """Read a value and return it if it is a text."""
        if kind == _GGUF_TEXT:
            return self.text()
        if kind == _GGUF_ARRAY:
            inner, count = self.number("<I"), self.number("<Q")
            if depth > 4 or count > len(self._data):
                raise ValueError(f"an array of {count} items")
            if inner in _GGUF_SIZES:
                self._at += _GGUF_SIZES[inner] * count
            else:
                for _ in range(count):
                    self._budget.spend("opcodes")
                    self.value(inner, depth + 1)
        elif kind in _GGUF_SIZES:
            self._at += _GGUF_SIZES[kind]
        else:
            raise ValueError(f"a value of unknown type {kind}")
        if self._at > len(self._data):
            raise ValueError("cut off")
        return None


def gguf(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with a GGUF file's header and chat templates."""
    reader = _Gguf(data, budget)
    found: list[Finding] = []
    try:
        tensors, pairs = reader.number("<Q"), reader.number("<Q")
        if tensors > len(data) or pairs > len(data):
            raise ValueError(f"{tensors} tensors and {pairs} keys in {len(data)} bytes")
        for _ in range(pairs):
            key = reader.text()
            text = reader.value(reader.number("<I"))
            if text is not None and "chat_template" in key:
                found += chat_template(text, f"{path}#{key}")
        for _ in range(tensors):
            found += _gguf_tensor(reader, len(data), path, budget)
    except (ValueError, struct.error) as error:
        found.append(unreadable(f"the GGUF header breaks off: {error}", path))
    return found


def _gguf_tensor(reader: _Gguf, size: int, path: str, budget: Budget) -> list[Finding]:
    """Read how a tensor is described: its sides, its type, where it lies. Readers have trusted these numbers."""
    budget.spend("opcodes")
    name, sides = reader.text(), reader.number("<I")
    if sides > _GGUF_SIDES:
        raise ValueError(f"a tensor of {sides} dimensions")
    count = math.prod(reader.number("<Q") for _ in range(sides))
    reader.number("<I")
    offset = reader.number("<Q")
    if count >= 1 << 63 or offset > size:
        why = f"tensor {name[:80]!r} of {count} items at {offset}: its numbers lead out of the file"
        return [Finding("gguf-header", Severity.HIGH, why, path)]
    return []


def numpy_file(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with a .npy file: an array of objects is a pickle behind a header.

    Numbers pass only when the header is the literal that NumPy reads and they fill the file; else what follows is
    judged as the pickle that it may be.
    """
    if len(data) < 12:
        return [unreadable("a NumPy file of less than twelve bytes", path)]
    wide = data[6] > 1
    size = struct.unpack_from("<I" if wide else "<H", data, 8)[0] + (12 if wide else 10)
    if size > len(data):
        return [unreadable("the NumPy header is longer than the file", path)]
    try:
        expected = _array_bytes(bytes(data[12 if wide else 10 : size]).decode("utf-8" if data[6] > 2 else "latin-1"))
    except (ValueError, TypeError, SyntaxError, KeyError, RecursionError, MemoryError, OverflowError) as error:
        # Readers of another version may make something of it.
        why = f"a NumPy header that cannot be read: {type(error).__name__}"
        return [unreadable(why, path), *scan_pickle(data[size:], path, budget).findings]
    if expected is None:
        return list(scan_pickle(data[size:], path, budget).findings)
    left = len(data) - size - expected
    if left < 0:
        return [unreadable(f"the array breaks off: {-left} bytes are missing", path)]
    if left and bytes(data[-left:][:6]) == b"\x93NUMPY":
        return numpy_file(data[-left:], path, budget)  # several arrays saved into one file
    if left:
        found = [Finding("trailing-data", Severity.MEDIUM, f"{left} bytes follow the array", path)]
        return found + [
            one for one in scan_pickle(data[-left:], path, budget).findings if one.severity > Severity.MEDIUM
        ]
    return []


def _array_bytes(header: str) -> int | None:
    """Return how many bytes the array takes; None for one that holds objects."""
    if len(header) > _NUMPY_HEADER:
        raise ValueError("a header longer than NumPy reads")
    described = ast.literal_eval(re.sub(r"(?<=\d)L\b", "", header.strip()))
    kind = np.lib.format.descr_to_dtype(described["descr"])
    sides = described["shape"]
    if not all(type(side) is int and side >= 0 for side in sides):
        raise ValueError("a shape that is none")
    return None if kind.hasobject else kind.itemsize * math.prod(sides)
