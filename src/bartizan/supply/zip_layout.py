"""Accounts for every byte of a zip file: members, directory, comment. What belongs to none of them is found.

Readers of streams take members that the directory does not list; other readers take what stands in front or behind.
"""

import struct
import zipfile
from collections.abc import Iterator
from itertools import pairwise

from bartizan.core.findings import Finding, Severity

_LOCAL, _ENTRY, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END_BYTES = 22
_LONGEST_COMMENT = 0xFFFF
_DESCRIPTOR = 24
"""Sizes and checksum behind a member that was written as a stream."""
_PADDING = 1 << 16


def content_start(data: memoryview, info: zipfile.ZipInfo) -> int:
    """Return where the bytes of a member begin, behind its local header."""
    at = info.header_offset
    if not 0 <= at <= len(data) - 30:
        return len(data)
    name, extra = struct.unpack_from("<HH", data, at + 26)
    return int(at + 30 + name + extra)


def findings(data: memoryview, members: list[zipfile.ZipInfo], comment: int, path: str) -> list[Finding]:
    """Return what stands before, between and behind the parts of a zip file, and a second end of the directory."""
    return list(_findings(data, sorted(members, key=lambda one: one.header_offset), comment, path))


def _findings(data: memoryview, members: list[zipfile.ZipInfo], comment: int, path: str) -> Iterator[Finding]:
    first = min((info.header_offset for info in members), default=0)
    if first > 0:
        yield Finding("zip-prefix", Severity.HIGH, f"{first} bytes stand before the first member", path)
    for before, after in pairwise(members):
        start = content_start(data, before) + before.compress_size
        yield from _gap(data, start, after.header_offset, path)
    end = _end(data)
    if end is None:
        return
    behind = len(data) - end - _END_BYTES - comment
    if behind > 0 and bytes(data[-behind:]).strip(b"\0"):
        yield Finding("trailing-data", Severity.MEDIUM, f"{behind} bytes follow the end of the zip file", path)
    if _END in bytes(data[end + 4 :]):
        yield Finding("zip-header", Severity.HIGH, "two ends of the directory: readers differ on which counts", path)
    if members:
        last = members[-1]
        start, directory = content_start(data, last) + last.compress_size, _directory(data, end)
        yield from _gap(data, start, directory, path)


def _gap(data: memoryview, start: int, end: int, path: str) -> Iterator[Finding]:
    size = end - start
    if size <= 0:
        return
    gap = bytes(data[start : min(end, start + _PADDING)])
    hidden = gap.find(_LOCAL)
    if 0 <= hidden <= _DESCRIPTOR:
        why = "a member that the directory does not list: readers of streams take it"
        yield Finding("zip-hidden", Severity.HIGH, why, path)
    elif size > _DESCRIPTOR and (gap.strip(b"\0") or size > _PADDING):
        yield Finding("zip-gap", Severity.MEDIUM, f"{size} bytes between members belong to none", path)


def _end(data: memoryview) -> int | None:
    """Return where the record at the end begins, as zipfile finds it."""
    if bytes(data[-_END_BYTES : -_END_BYTES + 4]) == _END and bytes(data[-2:]) == b"\0\0":
        return len(data) - _END_BYTES
    start = max(0, len(data) - _LONGEST_COMMENT - _END_BYTES)
    found = bytes(data[start:]).rfind(_END)
    return start + found if found >= 0 else None


def _directory(data: memoryview, end: int) -> int:
    """Return where the directory begins, or the end when it does not say so plainly."""
    (size,) = struct.unpack_from("<I", data, end + 12) if end + 16 <= len(data) else (0,)
    before = end
    if bytes(data[end - 20 : end - 16]) == b"PK\x06\x07":  # the records of large files stand in between
        before = end - 20
        large = bytes(data[max(0, before - 4096) : before]).rfind(b"PK\x06\x06")
        if large >= 0:
            before = max(0, before - 4096) + large
            (size,) = struct.unpack_from("<Q", data, before + 40)
    at = before - size
    return int(at) if at >= 0 and bytes(data[at : at + 4]) == _ENTRY else 0
