"""Turns what an operator writes (a file, an address, a function's name) into a `Target`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import BadSettings
from bartizan.lab.target import Access, Arrays, Spec, Target, Texts, of_callable
from bartizan.lab.targets.torch_modules import named

_WAYS = (
    "model.onnx, model.skops, model.safetensors or model.pth with a factory, "
    "http://host/v2/models/NAME, http://host/invocations, or python:module:function"
)


@dataclass(frozen=True)
class Described:
    """What a target cannot tell by itself. Empty fields mean: find out, or say that it is missing."""

    shape: tuple[int | None, ...] | None = None
    low: float | None = None
    high: float | None = None
    classes: int | None = None
    factory: str = ""
    """`module:function` that makes the torch module for a file of weights."""
    api_key: str = ""
    texts: bool = False

    def arrays(self) -> Arrays | None:
        """Return the stated input, or None when no shape was stated."""
        return None if self.shape is None else Arrays(self.shape, self.low, self.high)


def open_target(reference: str, described: Described | None = None) -> Target:
    """Return the target that `reference` names. Raises BadSettings when it names none, BadArtifact for a bad file."""
    said = described or Described()
    if reference.startswith(("http://", "https://")):
        return _remote(reference, said)
    if reference.startswith("python:"):
        return _function(reference, said)
    path = Path(reference)
    if not path.is_file():
        raise BadSettings(f"target {reference!r}: no such file; expected {_WAYS}")
    match path.suffix:
        case ".onnx":
            from bartizan.lab.targets.onnx_graph import of_onnx

            return _ranged(of_onnx(path, said.arrays()), said)
        case ".skops":
            from bartizan.lab.targets.scikit import load_skops, of_estimator

            spec = Texts() if said.texts else said.arrays()
            return _ranged(of_estimator(path.name, load_skops(path), spec), said)
        case ".safetensors" | ".pt" | ".pth" | ".bin":
            return _weights(path, said)
        case ".pkl" | ".joblib" | ".pickle":
            raise BadSettings(
                f"target {reference!r}: a pickle runs code when it is loaded, so it is not loaded here",
                hint="Save it with skops.io.dump, or load it in a function of your own: python:module:function.",
            )
        case _:
            raise BadSettings(f"target {reference!r}: unknown kind of file; expected {_WAYS}")


def _ranged(target: Target, said: Described) -> Target:
    """Add the stated range to a target that knows its own shape."""
    if isinstance(target.spec, Arrays) and said.shape is None:
        target.spec = Arrays(target.spec.shape, said.low, said.high)
    return target


def _weights(path: Path, said: Described) -> Target:
    from bartizan.lab.targets.torch_modules import load_weights, of_module

    if not said.factory:
        raise BadSettings(
            f"target {path.name}: weights need the function that makes their module",
            hint="Name it: --factory module:function.",
        )
    module = load_weights(path, named(said.factory, "factory"))
    spec = _stated(path.name, said)
    known = _count(path.name, module, spec)
    return of_module(path.name, module, spec, classes=said.classes or known)


def _stated(name: str, said: Described) -> Arrays:
    spec = said.arrays()
    if spec is None:
        raise BadSettings(f"target {name}: the shape of one example is not known", hint="State it: --shape 1,28,28.")
    return spec


def _count(name: str, module: Any, spec: Arrays) -> int:
    """Ask the module how many classes it has; one that fails on an example of this shape is refused."""
    import torch

    from bartizan.lab.targets.agreement import probes

    try:
        with torch.inference_mode():
            return int(module.eval()(torch.from_numpy(probes(spec, rows=1))).shape[1])
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise BadSettings(
            f"{name} fails on one example of shape {spec.shape}: {' '.join(str(error).split())[:200]}",
            hint="State the shape of one example that the module takes, --shape 1,28,28, and name data that have it.",
        ) from error


def _remote(url: str, said: Described) -> Target:
    from bartizan.lab.targets.remote import of_mlflow, of_open_inference

    if "/v2/models/" in url:
        return _ranged(
            of_open_inference(url, said.arrays(), api_key=said.api_key, classes=said.classes),
            said,
        )
    return of_mlflow(url, _stated(url, said), api_key=said.api_key, classes=said.classes)


def _function(reference: str, said: Described) -> Target:
    function = named(reference.removeprefix("python:"), "target")
    if said.classes is None:
        raise BadSettings(f"target {reference}: how many classes it knows is not stated", hint="State it: --classes N.")
    spec: Spec = Texts() if said.texts else _stated(reference, said)
    access = Access.LABELS if _gives_labels(function, spec) else Access.SCORES
    return of_callable(reference, function, spec, classes=said.classes, access=access)


def _gives_labels(function: Any, spec: Spec) -> bool:
    """Ask the function once: one number for each example is a label, a row is scores."""
    from bartizan.lab.targets.agreement import probes

    sample = ["a", "b"] if isinstance(spec, Texts) else probes(spec, rows=2)
    return np.asarray(function(sample)).ndim == 1
