"""Core ML: custom code to review, other models and weights outside of the package blocked."""

import struct

import pytest

from bartizan.lab.hostile_formats import field, honest_formats, hostile_formats
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes

SAMPLES = {one.name: one.data for one in (*honest_formats(), *hostile_formats())}


def result(data, name="m.mlmodel"):
    """Scan it."""
    return scan_bytes(memoryview(data), name, Budget())


def model(kind, inner):
    """Return a model of one kind."""
    return field(1, 7) + field(2, field(100, field(1, "x"))) + field(kind, inner)


def test_ordinary_networks_and_programs_are_clean():
    """With weights in the package."""
    for name in ("network.mlmodel", "program.mlmodel"):
        found = result(SAMPLES[name])
        assert (found.verdict, found.format) == (Verdict.CLEAN, "coreml")


LAYER = field(1, field(1, "l") + field(500, field(10, "MyLayer")))


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (model(500, LAYER), Verdict.REVIEW),
        (model(403, LAYER), Verdict.REVIEW),
        (model(555, field(1, "MyModel")), Verdict.REVIEW),
        (model(202, field(1, model(500, LAYER))), Verdict.REVIEW),
        (model(200, field(1, field(1, model(556, b"")))), Verdict.BLOCK),
        (model(556, field(1, "x")), Verdict.BLOCK),
        (SAMPLES["coreml-outside.mlmodel"], Verdict.BLOCK),
    ],
)
def test_code_of_others_and_other_files(data, verdict):
    """In pipelines too."""
    assert result(data).verdict is verdict


def test_pipelines_without_end_are_unreadable():
    """Each model holds one."""
    inner = model(500, b"")
    for _ in range(40):
        inner = model(202, field(1, inner))
    assert result(inner).verdict is Verdict.UNREADABLE


def weights(*pieces, more=b""):
    """Return a weight file."""
    out = struct.pack("<II56x", len(pieces), 2)
    for piece in pieces:
        out += struct.pack("<IIQQ40x", 0xDEADBEEF, 1, len(piece), len(out) + 64) + piece
        out += bytes(-len(out) % 64)
    return out + more


def test_weight_files_account_for_every_byte():
    """Pieces where they say, and nothing behind them."""
    good = weights(b"a" * 100, b"b" * 64)
    assert (result(good, "weight.bin").verdict, result(good, "weight.bin").format) == (Verdict.CLEAN, "coreml weights")
    assert result(weights(b"a" * 10, more=b"x" * 64), "weight.bin").verdict is Verdict.REVIEW
    assert result(good[:150], "weight.bin").verdict is Verdict.BLOCK
    assert result(good[:256], "weight.bin").verdict is Verdict.UNREADABLE
