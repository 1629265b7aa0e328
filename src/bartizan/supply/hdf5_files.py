"""Walks HDF5 files as Keras and others write them: groups, attributes, and what makes a reader open other files.

Layout: HDF5 file format specification 3.0. Read are superblocks 0 to 3, object headers of both versions, groups by
symbol table or by link messages, attributes in the header, texts in the global heap. Links to other files, data kept
in other files and virtual data sets are blocked (CVE-2026-1669). What the walk does not read (links or attributes in
fractal heaps, filters of somebody's plugin) goes to review.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Budget, unreadable

MAGIC = b"\x89HDF\r\n\x1a\n"
_NOWHERE = 0xFFFFFFFFFFFFFFFF
_LINK, _EXTERNAL, _LAYOUT, _FILTERS, _ATTRIBUTE, _CONTINUATION = 0x06, 0x07, 0x08, 0x0B, 0x0C, 0x10
_SYMBOLS, _LINK_INFO, _ATTRIBUTE_INFO = 0x11, 0x02, 0x15
_TEXTS = (3, 5)
"""Classes of types: fixed texts, and bytes that HDF5 knows nothing about."""
_HEAP = re.compile(rb"GCOL\x01\0\0\0")
_OWN_FILTERS = 256
"""Filters below this number belong to the library; others are loaded from a plugin."""
_LARGEST_TEXT = 64 << 20


class Broken(Exception):
    """An address points outside of the file, or a structure is not what it should be."""


@dataclass
class Contents:
    """What a walk found."""

    texts: dict[str, bytes] = field(default_factory=dict)
    """Attributes that are texts, by the name of the attribute and where it stands."""
    findings: list[Finding] = field(default_factory=list)
    unread: dict[str, None] = field(default_factory=dict)
    """What was there and not looked into."""


def walk(data: memoryview, path: str, budget: Budget) -> Contents:
    """Return the texts and findings of a file; a file that breaks off says so in its findings."""
    reader = _Reader(data, path, budget)
    try:
        reader.file()
    except (Broken, IndexError, OverflowError, struct.error) as error:
        reader.contents.findings.append(unreadable(f"the HDF5 file breaks off: {error}", path))
    return reader.contents


def heap_objects(data: memoryview, budget: Budget) -> Iterator[memoryview]:
    """Yield what lies in the heaps of values without a fixed size: PyTables keeps pickles there."""
    for heap in _HEAP.finditer(data):
        at = heap.start() + 16
        end = min(len(data), heap.start() + int.from_bytes(data[heap.end() : heap.end() + 8], "little"))
        while at + 16 <= end:
            budget.spend("opcodes")
            index, size = struct.unpack_from("<H", data, at)[0], struct.unpack_from("<Q", data, at + 8)[0]
            if index == 0:
                break
            yield data[at + 16 : at + 16 + size]
            at += 16 + -(-size // 8) * 8


class _Reader:
    def __init__(self, data: memoryview, path: str, budget: Budget) -> None:
        self._data, self._path, self._budget = data, path, budget
        self._seen: set[int] = set()
        self._todo: list[tuple[int, str]] = []
        self.contents = Contents()

    def file(self) -> None:
        """Read the superblock, then every object once."""
        version = self._data[8]
        if version in (0, 1):
            sizes, root = (13, 14), 24 + 32 + 8 + (4 if version else 0)
        elif version in (2, 3):
            sizes, root = (9, 10), 36
        else:
            raise Broken(f"superblock version {version}")
        if (self._data[sizes[0]], self._data[sizes[1]]) != (8, 8):
            self.contents.unread["addresses of other sizes"] = None
            return
        self._todo.append((self._number("<Q", root), ""))
        while self._todo:
            address, name = self._todo.pop()
            if address not in self._seen:
                self._seen.add(address)
                self._budget.spend("members")
                for kind, body in self._messages(address):
                    self._message(kind, body, name)

    def _number(self, layout: str, at: int) -> int:
        if at + struct.calcsize(layout) > len(self._data):
            raise Broken(f"address {at} of {len(self._data)}")
        value: int = struct.unpack_from(layout, self._data, at)[0]
        return value

    def _bytes(self, at: int, size: int) -> memoryview:
        if at + size > len(self._data):
            raise Broken(f"{size} bytes at {at} of {len(self._data)}")
        return self._data[at : at + size]

    def _messages(self, address: int) -> Iterator[tuple[int, memoryview]]:
        """Yield type and body of the messages of an object's header."""
        if bytes(self._bytes(address, 4)) == b"OHDR":
            flags, at = self._data[address + 5], address + 6
            at += (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            size = int.from_bytes(self._bytes(at, width), "little")
            yield from self._second(at + width, size, 6 if flags & 4 else 4)
            return
        if self._number("<B", address) != 1:
            raise Broken(f"no object at {address}")
        chunks = [(address + 16, self._number("<I", address + 8))]
        while chunks:
            at, size = chunks.pop(0)
            end = at + len(self._bytes(at, size))
            while at + 8 <= end:
                self._budget.spend("opcodes")
                kind, length = self._number("<H", at), self._number("<H", at + 2)
                body = self._bytes(at + 8, length)
                if kind == _CONTINUATION:
                    chunks.append(self._next_chunk(body, 0))
                else:
                    yield kind, body
                at += 8 + length

    def _second(self, at: int, size: int, head: int) -> Iterator[tuple[int, memoryview]]:
        """Yield the messages of a header of the second version."""
        chunks = [(at, size)]
        while chunks:
            at, size = chunks.pop(0)
            end = at + len(self._bytes(at, size))
            while at + head <= end:
                self._budget.spend("opcodes")
                kind, length = self._data[at], self._number("<H", at + 1)
                body = self._bytes(at + head, length)
                if kind == _CONTINUATION:
                    start, long = self._next_chunk(body, 8)
                    chunks.append((start + 4, long - 8))
                elif kind or length:
                    yield kind, body
                at += head + length

    def _next_chunk(self, body: memoryview, least: int) -> tuple[int, int]:
        if len(body) < 16:
            raise Broken("a continuation without an address")
        start, size = struct.unpack_from("<QQ", body)
        if start in self._seen or size < least:
            raise Broken("a header that goes in circles")
        self._seen.add(start)
        return start, size

    def _message(self, kind: int, body: memoryview, name: str) -> None:
        try:
            if kind == _SYMBOLS:
                tree, heap = struct.unpack_from("<QQ", body)
                self._group(tree, self._number("<Q", heap + 24), name, 0)
            elif kind == _LINK:
                self._link(body, name)
            elif kind == _ATTRIBUTE:
                self._attribute(body, name)
            elif kind == _EXTERNAL:
                self._hostile(f"{visible(name[:80])} keeps its data in another file (CVE-2026-1669)")
            elif kind == _LAYOUT and body[0] >= 3 and body[1] == 3:
                self._hostile(f"{visible(name[:80])} is a virtual data set: it takes its data from other files")
            elif kind == _FILTERS:
                self._filters(body, name)
            elif kind in (_LINK_INFO, _ATTRIBUTE_INFO):
                self._info(kind, body)
        except (struct.error, IndexError, OverflowError) as error:
            raise Broken(f"message {kind} of {visible(name[:80])!r} is too short") from error

    def _hostile(self, why: str) -> None:
        self.contents.findings.append(Finding("hdf5-elsewhere", Severity.HIGH, why, self._path))

    def _group(self, node: int, names: int, path: str, depth: int) -> None:
        """Read a B-tree of symbol tables."""
        if depth > 16 or node in self._seen:
            raise Broken("a group that goes in circles")
        self._seen.add(node)
        if bytes(self._bytes(node, 4)) != b"TREE":
            raise Broken(f"no group at {node}")
        level, used = self._data[node + 5], self._number("<H", node + 6)
        for entry in range(used):
            child = self._number("<Q", node + 24 + 8 + entry * 16)
            if level:
                self._group(child, names, path, depth + 1)
            else:
                self._symbols(child, names, path)

    def _symbols(self, table: int, names: int, path: str) -> None:
        if bytes(self._bytes(table, 4)) != b"SNOD":
            raise Broken(f"no symbols at {table}")
        for number in range(self._number("<H", table + 6)):
            self._budget.spend("opcodes")
            at = table + 8 + number * 40
            name = self._heap_text(names + self._number("<Q", at))
            if self._number("<I", at + 16) != 2:  # 2 is a link to another name in this file
                self._todo.append((self._number("<Q", at + 8), f"{path}/{name}"))

    def _heap_text(self, at: int) -> str:
        raw = bytes(self._bytes(at, min(1024, max(0, len(self._data) - at))))
        return raw.split(b"\0", 1)[0].decode("utf-8", "replace")

    def _link(self, body: memoryview, path: str) -> None:
        flags, at = body[1], 2
        kind = body[at] if flags & 8 else 0
        at += (1 if flags & 8 else 0) + (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(body[at : at + width], "little")
        at += width
        name = str(body[at : at + size], "utf-8", "replace")
        if kind == 0:
            self._todo.append((struct.unpack_from("<Q", body, at + size)[0], f"{path}/{name}"))
        elif kind != 1:
            self._hostile(f"{visible(name[:80])} is a link into another file")

    def _info(self, kind: int, body: memoryview) -> None:
        """Links and attributes beyond a number lie in a fractal heap."""
        skip = 2 + (8 if kind == _LINK_INFO else 2) * (body[1] & 1)
        if struct.unpack_from("<Q", body, skip)[0] != _NOWHERE:
            what = "links" if kind == _LINK_INFO else "attributes"
            self.contents.unread[f"{what} in a fractal heap"] = None

    def _filters(self, body: memoryview, name: str) -> None:
        version, count = body[0], body[1]
        at = 8 if version == 1 else 2
        for _ in range(count):
            number = struct.unpack_from("<H", body, at)[0]
            named = version == 1 or number >= _OWN_FILTERS
            length = struct.unpack_from("<H", body, at + 2)[0] if named else 0
            values = struct.unpack_from("<H", body, at + (6 if named else 4))[0]
            if number >= _OWN_FILTERS:
                self.contents.unread[f"filter {number} of somebody's plugin"] = None
            at += (8 if named else 6) + (-(-length // 8) * 8 if version == 1 else length)
            at += 4 * (values + (values % 2 if version == 1 else 0))

    def _attribute(self, body: memoryview, path: str) -> None:
        version, flags = body[0], body[1]
        name_size, type_size, space_size = struct.unpack_from("<HHH", body, 2)
        at = 8 + (1 if version == 3 else 0)

        def padded(size: int) -> int:
            return -(-size // 8) * 8 if version == 1 else size

        name = bytes(body[at : at + name_size]).rstrip(b"\0").decode("utf-8", "replace")
        at += padded(name_size)
        kind = body[at : at + type_size]
        value = body[at + padded(type_size) + padded(space_size) :]
        if version > 1 and flags & 1:
            self.contents.unread["attributes of a named type"] = None
        elif kind[0] & 15 in _TEXTS:
            size = struct.unpack_from("<I", kind, 4)[0]
            self.contents.texts[f"{path}@{name}"] = bytes(value[:size]).rstrip(b"\0")
        elif kind[0] & 15 == 9 and len(value) == 16:
            self.contents.texts[f"{path}@{name}"] = self._global_text(value)

    def _global_text(self, reference: memoryview) -> bytes:
        length, heap, number = struct.unpack_from("<IQI", reference)
        if length == 0 or heap in (0, _NOWHERE):
            return b""
        if bytes(self._bytes(heap, 4)) != b"GCOL" or length > _LARGEST_TEXT:
            raise Broken(f"no heap at {heap}")
        at, end = heap + 16, heap + self._number("<Q", heap + 8)
        while at + 16 <= end:
            self._budget.spend("opcodes")
            index, size = self._number("<H", at), self._number("<Q", at + 8)
            if index == number:
                return bytes(self._bytes(at + 16, min(length, size)))
            if index == 0:
                break
            at += 16 + -(-size // 8) * 8
        raise Broken(f"text {number} is not in its heap")
