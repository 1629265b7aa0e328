"""Every byte of a zip file belongs to something."""

import io
import struct
import zipfile

import pytest
from tests.supply.packing import archive

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes

EVIL = b"cposix\nsystem\n(S'true'\ntR."
GOOD = b"\x80\x02N."


def scanned(data):
    """Scan bytes; return the verdict and the rules of what was found."""
    result = scan_bytes(memoryview(data), "m.zip", Budget())
    return result.verdict, {one.rule for one in result.findings}


def without_entry(data, name):
    """Take a member out of the directory and leave its bytes where they are."""
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(name))
    end = at + 46 + len(name)
    directory = data.find(b"PK\x01\x02")
    tail = data.rfind(b"PK\x05\x06")
    count = struct.unpack_from("<H", data, tail + 10)[0] - 1
    last = struct.pack("<HHII", count, count, tail - directory - (end - at), directory) + bytes(2)
    return data[:at] + data[end:tail] + data[tail : tail + 8] + last


def test_an_honest_file_in_every_form():
    """Stored and packed, as a stream with descriptors, for large files, with a comment, padded as torch does."""
    assert scanned(archive("zip", {"a": GOOD, "b": GOOD})) == (Verdict.CLEAN, set())

    class Stream(io.BytesIO):
        def seekable(self):
            return False

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.comment = b"made by hand"
        for name in "ab":
            with packed.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(GOOD)
    assert scanned(stream.getvalue()) == (Verdict.CLEAN, set())


@pytest.mark.parametrize("name", [b"first", b"later"])
def test_a_member_that_the_directory_does_not_list(name):
    """At the end or in between, whoever reads the file as a stream gets it."""
    data = archive("zip", {"zero": GOOD, "first": EVIL, "later": EVIL, **({"z": GOOD} if name == b"first" else {})})
    data = without_entry(data, name)
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    verdict, rules = scanned(data)
    assert verdict is Verdict.BLOCK
    assert "zip-hidden" in rules


def test_what_stands_behind_the_end():
    """Bytes to review; zeros are padding; a second end is a quarrel between readers."""
    data = archive("zip", {"a": GOOD})
    assert scanned(data + b"more") == (Verdict.REVIEW, {"trailing-data"})
    assert scanned(data + bytes(40)) == (Verdict.CLEAN, set())
    other = archive("zip", {"b": EVIL})
    end = data.rfind(b"PK\x05\x06")
    commented = data[: end + 20] + struct.pack("<H", len(other) + 4) + other + b"    "
    assert scanned(commented)[0] in (Verdict.BLOCK, Verdict.UNREADABLE)


def test_a_pickle_among_the_raw_numbers_of_a_torch_file():
    """Readers take them by position; an archive with a pickle there is none that torch wrote."""
    honest = {"archive/data.pkl": GOOD, "archive/data/0": b"\x80\x02" + bytes(30), "archive/version": b"3\n"}
    assert scanned(archive("zip", honest))[0] is Verdict.CLEAN
    assert scanned(archive("zip", honest | {"archive/data/0": EVIL}))[0] is Verdict.BLOCK
