"""What the members of a torch file are: pickles, storages, and TorchScript, whose code is read and judged here.

A TorchScript file carries its own program. Its interpreter has no Python in it, but operators that read and write
files (`torch.save`, `torch.from_file`) and remote calls; those are blocked, operators of libraries that do not belong
to torch go to review. Values that the program computes are not followed. A torch.package file carries Python, which
its importer runs: blocked.
"""

import ast
import re
from collections.abc import Iterator

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import unreadable

_PICKLES = ("data", "constants", "traced_inputs", "bytecode")
_ACTS = {
    "save": "writes a file",
    "from_file": "maps a file into memory",
    "load": "unpickles a file",
    "_load_from_file": "reads a file",
    "rpc_sync": "calls another machine",
    "rpc_async": "calls another machine",
    "rpc_remote": "calls another machine",
}
_OWN = frozenset(
    name
    for line in (
        "aten prim prims quantized _quantized quantized_decomposed sparse mkldnn mkldnn_prepacked prepacked xnnpack",
        "profiler torchvision torchaudio inductor onnx cuda static_runtime tensorexpr",
    )
    for name in line.split()
)
"""Namespaces of operators that torch, torchvision and torchaudio bring along."""
_REMOTE = frozenset({"rpc", "dist_autograd", "c10d", "_c10d_functional"})
_OPERATOR = re.compile(rb"([A-Za-z_][\w.]{0,60})::([A-Za-z_]\w{0,80})")
_LONGEST = 20 << 20
_EXPORTED = re.compile(r"/data/(?:weights|constants)/(?:weight|tensor)_\d+$")


class TorchArchive:
    """The members of one zip file by their names."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        roots = {name.rpartition("/")[0] for name in names if name.rpartition("/")[2] == "data.pkl"}
        self._roots = tuple(f"{root}/" if root else "" for root in roots)
        self.is_script = any(name.startswith(f"{root}code/") for root in self._roots for name in names)
        """Whether it brings the code of its types along, so that names below `__torch__` mean those."""

    def is_storage(self, name: str) -> bool:
        """Return whether a member is raw numbers: archive/data/7 beside archive/data.pkl, or those of torch.export.

        Readers take its bytes by position and never unpickle them.
        """
        folder, _, number = name.rpartition("/")
        if number.isdigit() and folder.endswith(_PICKLES):
            return f"{folder}.pkl" in self._names
        return bool(_EXPORTED.search(name)) and f"{folder.rsplit('/', 2)[0]}/archive_format" in self._names

    def is_pickle(self, name: str) -> bool:
        """Return whether a member is a pickle whose persistent ids are the file's own storages."""
        stem = name.rpartition("/")[2].removesuffix(".pkl")
        return name.endswith("data.pkl") or (
            stem in _PICKLES and any(name == f"{one}{stem}.pkl" for one in self._roots)
        )

    def findings(self, name: str, data: memoryview) -> list[Finding]:
        """Return what a member that holds a program does; nothing for others."""
        root = next((one for one in self._roots if name.startswith(one)), None)
        if root is None:
            return []
        if name.startswith(f"{root}code/") and name.endswith(".py"):
            return script_findings(bytes(data[: _LONGEST + 1]), name)
        if name == f"{root}bytecode.pkl":
            return _bytecode_findings(bytes(data), name)
        if name == f"{root}.data/extern_modules":
            why = "a torch.package: its importer runs the Python source inside"
            return [Finding("torch-package", Severity.HIGH, why, name)]
        return []


def script_findings(source: bytes, where: str) -> list[Finding]:
    """Return the operators of a TorchScript program that act on the world, or that torch does not bring along."""
    if len(source) > _LONGEST:
        return [unreadable(f"a program of more than {_LONGEST} bytes", where)]
    try:
        tree = ast.parse(source)
        called = {_dotted(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [unreadable(f"TorchScript that cannot be read: {type(error).__name__}", where)]
    found: list[Finding] = []
    for name in sorted(called - {""}):
        first, *middle = name.split(".")
        if first == "torch":
            found += _judge("aten", name.rpartition(".")[2], name, where)
        elif first == "ops" and middle:
            found += _judge(middle[0], middle[-1], name, where)
    return found


def _dotted(node: ast.expr) -> str:
    """Return a.b.c for an attribute of an attribute of a name, and nothing for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) and parts else ""


def _bytecode_findings(data: bytes, where: str) -> list[Finding]:
    """The names of operators in a lite-interpreter file are plain texts in its pickle."""
    pairs = {(one[1].decode(), one[2].decode()) for one in _OPERATOR.finditer(data)}
    return [found for space, name in sorted(pairs) for found in _judge(space, name, f"{space}::{name}", where)]


def _judge(space: str, name: str, shown: str, where: str) -> Iterator[Finding]:
    if name in _ACTS and space in _OWN:
        yield Finding("torchscript-operator", Severity.HIGH, f"{visible(shown[:100])} {_ACTS[name]}", where)
    elif space in _REMOTE:
        yield Finding("torchscript-operator", Severity.HIGH, f"{visible(shown[:100])} calls other machines", where)
    elif space not in _OWN:
        why = f"{visible(shown[:100])} is an operator of somebody's library"
        yield Finding("torchscript-unknown", Severity.MEDIUM, why, where)
