"""Judges configuration texts beside models: what they would make a loader import, call, fetch or fill in.

JSON and YAML hold no code, but loaders import what they name: Keras classes, `auto_map` (code of the repository, run
with trust_remote_code), `_target_` of Hydra and NeMo (CVE-2025-23304), modules of sentence-transformers, YAML tags of
Python objects, chat templates in tokenizer_config.json, shards by path.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply import keras_configs
from bartizan.supply.base import unreadable
from bartizan.supply.chat_templates import chat_template

_DEPTH = 60
_JSON_MARKS = ("chat_template", "auto_map", "_target_", "weight_map", '"class_name"', '"idx"', "\\u")
_YAML_TAG = re.compile(r"!!python/[\w/.:]+|!<?tag:yaml\.org,2002:python/[^\s>]+|!%21python/\S+")
_YAML_DATA = re.compile(r"!!python/(?:str|unicode|bytes|int|long|float|complex|bool|none|list|tuple|dict)\b")
_TARGET = re.compile(r"""(?m)^\s*(?:-\s*)?["']?_target_["']?\s*:\s*["']?([\w.]+)""")
_YAML_KERAS = re.compile(r"""(?m)^\s*(?:-\s*)?["']?class_name["']?\s*:\s*["']?(\w+)""")
_LOADER = re.compile(r"""(?m)^\s*loader_module:\s*["']?([\w.]+)""")
_OWN_LOADERS = ("mlflow.", "databricks.")
_STANDARD = frozenset(sys.stdlib_module_names)
_CODE = {"Lambda", "TFSMLayer", "TorchModuleWrapper"}


def json_findings(text: str, where: str) -> list[Finding]:
    """Return what a JSON text would make a loader do; nothing for other texts and for most JSON."""
    if not any(mark in text for mark in _JSON_MARKS):
        return []
    try:
        tree = json.loads(text)
        found = list(_walk(tree, where, 0))
    except ValueError:
        return []
    except RecursionError:
        return [unreadable("JSON that is nested too deep", where)]
    if isinstance(tree, dict) and isinstance(tree.get("class_name"), str) and "config" in tree:
        found += keras_configs.keras_config(text.encode("utf-8", "surrogatepass"), where)
    if isinstance(tree, list):
        found += _modules(tree, where)
    return list(dict.fromkeys(found))


def _walk(tree: Any, where: str, depth: int) -> Iterator[Finding]:
    if depth > _DEPTH:
        raise RecursionError
    if isinstance(tree, list):
        for inner in tree:
            if isinstance(inner, dict | list):
                yield from _walk(inner, where, depth + 1)
    if not isinstance(tree, dict):
        return
    for key, inner in tree.items():
        if key == "chat_template":
            yield from _templates(inner, where)
        elif key == "auto_map" and inner:
            yield Finding("remote-code", Severity.MEDIUM, _auto_map(inner), where)
        elif key == "_target_" and isinstance(inner, str):
            yield from _target(inner, where)
        elif key == "weight_map" and isinstance(inner, dict):
            yield from _shards(inner, where)
        elif isinstance(inner, dict | list):
            yield from _walk(inner, where, depth + 1)


def _templates(inner: Any, where: str) -> Iterator[Finding]:
    texts = [inner] if isinstance(inner, str) else []
    if isinstance(inner, list):
        texts = [one["template"] for one in inner if isinstance(one, dict) and isinstance(one.get("template"), str)]
    elif isinstance(inner, dict):
        texts = [one for one in inner.values() if isinstance(one, str)]
    for text in texts:
        yield from chat_template(text, f"{where}#chat_template")


def _auto_map(inner: Any) -> str:
    named = [str(one) for one in inner.values()] if isinstance(inner, dict) else [str(inner)]
    where_from = "of another repository" if any("--" in one for one in named) else "of this repository"
    return f"auto_map has loaders run Python {where_from} (trust_remote_code): {visible(', '.join(named))[:120]}"


def _target(name: str, where: str) -> Iterator[Finding]:
    if name.split(".")[0] in _STANDARD:
        why = f"_target_ has loaders call {visible(name[:80])} (Hydra, NeMo: CVE-2025-23304)"
        yield Finding("config-call", Severity.HIGH, why, where)


def _shards(shards: dict[str, Any], where: str) -> Iterator[Finding]:
    for name in {str(one) for one in shards.values()}:
        if ".." in name.replace("\\", "/").split("/") or name.startswith(("/", "\\", "~")) or "://" in name:
            yield Finding("outside-file", Severity.HIGH, f"a shard outside of the folder: {visible(name[:100])}", where)


def _modules(tree: list[Any], where: str) -> Iterator[Finding]:
    """`modules.json` of sentence-transformers: each entry's `type` is imported."""
    entries = [one for one in tree if isinstance(one, dict) and {"idx", "name", "path", "type"} <= set(one)]
    for one in entries:
        name = str(one["type"])
        if not name.startswith("sentence_transformers."):
            severity = Severity.HIGH if name.split(".")[0] in _STANDARD else Severity.MEDIUM
            why = f"sentence-transformers would import {visible(name[:80])}, which is none of its own"
            yield Finding("remote-code", severity, why, where)


def yaml_findings(text: str, where: str) -> list[Finding]:
    """Return what a YAML text would make a loader do."""
    found = []
    for match in _YAML_TAG.finditer(text):
        if not _YAML_DATA.match(match[0]):
            why = f"{visible(match[0][:80])} builds a Python object when it is loaded without care"
            found.append(Finding("yaml-object", Severity.HIGH, why, where))
    for match in _TARGET.finditer(text):
        found += _target(match[1], where)
    for match in _LOADER.finditer(text):
        if match[1].split(".")[0] in _STANDARD:
            found.append(Finding("config-call", Severity.HIGH, f"MLflow would import {match[1][:80]}", where))
        elif not f"{match[1]}.".startswith(_OWN_LOADERS):
            why = f"MLflow would import {visible(match[1][:80])}, code of the model's own"
            found.append(Finding("remote-code", Severity.MEDIUM, why, where))
    if "keras_version" in text:
        for name in sorted({match[1] for match in _YAML_KERAS.finditer(text)} & _CODE):
            found.append(Finding("keras-code", Severity.HIGH, f"{name} in a Keras model (CVE-2021-37678)", where))
    return list(dict.fromkeys(found))
