"""Only bytes that the lock approves are loaded, by the reader that their content asks for."""

import hashlib
import io
import json
import struct

import joblib
import numpy as np
import pytest
from tests.supply.admission.test_lock import revision

from bartizan.core.errors import BadArtifact, Refused
from bartizan.supply.admission.lock import Lock, Revision
from bartizan.supply.loading import load


def approved(*contents):
    """Return a lock that approves these files."""
    base = revision()
    fields = {name: getattr(base, name) for name in base.__struct_fields__}
    files = {str(number): hashlib.sha256(data).hexdigest() for number, data in enumerate(contents)}
    return Lock().with_revision("m", "m", Revision(**fields | {"files": files}))


def safetensors():
    """Return a file with one tensor."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return struct.pack("<Q", len(header)) + header + np.array([1, 2], dtype="f4").tobytes()


def stored(write, value):
    """Return what `write` puts into a file."""
    buffer = io.BytesIO()
    write(value, buffer)
    return buffer.getvalue()


def test_each_format_is_loaded_once_it_is_approved(tmp_path):
    """safetensors, torch, joblib, NumPy; the name of the file says nothing."""
    torch = pytest.importorskip("torch")
    cases = {
        "safetensors": (safetensors(), lambda found: found["w"].tolist() == [1, 2]),
        "torch": (stored(torch.save, {"w": torch.ones(2)}), lambda found: found["w"].tolist() == [1, 1]),
        "joblib": (stored(joblib.dump, {"w": np.ones(2)}), lambda found: found["w"].tolist() == [1, 1]),
        "numpy": (stored(lambda value, file: np.save(file, value), np.ones(2)), lambda found: found.tolist() == [1, 1]),
    }
    lock = approved(*(data for data, _ in cases.values()))
    for name, (data, holds) in cases.items():
        file = tmp_path / f"{name}.bin"
        file.write_bytes(data)
        assert holds(load(file, lock)), name


def test_an_onnx_model_is_loaded_once_it_is_approved(tmp_path):
    """As a session that answers."""
    helper = pytest.importorskip("onnx.helper")
    value = helper.make_tensor_value_info("x", 1, [1])
    out = helper.make_tensor_value_info("y", 1, [1])
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [value], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "m").write_bytes(model.SerializeToString())
    session = load(tmp_path / "m", approved(model.SerializeToString()))
    assert session.run(None, {"x": np.ones(1, dtype="f4")})[0].tolist() == [-1]


def test_one_changed_byte_is_not_loaded(tmp_path):
    """Whatever it is."""
    data = safetensors()
    (tmp_path / "m").write_bytes(data[:-1] + b"\1")
    with pytest.raises(Refused, match="not approved"):
        load(tmp_path / "m", approved(data))


def test_what_the_scan_blocks_today_is_not_loaded_though_it_was_approved(tmp_path):
    """Knowledge grows."""
    evil = b"cposix\nsystem\n(S'true'\ntR."
    (tmp_path / "m").write_bytes(evil)
    with pytest.raises(Refused, match="BLOCK"):
        load(tmp_path / "m", approved(evil))


def test_other_formats_and_missing_files_are_errors(tmp_path):
    """Not a guess."""
    (tmp_path / "m.txt").write_text("hello")
    with pytest.raises(BadArtifact, match="not loaded here"):
        load(tmp_path / "m.txt", approved(b"hello"))
    with pytest.raises(BadArtifact, match="cannot be read"):
        load(tmp_path / "none", Lock())
