"""Looks into skops files: a zip with a description of an estimator, node by node, and its arrays beside it.

Skops imports the class that a node names and builds it by the node's loader; the same list decides as for pickles.
Loaders that call methods, operators or reduce functions are blocked: the class they show need not be what they run
(CVE-2025-54412, CVE-2025-54413).
"""

import json
from collections.abc import Iterator
from typing import Any

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.allowed import is_known, tier
from bartizan.supply.base import unreadable

SCHEMA = "schema.json"
_CALLING = {
    "MethodNode": "binds a method of any object",
    "OperatorFuncNode": "calls a function of the operator module",
    "PartialNode": "binds a function and its arguments",
    "ReduceNode": "calls a function of its choice",
    "ConstructorFromReduceNode": "calls a function of its choice",
}
_FIXED = {
    "DictNode": ("builtins.dict", "collections.OrderedDict"),
    "DefaultDictNode": ("collections.defaultdict",),
    "ListNode": ("builtins.list",),
    "SetNode": ("builtins.set",),
    "TupleNode": ("builtins.tuple",),
    "SliceNode": ("builtins.slice",),
    "JsonNode": ("builtins.str", "builtins.int", "builtins.float", "builtins.bool", "builtins.NoneType"),
    "BytesNode": ("builtins.bytes",),
    "BytearrayNode": ("builtins.bytearray",),
}
"""Loaders that build one kind of value; with another class beside them they are not what they say."""
_TABLED = frozenset({"CachedNode"})
_DEPTH = 300


def is_schema(text: memoryview) -> bool:
    """Return whether a text may describe skops nodes; one with escapes may hide that it does."""
    raw = bytes(text)
    return b"__loader__" in raw or b"\\u" in raw


def skops_findings(text: bytes, where: str) -> tuple[list[Finding], list[str]]:
    """Return what a schema would import or call, and the names in it."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [unreadable(f"the schema is no JSON: {type(error).__name__}", where)], []
    reader = _Reader(where)
    reader.node(tree, 0)
    return list(dict.fromkeys(reader.found)), list(dict.fromkeys(reader.names))


class _Reader:
    def __init__(self, where: str) -> None:
        self.where = where
        self.found: list[Finding] = []
        self.names: list[str] = []

    def node(self, tree: Any, depth: int) -> None:
        """Read a node and everything below it."""
        if depth > _DEPTH:
            self.found.append(unreadable(f"the schema is more than {_DEPTH} deep", self.where))
            return
        if isinstance(tree, dict):
            if "__loader__" in tree or "__class__" in tree:
                self.found += self._judge(tree.get("__loader__"), tree.get("__module__"), tree.get("__class__"))
        elif not isinstance(tree, list):
            return
        for inner in tree.values() if isinstance(tree, dict) else tree:
            self.node(inner, depth + 1)

    def _judge(self, loader: Any, module: Any, name: Any) -> Iterator[Finding]:
        if not (isinstance(module, str) and isinstance(name, str) and isinstance(loader, str | None)):
            yield Finding("skops-object", Severity.HIGH, "a node whose class is no text", self.where)
            return
        full = f"{module}.{name}"
        self.names.append(full)
        shown = visible(full[:120])
        allowed = tier(module, name)
        if loader in _CALLING:
            yield Finding("skops-call", Severity.HIGH, f"{loader} {_CALLING[loader]} ({shown})", self.where)
        elif loader in _FIXED:
            if full not in _FIXED[loader]:
                yield Finding("skops-object", Severity.HIGH, f"{loader} says that it builds {shown}", self.where)
        elif loader in _TABLED:
            return
        elif allowed is None:
            why = f"names {shown}, which is not on the list of allowed names"
            yield Finding("skops-object", Severity.HIGH, why, self.where)
        elif allowed == 1 and not is_known(module, name):
            yield Finding("skops-class", Severity.MEDIUM, f"holds an instance of {shown}", self.where)
