"""Known vulnerabilities from a copy of the OSV database on disk: a folder of records, or the zip that OSV publishes.

An audit that could not be done is a finding: a package whose version is not known, one that nobody knows, an ecosystem
that the copy does not hold, a copy that is too old. Format: ossf.github.io/osv-schema, version 1.
"""

import datetime
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.display import visible
from bartizan.core.errors import BadSettings
from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Package, Scanned, judged, unreadable
from bartizan.supply.packages.names import NPM, PYPI, normal, popular
from bartizan.supply.packages.versions import ordered

_LARGEST_RECORD = 16 << 20
_SHOWN = 8
_LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class _Range(msgspec.Struct):
    type: str = ""
    events: list[dict[str, str]] = []


class _Of(msgspec.Struct):
    ecosystem: str = ""
    name: str = ""


class _Affected(msgspec.Struct):
    package: _Of | None = None
    versions: list[str] | None = None
    ranges: list[_Range] | None = None


class Advisory(msgspec.Struct):
    """One OSV record, as far as it is used."""

    id: str
    modified: str = ""
    withdrawn: str | None = None
    summary: str = ""
    aliases: list[str] | None = None
    severity: list[dict[str, Any]] | None = None
    affected: list[_Affected] | None = None


@dataclass
class Database:
    """Advisories by package."""

    name: str
    records: int = 0
    newest: datetime.datetime = _LONG_AGO
    """When the newest record was changed: how old the copy is."""
    _affected: dict[tuple[str, str], list[tuple[Advisory, _Affected]]] = field(
        default_factory=lambda: defaultdict(list), repr=False
    )
    _ecosystems: set[str] = field(default_factory=set)

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Read a folder of .json files and .zip files, one .zip, or one .json. Raises BadSettings when it holds none.

        A record that cannot be read makes the whole copy unusable: a part of the database passes what the rest names.
        """
        database = cls(str(path))
        decoder = msgspec.json.Decoder(Advisory)
        try:
            for name, raw in _files(path):
                try:
                    database._add(decoder.decode(raw))
                except (msgspec.DecodeError, ValueError) as error:
                    raise BadSettings(
                        f"{path}: {name} is no OSV record: {error}", hint="Fetch the copy again."
                    ) from None
        except (OSError, zipfile.BadZipFile) as error:
            raise BadSettings(f"{path}: no OSV database that can be read: {error}") from error
        if not database.records:
            hint = (
                "Give a folder or zip of OSV records, as in the osv-vulnerabilities bucket: PyPI/all.zip, npm/all.zip."
            )
            raise BadSettings(f"{path}: holds no OSV record", hint=hint)
        return database

    def _add(self, advisory: Advisory) -> None:
        self.records += 1
        if advisory.modified:
            self.newest = max(self.newest, _time(advisory.modified))
        for one in advisory.affected or ():
            if one.package is not None:
                ecosystem = one.package.ecosystem.split(":")[0]
                self._ecosystems.add(ecosystem)
                if advisory.withdrawn is None:
                    self._affected[ecosystem, normal(ecosystem, one.package.name)].append((advisory, one))

    def age_days(self, clock: Clock) -> float:
        """Return how many days ago the newest record was changed."""
        return (clock.wall_ns() / 1e9 - self.newest.timestamp()) / 86_400

    def covers(self, ecosystem: str) -> bool:
        """Return whether the copy holds any record about this ecosystem."""
        return ecosystem in self._ecosystems

    def knows(self, package: Package) -> bool:
        """Return whether a package of this name is known to exist, here or among the most downloaded."""
        key = (package.ecosystem, normal(package.ecosystem, package.name))
        return key in self._affected or key[1] in popular(package.ecosystem)

    def advisories(self, package: Package) -> list[Advisory]:
        """Return what is known against this version. Raises ValueError when the version cannot be compared."""
        key = (package.ecosystem, normal(package.ecosystem, package.name))
        hits = [advisory for advisory, where in self._affected.get(key, ()) if _is_hit(package, where)]
        return list({one.id: one for one in hits}.values())


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.suffix in (".json", ".zip") and inner.is_file():
                yield from _files(inner)
    elif path.suffix == ".json":
        yield path.name, path.read_bytes()
    else:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".json"):
                    if info.file_size > _LARGEST_RECORD:
                        raise BadSettings(f"{path}: {info.filename} has {info.file_size} bytes, more than any record")
                    yield info.filename, archive.read(info)


def _time(text: str) -> datetime.datetime:
    parsed = datetime.datetime.fromisoformat(text)  # OSV omits the fraction when it is zero: google/osv.dev#857
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)


def _is_hit(package: Package, where: _Affected) -> bool:
    if package.version in (where.versions or ()):
        return True
    ranges = [one for one in where.ranges or () if one.type in ("ECOSYSTEM", "SEMVER")]
    if not ranges:
        return not where.versions  # neither versions nor ranges: every version
    return any(_is_inside(package, one) for one in ranges)


def _is_inside(package: Package, span: _Range) -> bool:
    """Return whether the version lies in the range: the schema's own evaluation, events in order of their versions."""
    version = ordered(package.ecosystem, package.version)
    events = [(kind, text) for event in span.events for kind, text in event.items()]
    for start in [text for kind, text in events if kind == "introduced"]:
        begun = start == "0" or version >= ordered(package.ecosystem, start)  # type: ignore[operator]
        if begun and not _is_over(package, start, events):
            return True
    return False


