"""External data stays in the model's folder, and operators of somebody's library are shown to a person."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.supply.wire import field, onnx_model, onnx_node

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.onnx_graphs import is_onnx, onnx
from bartizan.supply.scan import scan_bytes, scan_path


def scan(data):
    """Return the verdict for the bytes of a model that is in no folder."""
    return scan_bytes(memoryview(data), "inside.zip!model.onnx", Budget()).verdict


def test_an_ordinary_model_is_clean():
    """It is known by its content."""
    model = onnx_model(onnx_node("MatMul"), onnx_node("Relu", "ai.onnx"))
    assert is_onnx(memoryview(model))
    assert scan(model) is Verdict.CLEAN


@pytest.mark.parametrize(
    "place", ["../x", "a/../../x", "/etc/passwd", "C:\\x", "..\\x", "\\\\host\\x", "", "a\0b", "C:x"]
)
def test_external_data_outside_of_the_folder_is_blocked(place):
    """By any way of writing it."""
    assert scan(onnx_model(location=place)) is Verdict.BLOCK


@pytest.mark.parametrize("where", ["constant", "subgraph", "sparse", "function", "training"])
def test_external_data_is_found_wherever_a_tensor_may_be(where):
    """Not in the initializers only."""
    tensor = field(13, field(1, "location") + field(2, "../x"))
    deep = field(1, onnx_node("Constant", attributes=field(5, field(5, tensor))))
    model = {
        "constant": onnx_model(onnx_node("Constant", attributes=field(5, field(5, tensor)))),
        "subgraph": onnx_model(onnx_node("If", attributes=field(5, field(6, deep)))),
        "sparse": onnx_model(onnx_node("Constant", attributes=field(5, field(22, field(1, tensor))))),
        "function": onnx_model(extra=field(25, field(7, onnx_node("Constant", attributes=field(5, field(5, tensor)))))),
        "training": onnx_model(extra=field(20, field(1, deep))),
    }[where]
    assert scan(model) is Verdict.BLOCK


def verdict_in(folder, location):
    """Write a model that refers to `location` and return its verdict."""
    model = folder / "model.onnx"
    model.write_bytes(onnx_model(location=location))
    return next(one.verdict for one in scan_path(folder) if one.path == str(model))


def test_data_beside_the_model_is_fine_and_missing_data_is_not(tmp_path):
    """What is not there could not be checked."""
    (tmp_path / "w.bin").write_bytes(b"\x01")
    assert verdict_in(tmp_path, "w.bin") is Verdict.CLEAN
    assert verdict_in(tmp_path, "other.bin") is Verdict.UNREADABLE


def test_data_behind_a_link_is_blocked(tmp_path):
    """Symbolic, in the path, or hard."""
    folder, outside = tmp_path / "model", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (folder / "soft.bin").symlink_to(outside / "secret")
    (folder / "inner").symlink_to(outside)
    os.link(outside / "secret", folder / "hard.bin")
    for location in ("soft.bin", "inner/secret", "hard.bin"):
        assert verdict_in(folder, location) is Verdict.BLOCK


def test_an_operator_of_somebodys_library_goes_to_review():
    """Unless the model defines it itself."""
    assert scan(onnx_model(onnx_node("PyOp", "ai.onnx.contrib"))) is Verdict.REVIEW
    defined = field(25, field(1, "Own") + field(10, "own"))
    assert scan(onnx_model(onnx_node("Own", "own"), extra=defined)) is Verdict.CLEAN


def test_graphs_in_graphs_end():
    """Nesting without end is not followed without end."""
    inner = field(2, "g")
    for _ in range(100):
        inner = field(1, onnx_node("If", attributes=field(5, field(6, inner))))
    assert scan(onnx_model(onnx_node("If", attributes=field(5, field(6, inner))))) is Verdict.UNREADABLE


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data):
    """As a graph of a model."""
    onnx(memoryview(onnx_model(data)), "x", Budget())
    onnx(memoryview(field(7, data)), "x", Budget())
