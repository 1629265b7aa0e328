"""Only classes of Keras's own modules pass; code, paths and foreign names do not."""

import io
import json
import zipfile

import pytest

from bartizan.lab.hostile_formats import hdf5_sample
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.keras_configs import keras_config
from bartizan.supply.scan import scan_bytes


def layer(name="Dense", module="keras.layers", registered=None, **config):
    """Return one serialized object."""
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def scan(*layers, escape=False):
    """Return the result for a .keras file with these layers."""
    text = json.dumps(layer("Sequential", "keras", layers=list(layers)))
    if escape:
        text = text.replace("class_name", "class\\u005fname")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.10.0"}')
        archive.writestr("config.json", text)
    return scan_bytes(memoryview(buffer.getvalue()), "model.keras", Budget())


def test_a_model_of_keras_layers_is_clean():
    """With initializers, policies and optimizers, of both generations."""
    kernel = layer("GlorotUniform", "keras.initializers", seed=None)
    old = {"class_name": "Dense", "config": {"units": 1}}
    result = scan(
        layer(kernel_initializer=kernel),
        layer("Adam", "keras.optimizers"),
        old,
        layer("Functional", "keras.src.models.functional"),
    )
    assert (result.verdict, result.findings) == (Verdict.CLEAN, ())


@pytest.mark.parametrize(
    "evil",
    [
        layer("Lambda"),
        layer("__lambda__", "builtins"),
        {"class_name": "__lambda__", "config": {"code": "4wEA"}},
        layer("TFSMLayer", filepath="x"),
        layer("TorchModuleWrapper"),
        layer("Popen", "subprocess"),
        layer("get_file", "keras.utils"),
        layer("run", "keras.layers"),
        layer("Sequential", "keras.layers\nos"),
        layer("Dense", "keras_evil.layers"),
        layer("system", None),
        layer("Dense", ["os"]),
        layer(["x"]),
        layer("StringLookup", vocabulary="/etc/passwd"),
    ],
    ids=str,
)
@pytest.mark.parametrize("escape", [False, True])
def test_code_paths_and_foreign_names_are_blocked(evil, escape):
    """Also deep inside another layer, and with a key that is written in escapes."""
    assert scan(evil, escape=escape).verdict is Verdict.BLOCK
    assert scan(layer("Bidirectional", layer=evil), escape=escape).verdict is Verdict.BLOCK


def test_custom_objects_go_to_review():
    """Their code is the loader's own."""
    assert scan(layer("Mine", None, "package>Mine")).verdict is Verdict.REVIEW
    assert scan(layer("function", "builtins")).verdict is Verdict.REVIEW


def test_a_vocabulary_in_the_file_is_fine():
    """Only a path is not."""
    assert scan(layer("StringLookup", vocabulary=["a", "b"])).verdict is Verdict.CLEAN


def test_a_configuration_without_end_is_unreadable():
    """It does not end the scanner."""
    deep = "[" * 100_000

    assert [one.rule for one in keras_config(deep.encode(), "x")] == ["unreadable"]
    nested = layer()
    for _ in range(150):
        nested = layer("Bidirectional", layer=nested)
    assert scan(nested).verdict is Verdict.UNREADABLE


def test_an_hdf5_file_is_judged_by_its_configuration():
    """An ordinary model is clean; code in it is found by the walk, and by its text where no walk leads."""
    assert scan_bytes(memoryview(hdf5_sample("dense")), "m.h5", Budget()).verdict is Verdict.CLEAN
    assert scan_bytes(memoryview(hdf5_sample("lambda")), "m.h5", Budget()).verdict is Verdict.BLOCK
    for name in (b"Lambda", b"\\u004cambda"):
        lost = hdf5_sample("dense") + b'{"class_name" : "' + name + b'"}'
        assert scan_bytes(memoryview(lost), "m.h5", Budget()).verdict is Verdict.BLOCK
