"""Walks protobuf messages by their wire format, without a schema and without building anything.

Every occurrence of a field is given: readers merge or keep the last, so a check must see them all. Bytes that are no
message raise Broken. Groups, which no model format uses, count as broken.
"""

import struct
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Value = int | memoryview


class Broken(Exception):
    """The bytes are no protobuf message."""


def fields(data: memoryview) -> Iterator[tuple[int, int, Value]]:
    """Yield number, wire type and value of each field in order."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise Broken(f"field 0 before byte {at}")
        if wire == VARINT:
            value, at = varint(data, at)
            yield number, wire, value
        elif wire == BYTES:
            size, at = varint(data, at)
            if at + size > len(data):
                raise Broken(f"a field of {size} bytes where {len(data) - at} are left")
            yield number, wire, data[at : at + size]
            at += size
        elif wire in (FIXED64, FIXED32):
            layout = "<Q" if wire == FIXED64 else "<I"
            if at + struct.calcsize(layout) > len(data):
                raise Broken("cut off inside a number")
            yield number, wire, int(struct.unpack_from(layout, data, at)[0])
            at += struct.calcsize(layout)
        else:
            raise Broken(f"wire type {wire}")


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the number in base 128 at a place, and where it ends. Raises Broken when it does not."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Broken("cut off inside a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise Broken("a number of more than ten bytes")


def messages(data: memoryview, *numbers: int) -> Iterator[memoryview]:
    """Yield the bytes of each length-delimited field with one of `numbers`."""
    for number, _, value in fields(data):
        if number in numbers and isinstance(value, memoryview):
            yield value


def texts(data: memoryview, number: int) -> list[str]:
    """Return every text of field `number`."""
    return [str(value, "utf-8", "replace") for value in messages(data, number)]


def kinds(data: memoryview) -> set[tuple[int, int]]:
    """Return the (number, wire type) pairs of the message's own fields; empty when it is no message."""
    try:
        return {(number, wire) for number, wire, _ in fields(data)}
    except Broken:
        return set()
