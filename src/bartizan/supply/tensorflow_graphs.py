"""Looks into TensorFlow graphs (SavedModel and GraphDef): every operation, in functions and nested graphs too.

Operations that read or write files, open connections or run Python are blocked. Saving and restoring the model's own
variables is ordinary when the file name is the one that the saver passes in, and blocked otherwise. Operations on
neither list go to review. Values that are computed while the graph runs are not followed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply import protobuf
from bartizan.supply.base import Budget, unreadable
from bartizan.supply.tensorflow_operations import BLOCKED, ORDINARY, SAVING

_OP = re.compile(r"[A-Z_>][A-Za-z0-9_>]{1,99}")
_DEPTH = 16


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    ops: tuple[str, ...]
    inputs: tuple[str, ...]
    calls: tuple[str, ...]


@dataclass
class _Graph:
    """One graph or function body: its nodes by name."""

    where: str
    nodes: dict[str, _Node] = field(default_factory=dict)
    saver: frozenset[str] = frozenset()
    """Nodes of the main graph that hold the saver's file name; None of them in functions, where arguments count."""
    is_function: bool = False

    _given: set[str] | None = None

    def name_is_given(self, node: _Node) -> bool:
        """Return whether the file name, the first input, comes from the saver or from the function's caller."""
        if self._given is None:
            self._given = self._reached()
        return bool(node.inputs) and _plain(node.inputs[0]) in self._given

    def _reached(self) -> set[str]:
        """Return every name that the saver or an argument flows into, each edge looked at once."""
        readers: dict[str, list[str]] = {}
        for node in self.nodes.values():
            for name in node.inputs:
                readers.setdefault(_plain(name), []).append(node.name)
        todo = [name for name in readers if name in self.saver or (self.is_function and name not in self.nodes)]
        reached = set(todo)
        while todo:
            fresh = [name for name in readers.get(todo.pop(), ()) if name not in reached]
            reached.update(fresh)
            todo += fresh
        return reached


def _plain(name: str) -> str:
    """Return the node of an input: without the mark of a control edge and the number of its output."""
    return name.lstrip("^").split(":")[0]


def is_saved_model(data: memoryview) -> bool:
    """Return whether TensorFlow would read `data` as a SavedModel: it ignores fields that it does not know."""
    found = protobuf.kinds(data)
    if not {(1, protobuf.VARINT), (2, protobuf.BYTES)} <= found:
        return False
    return len(found) == 2 or any(_holds_graphs(meta) for meta in protobuf.messages(data, 2))


def _holds_graphs(meta: memoryview) -> bool:
    try:
        return any(_holds_nodes(graph) for graph in protobuf.messages(meta, 2))
    except protobuf.Broken:
        return False


def _holds_nodes(data: memoryview) -> bool:
    try:
        return any(_OP.fullmatch(op) for node in protobuf.messages(data, 1) for op in protobuf.texts(node, 2))
    except protobuf.Broken:
        return False


def is_graph(data: memoryview) -> bool:
    """Return whether `data` is a GraphDef: nodes that name an operation, whatever else stands beside them."""
    return (1, protobuf.BYTES) in protobuf.kinds(data) and _holds_nodes(data)


