"""Published ways past scanners of TensorFlow, ONNX and Keras files, each rebuilt without any effect of its own."""

import io
import json
import os
import zipfile

from tests.supply.wire import attribute, field, graph, node, onnx_model, saved

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes, scan_path


def verdict(data, name="file"):
    """Return the verdict for the bytes of a file."""
    return scan_bytes(memoryview(data), name, Budget()).verdict


def keras(**config):
    """Return a .keras file with one object in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": [config]}}))
    return buffer.getvalue()


def test_cve_2025_1550_a_keras_module_and_class_of_choice():
    """Keras imported whatever module the configuration named."""
    assert verdict(keras(module="os", class_name="system", config={"command": "true"})) is Verdict.BLOCK


def test_cve_2025_8747_a_function_of_keras_itself():
    """After the first repair, keras.utils.get_file could still be named and downloads."""
    assert verdict(keras(module="keras.utils", class_name="get_file", config={})) is Verdict.BLOCK


def test_cve_2025_9905_a_lambda_in_an_old_hdf5_file():
    """Safe mode was ignored for HDF5."""
    assert verdict(b"\x89HDF\r\n\x1a\n" + bytes(32) + b'{"class_name": "Lambda"}') is Verdict.BLOCK


def test_cve_2025_49655_a_torch_module_inside_a_keras_file():
    """Its configuration is a pickle."""
    assert verdict(keras(module="keras.layers", class_name="TorchModuleWrapper", config={})) is Verdict.BLOCK


def test_cve_2025_12058_a_vocabulary_read_from_a_path():
    """Files and addresses were read while loading."""
    config = {"vocabulary": "/etc/passwd"}
    assert verdict(keras(module="keras.layers", class_name="StringLookup", config=config)) is Verdict.BLOCK


def test_cve_2026_1462_a_saved_model_layer():
    """TFSMLayer loads another model from a path."""
    assert verdict(keras(module="keras.layers", class_name="TFSMLayer", config={"filepath": "x"})) is Verdict.BLOCK


def test_modelscan_a_graph_nested_in_dataset_from_graph():
    """A scanner that reads only the outer graph passed it."""
    inner = graph(node("ReadFile"))
    tensor = field(8, field(8, inner))
    outer = graph(node("Const", "c", (), attribute("value", tensor)), node("DatasetFromGraph", "d", ["c"]))
    assert verdict(saved(outer), "saved_model.pb") is Verdict.BLOCK


def test_modelscan_save_v2_as_a_way_to_write_files():
    """SaveV2 writes where its first input says."""
    assert verdict(saved(graph(node("Const", "path"), node("SaveV2", "s", ["path"])))) is Verdict.BLOCK


def test_cve_2022_25882_and_cve_2024_27318_onnx_external_data_outside():
    """By dots, and by dots that a check of the start did not see."""
    assert verdict(onnx_model(location="../../etc/passwd")) is Verdict.BLOCK
    assert verdict(onnx_model(location="data/../../../etc/passwd")) is Verdict.BLOCK


def test_cve_2026_27489_onnx_external_data_behind_links(tmp_path):
    """Symbolic and hard."""
    model, secret = tmp_path / "m/model.onnx", tmp_path / "secret"
    model.parent.mkdir()
    secret.write_bytes(b"x")
    model.write_bytes(onnx_model(location="w.bin"))
    for link in (os.symlink, os.link):
        link(secret, model.parent / "w.bin")
        assert next(iter(scan_path(model))).verdict is Verdict.BLOCK
        (model.parent / "w.bin").unlink()
