"""Files made to exhaust a scanner: each ends with UNREADABLE or BLOCK, or is small work, within bounded memory."""

import gzip
import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes, scan_path

STOPPED = (Verdict.UNREADABLE, Verdict.BLOCK)


def scanned(data, name="m.pkl", megabytes=200, **limits):
    """Scan under limits, and return the verdict; fails when more memory than `megabytes` was held."""
    tracemalloc.start()
    try:
        result = scan_bytes(memoryview(data), name, Budget(**limits))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes << 20, f"{peak >> 20} MB"
    return result.verdict


def packed(**members):
    """Return a zip of compressed members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_zip_bomb_is_not_unpacked():
    """By its ratio, and by the bytes that it may give."""
    assert scanned(packed(a=bytes(100 << 20))) in STOPPED
    many = packed(**{f"m{number}": b"ab" * 500_000 for number in range(30)})
    assert scanned(many, output_bytes=4 << 20) in STOPPED


def test_archives_inside_archives_end_by_depth_and_by_bytes():
    """Each level holds ten of the one below."""
    inner = bytes(1000)
    for _ in range(12):
        inner = packed(a=inner)
    assert scanned(inner) in STOPPED
    wide = packed(a=b"x" * 100_000)
    for _ in range(4):
        wide = packed(**{f"m{number}": wide for number in range(10)})
    assert scanned(wide, output_bytes=8 << 20, members=2000) in STOPPED
    stream = bytes(1000)
    for _ in range(12):
        stream = gzip.compress(stream, mtime=0)
    assert scanned(stream) in STOPPED
    assert scanned(zlib.compress(bytes(60 << 20), 9), output_bytes=1 << 20) in STOPPED


@pytest.mark.parametrize(
    "body", [b"]" * 120_000, b"(" * 120_000, b"]q\x00" + b"h\x002" * 60_000], ids=["lists", "marks", "memo"]
)
def test_pickles_that_pile_up_values(body):
    """Budgeted by opcodes."""
    assert scanned(b"\x80\x02" + body + b".", opcodes=100_000) in STOPPED


def test_a_pickle_may_not_hold_values_without_end(monkeypatch):
    """The limit on what is held counts stack and memo together."""
    monkeypatch.setattr("bartizan.supply.walk._HELD", 50_000)
    assert scanned(b"\x80\x02" + b"N" * 100_000 + b".") is Verdict.UNREADABLE
    assert scanned(b"\x80\x04" + b"N\x94" * 60_000 + b".") is Verdict.UNREADABLE


def test_pickles_inside_pickles_end_by_depth():
    """Each is a literal of the next."""
    data = b"\x80\x04N."
    for _ in range(30):
        data = b"\x80\x04B" + struct.pack("<I", len(data)) + data + b"."
    assert scanned(data) in STOPPED


def test_lengths_that_lie_take_no_memory():
    """Literals, frames, headers and arrays that claim gigabytes."""
    huge = (0x7FFFFFF0).to_bytes(8, "little")
    for data in (
        b"\x80\x04\x8d" + huge + b"a.",
        b"\x80\x04\x8e" + huge + b"a.",
        b"\x80\x04\x95" + huge + b"N.",
        b"\x80\x02c__builtin__\nbytearray\n\x8a\x05\x00\x00\x00\x00\x40\x85R.",
        struct.pack("<Q", 90_000_000) + b"{",
        b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 62),
        b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFF00) + b"{}",
    ):
        assert scanned(data, "m") in STOPPED, data[:12]


def test_sparse_files_cost_nothing(tmp_path):
    """Twenty gigabytes of nothing are mapped and not read; whatever their name says, they are not clean."""
    for name in ("m.pkl", "config.json", "m.pt", "notes.md"):
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(20 << 30)
        (result,) = scan_path(path)
        assert result.verdict is not Verdict.CLEAN
        path.unlink()


def test_long_texts_are_not_held(monkeypatch):
    """Tables are data by their name; a program of that length is not checked."""
    monkeypatch.setattr("bartizan.supply.scan._LARGEST_TEXT", 1000)
    rows = b"a,b\n" * 1000
    assert scanned(rows, "t.csv") is Verdict.CLEAN
    assert scanned(rows, "t.py") is Verdict.UNREADABLE
