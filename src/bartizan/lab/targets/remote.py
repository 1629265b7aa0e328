"""Targets behind HTTP: the Open Inference Protocol v2 (KServe, Triton, MLServer) and MLflow's scoring route.

Nothing is retried: a retry would be a query that nobody counted. Scores come as the server sends them.
"""

from __future__ import annotations

import weakref
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.lab.target import Access, Array, Arrays, ScoreKind, Target, Traits

_TYPES = {"FP32": np.float32, "FP64": np.float64, "UINT8": np.uint8, "INT64": np.int64, "INT32": np.int32}
_KEY = "It wants a key: --api-key-env NAME where the act has it, else a function of yours: python:module:function."
_NEXT = {401: _KEY, 403: _KEY, 404: "Is the path of the address right, and the name of the model in it?"}
_INTEGERS = ("INT64", "INT32", "INT16", "INT8", "UINT8", "BYTES", "BOOL")


def of_open_inference(
    url: str, spec: Arrays | None = None, *, api_key: str = "", timeout_s: float = 30, classes: int | None = None
) -> Target:
    """Return a target for `http://host/v2/models/NAME`. Shapes and types come from the model's metadata."""
    base = url.rstrip("/").removesuffix("/infer")
    if "/v2/models/" not in base:
        raise BadSettings(f"{url}: expected an address that ends in /v2/models/NAME")
    server = Connection(api_key, timeout_s)
    metadata = server.json("GET", base)
    try:
        entry, outputs = metadata["inputs"][0], metadata["outputs"]
        if len(metadata["inputs"]) != 1 or entry["datatype"] not in _TYPES:
            raise UpstreamFailed(f"{base} takes {metadata['inputs']}: expected one input of {', '.join(_TYPES)}")
        shape = tuple(size if size > 0 else None for size in entry["shape"][1:])
        output = _best_output(outputs)
    except (KeyError, TypeError, IndexError) as error:
        raise UpstreamFailed(f"{base}: metadata without inputs and outputs: {str(metadata)[:200]}") from error
    dtype = _TYPES[entry["datatype"]]

    def predict(x: Array) -> Array:
        data = x.astype(dtype)
        asked = {
            "name": entry["name"],
            "datatype": entry["datatype"],
            "shape": list(x.shape),
            "data": data.ravel().tolist(),
        }
        body = server.json("POST", f"{base}/infer", {"inputs": [asked], "outputs": [{"name": output["name"]}]})
        try:
            said = next(one for one in body["outputs"] if one["name"] == output["name"])
            return np.asarray(said["data"]).reshape(said["shape"])
        except (KeyError, TypeError, ValueError, StopIteration) as error:
            raise UpstreamFailed(f"{base}/infer: no output {output['name']}: {str(body)[:200]}") from error

    labels = output["datatype"] in _INTEGERS
    known = output["shape"][-1] if not labels and len(output["shape"]) > 1 and output["shape"][-1] > 1 else classes
    return _described(base, predict, spec or Arrays(shape), labels=labels, classes=known)


def of_mlflow(
    url: str, spec: Arrays, *, api_key: str = "", timeout_s: float = 30, classes: int | None = None
) -> Target:
    """Return a target for an MLflow scoring server (`…/invocations`); it tells no shapes, so `spec` must."""
    server = Connection(api_key, timeout_s)

    def predict(x: Array) -> Array:
        body = server.json("POST", url, {"inputs": x.tolist()})
        try:
            return np.asarray(body["predictions"])
        except (KeyError, TypeError, ValueError) as error:
            raise UpstreamFailed(f"{url}: no predictions: {str(body)[:200]}") from error

    low, high = spec.bounds()
    middle = np.where(np.isfinite(low + high), (low + high) / 2, 0.0)
    probe = np.broadcast_to(middle, tuple(size or 1 for size in spec.shape))[None].astype(np.float32)
    said = predict(probe)
    if said.ndim == 2 and said.dtype.kind == "f":
        return _described(url, predict, spec, labels=False, classes=said.shape[1])
    return _described(url, predict, spec, labels=True, classes=classes)


def _described(url: str, predict: Any, spec: Arrays, *, labels: bool, classes: int | None) -> Target:
    if classes is None:
        raise BadSettings(f"{url} does not say how many classes it knows", hint="State them: --classes N.")
    if labels:
        traits = Traits(classes, Access.LABELS, batch=256)
        return Target(url, lambda x: predict(x).reshape(len(x)).astype(np.int64), spec, traits)
    sample = predict(_valid(spec))
    kind: ScoreKind = "probabilities" if (sample >= 0).all() and abs(sample.sum() - 1) < 1e-2 else "logits"
    return Target(url, predict, spec, Traits(classes, Access.SCORES, kind, batch=256))


def _valid(spec: Arrays) -> Array:
    low, high = spec.bounds()
    zero = np.clip(np.zeros(tuple(size or 1 for size in spec.shape), dtype=np.float32), low, high)
    return zero[None].astype(np.float32)


def _best_output(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first output of floating scores, or else the first."""
    scores = [one for one in outputs if str(one["datatype"]).startswith(("FP", "BF"))]
    return (scores or outputs)[0]


class Connection:
    """A pool of connections that closes when nobody holds it any more."""

    def __init__(self, api_key: str, timeout_s: float) -> None:
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(headers=headers, timeout=timeout_s, trust_env=False)
        weakref.finalize(self, self._client.close)

    def json(self, method: str, url: str, body: Any = None) -> Any:
        """Return the answer's JSON. Raises UpstreamFailed with what the server said."""
        if urlsplit(url).scheme not in ("http", "https"):
            raise BadSettings(f"{url}: expected http:// or https://")
        try:
            response = self._client.request(method, url, json=body)
            response.raise_for_status()
            return response.json()
        except httpx.HTTPStatusError as error:
            raise UpstreamFailed(
                f"{url}: HTTP {error.response.status_code}: {error.response.text[:200]}",
                hint=_NEXT.get(error.response.status_code, "The log of the server says more."),
            ) from error
        except httpx.HTTPError as error:
            raise UpstreamFailed(
                f"{url}: {type(error).__name__}: {error}",
                hint="Is the server running, and are host and port right? `curl` should reach it from here.",
            ) from error
        except ValueError as error:
            raise UpstreamFailed(
                f"{url} answers what is no JSON: {response.text[:200]!r}",
                hint="Is the path of the address right? A web page, for one, is no model.",
            ) from error
