"""Targets that are ONNX files: answered by onnxruntime, differentiated through a torch copy of the graph.

The copy is trusted only after it gives the same answers as onnxruntime on probes; otherwise the target gives scores.
A final Softmax is left out of the copy, so that gradients do not vanish where the model is sure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from bartizan.core.errors import BadArtifact
from bartizan.lab.needs import need
from bartizan.lab.target import Access, Array, Arrays, ScoreKind, Target, Traits
from bartizan.lab.targets.agreement import disagreement, probes
from bartizan.lab.targets.onnx_operations import OPERATIONS, NotCovered

_TOLERANCE = 1e-3
_DTYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}


class TorchGraph(torch.nn.Module):
    """An ONNX graph run node by node in torch. Raises NotCovered when made from a graph it does not understand."""

    def __init__(self, graph: Any, *, output: str) -> None:
        """Read the nodes that lead to the tensor named `output`."""
        super().__init__()
        numpy_helper = need("onnx.numpy_helper")
        self._values = {one.name: torch.tensor(numpy_helper.to_array(one)) for one in graph.initializer}
        self._nodes = []
        for node in graph.node:
            attributes = {one.name: _attribute(one) for one in node.attribute}
            if node.op_type == "Constant" and isinstance(attributes.get("value"), torch.Tensor):
                self._values[node.output[0]] = attributes["value"]
            elif node.domain not in ("", "ai.onnx") or node.op_type not in OPERATIONS:
                raise NotCovered(f"operation {node.domain or 'ai.onnx'}.{node.op_type}")
            else:
                self._nodes.append((node.op_type, list(node.input), node.output[0], attributes))
        if self._nodes and self._nodes[-1][0] == "Softmax" and self._nodes[-1][2] == output:
            output = self._nodes.pop()[1][0]
        self._input = next(one.name for one in graph.input if one.name not in self._values)
        self._output = output

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the graph's scores for a batch."""
        values: dict[str, Any] = {**self._values, "": None, self._input: x}
        for kind, inputs, output, attributes in self._nodes:
            values[output] = OPERATIONS[kind]([values[name] for name in inputs], attributes)
        result: torch.Tensor = values[self._output]
        return result.reshape(len(x), -1)


def of_onnx(path: Path, spec: Arrays | None = None) -> Target:
    """Return a target for the ONNX classifier in `path`. Raises BadArtifact when it is none."""
    runtime = need("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise BadArtifact(f"{path.name} cannot be run: {type(error).__name__}: {str(error)[:200]}") from error
    entry = session.get_inputs()
    if len(entry) != 1 or entry[0].type not in _DTYPES:
        took = ", ".join(f"{one.name} {one.type}" for one in entry)
        raise BadArtifact(f"{path.name} takes ({took}): expected one input of {', '.join(_DTYPES)}")
    dtype = _DTYPES[entry[0].type]
    spec = spec or Arrays(tuple(size if isinstance(size, int) else None for size in entry[0].shape[1:]))
    output = _scores_output(session, entry[0].name, spec, dtype, path.name)

    def predict(x: Array) -> Array:
        said = np.asarray(session.run([output], {entry[0].name: x.astype(dtype)})[0])
        return said.reshape(len(x), -1)

    sample = predict(probes(spec))
    kind: ScoreKind = "probabilities" if _are_probabilities(sample) else "logits"
    module, note = _copy(path, output, predict, spec, kind)
    access = Access.WHITE_BOX if module is not None else Access.SCORES
    target = Target(path.name, predict, spec, Traits(sample.shape[1], access, kind), module=module)
    target.notes = (note,) if note else ()
    return target


def _scores_output(session: Any, entry: str, spec: Arrays, dtype: Any, name: str) -> str:
    """Return the output that gives one row of scores for each input: exporters of scikit-learn add a label output."""
    x = probes(spec).astype(dtype)
    names = [one.name for one in session.get_outputs()]
    try:
        outputs = session.run(None, {entry: x})
    except Exception as error:
        taken, given = session.get_inputs()[0].shape, (len(x), *x.shape[1:])
        raise BadArtifact(
            f"{name} takes {_shown(taken)} and fails on {_shown(given)}: {' '.join(str(error).split())[:200]}",
            hint="The first number counts examples and must be free. State another shape of one example with --shape, "
            "such as 1,28,28; data that have another number of values are not what the model was made for.",
        ) from error
    for one, said in zip(names, outputs, strict=True):
        if isinstance(said, np.ndarray) and said.ndim == 2 and said.shape[0] == len(x) and said.dtype.kind == "f":
            return str(one)
    raise BadArtifact(f"{name} gives {', '.join(names)}: none is scores of shape (n, classes)")


def _shown(shape: Any) -> str:
    return f"({', '.join(str(size) if isinstance(size, int) else 'any' for size in shape)})"


def _are_probabilities(scores: Array) -> bool:
    return bool((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-3))


def _copy(path: Path, output: str, predict: Any, spec: Arrays, kind: ScoreKind) -> tuple[TorchGraph | None, str]:
    try:
        module = TorchGraph(need("onnx").load(path).graph, output=output).eval()
        off = disagreement(module, predict, spec, kind)
    except NotCovered as error:
        return None, f"{path.name}: no gradients, the copy does not cover {error}"
    except Exception as error:  # noqa: BLE001 - a copy that fails in any way leaves the target without gradients
        return None, f"{path.name}: no gradients, the copy failed with {type(error).__name__}: {error}"
    if off > _TOLERANCE:
        return None, f"{path.name}: no gradients, the copy differs by {off:.2g} in probability"
    return module, ""


def _attribute(attribute: Any) -> Any:
    value = need("onnx.helper").get_attribute_value(attribute)
    if attribute.type == attribute.TENSOR:
        return torch.tensor(need("onnx.numpy_helper").to_array(value))
    return list(value) if isinstance(value, tuple) or type(value).__name__.startswith("Repeated") else value
