"""Judges MCP server configurations: which program each entry starts, from where, with what rights and secrets.

The forms of Claude Desktop and Code, Cursor, VS Code, Windsurf and Zed: an object of servers under one of a few names.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Package, Scanned, judged
from bartizan.supply.packages.indicators import remote_command
from bartizan.supply.packages.names import NPM, PYPI, lookalike

_NAMES = ("mcpServers", "mcp_servers", "context_servers", "servers")
_NPM_RUNNERS = {"npx": (), "bunx": (), "pnpx": (), "pnpm": ("dlx",), "yarn": ("dlx",), "npm": ("exec", "x")}
_PYPI_RUNNERS = {"uvx": (), "pipx": ("run",), "uv": ("tool", "run")}
_SECRET = re.compile(
    r"(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abp]-[\w-]{10,}|AKIA[A-Z0-9]{16}|"
    r"eyJ[\w-]{20,}\.[\w-]{10,}|glpat-[\w-]{16,})"
)
_BROAD_PLACES = frozenset(
    {"/", "~", "$HOME", "${HOME}", "C:\\", "C:/", "/home", "/Users", "/root", "/etc", "%USERPROFILE%"}
)
_BROAD_FLAGS = frozenset(
    {"--allow-all", "-A", "--dangerously-skip-permissions", "--no-sandbox", "--privileged", "--yolo", "--unrestricted"}
)
_SHELLS = ("sh", "bash", "zsh", "cmd", "powershell", "pwsh")
_APPROVALS = ("autoApprove", "alwaysAllow", "auto_approve", "trustedTools", "trust")


def servers_of(tree: object) -> dict[str, Any] | None:
    """Return the servers that a configuration names, or None when it is no MCP configuration."""
    if not isinstance(tree, dict):
        return None
    for name in _NAMES:
        inner = tree.get(name)
        if isinstance(inner, dict) and inner and all(_is_server(one) for one in inner.values()):
            return inner
    mcp = tree.get("mcp")
    return servers_of(mcp) if isinstance(mcp, dict) else None


def _is_server(one: object) -> bool:
    return isinstance(one, dict) and bool({"command", "url", "serverUrl", "httpUrl"} & set(one))


def scan_servers(text: str, path: str) -> Scanned | None:
    """Return the result for an MCP configuration, or None for any other JSON."""
    if "command" not in text and "rl" not in text:
        return None
    try:
        servers = servers_of(json.loads(text))
    except (ValueError, RecursionError):
        return None
    if servers is None:
        return None
    found: list[Finding] = []
    packages: list[Package] = []
    for name, about in servers.items():
        where = f"{path}#{visible(name)[:60]}"
        package = _package(about)
        if package is not None:
            packages.append(package)
            found += _of_package(package, where)
        found += _command(about, where)
        found += _rights(about, where)
        found += _address(about, where)
    return judged(path, "mcp servers", dict.fromkeys(found), (), packages)


def _words(about: dict[str, Any]) -> list[str]:
    command, arguments = about.get("command"), about.get("args") or []
    if isinstance(command, list):
        return [str(word) for word in command]
    if isinstance(command, dict):  # Zed
        command, arguments = command.get("path", ""), command.get("args") or []
    words = str(command or "").split(" ") if not arguments else [str(command or "")]
    return [*words, *(str(word) for word in arguments if isinstance(arguments, list))]


def _package(about: dict[str, Any]) -> Package | None:
    """Return the package that npx, uvx and their like would fetch and run."""
    first, *rest = _words(about) or [""]
    runner = re.split(r"[/\\]", first)[-1].removesuffix(".cmd").removesuffix(".exe")
    if runner == "cmd" and rest[:1] in (["/c"], ["/C"]):
        first, *rest = rest[1:] or [""]
        runner = first
    ecosystem = NPM if runner in _NPM_RUNNERS else PYPI if runner in _PYPI_RUNNERS else ""
    if not ecosystem:
        return None
    skipped = {**_NPM_RUNNERS, **_PYPI_RUNNERS}[runner]
    named = next((rest[at + 1] for at, word in enumerate(rest[:-1]) if word in ("--from", "--package", "-p")), "")
    plain = [word for word in rest if not word.startswith("-") and word not in skipped]
    spec = named or (plain[0] if plain else "")
    if not spec or "://" in spec or spec.startswith((".", "/")):
        return None
    if ecosystem == NPM:
        name, _, version = spec[1:].partition("@") if spec.startswith("@") else spec.partition("@")
        name = f"@{name}" if spec.startswith("@") else name
    else:
        name, _, version = re.sub(r"\[.*?\]", "", spec).replace("==", "@").partition("@")
    return Package(ecosystem, name, version if re.fullmatch(r"v?\d+\.\d+[\w.+-]*", version) else "")


def _of_package(package: Package, where: str) -> Iterator[Finding]:
    name = visible(package.name)
    if not package.version:
        why = f"{name} is fetched anew at each start, in whatever version is there: name an exact one"
        yield Finding("unpinned-server", Severity.MEDIUM, why, where)
    like = lookalike(package.ecosystem, package.name)
    if like:
        severity = Severity.HIGH if like.sure else Severity.MEDIUM
        yield Finding("lookalike-name", severity, f"{name} resembles {like.name}: {like.how}", where)


def _command(about: dict[str, Any], where: str) -> Iterator[Finding]:
    words = _words(about)
    line = " ".join(words)
    shown = visible(line)[:120]
    if remote_command(line):
        yield Finding("remote-execution", Severity.CRITICAL, f"fetches a program and runs it: {shown}", where)
    elif _package(about) is None and re.split(r"[/\\]", words[0] if words else "")[-1] in _SHELLS:
        yield Finding("shell-server", Severity.MEDIUM, f"starts a shell instead of a program: {shown}", where)
    if any("://" in word and re.match(r"(git\+)?https?://", word) for word in words[1:]) and words[0] in (
        *_NPM_RUNNERS,
        *_PYPI_RUNNERS,
    ):
        yield Finding("moving-source", Severity.MEDIUM, f"runs what an address holds at the time: {shown}", where)
    if words[:1] in (["docker"], ["podman"]) and "run" in words:
        yield from _container(words, where)


def _container(words: list[str], where: str) -> Iterator[Finding]:
    if "--privileged" in words or any(
        re.match(r"(?:source=)?(?:/|/var/run/docker\.sock|~|\$HOME)(?::|,|$)", word) for word in words
    ):
        yield Finding("over-broad", Severity.HIGH, "a container with the rights of the machine", where)
    if not any("@sha256:" in word for word in words):
        yield Finding("unpinned-server", Severity.MEDIUM, "a container image without a digest", where)


def _rights(about: dict[str, Any], where: str) -> Iterator[Finding]:
    words = _words(about)
    broad = [word for word in words[1:] if word in _BROAD_PLACES or word in _BROAD_FLAGS]
    if broad:
        yield Finding("over-broad", Severity.MEDIUM, f"is given {', '.join(map(visible, broad))}", where)
    for name in _APPROVALS:
        value = about.get(name)
        if value is True or (isinstance(value, list) and "*" in value):
            yield Finding("over-broad", Severity.HIGH, f"{name}: every call runs without being asked", where)
        elif isinstance(value, list) and value:
            why = f"{name}: {len(value)} tools run without being asked"
            yield Finding("auto-approved", Severity.MEDIUM, why, where)
    held = [*(about.get("env") or {}).values(), *(about.get("headers") or {}).values(), *words]
    if any(_SECRET.search(str(value)) for value in held):
        yield Finding("secret-in-config", Severity.MEDIUM, "a secret stands in the file: keep it in a store", where)


def _address(about: dict[str, Any], where: str) -> Iterator[Finding]:
    for key in ("url", "serverUrl", "httpUrl"):
        address = about.get(key)
        if isinstance(address, str):
            try:
                at = urlsplit(address)
            except ValueError:
                why = f"{visible(address)[:120]} cannot be read as an address: who reads it decides where it leads"
                yield Finding("unverified-source", Severity.HIGH, why, where)
                continue
            near = at.hostname in ("localhost", "127.0.0.1", "::1")
            if at.scheme in ("http", "ws") and not near:
                why = f"{visible(address)[:120]}: without encryption anybody on the way can change its tools"
                yield Finding("unverified-source", Severity.HIGH, why, where)
