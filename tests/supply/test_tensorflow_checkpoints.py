"""Variables of a SavedModel: its index and shards are numbers; what only claims to be one is not passed."""

import struct

import pytest
from tests.supply.wire import field

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes, scan_path
from bartizan.supply.tensorflow_checkpoints import is_fingerprint, is_index

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)


def table(start=0, size=20):
    """Return a sorted table whose footer points to one block twice."""
    handles = bytes([start, size]) * 2
    return b"\x00" * 40 + handles.ljust(40, b"\0") + MAGIC


def test_a_fingerprint_holds_numbers():
    """As TensorFlow 2.21 writes it; a graph is none."""
    made = b"".join(field(number, 1 << 60) for number in range(1, 6)) + field(6, field(1, 1)) + field(7, "123")
    assert is_fingerprint(memoryview(made))
    assert scan_bytes(memoryview(made), "fingerprint.pb", Budget()).verdict is Verdict.CLEAN
    assert not is_fingerprint(memoryview(field(1, 1) + field(2, b"graph")))
    assert not is_fingerprint(memoryview(made * 100))


@pytest.mark.parametrize(
    ("data", "verdict"),
    [(table(), Verdict.CLEAN), (table(start=90), Verdict.UNREADABLE), (table()[:-1], Verdict.REVIEW)],
)
def test_an_index_points_inside_of_itself(data, verdict):
    """Or is not read."""
    assert scan_bytes(memoryview(data), "variables.index", Budget()).verdict is verdict


def test_a_shard_is_one_beside_its_index_only(tmp_path):
    """A pickle by that name is a pickle; without an index, or with a link for one, it is unknown."""
    shard, beside = tmp_path / "variables.data-00000-of-00001", tmp_path / "variables.index"
    shard.write_bytes(b"\x15\x00\xff" * 40)
    assert next(scan_path(shard)).verdict is Verdict.REVIEW
    beside.write_bytes(b"no table")
    assert next(scan_path(shard)).verdict is Verdict.REVIEW
    beside.write_bytes(table())
    assert next(scan_path(shard)).verdict is Verdict.CLEAN
    shard.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    assert next(scan_path(shard)).verdict is Verdict.BLOCK
    assert not is_index(memoryview(b""))
