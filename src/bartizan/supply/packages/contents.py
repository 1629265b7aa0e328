"""Looks into a wheel, an sdist or an npm tarball as its members pass: what installs, what it lists, what its code does.

A package is code, so nothing here proves one harmless: CLEAN says that it holds none of the patterns of published
attacks and that its own list of files is right.
"""

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.parser import HeaderParser

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Package
from bartizan.supply.packages.javascript_code import javascript_findings, package_json_findings
from bartizan.supply.packages.names import NPM, PYPI, lookalike
from bartizan.supply.packages.python_code import pth_findings, python_findings

_TESTS = re.compile(r"(?:^|/)(?:tests?|testing|__tests__|fixtures|examples?|docs?|benchmarks?)/", re.IGNORECASE)
_SCRIPTS = (".js", ".cjs", ".mjs")
CODE_NAMES = (".py", ".pyw", ".pth", *_SCRIPTS)
"""Endings of the texts that are judged here."""


@dataclass
class Contents:
    """The members of one archive, seen one by one; afterwards what kind of package it is and what is wrong with it."""

    path: str
    wheel: bool = False
    """Whether a list of files (RECORD) is among the members, so that each member's hash is wanted."""
    kind: str = ""
    """`wheel`, `sdist`, `npm package`, or empty for any other archive."""
    package: Package | None = None
    pure: bool = False
    """A wheel that says that it holds no compiled code."""
    _found: list[Finding] = field(default_factory=list)
    _digests: dict[str, str] = field(default_factory=dict)
    _record: str = ""
    _record_at: str = ""
    _scripts: dict[str, bytes] = field(default_factory=dict)
    _hooks: list[str] = field(default_factory=list)

    def see(self, name: str, data: memoryview) -> None:
        """Take one member."""
        if self.wheel:
            self._digests[name] = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        parts = name.split("/")
        if len(parts) == 2 and parts[0].endswith(".dist-info") and parts[1] in ("METADATA", "WHEEL", "RECORD"):
            self._wheel(parts[1], name, bytes(data).decode("utf-8", "replace"))
        elif len(parts) == 2 and parts[1] == "PKG-INFO" and not self.kind:
            self.kind = "sdist"
            self._metadata(bytes(data).decode("utf-8", "replace"))
        elif len(parts) == 2 and parts[1] == "package.json" and not self.kind:
            self._npm(bytes(data).decode("utf-8", "replace"), name)
        self._code(name, parts, data)

    def _wheel(self, part: str, name: str, text: str) -> None:
        self.kind = "wheel"
        if part == "METADATA":
            self._metadata(text)
        elif part == "WHEEL":
            self.pure = bool(re.search(r"^Root-Is-Purelib:\s*true", text, re.MULTILINE | re.IGNORECASE))
        else:
            self._record, self._record_at = text, name

    def _metadata(self, text: str) -> None:
        headers = HeaderParser().parsestr(text)
        licence = str(headers.get("License-Expression") or headers.get("License") or "").strip().split("\n")[0][:100]
        self.package = Package(PYPI, str(headers.get("Name", "")), str(headers.get("Version", "")), licence=licence)

    def _npm(self, text: str, name: str) -> None:
        self.kind = "npm package"
        found, started = package_json_findings(text, f"{self.path}!{name}")
        self._found += found
        self._hooks = [f"{name.split('/')[0]}/{one}" for one in started]
        named = re.search(r'"name"\s*:\s*"([^"]+)"', text)
        version = re.search(r'"version"\s*:\s*"([^"]+)"', text)
        licence = re.search(r'"license"\s*:\s*"([^"]{1,100})"', text)
        self.package = Package(
            NPM, named[1] if named else "", version[1] if version else "", licence=licence[1] if licence else ""
        )

    def _code(self, name: str, parts: list[str], data: memoryview) -> None:
        where = f"{self.path}!{name}"
        if name.endswith((".py", ".pyw")):
            eager = len(parts) <= 2 and parts[-1] == "setup.py"
            self._take(python_findings(bytes(data), where, eager=eager), name)
        elif name.endswith(".pth"):
            self._found += pth_findings(bytes(data).decode("utf-8", "replace"), where)
        elif name.endswith(_SCRIPTS):
            self._scripts[name] = bytes(data)
        elif name.endswith(".pyc") and "__pycache__" not in parts:
            why = "compiled Python without its source: nobody can read it"
            self._found.append(Finding("bytecode", Severity.MEDIUM, why, where))

    def _take(self, found: Iterable[Finding], name: str) -> None:
        """Keep findings; in tests and examples, which nothing runs on its own, they are for a person to look at."""
        for one in found:
            if _TESTS.search(name) and one.severity > Severity.MEDIUM:
                one = Finding(one.rule, Severity.MEDIUM, f"{one.why} (among tests or examples)", one.where)
            self._found.append(one)

    def findings(self) -> list[Finding]:
        """Return what is wrong with the package, or with the code in any other archive."""
        for name, source in self._scripts.items():
            eager = any(name == hook or name == f"{hook}.js" for hook in self._hooks)
            self._take(javascript_findings(source, f"{self.path}!{name}", eager=eager), name)
        if self.kind == "wheel":
            self._found += self._against_record()
        if self.package is not None:
            like = lookalike(self.package.ecosystem, self.package.name)
            if like:
                why = f"the package {visible(self.package.name)} resembles {like.name}: {like.how}"
                severity = Severity.HIGH if like.sure else Severity.MEDIUM
                self._found.append(Finding("lookalike-name", severity, why, self.path))
        return list(dict.fromkeys(self._found))

    def _against_record(self) -> list[Finding]:
        """Compare the members with RECORD, the wheel's own list with hashes, which installers do not check."""
        if not self._record:
            return [Finding("wheel-record", Severity.HIGH, "a wheel without its list of files (RECORD)", self.path)]
        rows = [row for row in csv.reader(io.StringIO(self._record)) if row]
        listed = {row[0]: row[1].removeprefix("sha256=") for row in rows if len(row) > 1}
        itself = {self._record_at, f"{self._record_at}.jws", f"{self._record_at}.p7s"}
        wrong = []
        for name, digest in self._digests.items():
            if name in itself:
                continue
            if name not in listed:
                wrong.append(("is not on the wheel's list of files (RECORD)", name))
            elif listed[name].partition("=")[0] != digest and listed[name] != digest:
                wrong.append(("is not the file that the wheel lists (RECORD has another hash)", name))
        return [Finding("wheel-record", Severity.HIGH, why, f"{self.path}!{name}") for why, name in wrong[:20]]
