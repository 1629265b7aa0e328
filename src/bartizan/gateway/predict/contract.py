"""What a model may be asked: every input's name, type, shape, range and NaN, and how much at once.

A request either fits entirely or is refused with what was expected. Nothing is filled in, cut or rounded.
"""

import math
from typing import Any

import numpy as np

from bartizan.core.errors import BadRequest, BadSettings
from bartizan.core.sections.predict import PredictInput, PredictModel
from bartizan.gateway.predict.tensors import Array, Tensor


class Contract:
    """The inputs of one model."""

    def __init__(self, model: PredictModel) -> None:
        """Check against the inputs in `model`."""
        self._model = model
        self._inputs = {entry.name: entry for entry in model.inputs}

    def rows(self, tensors: tuple[Tensor, ...]) -> int:
        """Return how many examples `tensors` hold. Raises BadRequest when they are not what the model takes."""
        given = [tensor.name for tensor in tensors]
        if sorted(given) != sorted(self._inputs):
            expected = ", ".join(sorted(self._inputs))
            raise BadRequest(f"inputs {', '.join(name[:40] for name in given[:8])}: expected {expected}, each once")
        counts = set()
        for tensor in tensors:
            _check(tensor, self._inputs[tensor.name])
            counts.add(len(tensor.values))
        if len(counts) != 1:
            raise BadRequest(f"inputs of {sorted(counts)} examples: expected the same number in each")
        rows = counts.pop()
        if not 1 <= rows <= self._model.rows:
            raise BadRequest(f"{rows} examples: expected 1 to {self._model.rows} in one request")
        return rows

    @property
    def size(self) -> int:
        """Return how many numbers one example has; 0 where that varies."""
        return sum(math.prod(entry.shape) for entry in self._inputs.values()) if self.is_fixed else 0

    def check_learnt(self, what: str, path: str, size: int, made_by: str) -> None:
        """Raise BadSettings when a file of what was learnt is of examples of another size than this model's."""
        if size != self.size or not self.size:
            raise BadSettings(
                f"predict model {self._model.name}: {what} {path}: made for {size} numbers an example, "
                f"expected {self.size}",
                hint=f"`{made_by} {self._model.name} --data FILE`",
            )

    @property
    def is_fixed(self) -> bool:
        """Return whether every example has the same shape."""
        return all(-1 not in entry.shape for entry in self._inputs.values())

    def bounds(self) -> tuple[Array, Array]:
        """Return the smallest and largest value of each number of an example, float32 (size,) each."""
        sizes = [math.prod(entry.shape) for entry in self._inputs.values()]
        low, high = (
            np.repeat([getattr(entry, side) for entry in self._inputs.values()], sizes).astype(np.float32)
            for side in ("low", "high")
        )
        return low, high

    def features(self, tensors: tuple[Tensor, ...]) -> Array:
        """Return each example as one line of numbers, float32 (n, d): the inputs side by side, in the contract's order.

        NaN is read as 0.
        """
        named = {tensor.name: tensor.values for tensor in tensors}
        parts = [named[name].reshape(len(named[name]), -1).astype(np.float32) for name in self._inputs]
        lines = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return np.nan_to_num(lines, copy=False) if any(entry.nan for entry in self._inputs.values()) else lines

    def metadata(self) -> dict[str, Any]:
        """Return what the protocol says about a model. Nothing of the server behind it is told."""
        model = self._model
        outputs: list[dict[str, Any]] = []
        if model.label:
            outputs.append({"name": model.label, "datatype": "INT64", "shape": [-1]})
        if model.scores:
            outputs.append({"name": model.scores, "datatype": "FP32", "shape": [-1, model.classes]})
        inputs = [
            {"name": entry.name, "datatype": entry.datatype, "shape": [-1, *entry.shape]} for entry in model.inputs
        ]
        return {"name": model.name, "versions": [], "platform": "bartizan", "inputs": inputs, "outputs": outputs}


def _check(tensor: Tensor, entry: PredictInput) -> None:
    where = f"input {entry.name!r}"
    if tensor.datatype != entry.datatype:
        raise BadRequest(f"{where}: datatype {tensor.datatype}, expected {entry.datatype}")
    shape = tensor.values.shape
    if len(shape) != len(entry.shape) + 1 or any(
        want not in (-1, got) for want, got in zip(entry.shape, shape[1:], strict=True)
    ):
        expected = ["n", *("any" if size == -1 else size for size in entry.shape)]
        raise BadRequest(f"{where}: shape {list(shape)}, expected [{', '.join(map(str, expected))}]")
    if tensor.values.dtype.kind == "f":
        _check_finite(tensor.values, entry, where)
    if entry.low > -np.inf or entry.high < np.inf:
        with np.errstate(invalid="ignore"):
            outside = (tensor.values < entry.low) | (tensor.values > entry.high)
        if outside.any():
            raise BadRequest(f"{where}: {int(outside.sum())} values outside {entry.low:g}..{entry.high:g}")


def _check_finite(values: Array, entry: PredictInput, where: str) -> None:
    if np.isinf(values).any():
        raise BadRequest(f"{where}: infinite values, or too large for {entry.datatype}")
    if not entry.nan and np.isnan(values).any():
        raise BadRequest(f"{where}: values that are NaN")
