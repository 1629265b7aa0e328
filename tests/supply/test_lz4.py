"""LZ4 frames: what the reference writer made is read back; damaged ones and bombs end with a reason."""

import base64
import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.supply.base import Budget, LimitReached, Verdict
from bartizan.supply.lz4 import MAGIC, unpacked
from bartizan.supply.scan import scan_bytes

# lz4.frame of python-lz4 4.4.5 over the same 300 bytes: linked blocks with checksums, and without the size.
CHECKED = (
    "BCJNGHxALAEAAAAAAAD6jAAAAP8IbW9kZWxhYmMAAAAAYWJjd2VpZ2h0cyAIAAUELwAEIAAPMwAABxMAAFUABDIAAAwANWFiYwMABEIAASAABA0AOW"
    "FiYxAABBgAARUAAEIAAQkAAQUABBsAABYAB3MABEIAAxcAAAcABCoAATcAABEAAAIABBUABAgAB0MAASgABBgAAwgAUCBtb2Rlq17gtgAAAADzvrxg"
)
PLAIN = (
    "BCJNGGBAgowAAAD/CG1vZGVsYWJjAAAAAGFiY3dlaWdodHMgCAAFBC8ABCAADzMAAAcTAABVAAQyAAAMADVhYmMDAARCAAEgAAQNADlhYmMQAAQYAA"
    "EVAABCAAEJAAEFAAQbAAAWAAdzAARCAAMXAAAHAAQqAAE3AAARAAACAAQVAAQIAAdDAAEoAAQYAAMIAFAgbW9kZQAAAAA="
)


def test_frames_of_the_reference_writer():
    """With and without checksums, one and two in a row."""
    first, second = (unpacked(memoryview(base64.b64decode(one)), Budget()) for one in (CHECKED, PLAIN))
    assert first == second
    assert (len(first), first[:12], first[-9:]) == (300, b"modelabc\0\0\0\0", b"ghts mode")
    assert unpacked(memoryview(base64.b64decode(CHECKED) + base64.b64decode(PLAIN)), Budget()) == first + second


def frame(*blocks):
    """Return a frame of independent blocks."""
    return MAGIC + b"\x60\x40\x82" + b"".join(struct.pack("<I", len(one)) + one for one in blocks) + bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        base64.b64decode(PLAIN)[:-20],
        base64.b64decode(PLAIN)[:-4],
        base64.b64decode(PLAIN) + b"more",
        MAGIC + b"\x61\x40\x82" + bytes(4),
        frame(b"\x10a\x05\x00"),
        frame(b"\x10a\x00\x00"),
        frame(b"\xf0\xff"),
    ],
)
def test_damaged_frames_say_so(data):
    """Cut, followed by something, with a dictionary, with copies from nowhere."""
    with pytest.raises(ValueError, match=r"breaks off|follow|dictionary|copy|text"):
        unpacked(memoryview(data), Budget())


def test_a_bomb_ends_by_its_budget():
    """One byte, repeated."""
    bomb = frame(b"\x1fa\x01\x00" + b"\xff" * 60_000 + b"\x00\x00")
    with pytest.raises(LimitReached):
        unpacked(memoryview(bomb), Budget(output_bytes=1 << 20))


@given(st.binary(max_size=200))
def test_random_blocks_never_crash_it(noise):
    """Any block."""
    for data in (frame(noise), MAGIC + noise):
        with contextlib.suppress(ValueError, LimitReached):
            unpacked(memoryview(data), Budget(output_bytes=1 << 20))


def test_a_pickle_inside_is_judged():
    """Whatever compresses it."""
    evil = b"cposix\nsystem\n(S'true'\ntR."
    block = bytes([0xF0, len(evil) - 15]) + evil
    result = scan_bytes(memoryview(frame(block)), "m.joblib", Budget())
    assert (result.verdict, result.format) == (Verdict.BLOCK, "lz4 with pickle")
