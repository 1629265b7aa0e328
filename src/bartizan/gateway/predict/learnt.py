"""Files of what was learnt from honest inputs: plain arrays with a head in JSON, for their owner only."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import BadArtifact
from bartizan.core.files import write_private
from bartizan.gateway.predict.tensors import Array

Shapes = Mapping[str, tuple[tuple[str | int, ...], str]]
"""Name of each array, with its axes (names stand for sizes that the file tells) and the kind of its numbers."""


@dataclass(frozen=True)
class Form:
    """What one kind of file holds, and which command makes it."""

    what: str
    made_by: str
    version: int
    shapes: Shapes

    def write(self, path: Path, head: Mapping[str, Any], learnt: object) -> None:
        """Write the arrays of `learnt` and the head. Raises OSError."""
        words = json.dumps({"form": self.version, **head}).encode()
        arrays = {name: getattr(learnt, name) for name in self.shapes}
        out = io.BytesIO()
        np.savez_compressed(out, head=np.frombuffer(words, np.uint8), **arrays)
        write_private(path, out.getvalue())

    def read(self, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return head and arrays of a file; nothing in it is executed. Raises BadArtifact."""
        try:
            with np.load(path, allow_pickle=False) as file:
                head = json.loads(file["head"].tobytes())
                arrays = {name: file[name] for name in self.shapes}
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise self.refused(path, error) from None
        if not isinstance(head, dict) or head.get("form") != self.version:
            raise BadArtifact(f"{path}: a {self.what} of another version; make it again: `{self.made_by}`")
        return head, arrays

    def refused(self, path: Path, error: Exception) -> BadArtifact:
        """Return the error for a file that is none of ours."""
        return BadArtifact(
            f"{path}: no {self.what} of a predictive model: {type(error).__name__}: {str(error)[:200]}",
            hint=f"`{self.made_by} MODEL --data FILE` makes one.",
        )

    def check(self, path: Path, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
        """Raise BadArtifact for an array whose shape or kind is not what the sizes say."""
        for name, (axes, kind) in self.shapes.items():
            shape = tuple(sizes[axis] if isinstance(axis, str) else axis for axis in axes)
            if arrays[name].shape != shape or arrays[name].dtype != kind:
                raise BadArtifact(f"{path}: {name} of shape {arrays[name].shape}: expected {shape} {kind}")


def written(lines: object) -> dict[str, float | None]:
    """Return the numbers of a dataclass for JSON, which has no infinity."""
    return {name: None if np.isinf(value) else value for name, value in vars(lines).items()}


def read_back(lines: Mapping[str, float | None]) -> dict[str, float]:
    """Return numbers as they were before `written`."""
    return {name: np.inf if value is None else float(value) for name, value in lines.items()}
