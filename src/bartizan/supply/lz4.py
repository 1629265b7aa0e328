"""Unpacks LZ4 frames, which joblib writes for `compress="lz4"`: their blocks under a budget, in plain Python.

Layout: LZ4 frame format 1.6.4. Checksums are not compared (readers differ on whether they do), and frames that need a
dictionary are refused.
"""

import struct

from bartizan.supply.base import Budget

MAGIC = b"\x04\x22\x4d\x18"
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_WINDOW = 65_536


def unpacked(data: memoryview, budget: Budget) -> bytes:
    """Return what the frames hold. Raises ValueError when damaged, LimitReached when too large."""
    out = bytearray()
    at = 0
    while at < len(data):
        (magic,) = _read("<I", data, at)
        if magic in _SKIPPABLE:
            at += 8 + _read("<I", data, at + 4)[0]
        elif magic == int.from_bytes(MAGIC, "little"):
            at = _frame(data, at + 4, out, budget)
        else:
            raise ValueError(f"{len(data) - at} bytes follow the last frame")
    if at > len(data):
        raise ValueError("breaks off")
    return bytes(out)


def _read(layout: str, data: memoryview, at: int) -> tuple[int, ...]:
    if at + struct.calcsize(layout) > len(data):
        raise ValueError("breaks off")
    return struct.unpack_from(layout, data, at)


def _frame(data: memoryview, at: int, out: bytearray, budget: Budget) -> int:
    flags, _ = _read("<BB", data, at)
    if flags >> 6 != 1 or flags & 1:
        raise ValueError("another version, or a frame that needs a dictionary")
    independent, checked = flags & 0x20, 4 if flags & 0x10 else 0
    at += 3 + (8 if flags & 8 else 0)
    first = len(out)
    while True:
        (size,) = _read("<I", data, at)
        at += 4
        if size == 0:
            return at + (4 if flags & 4 else 0)
        raw, size = size >> 31, size & 0x7FFFFFFF
        if at + size > len(data):
            raise ValueError("breaks off")
        before = len(out)
        if raw:
            out += data[at : at + size]
        else:
            _block(bytes(data[at : at + size]), out, len(out) if independent else max(first, len(out) - _WINDOW))
        budget.spend("output_bytes", len(out) - before)
        at += size + checked


def _block(block: bytes, out: bytearray, earliest: int) -> None:
    """Append what a block stands for: texts, each followed by a copy of something earlier."""
    at, end = 0, len(block)
    try:
        while True:
            token = block[at]
            at, size = _length(block, at + 1, token >> 4)
            if at + size > end:
                raise ValueError("a text longer than its block")
            out += block[at : at + size]
            at += size
            if at == end:
                return
            offset = block[at] | block[at + 1] << 8
            at, size = _length(block, at + 2, token & 15)
            size += 4
            start = len(out) - offset
            if offset == 0 or start < earliest:
                raise ValueError("a copy from before the beginning")
            piece = out[start : start + size]
            if len(piece) < size:
                piece = (piece * (size // offset + 1))[:size]
            out += piece
    except IndexError:
        raise ValueError("a block that breaks off") from None


def _length(block: bytes, at: int, size: int) -> tuple[int, int]:
    if size == 15:
        while True:
            more = block[at]
            at += 1
            size += more
            if more != 255:
                break
    return at, size
