"""TensorFlow Lite: built-in operators are clean, others judged by name, and no index leads out of the file."""

import random

import pytest

from bartizan.lab.hostile_formats import tflite_sample
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes


def verdict(data):
    """Scan it."""
    return scan_bytes(memoryview(data), "m.tflite", Budget()).verdict


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ({}, Verdict.CLEAN),
        ({"code": 127}, Verdict.CLEAN),
        ({"tensor": -1}, Verdict.CLEAN),
        ({"code": 32, "custom": "FlexErf"}, Verdict.CLEAN),
        ({"code": 32, "custom": "TFLite_Detection_PostProcess"}, Verdict.CLEAN),
        ({"code": 32, "custom": "FlexWriteFile"}, Verdict.BLOCK),
        ({"code": 0, "custom": "FlexReadFile"}, Verdict.BLOCK),
        ({"code": 32, "custom": "FlexOfNobody"}, Verdict.REVIEW),
        ({"code": 32, "custom": "mine"}, Verdict.REVIEW),
        ({"code": 32}, Verdict.REVIEW),
        ({"tensor": 1}, Verdict.BLOCK),
        ({"tensor": -2}, Verdict.BLOCK),
        ({"opcode": 1}, Verdict.BLOCK),
    ],
    ids=str,
)
def test_operators_and_indices(sample, expected):
    """Each on its own."""
    assert verdict(tflite_sample(**sample)) is expected


def test_cut_and_damaged_models_are_never_a_crash():
    """Cut ones are unreadable or hostile."""
    whole = tflite_sample(32, "FlexErf")
    for size in range(8, len(whole) - 40, 4):
        assert verdict(whole[:size]) is not Verdict.CLEAN, size
    draw = random.Random(5)
    for _ in range(400):
        raw = bytearray(whole)
        for _ in range(draw.randint(1, 5)):
            at = draw.randrange(len(raw))
            raw[at] = draw.choice((0, 255, draw.randrange(256)))
        raw[4:8] = b"TFL3"
        verdict(bytes(raw))
