"""Recognises what lies beside a SavedModel's graph: its fingerprint, its variables as an index and shards of numbers.

An index is a sorted table (LevelDB's format) of names, kinds and places; TensorFlow reads the shards by these and runs
nothing of them. A shard is raw: it is taken for one only beside its index, and only where it is no other format.
"""

import re
import struct
from pathlib import Path

from bartizan.core.findings import Finding
from bartizan.supply import protobuf
from bartizan.supply.base import Budget, unreadable

_FOOTER = 48
_MAGIC = 0xDB4775248B80FB57
_SHARD = re.compile(r"(.+)\.data-\d{5}-of-\d{5}")
_FINGERPRINT = {(number, protobuf.VARINT) for number in range(1, 6)}
_LONGEST_FINGERPRINT = 1024


def is_fingerprint(data: memoryview) -> bool:
    """Return whether `data` is a fingerprint: a few checksums, the version of their form, an identifier."""
    if not 0 < len(data) <= _LONGEST_FINGERPRINT:
        return False
    found = protobuf.kinds(data)
    return {(1, protobuf.VARINT), (2, protobuf.VARINT)} <= found <= {*_FINGERPRINT, (6, 2), (7, 2)}


def fingerprint(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return nothing: numbers only."""
    return []


def is_index(data: memoryview) -> bool:
    """Return whether `data` ends like a sorted table."""
    return len(data) >= _FOOTER and struct.unpack_from("<Q", data, len(data) - 8)[0] == _MAGIC


def index(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with an index: its footer must point inside of the file."""
    at, end = len(data) - _FOOTER, len(data) - 8
    try:
        for _ in range(2):
            start, at = protobuf.varint(data[:end], at)
            size, at = protobuf.varint(data[:end], at)
            if start + size > len(data) - _FOOTER:
                return [unreadable(f"the table points to byte {start + size} of {len(data)}", path)]
    except protobuf.Broken as error:
        return [unreadable(f"the table breaks off: {error}", path)]
    return []


def is_shard(path: str) -> bool:
    """Return whether a file is named as a shard and lies beside the index of such a name."""
    named = _SHARD.fullmatch(path)
    beside = Path(f"{named[1]}.index") if named else None
    if beside is None or beside.is_symlink() or not beside.is_file():
        return False
    with beside.open("rb") as file:
        file.seek(max(0, beside.stat().st_size - _FOOTER))
        return is_index(memoryview(file.read(_FOOTER)))
