"""Pickle data: streams, torch's old form, trailing bytes, pickles inside."""

import pickle
import struct

import pytest

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


@pytest.mark.parametrize(
    "inner", [b"\x80\x02cposix\nsystem\n.", b"cposix\nsystem\n(S'true'\ntR.", b"(iposix\nsystem\n."]
)
def test_pickles_of_every_protocol_inside_of_bytes(inner):
    """Also inside of one that names nothing itself."""
    data = inner
    for _ in range(3):
        data = pickle.dumps({"blob": data}, 4)
        assert scan_pickle(memoryview(data), "x", Budget()).verdict is Verdict.BLOCK


def test_bytes_that_begin_and_end_like_an_old_pickle():
    """Sentences are no names that could be imported."""
    for text in (b"class A:\n    pass\n.", b"(see above\nand below.", b"c'est la vie\nsans doute.\nFin."):
        data = pickle.dumps(text, 4)
        assert scan_pickle(memoryview(data), "x", Budget()).verdict is Verdict.CLEAN


def test_the_second_half_of_a_state():
    """A pair is a state and its slots, and slots are set attribute by attribute: the class as well."""
    head = b"\x80\x02ccollections\nOrderedDict\n)RN}U\x09__class__ctorch\nTensor\ns\x86b."
    assert scan_pickle(memoryview(head), "x", Budget()).verdict is Verdict.BLOCK
    honest = b"\x80\x02ctorch.nn\nLinear\n)\x81N}U\x01ak\x01s\x86b.".replace(b"ak", b"aK")
    assert scan_pickle(memoryview(honest), "x", Budget()).verdict is not Verdict.BLOCK
