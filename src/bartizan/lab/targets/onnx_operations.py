"""The ONNX operations that our torch copy of a graph understands: those of ordinary feed-forward networks.

Each entry takes (inputs, attributes) and returns the output tensor. An operation that is not here leaves the target
without gradients, never with wrong ones. Semantics: the ONNX operator specification, opset 13 and later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

Tensor = torch.Tensor
Attributes = dict[str, Any]
Operation = Callable[[list[Any], Attributes], Tensor]


class NotCovered(Exception):
    """The graph asks for something that the copy does not do."""


def _pads(attributes: Attributes, dims: int) -> list[int]:
    """Return the padding for `F.pad` (last axis first). Raises NotCovered for automatic padding."""
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise NotCovered(f"auto_pad {attributes['auto_pad']!r}")
    pads = list(attributes.get("pads", [0] * 2 * dims))
    return [amount for axis in reversed(range(dims)) for amount in (pads[axis], pads[axis + dims])]


def _conv(inputs: list[Any], a: Attributes) -> Tensor:
    x, weight, bias = inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None
    dims = weight.dim() - 2
    run = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[dims]
    ones = [1] * dims
    padded = F.pad(x, _pads(a, dims)) if any(_pads(a, dims)) else x
    return run(padded, weight, bias, a.get("strides", ones), 0, a.get("dilations", ones), a.get("group", 1))


def _pool(inputs: list[Any], a: Attributes, *, largest: bool) -> Tensor:
    x, kernel = inputs[0], a["kernel_shape"]
    dims = len(kernel)
    if a.get("ceil_mode", 0) or any(step != 1 for step in a.get("dilations", [1])):
        raise NotCovered("pooling with ceil_mode or dilations")
    pads = _pads(a, dims)
    if any(pads):
        if not largest and not a.get("count_include_pad", 0):
            raise NotCovered("average pooling that leaves the padding out")
        x = F.pad(x, pads, value=float("-inf") if largest else 0.0)
    names = {1: ("max_pool1d", "avg_pool1d"), 2: ("max_pool2d", "avg_pool2d"), 3: ("max_pool3d", "avg_pool3d")}[dims]
    run: Callable[..., Tensor] = getattr(F, names[0 if largest else 1])
    return run(x, kernel, a.get("strides", [1] * dims))


def _gemm(inputs: list[Any], a: Attributes) -> Tensor:
    left = inputs[0].mT if a.get("transA", 0) else inputs[0]
    right = inputs[1].mT if a.get("transB", 0) else inputs[1]
    out: Tensor = a.get("alpha", 1.0) * (left @ right)
    return out + a.get("beta", 1.0) * inputs[2] if len(inputs) > 2 else out


def _batch_norm(inputs: list[Any], a: Attributes) -> Tensor:
    x, scale, bias, mean, variance = inputs[:5]
    return F.batch_norm(x, mean, variance, scale, bias, False, 0.0, a.get("epsilon", 1e-5))


def _reshape(inputs: list[Any], a: Attributes) -> Tensor:
    x, shape = inputs[0], [int(size) for size in inputs[1].tolist()]
    if a.get("allowzero", 0) and 0 in shape:
        raise NotCovered("reshape to a size of zero")
    sizes = [x.shape[axis] if size == 0 else size for axis, size in enumerate(shape)]
    if sizes and sizes[0] == 1 and x.shape[0] != 1 and -1 not in sizes:
        sizes[0] = -1  # exporters write the batch of the example input into the graph
    out: Tensor = x.reshape(sizes)
    return out


def _flatten(inputs: list[Any], a: Attributes) -> Tensor:
    axis = a.get("axis", 1)
    x = inputs[0]
    left = 1
    for size in x.shape[:axis]:
        left *= size
    out: Tensor = x.reshape(left, -1)
    return out


def _axes(inputs: list[Any], a: Attributes) -> list[int]:
    """Axes are an attribute up to opset 12 (reductions: 17) and an input after."""
    if len(inputs) > 1 and inputs[1] is not None:
        return [int(axis) for axis in inputs[1].tolist()]
    return [int(axis) for axis in a.get("axes", ())]


def _reduce(name: str) -> Operation:
    run: Callable[..., Tensor] = getattr(torch, name)

    def reduced(inputs: list[Any], a: Attributes) -> Tensor:
        axes = _axes(inputs, a) or list(range(inputs[0].dim()))
        return run(inputs[0], dim=axes, keepdim=bool(a.get("keepdims", 1)))

    return reduced


def _squeeze(inputs: list[Any], a: Attributes) -> Tensor:
    axes = _axes(inputs, a)
    out: Tensor = inputs[0].squeeze(tuple(axes)) if axes else inputs[0].squeeze()
    return out


def _unsqueeze(inputs: list[Any], a: Attributes) -> Tensor:
    out: Tensor = inputs[0]
    for axis in sorted(_axes(inputs, a)):
        out = out.unsqueeze(axis)
    return out


def _clip(inputs: list[Any], a: Attributes) -> Tensor:
    low = inputs[1] if len(inputs) > 1 else a.get("min")
    high = inputs[2] if len(inputs) > 2 else a.get("max")
    out: Tensor = torch.clamp(inputs[0], low, high)
    return out


def _global_average(inputs: list[Any], a: Attributes) -> Tensor:
    out: Tensor = inputs[0].mean(dim=tuple(range(2, inputs[0].dim())), keepdim=True)
    return out


def _pad(inputs: list[Any], a: Attributes) -> Tensor:
    if a.get("mode", b"constant") != b"constant" or len(inputs) > 3:
        raise NotCovered("padding that is not constant, or by axes")
    dims = inputs[0].dim()
    pads = inputs[1].tolist() if len(inputs) > 1 else a["pads"]
    value = float(inputs[2]) if len(inputs) > 2 and inputs[2] is not None else a.get("value", 0.0)
    return F.pad(inputs[0], _pads({"pads": [int(one) for one in pads]}, dims), value=value)


def _cast(inputs: list[Any], a: Attributes) -> Tensor:
    kinds = {1: torch.float32, 11: torch.float64, 6: torch.int32, 7: torch.int64, 9: torch.bool}
    if a["to"] not in kinds:
        raise NotCovered(f"cast to ONNX type {a['to']}")
    out: Tensor = inputs[0].to(kinds[a["to"]])
    return out


def _one(run: Callable[[Any], Tensor]) -> Operation:
    return lambda inputs, a: run(inputs[0])


def _two(run: Callable[[Any, Any], Tensor]) -> Operation:
    return lambda inputs, a: run(inputs[0], inputs[1])


OPERATIONS: dict[str, Operation] = {
    "Abs": _one(torch.abs),
    "Add": _two(torch.add),
    "AveragePool": lambda i, a: _pool(i, a, largest=False),
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": lambda i, a: torch.cat(i, dim=a["axis"]),
    "Conv": _conv,
    "Div": _two(torch.div),
    "Dropout": _one(lambda x: x),
    "Elu": lambda i, a: F.elu(i[0], a.get("alpha", 1.0)),
    "Erf": _one(torch.erf),
    "Exp": _one(torch.exp),
    "Flatten": _flatten,
    "Gather": lambda i, a: (
        i[0].index_select(a.get("axis", 0), i[1].reshape(-1)).squeeze(a.get("axis", 0))
        if i[1].dim() == 0
        else i[0].index_select(a.get("axis", 0), i[1])
    ),
    "Gelu": lambda i, a: F.gelu(i[0], approximate=a.get("approximate", b"none").decode()),
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "HardSigmoid": lambda i, a: torch.clamp(a.get("alpha", 0.2) * i[0] + a.get("beta", 0.5), 0, 1),
    "Identity": _one(lambda x: x),
    "LeakyRelu": lambda i, a: F.leaky_relu(i[0], a.get("alpha", 0.01)),
    "Log": _one(torch.log),
    "LogSoftmax": lambda i, a: F.log_softmax(i[0], dim=a.get("axis", -1)),
    "MatMul": _two(torch.matmul),
    "Max": _two(torch.maximum),
    "MaxPool": lambda i, a: _pool(i, a, largest=True),
    "Min": _two(torch.minimum),
    "Mul": _two(torch.mul),
    "Neg": _one(torch.neg),
    "Pad": _pad,
    "Pow": _two(torch.pow),
    "ReduceMean": _reduce("mean"),
    "ReduceSum": _reduce("sum"),
    "Relu": _one(torch.relu),
    "Reshape": _reshape,
    "Shape": _one(lambda x: torch.tensor(x.shape)),
    "Sigmoid": _one(torch.sigmoid),
    "Softmax": lambda i, a: F.softmax(i[0], dim=a.get("axis", -1)),
    "Softplus": _one(F.softplus),
    "Sqrt": _one(torch.sqrt),
    "Squeeze": _squeeze,
    "Sub": _two(torch.sub),
    "Tanh": _one(torch.tanh),
    "Transpose": lambda i, a: i[0].permute(a["perm"]) if "perm" in a else i[0].permute(*reversed(range(i[0].dim()))),
    "Unsqueeze": _unsqueeze,
}