def _is_over(package: Package, start: str, events: list[tuple[str, str]]) -> bool:
    """Return whether an end stands between the start and the version."""
    version = ordered(package.ecosystem, package.version)
    for kind, text in events:
        if kind not in ("fixed", "last_affected", "limit") or text == "*":
            continue
        end = ordered(package.ecosystem, text)
        if start != "0" and end < ordered(package.ecosystem, start):  # type: ignore[operator]
            continue  # belongs to an earlier start
        if (version > end) if kind == "last_affected" else (version >= end):  # type: ignore[operator]
            return True
    return False


def audited(scanned: Scanned, database: Database, clock: Clock, *, max_age_days: float = 30) -> Scanned:
    """Return the result with what the database says of its packages. A result without packages stays as it is."""
    if not scanned.packages:
        return scanned
    found: list[Finding] = []
    undone: dict[str, list[str]] = defaultdict(list)
    for package in scanned.packages:
        shown = visible(f"{package.name} {package.version}".strip())
        if package.ecosystem not in (PYPI, NPM) or not database.covers(package.ecosystem):
            undone[f"the database has no records about {package.ecosystem}"].append(shown)
        elif not package.version:
            undone["the version is not known"].append(shown)
        elif not database.knows(package):
            undone["nobody knows a package of that name"].append(shown)
        else:
            try:
                found += [_as_finding(one, package, scanned.path) for one in database.advisories(package)]
            except ValueError as error:
                undone[f"its version cannot be compared ({visible(str(error)[:80])})"].append(shown)
    for why, names in undone.items():
        listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        found.append(unreadable(f"{len(names)} packages not audited, {why}: {listed}", scanned.path))
    age = database.age_days(clock)
    if age > max_age_days:
        why = f"the OSV copy {database.name} is {age:.0f} days old: expected at most {max_age_days:g}"
        found.append(unreadable(why, scanned.path))
    return judged(scanned.path, scanned.format, [*scanned.findings, *found], scanned.globals, scanned.packages)


def _as_finding(advisory: Advisory, package: Package, path: str) -> Finding:
    names = ", ".join([advisory.id, *(advisory.aliases or ())][:4])
    about = visible(advisory.summary or "no summary")[:200]
    malicious = advisory.id.startswith("MAL-")
    severity = Severity.CRITICAL if malicious else Severity.HIGH
    rule = "malicious-package" if malicious else "vulnerable-package"
    return Finding(rule, severity, f"{visible(package.name)} {visible(package.version)}: {names}: {about}", path)
