"""Small ONNX graphs made by hand: what exporters write, without an exporter."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(path, nodes, weights, shape, outputs, kind=TensorProto.FLOAT, opset=17):
    """Write a model with the input `x` of (n, *shape)."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, ["n", *shape])],
        [helper.make_tensor_value_info(name, form, None) for name, form in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 9
    onnx.save(model, path)
    return path


def conv_net(path, *, softmax=True, seed=0):
    """Write a small convolutional network over (1, 8, 8) with four classes."""
    draw = np.random.default_rng(seed)
    f = lambda *shape: draw.normal(size=shape).astype(np.float32) * 0.3  # noqa: E731
    weights = {"k": f(4, 1, 3, 3), "kb": f(4), "s": f(4) + 1, "b": f(4), "m": f(4), "v": np.abs(f(4)) + 0.5}
    weights |= {"w": f(64, 4), "wb": f(4), "shape": np.array([0, -1]), "two": np.array(2.0, np.float32)}
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "k", "kb"], ["c"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        node("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"]),
        node("Relu", ["n"], ["r"]),
        node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", ["p", "shape"], ["f"]),
        node("Gemm", ["f", "w", "wb"], ["g"]),
        node("Mul", ["g", "two"], ["z"]),
        *([node("Softmax", ["z"], ["y"], axis=1)] if softmax else [node("Identity", ["z"], ["y"])]),
    ]
    return save(path, nodes, weights, (1, 8, 8), [("y", TensorProto.FLOAT)])
