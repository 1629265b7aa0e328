"""Skops files: classes by the same list as pickles; loaders that call something, and classes that lie, are blocked."""

import io
import json
import zipfile

import numpy as np
import pytest

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes
from bartizan.supply.skops_files import skops_findings


def node(loader, full, **more):
    """Return one node."""
    module, _, name = full.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": name, **more}


def model(*inner):
    """Return the result for an estimator with these nodes in its state."""
    state = node("DictNode", "builtins.dict", content={str(at): one for at, one in enumerate(inner)})
    schema = node("ObjectNode", "sklearn.linear_model._logistic.LogisticRegression", content=state)
    buffer, array = io.BytesIO(), io.BytesIO()
    np.save(array, np.arange(3.0))
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("1.npy", array.getvalue())
        archive.writestr("schema.json", json.dumps({**schema, "protocol": 2, "_skops_version": "0.16.0"}))
    return scan_bytes(memoryview(buffer.getvalue()), "m.skops", Budget())


def test_an_estimator_of_known_classes_is_clean():
    """With arrays, settings, functions of NumPy."""
    found = model(
        node("NdArrayNode", "numpy.ndarray", type="numpy", file="1.npy"),
        node("JsonNode", "builtins.str", content="null", is_json=True),
        node("FunctionNode", "numpy.log1p"),
        node("TypeNode", "numpy.float64"),
        node("TreeNode", "sklearn.tree._tree.Tree"),
        node("CachedNode", "anything.at_all"),
    )
    assert (found.verdict, found.findings, found.format) == (Verdict.CLEAN, (), "zip with skops")
    assert "numpy.log1p" in found.globals


@pytest.mark.parametrize(
    "evil",
    [
        node("ObjectNode", "subprocess.Popen"),
        node("FunctionNode", "os.system"),
        node("TypeNode", "os._wrap_close"),
        node("MethodNode", "sklearn.linear_model._logistic.LogisticRegression"),
        node("OperatorFuncNode", "operator.call"),
        node("OperatorFuncNode", "operator.methodcaller"),
        node("PartialNode", "functools.partial"),
        node("ReduceNode", "numpy.ndarray"),
        node("DictNode", "os.environ"),
        {"__loader__": ["x"], "__module__": "a", "__class__": "b"},
        {"__class__": 7},
    ],
    ids=str,
)
def test_calls_foreign_names_and_lies_are_blocked(evil):
    """At any depth."""
    assert model(evil).verdict is Verdict.BLOCK
    assert model(node("ListNode", "builtins.list", content=[[evil]])).verdict is Verdict.BLOCK


def test_other_classes_of_libraries_go_to_review():
    """Their methods run later."""
    assert model(node("ObjectNode", "sklearn.somewhere.New")).verdict is Verdict.REVIEW


def test_cve_2025_54412_and_54413_the_class_shown_is_not_the_one_that_runs():
    """Nodes that look like data for the reader who approves them."""
    assert (
        model(node("OperatorFuncNode", "sklearn.linear_model._stochastic_gradient.SGDRegressor")).verdict
        is Verdict.BLOCK
    )
    assert model(node("MethodNode", "builtins.int")).verdict is Verdict.BLOCK


def test_names_in_escapes_are_read_all_the_same():
    """JSON has many spellings of one key."""
    buffer = io.BytesIO()
    text = json.dumps(node("ObjectNode", "subprocess.Popen")).replace("__loader__", "\\u005f_loader__")
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", text)
    assert scan_bytes(memoryview(buffer.getvalue()), "m.skops", Budget()).verdict is Verdict.BLOCK


def test_what_cannot_be_read_is_unreadable():
    """No JSON, or nested without end."""
    assert skops_findings(b"{", "x")[0][0].rule == "unreadable"
    deep = b'{"a":' * 400 + b"1" + b"}" * 400
    assert skops_findings(deep, "x")[0][0].rule == "unreadable"
