"""HDF5: what h5py writes is walked; ways into other files are found; damage ends with a reason."""

import random
import struct

import pytest

from bartizan.lab.hostile_formats import hdf5_sample
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.hdf5_files import walk
from bartizan.supply.scan import scan_bytes


def contents(data):
    """Walk it."""
    return walk(memoryview(data), "m.h5", Budget())


def test_attributes_are_found_with_their_place():
    """The configuration, whole."""
    found = contents(hdf5_sample("dense"))
    assert found.texts["@model_config"].startswith(b'{"class_name": "Sequential"')
    assert found.texts["@model_config"].endswith(b"}")
    assert (found.findings, found.unread) == ([], {})


@pytest.mark.parametrize(
    ("name", "why"), [("link", "link into another file"), ("data", "another file"), ("view", "virtual")]
)
def test_ways_into_other_files_are_hostile(name, why):
    """External links, external data (CVE-2026-1669) and virtual data sets, in old and new headers."""
    (finding,) = contents(hdf5_sample(name)).findings
    assert why in finding.why
    assert scan_bytes(memoryview(hdf5_sample(name)), "m", Budget()).verdict is Verdict.BLOCK


def test_what_the_walk_does_not_read_goes_to_review():
    """Links in a heap, addresses of another size."""
    raw = bytearray(hdf5_sample("view"))
    at = raw.find(b"\x02\x12\x00")  # the message about links: type 2, its length
    raw[at + 6 : at + 14] = (64).to_bytes(8, "little")
    assert "links in a fractal heap" in contents(bytes(raw)).unread
    other = bytearray(hdf5_sample("dense"))
    other[13] = 4
    assert list(contents(bytes(other)).unread) == ["addresses of other sizes"]
    assert scan_bytes(memoryview(bytes(other)), "m", Budget()).verdict is Verdict.REVIEW


@pytest.mark.parametrize("size", [8, 9, 60, 96, 200, 900, 2000])
def test_a_cut_file_is_unreadable_or_hostile(size):
    """Never clean."""
    found = scan_bytes(memoryview(hdf5_sample("lambda")[:size]), "m", Budget())
    assert found.verdict in (Verdict.UNREADABLE, Verdict.BLOCK)


@pytest.mark.parametrize("name", ["dense", "lambda", "link", "data", "view"])
def test_random_damage_never_crashes_it(name):
    """Any verdict, no exception, no endless walk."""
    draw = random.Random(7)
    whole = hdf5_sample(name)
    for _ in range(150):
        raw = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            raw[draw.randrange(8, min(len(raw), 3000))] = draw.choice((0, 1, 2, 255, draw.randrange(256)))
        scan_bytes(memoryview(bytes(raw)), "m", Budget(seconds=5))


def test_lengths_beyond_every_memory_are_unreadable():
    """Found by fuzzing: the length of a link's name, in eight bytes."""
    raw = bytearray(hdf5_sample("view"))
    at = raw.find(b"\x06", raw.find(b"OHDR"))
    link = raw.find(b"\x01\x00\x01v", at)
    raw[link + 1 : link + 3 + 8] = b"\x03" + b"\xff" * 9
    assert scan_bytes(memoryview(bytes(raw)), "m", Budget()).verdict is not Verdict.CLEAN


def test_pickles_where_pytables_unpickles_them():
    """In the heap of values without a fixed size; a heap that lies about its sizes ends the walk."""
    evil = b"cposix\nsystem\n(S'true'\ntR."

    def with_heap(value, size=None):
        body = value + bytes(-len(value) % 8)
        entry = struct.pack("<HHIQ", 1, 1, 0, len(value) if size is None else size) + body
        return hdf5_sample("dense") + b"GCOL\x01\0\0\0" + struct.pack("<Q", 32 + len(entry)) + entry + bytes(16)

    def verdict(data):
        return scan_bytes(memoryview(data), "m.h5", Budget()).verdict

    assert verdict(with_heap(evil)) is Verdict.BLOCK
    assert verdict(with_heap(b"(lp1\n.")) is verdict(with_heap(b"just text")) is Verdict.CLEAN
    assert verdict(with_heap(b"just text", size=1 << 63)) is Verdict.CLEAN
