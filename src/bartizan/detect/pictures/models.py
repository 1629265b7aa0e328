"""The networks that read pictures: two files inside a package of PyPI, never downloaded, checked before they are read.

The package (rapidocr, Apache-2.0; PP-OCRv6 by PaddlePaddle, Apache-2.0) is installed without its dependencies and never
imported: it would bring OpenCV and code that fetches models from the network. Its files are data to us.
"""

import hashlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from bartizan.core.errors import BadArtifact, BadSettings

PACKAGE, VERSION = "rapidocr", "3.10.0"
INSTALL = f"pip install 'bartizan[images]' && pip install --no-deps {PACKAGE}=={VERSION}"
FINDS = ("PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f")
READS = ("PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884")
_NEEDED = ("onnxruntime", "PIL")


@dataclass(frozen=True, slots=True)
class Models:
    """The two networks as ONNX: one finds lines of text, one reads them."""

    finds: bytes
    reads: bytes


def models() -> Models:
    """Return the networks after checking their digests. Raises BadSettings if absent, BadArtifact if changed."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise BadSettings(f"pictures cannot be read: {', '.join(missing)} is not installed", hint=INSTALL)
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    return Models(*(_checked(files, name, digest) for name, digest in (FINDS, READS)))


def _checked(files: list[importlib.metadata.PackagePath], name: str, digest: str) -> bytes:
    found = next((Path(str(file.locate())) for file in files if file.name == name), None)
    if found is None or not found.is_file():
        raise BadSettings(f"pictures cannot be read: {name} of {PACKAGE} {VERSION} is not installed", hint=INSTALL)
    data = found.read_bytes()
    if (got := hashlib.sha256(data).hexdigest()) != digest:
        raise BadArtifact(
            f"{found}: SHA-256 is {got}, expected {digest}", hint=f"Expected {PACKAGE} {VERSION}: {INSTALL}"
        )
    return data
