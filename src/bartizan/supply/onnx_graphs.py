"""Looks into ONNX models: where their external data lies, and whether they need operators from somebody's library.

External data is followed by name only. A path that leaves the model's folder, by dots, a link or a second hard link, is
blocked (CVE-2022-25882, CVE-2024-27318, CVE-2026-27489). The mathematics of a graph are not judged.
"""

from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply import protobuf
from bartizan.supply.base import Budget, unreadable

_STANDARD = ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "com.microsoft")
_GRAPH, _OPSET = (7, protobuf.BYTES), (8, protobuf.BYTES)
_KNOWN = {
    (number, protobuf.VARINT if number in (1, 5) else protobuf.BYTES) for number in (*range(1, 9), 14, 20, 25, 26)
}


def is_onnx(data: memoryview) -> bool:
    """Return whether `data` is a message with the fields of an ONNX model."""
    if not data or data[0] not in (0x08, 0x12, 0x1A, 0x3A, 0x42):
        return False
    found = protobuf.kinds(data)
    return {_GRAPH, _OPSET} <= found <= _KNOWN


def onnx(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with an ONNX model."""
    reader = _Reader(path, budget)
    try:
        for graph in protobuf.messages(data, 7):
            reader.graph(graph, 0)
        for training in protobuf.messages(data, 20):
            for graph in protobuf.messages(training, 1, 2):
                reader.graph(graph, 0)
        for function in protobuf.messages(data, 25):
            reader.defined.update(f"{domain}" for domain in protobuf.texts(function, 10))
            for node in protobuf.messages(function, 7):
                reader.node(node, 0)
    except protobuf.Broken as error:
        return [*reader.found(), unreadable(f"the graph breaks off: {error}", path)]
    return reader.found()


class _Reader:
    def __init__(self, path: str, budget: Budget) -> None:
        self.path = path
        self.budget = budget
        self.places: dict[str, None] = {}
        self.domains: dict[str, str] = {}
        self.defined: set[str] = set()

    def graph(self, graph: memoryview, depth: int) -> None:
        """Read nodes and tensors of a graph."""
        if depth > 64:
            raise protobuf.Broken("graphs more than 64 deep")
        for number, _, value in protobuf.fields(graph):
            if isinstance(value, memoryview):
                if number == 1:
                    self.node(value, depth)
                elif number == 5:
                    self.tensor(value)
                elif number == 15:
                    self.sparse(value)

    def node(self, node: memoryview, depth: int) -> None:
        """Read an operator, the tensors and the graphs in its attributes."""
        self.budget.spend("members")
        for domain in protobuf.texts(node, 7):
            self.domains.setdefault(domain, next(iter(protobuf.texts(node, 4)), "?"))
        for attribute in protobuf.messages(node, 5):
            for number, _, value in protobuf.fields(attribute):
                if not isinstance(value, memoryview):
                    continue
                if number in (5, 10):
                    self.tensor(value)
                elif number in (6, 11):
                    self.graph(value, depth + 1)
                elif number in (22, 23):
                    self.sparse(value)

    def sparse(self, sparse: memoryview) -> None:
        """Read the two tensors of a sparse one."""
        for tensor in protobuf.messages(sparse, 1, 2):
            self.tensor(tensor)

    def tensor(self, tensor: memoryview) -> None:
        """Remember where the tensor's data lies, if outside."""
        for entry in protobuf.messages(tensor, 13):
            if "location" in protobuf.texts(entry, 1):
                self.places.update(dict.fromkeys(protobuf.texts(entry, 2)))

    def found(self) -> list[Finding]:
        """Return the findings of everything read so far."""
        return [*self._foreign(), *(one for place in self.places for one in _place(place, self.path))]

    def _foreign(self) -> Iterator[Finding]:
        for domain, operator in self.domains.items():
            if domain not in _STANDARD and domain not in self.defined:
                why = f"operator {visible(operator[:80])} of {visible(domain[:80])} needs a library of somebody's"
                yield Finding("onnx-custom-operator", Severity.MEDIUM, why, self.path)


def _place(place: str, path: str) -> list[Finding]:
    def wrong(why: str) -> list[Finding]:
        return [Finding("onnx-external-data", Severity.HIGH, f"external data at {visible(place[:200])!r}: {why}", path)]

    parts = PureWindowsPath(place).parts
    if not place or "\0" in place or ".." in parts or place.startswith(("/", "\\")) or PureWindowsPath(place).drive:
        return wrong("lies outside of the model's folder")
    model = Path(path)
    if not model.is_file():
        return []
    current = model.parent
    for part in parts:
        current = current / part
        if current.is_symlink():
            return wrong(f"{part} is a link, which can point anywhere")
    if not current.is_file():
        return [unreadable(f"external data at {visible(place[:200])!r} is not there", path)]
    if current.stat().st_nlink > 1:
        return wrong("has a second hard link: it is also a file of somewhere else")
    return []
