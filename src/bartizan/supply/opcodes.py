"""Reads pickle opcodes one by one from bytes, all 68 of them, without building a single object.

The table comes from the standard library's description of the format; arguments are decoded here. Raises Broken where
the bytes are no pickle any more.
"""

import pickletools
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

LINE, LONGEST_LINE = 1 << 13, 1 << 28
"""Bytes of a line that are kept, and how far its end is looked for."""
_STEP = 1 << 20
LONG = 4096
"""Bytes of a counted text up to which it is decoded; a longer one is given as its bytes, unread."""


class Broken(Exception):
    """The bytes cannot be read as opcodes from here on."""


class Op(NamedTuple):
    """One opcode: its name, its argument, and where it starts and ends."""

    name: str
    arg: Any
    start: int
    end: int


def _fixed(layout: str) -> Callable[[memoryview, int], tuple[Any, int]]:
    size = struct.calcsize(layout)

    def read(data: memoryview, at: int) -> tuple[Any, int]:
        if at + size > len(data):
            raise Broken("cut off inside an argument")
        return struct.unpack_from(layout, data, at)[0], at + size

    return read


def _counted(layout: str, as_text: bool) -> Callable[[memoryview, int], tuple[Any, int]]:
    length = _fixed(layout)

    def read(data: memoryview, at: int) -> tuple[Any, int]:
        size, at = length(data, at)
        if size < 0 or at + size > len(data):
            raise Broken(f"an argument of {size} bytes where {len(data) - at} are left")
        raw = data[at : at + size]
        return (str(raw, "utf-8", "surrogatepass") if as_text and size <= LONG else raw), at + size

    return read


def _line(data: memoryview, at: int) -> tuple[bytes, int]:
    head = bytes(data[at : at + LINE])
    end = head.find(b"\n")
    if end >= 0:
        return head[:end], at + end + 1
    for start in range(at + LINE, min(len(data), at + LONGEST_LINE), _STEP):
        end = bytes(data[start : start + _STEP]).find(b"\n")
        if end >= 0:
            return head, start + end + 1  # its beginning tells that it is long, and nothing depends on the rest
    raise Broken("a line without an end")


def _text_line(data: memoryview, at: int) -> tuple[str, int]:
    line, at = _line(data, at)
    return line.decode("utf-8", "surrogateescape"), at


def _two_lines(data: memoryview, at: int) -> tuple[tuple[str, str], int]:
    module, at = _text_line(data, at)
    name, at = _text_line(data, at)
    return (module, name), at


def _quoted(data: memoryview, at: int) -> tuple[str, int]:
    """STRING: a quoted literal. Read without evaluating; escapes other than the plain ones stay as written."""
    line, at = _text_line(data, at)
    return line.strip().strip("'\""), at


def _unicode_line(data: memoryview, at: int) -> tuple[str, int]:
    line, at = _line(data, at)
    return line.decode("raw-unicode-escape", "replace"), at


def _number_line(data: memoryview, at: int) -> tuple[Any, int]:
    line, at = _text_line(data, at)
    text = line.strip().removesuffix("L")
    if text in ("00", "01"):
        return text == "01", at
    try:
        return (int(text) if len(text) < 4000 else None), at
    except ValueError:
        raise Broken(f"{text[:20]!r} is no number") from None


def _float_line(data: memoryview, at: int) -> tuple[float, int]:
    line, at = _text_line(data, at)
    try:
        return float(line), at
    except ValueError:
        raise Broken(f"{line[:20]!r} is no number") from None


def _long(layout: str) -> Callable[[memoryview, int], tuple[Any, int]]:
    counted = _counted(layout, False)

    def read(data: memoryview, at: int) -> tuple[Any, int]:
        raw, at = counted(data, at)
        return (int.from_bytes(raw, "little", signed=True) if len(raw) <= 64 else None), at

    return read


_READERS: dict[str, Callable[[memoryview, int], tuple[Any, int]]] = {
    "uint1": _fixed("<B"),
    "uint2": _fixed("<H"),
    "int4": _fixed("<i"),
    "uint4": _fixed("<I"),
    "uint8": _fixed("<Q"),
    "float8": _fixed(">d"),
    "stringnl": _quoted,
    "stringnl_noescape": _text_line,
    "stringnl_noescape_pair": _two_lines,
    "unicodestringnl": _unicode_line,
    "decimalnl_short": _number_line,
    "decimalnl_long": _number_line,
    "floatnl": _float_line,
    "long1": _long("<B"),
    "long4": _long("<i"),
    "string1": _counted("<B", False),
    "string4": _counted("<i", False),
    "bytes1": _counted("<B", False),
    "bytes4": _counted("<I", False),
    "bytes8": _counted("<Q", False),
    "bytearray8": _counted("<Q", False),
    "unicodestring1": _counted("<B", True),
    "unicodestring4": _counted("<I", True),
    "unicodestring8": _counted("<Q", True),
}
_OPS = {ord(op.code): (op.name, _READERS[op.arg.name] if op.arg else None) for op in pickletools.opcodes}


def read_op(data: memoryview, at: int) -> Op:
    """Return the opcode at `at`. Raises Broken when there is none."""
    try:
        name, reader = _OPS[data[at]]
    except IndexError:
        raise Broken("no STOP before the end") from None
    except KeyError:
        raise Broken(f"byte 0x{data[at]:02x} is no opcode") from None
    if reader is None:
        return Op(name, None, at, at + 1)
    try:
        arg, end = reader(data, at + 1)
    except UnicodeDecodeError:
        raise Broken("text that is no UTF-8") from None
    return Op(name, arg, at, end)