def saved_model(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with a SavedModel."""
    reader = _Reader(path, budget)
    try:
        for meta in protobuf.messages(data, 2):
            savers = protobuf.messages(meta, 3)
            names = {name.split(":")[0] for saver in savers for name in protobuf.texts(saver, 1)}
            for graph in protobuf.messages(meta, 2):
                reader.graph(graph, frozenset(names), 0)
            for asset in protobuf.messages(meta, 6):
                reader.assets += protobuf.texts(asset, 2)
    except protobuf.Broken as error:
        return [*reader.found(), unreadable(f"the graph breaks off: {error}", path)]
    return reader.found()


def graph_def(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with a graph on its own."""
    reader = _Reader(path, budget)
    try:
        reader.graph(data, frozenset(), 0)
    except protobuf.Broken as error:
        return [*reader.found(), unreadable(f"the graph breaks off: {error}", path)]
    return reader.found()


class _Reader:
    def __init__(self, path: str, budget: Budget) -> None:
        self.path = path
        self.budget = budget
        self.graphs: list[_Graph] = []
        self.assets: list[str] = []
        self.functions: set[str] = set()

    def graph(self, data: memoryview, saver: frozenset[str], depth: int) -> None:
        """Read a graph with its functions."""
        if depth > _DEPTH:
            raise protobuf.Broken(f"graphs more than {_DEPTH} deep")
        main = _Graph("graph" if not depth else "nested graph", saver=saver)
        self.graphs.append(main)
        for node in protobuf.messages(data, 1):
            self._node(node, main, depth)
        for library in protobuf.messages(data, 2):
            for function in protobuf.messages(library, 1):
                names = [name for signature in protobuf.messages(function, 1) for name in protobuf.texts(signature, 1)]
                body = _Graph(names[-1] if names else "?", is_function=True)
                self.graphs.append(body)
                self.functions.add(body.where)
                for node in protobuf.messages(function, 3):
                    self._node(node, body, depth)

    def _node(self, data: memoryview, graph: _Graph, depth: int) -> None:
        self.budget.spend("members")
        calls: list[str] = []
        for entry in protobuf.messages(data, 5):
            for value in protobuf.messages(entry, 2):
                calls += self._attribute(value, depth)
        ops, names = protobuf.texts(data, 2), protobuf.texts(data, 1)
        name = names[-1] if names else f"unnamed {len(graph.nodes)}"
        if name in graph.nodes:
            name = f"{name} (again, {len(graph.nodes)})"
        graph.nodes[name] = _Node(name, tuple(ops), tuple(protobuf.texts(data, 3)), tuple(calls))

    def _attribute(self, value: memoryview, depth: int) -> Iterator[str]:
        """Yield the functions an attribute names; read graphs that hide in its strings and tensors."""
        for number, _, inner in protobuf.fields(value):
            if not isinstance(inner, memoryview):
                continue
            if number == 10:
                yield from protobuf.texts(inner, 1)
                for entry in protobuf.messages(inner, 2):
                    for deeper in protobuf.messages(entry, 2):
                        yield from self._attribute(deeper, depth + 1)
            elif number == 2:
                self._hidden(inner, depth)
            elif number == 8:
                for text in protobuf.messages(inner, 8):
                    self._hidden(text, depth)
            elif number == 1:
                for text in protobuf.messages(inner, 2):
                    self._hidden(text, depth)
                for function in protobuf.messages(inner, 9):
                    yield from protobuf.texts(function, 1)

    def _hidden(self, data: memoryview, depth: int) -> None:
        if len(data) > 8 and is_graph(data):
            self.graph(data, frozenset(), depth + 1)

    def found(self) -> list[Finding]:
        """Return the findings of everything read so far, each operation once."""
        all_found: dict[tuple[str, str], Finding] = {}
        saving = {graph.where for graph in self.graphs if self._saves(graph)}
        for graph in self.graphs:
            for node in graph.nodes.values():
                for one in self._judge(node, graph, saving):
                    all_found.setdefault((one.rule, one.why), one)
        for name in self.assets:
            if ".." in name.replace("\\", "/").split("/") or name.startswith(("/", "\\")):
                why = f"asset {visible(name[:200])!r} lies outside of the model's folder"
                all_found[("asset", name)] = Finding("tensorflow-asset", Severity.HIGH, why, self.path)
        return list(all_found.values())

    def _saves(self, graph: _Graph) -> bool:
        return graph.is_function and any(op in SAVING for node in graph.nodes.values() for op in node.ops)

    def _judge(self, node: _Node, graph: _Graph, saving: set[str]) -> Iterator[Finding]:
        where = f"{self.path}#{visible(graph.where[:100])}/{visible(node.name[:100])}"
        for op in node.ops:
            shown = visible(op[:100])
            if op in BLOCKED:
                yield Finding("tensorflow-operation", Severity.HIGH, f"{shown} {BLOCKED[op]}", where)
            elif op in SAVING and not graph.name_is_given(node):
                why = f"{shown} uses a file name that the model chooses, not its saver"
                yield Finding("tensorflow-operation", Severity.HIGH, why, where)
            elif op not in ORDINARY and op not in SAVING and op not in self.functions:
                yield Finding("tensorflow-unknown", Severity.MEDIUM, f"operation {shown} is on no list", where)
        for called in (*node.calls, *node.ops):
            if called in saving and (graph.is_function or not graph.name_is_given(node)):
                why = f"{visible(called[:100])}, which saves or restores files, is called from the model itself"
                yield Finding("tensorflow-operation", Severity.HIGH, why, where)
