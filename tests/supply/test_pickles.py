"""Pickle data: streams, torch's old form, trailing bytes, pickles inside."""

import struct

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.pickles import TORCH_MAGIC, looks_like_pickle, scan_pickle


def scan(data):
    """Scan pickle bytes."""
    return scan_pickle(memoryview(data), "x", Budget())


def magic():
    """Return the pickle of torch's magic number."""
    raw = TORCH_MAGIC.to_bytes(10, "little") + b"\0"
    return b"\x80\x02\x8a" + bytes([len(raw)]) + raw + b"."


def test_the_old_torch_form_is_known():
    """Five pickles, then raw storages."""
    head = magic() + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + b"\x80\x02}." + b"\x80\x02]."
    result = scan(head + struct.pack("<Q", 4) + bytes(16))
    assert (result.verdict, result.format) == (Verdict.CLEAN, "torch legacy")
    evil = magic() + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + b"cposix\nsystem\n(S'true'\ntR." + b"\x80\x02]."
    assert scan(evil).verdict is Verdict.BLOCK


def test_bytes_after_the_end_are_for_review_and_further_pickles_are_read():
    """Noise is noise, a second stream is a stream."""
    assert scan(b"\x80\x02N." + b"\xff\xfe\xfd").verdict is Verdict.REVIEW
    assert scan(b"\x80\x02N.cposix\nsystem\n(S'true'\ntR.").verdict is Verdict.BLOCK
    assert scan(b"\x80\x02N.\x80\x02N.").verdict is Verdict.CLEAN


def test_pickles_inside_pickles_are_followed_to_a_limit():
    """Nine deep is unreadable, not clean."""
    inner = b"\x80\x02cposix\nsystem\n(U\x04truetR."
    for _ in range(3):
        inner = b"\x80\x04B" + struct.pack("<I", len(inner)) + inner + b"."
    assert scan(inner).verdict is Verdict.BLOCK
    deep = b"\x80\x02N."
    for _ in range(12):
        deep = b"\x80\x04B" + struct.pack("<I", len(deep)) + deep + b"."
    assert scan(deep).verdict is Verdict.UNREADABLE


def test_text_is_not_taken_for_a_pickle():
    """Prose does not walk to a STOP."""
    assert not looks_like_pickle(memoryview(b"I am a text about pickles."))
    assert looks_like_pickle(memoryview(b"(dp0\nS'a'\np1\nI1\ns."))
