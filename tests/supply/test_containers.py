"""Containers: members come out under limits; disagreement, traversal and links are findings."""

import gzip
import io
import zipfile

import pytest

from bartizan.supply.base import Budget, LimitReached
from bartizan.supply.containers import unpacked, zip_members


def packed(**members):
    """Return a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_members_come_out_in_order():
    """Name and content, no finding on an honest file."""
    found = []
    members = list(zip_members(memoryview(packed(a=b"1", b=b"2")), "x", Budget(), found))
    assert [(one.name, bytes(one.data)) for one in members] == [("a", b"1"), ("b", b"2")]
    assert found == []


def test_a_bomb_is_not_unpacked():
    """The ratio in the directory is enough."""
    found = []
    bomb = packed(a=bytes(8 << 20))
    assert list(zip_members(memoryview(bomb), "x", Budget(ratio=100), found)) == []
    assert [one.rule for one in found] == ["compression-bomb"]
    zeros = packed(a=bytes(3 << 20))  # a small tensor of zeros, as the onnx package ships them
    assert len(list(zip_members(memoryview(zeros), "x", Budget(), []))) == 1


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x05\x06" + bytes(10), b""])
def test_a_broken_zip_is_unreadable(data):
    """Not empty, not clean."""
    found = []
    assert list(zip_members(memoryview(data), "x", Budget(), found)) == []
    assert [one.rule for one in found] == ["unreadable"]


def test_streams_are_unpacked_under_limits():
    """Damage is a ValueError, size a LimitReached."""
    assert unpacked(memoryview(gzip.compress(b"hello")), "gzip", Budget()) == b"hello"
    with pytest.raises(ValueError, match="breaks off"):
        unpacked(memoryview(gzip.compress(b"hello")[:-4]), "gzip", Budget())
    with pytest.raises(ValueError, match="Error"):
        unpacked(memoryview(b"\x1f\x8b" + bytes(20)), "gzip", Budget())
    with pytest.raises(LimitReached):
        unpacked(memoryview(gzip.compress(bytes(100_000))), "gzip", Budget(output_bytes=1000))


def test_a_checksum_that_differs_in_the_local_header_is_found_in_large_file_form_too():
    """NumPy writes its zip files with sizes in the extra field; the checksum still stands in both headers."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open(zipfile.ZipInfo("a"), "w", force_zip64=True) as member:
        member.write(b"1")
    honest, found = buffer.getvalue(), []
    assert [bytes(one.data) for one in zip_members(memoryview(honest), "x", Budget(), found)] == [b"1"]
    assert found == []
    changed = bytes([*honest[:14], honest[14] ^ 1, *honest[15:]])
    list(zip_members(memoryview(changed), "x", Budget(), found))
    assert [one.rule for one in found] == ["zip-header"]


def test_members_without_a_name_or_before_the_file_are_findings():
    """Found by fuzzing: both ended the scan with an exception."""
    import io
    import zipfile

    from bartizan.supply.base import Budget, Verdict
    from bartizan.supply.scan import scan_bytes

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("abc"), b"\x80\x02N.")
    raw = bytearray(buffer.getvalue())
    nameless = bytearray(raw)
    for magic, at in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        nameless[nameless.find(magic) + at] = 0
    outside = bytearray(raw)
    end = outside.find(b"PK\x05\x06")
    outside[end + 16 : end + 20] = (outside.find(b"PK\x01\x02") + 1).to_bytes(4, "little")
    for data in (nameless, outside):
        assert scan_bytes(memoryview(bytes(data)), "m.pt", Budget()).verdict in (Verdict.BLOCK, Verdict.UNREADABLE)


def test_a_member_that_grows_out_of_nothing():
    """Found by fuzzing: no bytes that say they are millions ended the scan with a division by zero."""
    data = bytearray(packed(a=b""))
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = (9 << 20).to_bytes(4, "little")
    found = []
    assert list(zip_members(memoryview(bytes(data)), "x", Budget(), found)) == []
    assert "compression-bomb" in {one.rule for one in found}


def test_a_short_numpy_header_is_unreadable():
    """Found by fuzzing: a version-2 header of eleven bytes."""
    from bartizan.supply.base import Budget, Verdict
    from bartizan.supply.scan import scan_bytes

    assert scan_bytes(memoryview(b"\x93NUMPY\x59\x05\x00\x00."), "x", Budget()).verdict is Verdict.UNREADABLE
