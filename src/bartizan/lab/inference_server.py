"""Serves a `Target` over the Open Inference Protocol v2: the reference upstream of tests, benches and proofs.

Loopback only, JSON and binary tensors, one model. It checks as little as a plain model server does, and answers the
management routes too, so that what stands in front of it has something to deny.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from bartizan.core.errors import BadSettings
from bartizan.lab.target import Access, Array, Arrays, Target

_INPUT, _SCORES, _LABEL = "input", "scores", "label"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Write no line for each request."""
        del format, args

    def do_GET(self) -> None:
        """Answer metadata, health and the management routes."""
        name = self.server.model
        if self.path == f"/v2/models/{name}":
            self._say(200, self.server.metadata())
        elif self.path in ("/v2/health/live", "/v2/health/ready", f"/v2/models/{name}/ready"):
            self._say(200, {})
        elif self.path == "/v2":
            self._say(200, {"name": "bartizan-reference", "version": "1", "extensions": ["binary_tensor_data"]})
        else:
            self._say(200 if "/repository" in self.path or "sharedmemory" in self.path else 404, {"asked": self.path})

    def do_POST(self) -> None:
        """Answer an inference."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path != f"/v2/models/{self.server.model}/infer":
            self._say(200 if "/repository" in self.path or "sharedmemory" in self.path else 404, {"asked": self.path})
            return
        try:
            head = int(self.headers.get("inference-header-content-length", len(body)))
            document, x = _decoded(body, head)
            self._answer(document, self.server.answers(x))
        except Exception as error:  # noqa: BLE001 - a model server answers with its error, stack names and all
            self._say(500, {"error": f"{type(error).__name__} in inference_server.py: {error}"})

    def _answer(self, document: dict[str, Any], answers: dict[str, Array]) -> None:
        asked = document.get("outputs") or [{"name": name} for name in answers]
        outputs, tail = [], b""
        everywhere = bool((document.get("parameters") or {}).get("binary_data_output"))
        for one in asked:
            values = answers[one["name"]]
            entry: dict[str, Any] = {
                "name": one["name"],
                "datatype": "FP32" if values.dtype.kind == "f" else "INT64",
                "shape": list(values.shape),
            }
            if (one.get("parameters") or {}).get("binary_data", everywhere):
                raw = values.tobytes()
                entry["parameters"] = {"binary_data_size": len(raw)}
                tail += raw
            else:
                entry["data"] = values.ravel().tolist()
            outputs.append(entry)
        said = {"model_name": self.server.model, "outputs": outputs}
        if "id" in document:
            said["id"] = document["id"]
        self._say(200, said, tail)

    def _say(self, status: int, document: Any, tail: bytes = b"") -> None:
        head = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/octet-stream" if tail else "application/json")
        if tail:
            self.send_header("inference-header-content-length", str(len(head)))
        self.send_header("content-length", str(len(head) + len(tail)))
        self.end_headers()
        self.wfile.write(head + tail)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: Target, model: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model
        self._target = target
        self._lock = threading.Lock()

    def metadata(self) -> dict[str, Any]:
        """Return the model's name, inputs and outputs."""
        shape = self._target.spec.shape if isinstance(self._target.spec, Arrays) else ()
        outputs = [{"name": _LABEL, "datatype": "INT64", "shape": [-1]}]
        if self._target.access is not Access.LABELS:
            outputs.append({"name": _SCORES, "datatype": "FP32", "shape": [-1, self._target.classes]})
        entry = {"name": _INPUT, "datatype": "FP32", "shape": [-1, *(size or -1 for size in shape)]}
        return {"name": self.model, "platform": "bartizan", "inputs": [entry], "outputs": outputs}

    def answers(self, x: Array) -> dict[str, Array]:
        """Return every output for a batch, one batch at a time."""
        with self._lock:
            if self._target.access is Access.LABELS:
                return {_LABEL: self._target.labels(x)}
            scores = self._target.scores(x)
        return {_LABEL: scores.argmax(axis=1).astype(np.int64), _SCORES: scores.astype(np.float32)}


def _decoded(body: bytes, head: int) -> tuple[dict[str, Any], Array]:
    document = json.loads(body[:head])
    entry = document["inputs"][0]
    size = (entry.get("parameters") or {}).get("binary_data_size")
    raw = entry["data"] if size is None else np.frombuffer(body[head : head + size], dtype=np.float32)
    return document, np.asarray(raw, dtype=np.float32).reshape(entry["shape"])


@contextmanager
def serving(target: Target, model: str = "reference") -> Iterator[str]:
    """Serve `target` on a free loopback port and yield the base URL, without the path."""
    if not isinstance(target.spec, Arrays):
        raise BadSettings(f"{target.name}: only numeric inputs are served")
    server = _Server(target, model)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
