"""Looks into Keras models: which classes their configuration names. Keras imports and calls what it finds there.

Allowed are classes of Keras's own layer, initializer and similar modules (CVE-2025-1550, CVE-2025-8747: everything else
could be named). In HDF5 files every attribute that is a configuration is judged so; beside that the whole file is
searched for code, so that nothing depends on the walk alone.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply import hdf5_files
from bartizan.supply.base import Budget, unreadable
from bartizan.supply.pickles import also_pickle

_PARTS = (
    "activations constraints initializers layers losses metrics models optimizers regularizers random dtype_policies "
    "quantizers engine"
).replace(" ", "|")
_MODULE = re.compile(rf"(?:tensorflow\.|tf_)?keras(?:\.src)?(?:\.(?:{_PARTS})(?:\.[a-z0-9_]+)*)?")
_CLASS = re.compile(
    r"[A-Z][A-Za-z0-9]*|__tensor__|__tuple__|__typespec__|__keras_tensor__|__numpy__|__bytes__|__slice__"
)
_CODE = {
    "Lambda": "holds Python bytecode that runs when the model is loaded or used",
    "__lambda__": "holds Python bytecode that runs when the model is loaded",
    "TFSMLayer": "loads a SavedModel from a path of its own (CVE-2026-1462)",
    "TorchModuleWrapper": "unpickles a PyTorch module (CVE-2025-49655)",
    "JaxLayer": "runs functions that the configuration does not show",
    "FlaxLayer": "runs functions that the configuration does not show",
}
_LOOKUPS = ("StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup")
_DEPTH = 200
_IN_HDF5 = re.compile(rb'"class_name"\s*:\s*"((?:[^"\\]|\\.){1,200})"')


def is_keras_config(text: bytes) -> bool:
    """Return whether a JSON text may describe Keras objects; one with escapes may hide that it does."""
    return b'"class_name"' in text or b"\\u" in text


def keras_config(text: bytes, where: str) -> list[Finding]:
    """Return what a configuration would make Keras import or call."""
    try:
        tree = json.loads(text)
        return list({(one.rule, one.why): one for one in _objects(tree, where, 0)}.values())
    except RecursionError:
        return [unreadable("the configuration is nested too deep", where)]
    except ValueError as error:
        return [unreadable(f"the configuration is no JSON: {error}", where)]


def hdf5(data: memoryview, path: str, budget: Budget) -> list[Finding]:
    """Return what is wrong with an HDF5 file, and what the Keras configurations in it would make Keras do."""
    contents = hdf5_files.walk(data, path, budget)
    found = list(contents.findings)
    for place, text in contents.texts.items():
        where = f"{path}#{visible(place[:100])}"
        if is_keras_config(text):
            found += keras_config(text, where)
        found += _pickled(memoryview(text), where, budget)
    for value in hdf5_files.heap_objects(data, budget):
        found += _pickled(value, path, budget)
    named = {name for match in _IN_HDF5.finditer(data) if (name := _unescaped(match[1])) in _CODE}
    if named and not any(one.rule == "keras-code" for one in found):
        found += [Finding("keras-code", Severity.HIGH, f"{name} {_CODE[name]}", path) for name in sorted(named)]
    for what in contents.unread:
        found.append(Finding("hdf5-partly", Severity.MEDIUM, f"an HDF5 file with {what}, which are not read", path))
    return list(dict.fromkeys(found))


def _pickled(value: memoryview, where: str, budget: Budget) -> Iterable[Finding]:
    """PyTables and pandas unpickle attributes, and values without a fixed size."""
    found = also_pickle(value, where, budget)
    return found.findings if found is not None else ()


def _unescaped(name: bytes) -> str:
    try:
        return str(json.loads(b'"' + name + b'"'))
    except ValueError:
        return name.decode("utf-8", "replace")


def _objects(tree: Any, where: str, depth: int) -> Iterator[Finding]:
    if depth > _DEPTH:
        yield unreadable(f"the configuration is more than {_DEPTH} deep", where)
        return
    if isinstance(tree, dict):
        if "class_name" in tree:
            yield from _object(tree, where)
        for inner in tree.values():
            yield from _objects(inner, where, depth + 1)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _objects(inner, where, depth + 1)


def _object(tree: dict[str, Any], where: str) -> Iterator[Finding]:
    name, module, registered = tree["class_name"], tree.get("module"), tree.get("registered_name")
    shown = visible(f"{module}.{name}"[:120] if module else str(name)[:120])
    if not isinstance(name, str) or not isinstance(module, str | None):
        yield Finding("keras-object", Severity.HIGH, f"{shown} is no name of a class", where)
    elif name in _CODE:
        yield Finding("keras-code", Severity.HIGH, f"{shown} {_CODE[name]}", where)
    elif module in (None, "builtins") and (name == "function" or _CLASS.fullmatch(name)):
        if name == "function" or (registered and ">" in str(registered)):
            yield Finding("keras-custom", Severity.MEDIUM, f"{shown} must be registered by code of your own", where)
    elif module is None or not _MODULE.fullmatch(module) or not _CLASS.fullmatch(name):
        yield Finding("keras-object", Severity.HIGH, f"{shown} would be imported, and is no class of Keras", where)
    config = tree.get("config")
    if name in _LOOKUPS and isinstance(config, dict) and isinstance(config.get("vocabulary"), str):
        why = f"{shown} reads its vocabulary from a path or address (CVE-2025-12058)"
        yield Finding("keras-path", Severity.HIGH, why, where)
