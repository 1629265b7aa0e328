"""Scans text files: PMML, requirement and lock files, what agents are given, chat templates, source code."""

import json

from bartizan.core.findings import Finding, Severity
from bartizan.supply import model_configs, pmml_models
from bartizan.supply.agents.mcp_servers import scan_servers
from bartizan.supply.agents.skills import is_skill, scan_skill
from bartizan.supply.agents.tool_descriptions import scan_tools
from bartizan.supply.base import Scanned, judged, unreadable
from bartizan.supply.chat_templates import chat_template
from bartizan.supply.packages.dependencies import scan_requirements
from bartizan.supply.packages.indicators import remote_command
from bartizan.supply.packages.javascript_code import javascript_findings, package_json_findings
from bartizan.supply.packages.python_code import pth_findings, python_findings

MODEL_NAMES = tuple(
    f".{name}"
    for line in (
        "pkl pickle p joblib pt pth bin ckpt dill sav npy npz h5 hdf5 keras pb onnx tflite gguf ggml",
        "safetensors model mlmodel mar nemo pdparams pdmodel pdiparams params weights msgpack ot llamafile engine plan",
        "skops caffemodel dat",
    )
    for name in line.split()
)
"""Endings of models in formats that are not text: a text of such a name is not what it says it is."""
_POINTER = "version https://git-lfs.github.com/spec/"
_TREES = ("tree\nversion=", "booster[0]")
"""LightGBM and XGBoost write models as text, under any name."""
_SHELL = (".sh", ".bash", ".zsh", ".ps1", ".bat", ".cmd")


def scan_text(data: bytes, path: str, *, in_skill: bool = False) -> Scanned | None:
    """Return the result for a text file, or None for a text that is called like a model.

    `in_skill` says that it lies in the folder of a skill.
    """
    text = data.decode("utf-8", "replace")
    lower = path.replace("!", "/").lower()
    name = lower.rsplit("/", 1)[-1]
    if pmml_models.is_pmml(data):
        return judged(path, "pmml", pmml_models.pmml_findings(data, path))
    if name == "package.json" and "/node_modules/" in lower:
        return judged(path, "npm package", package_json_findings(text, path)[0])
    asked = scan_requirements(text, path)
    if asked is not None:
        return asked
    if in_skill or is_skill(path):
        return scan_skill(text, path, part=in_skill)
    code = _code(data, text, name, path)
    if code is not None:
        return judged(path, *code)
    agent = _json(text, name, path)
    if agent is not None:
        return agent
    if "chat_template" in name:
        return judged(path, "text", chat_template(text, path))
    return _other(text, name, path)


def _json(text: str, name: str, path: str) -> Scanned | None:
    """Return the result for JSON that an agent or a loader of models reads, or that is called so."""
    called = name.endswith(".json")
    if not called and not text.startswith(("{", "[")):
        return None
    agent = scan_servers(text, path) or scan_tools(text, path)
    if agent is not None:
        return agent
    found = model_configs.json_findings(text, path)
    return judged(path, "text", found) if found or called else None


def _other(text: str, name: str, path: str) -> Scanned | None:
    if name.endswith((".yaml", ".yml")) or name == "mlmodel" or "!!python/" in text:
        return judged(path, "text", model_configs.yaml_findings(text, path))
    if text.startswith(_POINTER):
        why = "a pointer of Git LFS: the file itself is not here (git lfs pull)"
        return judged(path, "git lfs pointer", [unreadable(why, path)])
    if name.endswith(MODEL_NAMES) and not text.startswith(_TREES):
        return None
    return judged(path, "text", [])


def _code(data: bytes, text: str, name: str, path: str) -> tuple[str, list[Finding]] | None:
    if name.endswith((".py", ".pyw")):
        return "python", python_findings(data, path, eager=name == "setup.py")
    if name.endswith(".pth"):
        return "python path file", pth_findings(text, path)
    if name.endswith(".ipynb"):
        return "notebook", notebook_findings(text, path)
    if name.endswith((".js", ".cjs", ".mjs", ".ts")):
        return "javascript", javascript_findings(data, path)
    if name.endswith(_SHELL) or text.startswith(("#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash")):
        return "shell", shell_findings(text, path)
    return None


def shell_findings(text: str, path: str) -> list[Finding]:
    """Return what a shell script fetches and runs."""
    if remote_command(text):
        return [Finding("remote-execution", Severity.HIGH, "fetches a program and runs it", path)]
    return []


def notebook_findings(text: str, path: str) -> list[Finding]:
    """Return what the code in a Jupyter notebook does, commands of the shell included."""
    try:
        cells = json.loads(text)["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return [unreadable(f"a notebook that cannot be read: {type(error).__name__}", path)]
    lines = [line for source in sources for line in source.split("\n")]
    shell = [line.lstrip("!% \t") for line in lines if line.lstrip().startswith(("!", "%"))]
    plain = "\n".join("pass" if line.lstrip().startswith(("!", "%")) else line for line in lines)
    return [*shell_findings("\n".join(shell), path), *python_findings(plain.encode(), path, eager=False)]
