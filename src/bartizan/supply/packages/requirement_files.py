"""Reads what requirement and lock files ask for: pip, pyproject, Poetry, uv, PDM, Pipenv, pylock, npm and Yarn.

The name of a file decides, for that is how the installers find it. Text only: nothing is resolved, fetched or run.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from bartizan.supply.packages.names import NPM, PYPI

_HASH = re.compile(r"--hash[= ](\S+)")
_OPTION = re.compile(r"^(--?[a-zA-Z][\w-]*)(?:[= ]\s*(.*))?$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One package that a file asks for."""

    ecosystem: str
    name: str
    version: str = ""
    """The only version allowed; empty when there is a choice."""
    digests: tuple[str, ...] = ()
    source: str = ""
    """Where it comes from when that is not the index: an address or a path."""
    line: int = 0
    installs_with_code: bool = False
    """Whether the lock file says that installing it runs code of its own."""


@dataclass
class Asked:
    """Everything that one file asks for."""

    locked: bool
    """Whether files of this kind are meant to say exactly what is installed."""
    wanted: list[Wanted] = field(default_factory=list)
    options: list[tuple[str, str]] = field(default_factory=list)
    """pip's options that change where packages come from."""
    unread: list[str] = field(default_factory=list)
    """Lines and entries that could not be understood."""
    includes: list[str] = field(default_factory=list)
    """Other files that this one pulls in."""


def reader_of(name: str) -> Callable[[str], Asked] | None:
    """Return the reader for a file of this name (its last part), or None when it is no requirement or lock file."""
    if name in _READERS:
        return _READERS[name]
    if re.fullmatch(r"pylock(\.[^.]+)?\.toml", name):
        return _toml_lock
    if re.fullmatch(r"((.*[-_.])?(requirements|constraints)([-_.].*)?)\.(txt|in)", name):
        return lambda text: _pip(text, locked=name.endswith(".txt"))
    return None


