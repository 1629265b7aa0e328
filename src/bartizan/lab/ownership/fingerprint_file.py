"""Keeps a fingerprint in a file (safetensors: plain arrays, nothing that runs), and commits to it by SHA-256.

The digest of the file may be published before any dispute: it tells nothing of the points, and afterwards the owner
can choose neither another model nor other points. The file itself is secret and readable by its owner alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bartizan.core.errors import BadArtifact
from bartizan.lab.needs import need
from bartizan.lab.ownership.fingerprint import Fingerprint

_FORMAT = "bartizan fingerprint 1"
_LARGEST = 1 << 30


def save(path: Path, fingerprint: Fingerprint, facts: Mapping[str, str]) -> str:
    """Write the fingerprint, with `facts` of how it was made, and return the file's SHA-256. Never overwrites."""
    # One entry: the library writes several in any order, and the same fingerprint must be the same bytes.
    words = {_FORMAT: json.dumps({"ours": fingerprint.ours, "facts": dict(facts)}, sort_keys=True)}
    arrays = {
        "points": np.ascontiguousarray(fingerprint.points, dtype=np.float32),
        "evidence": np.ascontiguousarray(fingerprint.evidence, dtype=np.float32),
        "usual": np.ascontiguousarray(fingerprint.usual, dtype=np.float32),
    }
    content: bytes = need("safetensors.numpy").save(arrays, metadata=words)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadArtifact(
            f"{path} cannot be written: {error.strerror or error}",
            hint="A fingerprint that was committed to is not written over: name another file, or move this one away.",
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return hashlib.sha256(content).hexdigest()


def load(path: Path) -> tuple[Fingerprint, dict[str, str], str]:
    """Return the fingerprint in `path`, how it was made, and the file's SHA-256. Raises BadArtifact."""
    try:
        if path.stat().st_size > _LARGEST:
            raise BadArtifact(f"{path.name}: {path.stat().st_size} bytes: expected at most {_LARGEST}")
        content = path.read_bytes()
    except OSError as error:
        raise BadArtifact(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        arrays = need("safetensors.numpy").load(content)
        size = int.from_bytes(content[:8], "little")
        words = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][_FORMAT])
        if not all(np.isfinite(one).all() for one in arrays.values()):
            raise ValueError("values that are NaN or infinite")
        fingerprint = Fingerprint(arrays["points"], arrays["evidence"], int(words["ours"]), arrays["usual"])
        facts = {str(name): str(value) for name, value in words["facts"].items()}
    except Exception as error:
        why = " ".join(str(error).split())[:300]
        raise BadArtifact(
            f"{path.name} is no fingerprint: {type(error).__name__}: {why}",
            hint="Make one with `bartizan lab fingerprint make`.",
        ) from error
    return fingerprint, facts, hashlib.sha256(content).hexdigest()
