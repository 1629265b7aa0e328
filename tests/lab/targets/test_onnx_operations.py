"""Each operation of the copy gives what onnxruntime gives."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from tests.lab.targets.graphs import save

from bartizan.lab.target import Access
from bartizan.lab.targets.onnx_graph import of_onnx
from bartizan.lab.targets.onnx_operations import OPERATIONS, NotCovered

node = helper.make_node
AXES = {"axes": np.array([1])}


def flat(*nodes):
    """End a graph over (1, 4, 4) with a flattening, so that any shape becomes scores."""
    return [*nodes, node("Flatten", ["m"], ["y"])]


CASES = {
    "activations": flat(
        node("LeakyRelu", ["x"], ["a"]), node("Elu", ["a"], ["b"]), node("Tanh", ["b"], ["c"]),
        node("Sigmoid", ["c"], ["d"]), node("Softplus", ["d"], ["e"]), node("HardSigmoid", ["e"], ["f"]),
        node("Clip", ["f", "low", "high"], ["g"]), node("Erf", ["g"], ["m"]),
    ),
    "arithmetic": flat(
        node("Abs", ["x"], ["a"]), node("Add", ["a", "high"], ["b"]), node("Sqrt", ["b"], ["c"]),
        node("Log", ["c"], ["d"]), node("Exp", ["d"], ["e"]), node("Neg", ["e"], ["f"]),
        node("Sub", ["f", "low"], ["g"]),
        node("Div", ["g", "high"], ["h"]), node("Pow", ["h", "two"], ["i"]), node("Max", ["i", "low"], ["j"]),
        node("Min", ["j", "two"], ["m"]),
    ),
    "average pool": flat(node("AveragePool", ["x"], ["m"], kernel_shape=[2, 2], strides=[1, 1])),
    "global average": flat(
        node("Concat", ["x", "x"], ["c"], axis=1), node("GlobalAveragePool", ["c"], ["m"])
    ),
    "padding": flat(node("Pad", ["x", "pads", "low"], ["m"])),
    "max pool with padding": flat(
        node("MaxPool", ["x"], ["m"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    ),
    "reduce": flat(node("ReduceMean", ["x"], ["a"], axes=[2], keepdims=0), node("ReduceSum", ["a", "axes"], ["m"])),
    "squeeze": flat(node("Squeeze", ["x", "axes"], ["a"]), node("Unsqueeze", ["a", "axes"], ["m"])),
    "transpose": flat(node("Transpose", ["x"], ["m"], perm=[0, 2, 1, 3])),
    "log softmax": flat(node("Flatten", ["x"], ["a"]), node("LogSoftmax", ["a"], ["m"], axis=1)),
    "strided convolution": flat(node("Conv", ["x", "k"], ["m"], strides=[2, 2], pads=[0, 1, 2, 1])),
    "cast and drop": flat(node("Cast", ["x"], ["a"], to=1), node("Dropout", ["a"], ["m"])),
    "constant": flat(
        node("Constant", [], ["one"], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [1.5])),
        node("Mul", ["x", "one"], ["m"]),
    ),
    "gather": flat(node("Gather", ["x", "pick"], ["m"], axis=2)),
    "reshape to the example's batch": flat(node("Reshape", ["x", "batch of one"], ["m"])),
}  # fmt: skip
WEIGHTS = {
    "low": np.array(0.1, np.float32),
    "high": np.array(0.9, np.float32),
    "two": np.array(2, np.float32),
    "axes": np.array([1]),
    "pads": np.array([0, 0, 1, 2, 0, 0, 3, 4]),
    "k": np.random.default_rng(0).normal(size=(2, 1, 3, 3)).astype(np.float32),
    "pick": np.array([3, 0]),
    "batch of one": np.array([1, 2, 8]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_copy_agrees_with_onnxruntime(tmp_path, name):
    """White box means that both gave the same answers."""
    used = {one for each in CASES[name] for one in each.input}
    weights = {key: value for key, value in WEIGHTS.items() if key in used}
    path = save(tmp_path / "n.onnx", CASES[name], weights, (1, 4, 4), [("y", TensorProto.FLOAT)])
    if name.startswith("reshape"):
        from bartizan.lab.needs import need
        from bartizan.lab.targets.onnx_graph import TorchGraph

        graph = TorchGraph(need("onnx").load(path).graph, output="y")
        assert graph(torch.zeros(3, 1, 4, 4)).shape == (3, 16)  # onnxruntime itself takes only a batch of one here
        return
    target = of_onnx(path)
    assert target.access is Access.WHITE_BOX, target.notes


def test_what_is_not_covered_says_so():
    """Automatic padding, reflecting pads and ceiling pools are refused, not guessed."""
    x = torch.zeros(1, 1, 4, 4)
    with pytest.raises(NotCovered, match="auto_pad"):
        OPERATIONS["Conv"]([x, torch.zeros(1, 1, 3, 3)], {"auto_pad": b"SAME_UPPER"})
    with pytest.raises(NotCovered, match="constant"):
        OPERATIONS["Pad"]([x, torch.zeros(8)], {"mode": b"reflect"})
    with pytest.raises(NotCovered, match="ceil_mode"):
        OPERATIONS["MaxPool"]([x], {"kernel_shape": [2, 2], "ceil_mode": 1})
    with pytest.raises(NotCovered, match="leaves the padding out"):
        OPERATIONS["AveragePool"]([x], {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1]})
    with pytest.raises(NotCovered, match="cast"):
        OPERATIONS["Cast"]([x], {"to": 16})
