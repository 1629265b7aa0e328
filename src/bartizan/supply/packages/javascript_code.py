"""Reads JavaScript as text for what published hostile npm packages do, and package.json for what runs at installation.

There is no syntax tree here, so this is coarser than for Python: obfuscated code is named as such, not understood.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import re2

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.packages.indicators import DROP_HOST, SECRET_PLACE, remote_command

HOOKS = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
_ON_INSTALL = HOOKS[:3]
"""What npm runs when a package is installed from the registry; the others run for git sources and publishers only."""
_BUILDS = re.compile(
    r"(?:(?:npx |node )?(?:node-gyp(?:-build)?(?:\.js)?(?: rebuild| configure build)?(?: [\w-]+)?|"
    r"prebuild-install[\w =./-]*|node-pre-gyp[\w =./-]*|husky(?: install)?|opencollective(?:-postinstall)?|"
    r"patch-package|true|exit 0|echo [^;&|`$]*|node -e \"\"|napi-postinstall [\w.-]+ "
    r"[\w.-]+(?: check)?)(?: *(?:\|\||&&) *|$))+"
)
_RUNS_DECODED = re2.compile(
    r"\b(?:eval|Function|vm\.run\w+|setTimeout|require\(['\"]child_process['\"]\)\.\w+)\s*\(\s*(?:new\s+Function\s*\()?"
    r"(?:Buffer\.from\s*\([^)]*,\s*['\"](?:base64|hex)['\"]|atob\s*\(|unescape\s*\(|String\.fromCharCode|"
    r"decodeURIComponent\s*\(|zlib\.\w+Sync\s*\()"
)
_RUNS_FETCHED = re.compile(
    r"(?:https?\.get|fetch|axios(?:\.get)?|got)\s*\([\s\S]{0,600}?\b(?:eval|new\s+Function|vm\.run\w+|execSync|exec)\s*\(\s*"
    r"(?:data|body|res(?:ponse)?(?:\.data|\.body)?|r\.data|text|code|script|await|d|b)\b"
)
_RUNS = re2.compile(r"\b(?:eval|new\s+Function|vm\.run\w+|execSync|exec)\s*\(")
_HEX_NAMES = re2.compile(r"_0x[0-9a-f]{4,6}\b")
_SENDS = re2.compile(
    r"\b(?:https?\.request|https?\.get|fetch|axios|XMLHttpRequest|net\.connect|WebSocket|dns\.(?:lookup|resolve))\b"
)
_SHELLS = re2.compile(r"child_process|\bexecSync\b|\bspawnSync?\b")
_WHOLE_ENV = re2.compile(r"JSON\.stringify\(\s*process\.env\s*[,)]|Object\.(?:entries|keys)\(\s*process\.env\s*\)")
_TOKEN_HUNT = re2.compile(r"(?i)trufflehog|npm whoami|/-/whoami|npm publish\b[\s\S]*_authToken")


def package_json_findings(text: str, path: str) -> tuple[list[Finding], list[str]]:
    """Return what runs when the package is installed, and the files of the package that these commands start."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return [Finding("manifest-unreadable", Severity.MEDIUM, "package.json is no JSON", path)], []
    scripts: Any = tree.get("scripts") if isinstance(tree, dict) else None
    found: list[Finding] = []
    started: list[str] = []
    for hook in _ON_INSTALL:
        command = scripts.get(hook) if isinstance(scripts, dict) else None
        if not isinstance(command, str) or _BUILDS.fullmatch(command.strip()):
            continue
        shown = visible(command)[:120]
        started += re.findall(r"\b(?:node|bun|deno run|sh|bash|python3?)\s+(?:-\S+\s+)*(?:\./)?([\w./-]+)", command)
        if remote_command(command) or DROP_HOST.search(command):
            found.append(Finding("install-remote", Severity.CRITICAL, f"{hook} fetches and runs: {shown}", path))
        elif re.search(
            r"https?://|\bcurl\b|\bwget\b|base64|powershell|\bnslookup\b|\$\(.*(?:whoami|hostname)", command
        ):
            found.append(Finding("install-remote", Severity.HIGH, f"{hook} talks to the network: {shown}", path))
        elif re.search(r"node\s+(?:-e|--eval|-p)\b", command) and len(command) > 200:
            found.append(Finding("install-hidden", Severity.HIGH, f"{hook} carries its program with it: {shown}", path))
        else:
            found.append(Finding("install-script", Severity.MEDIUM, f"{hook} runs when installed: {shown}", path))
    return found, started


def javascript_findings(source: bytes, path: str, *, eager: bool = False) -> list[Finding]:
    """Return what a JavaScript file does that hostile packages do. `eager` says that installation runs it."""
    text = source[: 8 << 20].decode("utf-8", "replace")
    return [*_anywhere(text, path), *(_eager(text, path) if eager else ())]


def _anywhere(text: str, path: str) -> Iterator[Finding]:
    if _RUNS_DECODED.search(text):
        yield Finding("runs-hidden-code", Severity.CRITICAL, "runs a text that it decodes first", path)
    if _RUNS.search(text) and _RUNS_FETCHED.search(text):
        yield Finding("remote-execution", Severity.HIGH, "runs what it downloads", path)
    names = len(_HEX_NAMES.findall(text))
    if names > 100:
        yield Finding("obfuscated", Severity.HIGH, f"{names} names like _0x3f2a: written not to be read", path)
    secret, drop = SECRET_PLACE.search(text), DROP_HOST.search(text)
    loot = secret[0] if secret else "the whole environment" if _WHOLE_ENV.search(text) else ""
    if drop and loot and _SENDS.search(text):
        yield Finding(
            "sends-secrets", Severity.CRITICAL, f"reads {visible(loot)} and talks to {visible(drop[0])}", path
        )
    elif drop:
        yield Finding("drop-host", Severity.MEDIUM, f"names {visible(drop[0])}, where collected data is dropped", path)
    if _TOKEN_HUNT.search(text) and _SENDS.search(text):
        yield Finding("token-hunt", Severity.HIGH, "looks for publishing tokens and talks to the network", path)


def _eager(text: str, path: str) -> Iterator[Finding]:
    secret = SECRET_PLACE.search(text)
    loot = secret[0] if secret else "the whole environment" if _WHOLE_ENV.search(text) else ""
    sends, shells = _SENDS.search(text), _SHELLS.search(text)
    if sends and loot:
        yield Finding(
            "sends-secrets", Severity.HIGH, f"reads {visible(loot)} and calls {sends[0]} at installation", path
        )
    elif sends and shells:
        why = f"calls {sends[0]} and starts programs ({shells[0]}) at installation"
        yield Finding("install-downloads", Severity.MEDIUM, why, path)
    if remote_command(text):
        yield Finding("remote-execution", Severity.HIGH, "fetches a program and runs it at installation", path)