def _pip(text: str, *, locked: bool) -> Asked:
    asked = Asked(locked)
    for number, line in _logical_lines(text):
        option = _OPTION.match(line)
        if option:
            word, value = option[1], (option[2] or "").strip()
            if word in ("-r", "--requirement", "-c", "--constraint"):
                asked.includes.append(value)
            elif word in ("-e", "--editable"):
                asked.wanted.append(Wanted(PYPI, _egg(value), source=value, line=number))
            else:
                asked.options.append((word, value))
            continue
        digests = tuple(_HASH.findall(line))
        spec = re.split(r"\s--?[a-z]", line, maxsplit=1)[0].strip()
        if "://" in spec.split("@")[0] or spec.startswith((".", "/")):
            asked.wanted.append(Wanted(PYPI, _egg(spec), digests=digests, source=spec, line=number))
            continue
        try:
            asked.wanted.append(_requirement(spec, digests, number))
        except InvalidRequirement:
            asked.unread.append(f"line {number}: {spec[:80]}")
    return asked


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers, continuation lines joined, comments removed."""
    held, first = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw)
        first = first if held else number
        if line.rstrip().endswith("\\"):
            held += line.rstrip()[:-1] + " "
            continue
        whole = (held + line).strip()
        held = ""
        if whole:
            yield first, whole
    if held.strip():
        yield first, held.strip()


def _egg(source: str) -> str:
    named = re.search(r"[#&]egg=([\w.-]+)", source)
    wheel = re.search(r"/([A-Za-z0-9_.]+)-\d[^/]*\.(?:whl|tar\.gz|zip)", source)
    return named[1] if named else wheel[1] if wheel else source.rstrip("/").rsplit("/", 1)[-1][:80]


def _requirement(spec: str, digests: tuple[str, ...] = (), line: int = 0) -> Wanted:
    """Return a requirement in the notation of PEP 508. Raises InvalidRequirement."""
    parsed = Requirement(spec)
    exact = [one.version for one in parsed.specifier if one.operator in ("==", "===") and "*" not in one.version]
    return Wanted(PYPI, parsed.name, exact[0] if exact else "", digests, parsed.url or "", line)


def _pyproject(text: str) -> Asked:
    tree = tomllib.loads(text)
    asked = Asked(locked=False)
    project = tree.get("project", {})
    specs = [*project.get("dependencies", [])]
    for group in (project.get("optional-dependencies", {}), tree.get("dependency-groups", {})):
        specs += [one for members in group.values() for one in members if isinstance(one, str)]
    specs += tree.get("build-system", {}).get("requires", [])
    for spec in specs:
        try:
            asked.wanted.append(_requirement(spec))
        except InvalidRequirement:
            asked.unread.append(str(spec)[:80])
    poetry = tree.get("tool", {}).get("poetry", {})
    for name, about in poetry.get("dependencies", {}).items():
        source = next((about[key] for key in ("git", "url", "path") if key in about), "") if _is_map(about) else ""
        if name != "python":
            asked.wanted.append(Wanted(PYPI, name, source=source))
    return asked


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def _toml_lock(text: str) -> Asked:
    """Read poetry.lock, uv.lock, pdm.lock or pylock.toml: each is a list of packages with files and hashes."""
    tree = tomllib.loads(text)
    asked = Asked(locked=True)
    old = tree.get("metadata", {}).get("files", {})
    for one in tree.get("package", tree.get("packages", [])):
        if not isinstance(one["name"], str):
            raise ValueError(f"a package called {one['name']!r}")
        files = [*one.get("files", []), *one.get("wheels", []), *old.get(one["name"], [])]
        files += [one[key] for key in ("sdist", "archive") if _is_map(one.get(key))]
        source = one.get("source", one.get("vcs", {}))
        place = next((source[key] for key in ("git", "url", "path", "directory") if key in source), "")
        kind = source.get("type", "")
        if "registry" in source or kind in ("legacy", ""):
            place = "" if not any(key in source for key in ("git", "path", "directory")) else place
        if any(key in source for key in ("editable", "virtual")):
            continue  # the project itself
        digests = tuple(_digest(file) for file in files if _digest(file))
        asked.wanted.append(Wanted(PYPI, one["name"], str(one.get("version", "")), digests, place))
    return asked


def _digest(file: dict[str, Any]) -> str:
    hashes = file.get("hashes")
    return next((f"{kind}:{value}" for kind, value in hashes.items()), "") if hashes else str(file.get("hash", ""))


def _pipfile_lock(text: str) -> Asked:
    asked = Asked(locked=True)
    for group in ("default", "develop"):
        for name, about in json.loads(text).get(group, {}).items():
            version = str(about.get("version", "")).removeprefix("==")
            source = next((str(about[key]) for key in ("git", "file", "path") if key in about), "")
            asked.wanted.append(Wanted(PYPI, name, version, tuple(about.get("hashes", ())), source))
    return asked


def _package_json(text: str) -> Asked:
    asked = Asked(locked=False)
    tree = json.loads(text)
    for group in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"):
        for name, version in (tree.get(group) or {}).items():
            elsewhere = re.match(r"(git|https?|file|github:|[\w.-]+/)", str(version))
            asked.wanted.append(Wanted(NPM, name, source=str(version) if elsewhere else ""))
    return asked


def _package_lock(text: str) -> Asked:
    tree = json.loads(text)
    asked = Asked(locked=True)
    for path, one in tree.get("packages", {}).items():
        if path and not one.get("link"):
            name = one.get("name") or path.rsplit("node_modules/", 1)[-1]
            asked.wanted.append(_npm(name, one))
    if "packages" not in tree:
        _old_lock(tree.get("dependencies", {}), asked, 0)
    return asked


def _old_lock(tree: dict[str, Any], asked: Asked, depth: int) -> None:
    if depth > 100:
        asked.unread.append("dependencies more than 100 deep")
        return
    for name, one in tree.items():
        asked.wanted.append(_npm(name, one))
        _old_lock(one.get("dependencies", {}), asked, depth + 1)


def _npm(name: str, one: dict[str, Any]) -> Wanted:
    digests = tuple(str(one.get("integrity", "")).split())
    place = str(one.get("resolved", ""))
    return Wanted(NPM, name, str(one.get("version", "")), digests, place, 0, bool(one.get("hasInstallScript")))


def _yarn(text: str) -> Asked:
    asked = Asked(locked=True)
    for block in re.split(r"\n(?=\S)", text):
        name = re.match(r'"?((?:@[^/\s"]+/)?[^@\s"]+)@', block)
        version = re.search(r'^ {2}version:? "?([^"\s]+)', block, re.MULTILINE)
        if not name or not version or name[1] == "__metadata":
            continue
        digest = re.search(r"^ {2}(?:integrity|checksum):? (\S+)", block, re.MULTILINE)
        resolved = re.search(r'^ {2}resolved "([^"#]+)', block, re.MULTILINE)
        place = resolved[1] if resolved else ""
        asked.wanted.append(Wanted(NPM, name[1], version[1], (digest[1],) if digest else (), place))
    return asked


_READERS: dict[str, Callable[[str], Asked]] = {
    "pyproject.toml": _pyproject,
    "poetry.lock": _toml_lock,
    "uv.lock": _toml_lock,
    "pdm.lock": _toml_lock,
    "Pipfile.lock": _pipfile_lock,
    "package.json": _package_json,
    "package-lock.json": _package_lock,
    "npm-shrinkwrap.json": _package_lock,
    "yarn.lock": _yarn,
}
