"""Tensor headers: every byte once; templates: what chat needs and nothing else."""

import json
import struct

import pytest

from bartizan.supply.base import Budget
from bartizan.supply.tensors import gguf, is_safetensors, numpy_file, safetensors


def made(header, size):
    """Return a safetensors file of this header text."""
    raw = header.encode()
    return memoryview(struct.pack("<Q", len(raw)) + raw + bytes(size))


GOOD = json.dumps({"__metadata__": {"format": "pt"}, "a": {"dtype": "F16", "shape": [2, 2], "data_offsets": [0, 8]}})


def test_an_exact_header_is_clean():
    """Metadata, one tensor, no byte over."""
    assert is_safetensors(made(GOOD, 8))
    assert safetensors(made(GOOD, 8), "x") == []


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (GOOD, 9),
        (GOOD, 7),
        (GOOD.replace("[2, 2]", "[2, 3]"), 8),
        (GOOD.replace("F16", "OBJ"), 8),
        (GOOD.replace("[0, 8]", "[8, 0]"), 8),
        ('{"a":1,"a":2}', 0),
        ("{not json", 0),
        ("{" + '"a":{' * 2000, 0),
    ],
)
def test_a_header_that_lies_is_a_finding(header, size):
    """Size, shape, type, order, doubles, no JSON, too deep."""
    assert safetensors(made(header, size), "x")


def test_a_gguf_header_that_lies_is_unreadable():
    """Counts and lengths beyond the file."""
    for body in (struct.pack("<IQQ", 3, 0, 2**60), struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**50), b""):
        assert [one.rule for one in gguf(memoryview(b"GGUF" + body), "x", Budget())] == ["unreadable"]


def test_short_numpy_files_are_unreadable():
    """No header, no verdict."""
    assert numpy_file(memoryview(b"\x93NUMPY"), "x", Budget())[0].rule == "unreadable"
    assert numpy_file(memoryview(b"\x93NUMPY\x01\x00\xff\xff"), "x", Budget())[0].rule == "unreadable"


def test_a_gguf_tensor_is_described_within_bounds():
    """Sides that overflow, an offset outside of the file, and a description that breaks off."""

    def file(*sides, offset=0, cut=0):
        about = struct.pack("<Q", 1) + b"w" + struct.pack("<I", len(sides)) + struct.pack(f"<{len(sides)}Q", *sides)
        body = b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + about + struct.pack("<IQ", 0, offset) + bytes(8)
        return memoryview(body[: len(body) - cut])

    def rules(data):
        return [one.rule for one in gguf(data, "x", Budget())]

    assert rules(file(2)) == []
    assert rules(file(1 << 32, 1 << 32)) == ["gguf-header"]
    assert rules(file(2, offset=1 << 40)) == ["gguf-header"]
    assert rules(file(*[1] * 9)) == ["unreadable"]
    assert rules(file(2, cut=10)) == ["unreadable"]
