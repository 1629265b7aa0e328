"""The bill of materials: CycloneDX 1.6 with models, data sets, packages, MCP servers and skills, and what is known
against them (VEX). It says what was found in the named places; what is not there is not in it.

Source of the format: cyclonedx.org/docs/1.6/json. The same content gives the same serial number.
"""

import base64
import binascii
import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bartizan import __version__
from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings
from bartizan.supply.base import Package, Scanned
from bartizan.supply.packages.names import NPM, PYPI, normal
from bartizan.supply.packages.osv import Advisory, Database

_ALGORITHMS = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_LENGTHS = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128}
_MODELS = (
    *(
        "pickle",
        "torch",
        "safetensors",
        "gguf",
        "onnx",
        "saved-model",
        "tensorflow",
        "keras",
        "hdf5",
        "numpy",
        "joblib",
    ),
    *("skops", "pmml", "tflite", "coreml", "torchscript", "xgboost", "lightgbm"),
)
_DATA = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".arrow", ".feather", ".tfrecord")
_STATES = frozenset(
    {"resolved", "exploitable", "in_triage", "false_positive", "not_affected", "resolved_with_pedigree"}
)
_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*|\(.*\)")


@dataclass(frozen=True)
class DataSet:
    """A data set that was admitted elsewhere."""

    name: str
    version: str
    sha256: str
    source: str = ""
    licence: str = ""


