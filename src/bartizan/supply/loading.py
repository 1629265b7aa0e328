"""`load(path, lock)`: loads a model only when its very bytes are approved in a lock.

The file is read once; the bytes that were checked are the bytes that are loaded. Only single files: a format that pulls
in others (ONNX external data) is refused. Joblib and scikit-learn files run code of their libraries when loaded: that
is why people must have approved them.
"""

import hashlib
import importlib
import io
from pathlib import Path
from typing import Any

from bartizan.core.errors import BadArtifact, BadSettings, Refused
from bartizan.supply.admission.lock import Lock
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes


def load(path: Path | str, lock: Lock) -> Any:
    """Return the model in `path`: a dict of tensors, what torch or joblib stored, or an ONNX Runtime session.

    Raises Refused when no current revision of the lock holds this file, or when a scan of today blocks it; BadArtifact
    for a format that it does not load; BadSettings when the library is not installed.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadArtifact(f"{file}: cannot be read: {error.strerror or error}") from error
    # (1) These bytes are approved.
    if hashlib.sha256(data).hexdigest() not in lock.file_digests():
        raise Refused(f"{file}: not approved in the lock", hint="Propose it: `bartizan admit propose`.")
    # (2) What was approved once may be known as hostile today.
    result = scan_bytes(memoryview(data), str(file), Budget())
    if result.verdict >= Verdict.UNREADABLE:
        raise Refused(f"{file}: {result.verdict.name}: {result.findings[0].why}")
    # (3) The reader follows from the content, never from the name.
    if "safetensors" in result.format:
        return _library("safetensors.numpy", "safetensors").load(data)
    if result.format == "onnx":
        return _onnx(data, file)
    if data[:2] == b"PK" or result.format == "torch legacy":
        return _library("torch", "torch").load(io.BytesIO(data), weights_only=True, map_location="cpu")
    if "pickle" in result.format:
        return _library("joblib", "joblib").load(io.BytesIO(data))
    if result.format == "numpy":
        return _library("numpy", "numpy").load(io.BytesIO(data), allow_pickle=False)
    raise BadArtifact(f"{file}: {result.format} is not loaded here: expected safetensors, torch, ONNX, joblib or NumPy")


def _onnx(data: bytes, file: Path) -> Any:
    if b"external" in data and b"location" in data:
        raise Refused(f"{file}: may read further files, which this check does not cover")
    return _library("onnxruntime", "onnxruntime").InferenceSession(data, providers=["CPUExecutionProvider"])


def _library(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BadSettings(f"{package} is not installed", hint=f"pip install {package}") from error
