"""What the arguments of a call must not hold, whatever the tool: ways out of a folder, into the network, into a shell.

Servers take arguments at their word (of 2,614 servers studied, 82 % of those with files let paths out of their folder,
36.7 % fetched any address). So a path with `..`, a URL to this machine or its network, a command hidden in a name, and
an option where a value belongs stop here. What is said or stored (content) may speak of all of them. Does not know
which folders or hosts a server is meant for: the operator's rules do.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import unquote

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.mcp.methods import words
from bartizan.mcp.places import host_of, inside, scheme_of
from bartizan.policy.inference import role_of
from bartizan.policy.manifest import Effect, Role, Tool, singular, words_of

_PATHS = words("path file filename filepath dir directory folder root cwd workdir destination source src")
_NAMES = words("id key name branch ref repo repository host hostname url uri user username project tag")
_SHELL = re.compile(r"`|\$\(|\$\{|[;|]\s*\w|&&\s*\w|[<>]\(|\n")
_SHELL_IN_URL = re.compile(r"`|\$\(|\$\{|\n|\s[;|&]")
_OPTION = re.compile(r"-{1,2}[A-Za-z][\w-]*(?:=.*)?", re.DOTALL)
_FETCHED = frozenset(("http", "https", "ws", "wss", "ftp"))
_NEVER = frozenset(
    ("javascript", "vbscript", "data", "gopher", "dict", "jar", "netdoc", "ldap", "ldaps", "tftp", "phar")
)
_LONGEST_NAME = 1024


def argument_findings(arguments: dict[str, Any], tool: Tool, hosts: Collection[str] = ()) -> Iterator[Finding]:
    """Yield what is wrong with the arguments of a call. `hosts` are those of this network that may be named."""
    for name, value in arguments.items():
        role = role_of(tool, name)
        for path, key, leaf in _leaves(value, name, name):
            yield from _of_text(path, frozenset(map(singular, words_of(key))), leaf, role, tool, hosts)


def _leaves(node: Any, path: str, key: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(node, str):
        yield path, key, node
    elif isinstance(node, dict):
        for inner, value in node.items():
            yield from _leaves(value, f"{path}.{inner}", str(inner))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _leaves(value, f"{path}[{number}]", key)


def _of_text(
    path: str, said: frozenset[str], text: str, role: Role, tool: Tool, hosts: Collection[str]
) -> Iterator[Finding]:
    scheme = scheme_of(text)
    shown = visible(text)[:80]
    place = bool(said & _PATHS)
    if role is Role.CONTENT and not place and not said & _NAMES:
        return
    if "\x00" in text:
        yield Finding("odd-argument", Severity.HIGH, "a zero byte, which ends a name early for some readers", path)
    if scheme in _NEVER and (role is Role.TARGET or said & _NAMES or place):
        yield Finding("odd-address", Severity.HIGH, f"an address of the kind {scheme}: {shown}", path)
    if scheme in _FETCHED:
        why = inside(host_of(text) or "localhost", hosts)
        if why:
            yield Finding("inside-address", Severity.HIGH, why, path)
    reached = role is Role.TARGET and not scheme and tool.effect is not Effect.EXECUTE
    if (place or reached or scheme == "file" or "uri" in said) and climbs(text):
        yield Finding("path-traversal", Severity.HIGH, f"a path that leads out of its folder: {shown}", path)
    named = place or bool(said & _NAMES) or role is Role.TARGET
    if named and tool.effect is not Effect.EXECUTE and len(text) <= _LONGEST_NAME:
        if (_SHELL_IN_URL if scheme else _SHELL).search(text):
            yield Finding("command-in-argument", Severity.HIGH, f"what a shell would run, in a name: {shown}", path)
        elif _OPTION.fullmatch(text):
            yield Finding("option-in-argument", Severity.HIGH, f"an option where a value belongs: {shown}", path)


def climbs(text: str) -> bool:
    """Return whether a path goes up, also when it is written with percent signs (twice) or backslashes."""
    for _ in range(3):
        if ".." in re.split(r"[/\\]", text.replace("file://", "")):
            return True
        decoded = unquote(text)
        if decoded == text:
            return False
        text = decoded
    return "%" in text