@dataclass
class Materials:
    """What goes into the list."""

    scanned: list[Scanned] = field(default_factory=list)
    data: list[DataSet] = field(default_factory=list)
    database: Database | None = None
    analyses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By id of the advisory, what people found out: state, justification, detail (the terms of CycloneDX VEX)."""
    approved: frozenset[str] = frozenset()
    """SHA-256 of the files that a lock approves."""


def document(name: str, materials: Materials, clock: Clock) -> dict[str, Any]:
    """Return the whole document."""
    components: dict[str, dict[str, Any]] = {}
    for scanned in materials.scanned:
        file = _file(scanned, materials.approved)
        components[file["bom-ref"]] = file
        for package in scanned.packages:
            if package.name:
                one = _package(package)
                components[one["bom-ref"]] = _merged(components.get(one["bom-ref"]), one)
    for data in materials.data:
        components[f"data:{data.name}@{data.version}"] = _data_set(data)
    parts = [components[ref] for ref in sorted(components)]
    weaknesses = _vulnerabilities(materials)
    body: dict[str, Any] = {
        "metadata": {
            "timestamp": datetime.fromtimestamp(clock.wall_ns() / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "bartizan", "version": __version__}]},
            "component": {"type": "application", "name": name, "bom-ref": "this"},
        },
        "components": parts,
        "dependencies": [{"ref": "this", "dependsOn": sorted(components)}],
    }
    if weaknesses:
        body["vulnerabilities"] = weaknesses
    stable = json.dumps([name, parts, weaknesses], sort_keys=True)
    serial = uuid.uuid5(uuid.NAMESPACE_OID, stable)
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1, **body}


def _file(scanned: Scanned, approved: frozenset[str]) -> dict[str, Any]:
    """Return the component of one scanned file."""
    path = Path(scanned.path)
    digest = _sha256(path)
    kind = "file"
    lower = scanned.path.lower()
    if lower.endswith(_DATA):
        kind = "data"
    elif any(word in scanned.format for word in _MODELS):
        kind = "machine-learning-model"
    properties = [
        {"name": "bartizan:format", "value": scanned.format},
        {"name": "bartizan:verdict", "value": scanned.verdict.name},
    ]
    if scanned.format in ("mcp servers", "tool descriptions", "skill"):
        properties.append({"name": "bartizan:agent-part", "value": scanned.format})
    if approved:
        properties.append({"name": "bartizan:approved", "value": str(digest in approved).lower()})
    component: dict[str, Any] = {
        "type": kind,
        "bom-ref": f"file:{scanned.path}",
        "name": scanned.path,
        "properties": properties,
    }
    if digest:
        component["hashes"] = [{"alg": "SHA-256", "content": digest}]
    licence = _licence_beside(path)
    if licence:
        component["licenses"] = _licences(licence)
    if kind == "machine-learning-model":
        component["modelCard"] = {"properties": [{"name": "bartizan:globals", "value": str(len(scanned.globals))}]}
    if kind == "data":
        component["data"] = [{"type": "dataset", "name": path.name}]
    return component


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _licence_beside(path: Path) -> str:
    """Return the licence that the model card in the same folder states (`license:` in its front matter)."""
    try:
        with (path.parent / "README.md").open(encoding="utf-8", errors="replace") as file:
            head = file.read(4000)
    except OSError:
        return ""
    matter = re.match(r"---\n(.*?)\n---", head, re.DOTALL)
    said = re.search(r"^license:\s*[\"']?([\w.+-]+)", matter[1], re.MULTILINE) if matter else None
    return said[1] if said else ""


def _licences(text: str) -> list[dict[str, Any]]:
    """An expression where the text is one, a name otherwise: free text must not pass for an SPDX id."""
    if _SPDX.fullmatch(text) and (" " in text or "-" in text or text.isupper()):
        return [{"expression": text}]
    return [{"license": {"name": text}}]


def _package(package: Package) -> dict[str, Any]:
    name = normal(package.ecosystem, package.name)
    kind = {PYPI: "pypi", NPM: "npm"}.get(package.ecosystem, "generic")
    shown = "/".join(quote(part, safe="") for part in name.split("/"))
    purl = f"pkg:{kind}/{shown}" + (f"@{quote(package.version, safe='')}" if package.version else "")
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "purl": purl}
    if package.version:
        component["version"] = package.version
    hashes = [one for digest in package.digests if (one := _hash(digest))]
    if hashes:
        component["hashes"] = hashes
    if package.licence:
        component["licenses"] = _licences(package.licence)
    return component


def _hash(text: str) -> dict[str, str] | None:
    """Return a digest in the notation of pip (`sha256:hex`) or npm (`sha512-base64`) as CycloneDX writes it."""
    match = re.fullmatch(r"([a-z0-9]+)([:-])(.+)", text)
    if match is None:
        return None
    kind, sep, value = match.groups()
    algorithm = _ALGORITHMS.get(kind, "")
    if sep == "-":
        try:
            value = base64.b64decode(value, validate=True).hex()
        except (binascii.Error, ValueError):
            return None
    fits = algorithm and re.fullmatch(r"[0-9a-f]+", value) and len(value) == _LENGTHS[algorithm]
    return {"alg": algorithm, "content": value} if fits else None


def _merged(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """Join what two files say of the same package."""
    if old is None:
        return new
    hashes = {json.dumps(one, sort_keys=True): one for one in [*old.get("hashes", []), *new.get("hashes", [])]}
    return {**new, **old, **({"hashes": list(hashes.values())} if hashes else {})}


def _data_set(data: DataSet) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "data",
        "bom-ref": f"data:{data.name}@{data.version}",
        "name": data.name,
        "version": data.version,
        "data": [{"type": "dataset", "name": data.name}],
        "properties": [{"name": "bartizan:admitted", "value": "true"}],
    }
    if len(data.sha256) == _LENGTHS["SHA-256"]:
        component["hashes"] = [{"alg": "SHA-256", "content": data.sha256}]
    if data.source:
        component["description"] = f"from {data.source}"
    if data.licence:
        component["licenses"] = _licences(data.licence)
    return component


def _vulnerabilities(materials: Materials) -> list[dict[str, Any]]:
    """Return what the database knows against the packages, with what people found out about it."""
    if materials.database is None:
        return []
    found: dict[str, tuple[Advisory, set[str]]] = {}
    packages = {package for one in materials.scanned for package in one.packages if package.version and package.name}
    for package in sorted(packages):
        try:
            advisories = materials.database.advisories(package)
        except ValueError:
            continue  # the audit names what cannot be compared
        for advisory in advisories:
            found.setdefault(advisory.id, (advisory, set()))[1].add(_package(package)["bom-ref"])
    return [_vulnerability(advisory, refs, materials.analyses) for _, (advisory, refs) in sorted(found.items())]


def _vulnerability(
    advisory: Advisory, refs: Iterable[str], analyses: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    names = [advisory.id, *(advisory.aliases or ())]
    said = next((analyses[name] for name in names if name in analyses), {})
    entry: dict[str, Any] = {
        "bom-ref": f"vulnerability:{advisory.id}",
        "id": advisory.id,
        "source": {"name": "OSV", "url": f"https://osv.dev/vulnerability/{quote(advisory.id)}"},
        "references": [{"id": name, "source": {"name": "OSV"}} for name in names[1:]],
        "affects": [{"ref": ref} for ref in sorted(refs)],
        "analysis": {"state": "in_triage", **said},
    }
    if advisory.summary:
        entry["description"] = advisory.summary
    return {key: value for key, value in entry.items() if value != []}


def analyses_of(text: str, where: str) -> dict[str, dict[str, str]]:
    """Return what a file of analyses says: an object of `{id: {"state": …, "justification": …, "detail": …}}`."""
    try:
        tree = json.loads(text)
        sound = all(
            one["state"] in _STATES and set(one) <= {"state", "justification", "detail"} for one in tree.values()
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSettings(f"{where}: no analyses by advisory id: {type(error).__name__}") from error
    if not sound:
        raise BadSettings(f"{where}: expected for each id a state of {sorted(_STATES)}, a justification, a detail")
    return {str(name): dict(one) for name, one in tree.items()}
