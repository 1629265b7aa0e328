"""Scans text files: PMML, requirement and lock files, what agents are given, chat templates, source code."""

from bartizan.core.findings import Finding, Severity
from bartizan.supply import pmml_models, tensors
from bartizan.supply.agents.mcp_servers import scan_servers
from bartizan.supply.agents.skills import is_skill, scan_skill
from bartizan.supply.agents.tool_descriptions import scan_tools
from bartizan.supply.base import Scanned, judged
from bartizan.supply.packages.dependencies import scan_requirements
from bartizan.supply.packages.indicators import remote_command
from bartizan.supply.packages.javascript_code import javascript_findings, package_json_findings
from bartizan.supply.packages.python_code import pth_findings, python_findings

_PLAIN = frozenset(".txt .md .json .jsonl .yaml .yml .toml .csv .rst .cfg .ini .html .css .in .lock .xml".split())  # noqa: SIM905
_SHELL = (".sh", ".bash", ".zsh", ".ps1", ".bat", ".cmd")


def scan_text(data: bytes, path: str) -> Scanned | None:
    """Return the result for a text file, or None when neither its name nor its content says what it is."""
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
    if is_skill(path):
        return scan_skill(text, path)
    if name.endswith(".json") or text.startswith("{"):
        agent = scan_servers(text, path) or scan_tools(text, path)
        if agent is not None:
            return agent
    if "chat_template" in name:
        return judged(path, "text", tensors.chat_template(text, path))
    code = _code(data, text, name, path)
    if code is not None:
        return judged(path, *code)
    return judged(path, "text", []) if any(name.endswith(end) for end in _PLAIN) else None


def _code(data: bytes, text: str, name: str, path: str) -> tuple[str, list[Finding]] | None:
    if name.endswith((".py", ".pyw")):
        return "python", python_findings(data, path, eager=name == "setup.py")
    if name.endswith(".pth"):
        return "python path file", pth_findings(text, path)
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
