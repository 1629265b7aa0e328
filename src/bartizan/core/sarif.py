"""Builds SARIF 2.1.0 logs (OASIS Standard) for code-scanning tools. Pure: rules and results in, a dict out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
Level = Literal["error", "warning", "note", "none"]


@dataclass(frozen=True, slots=True, order=True)
class Taxon:
    """One entry of one edition of a public framework."""

    taxonomy: str
    edition: str
    id: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of result: what it means and what to do. `tags` are words to filter by, `taxa` framework entries."""

    id: str
    name: str
    short: str
    full: str
    help: str
    tags: tuple[str, ...] = ()
    taxa: tuple[Taxon, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One result. `where` is a URI or path; `identity` is what makes it the same result in the next run."""

    rule: str
    level: Level
    message: str
    where: str
    identity: str
    properties: dict[str, Any] = field(default_factory=dict)


def log(version: str, rules: Sequence[Rule], results: Sequence[Result], *, finished: bool = True) -> dict[str, Any]:
    """Return the log of one run. `finished` is false when the run could not test what it claims."""
    index = {rule.id: number for number, rule in enumerate(rules)}
    taxonomies = sorted({(taxon.taxonomy, taxon.edition) for rule in rules for taxon in rule.taxa})
    driver: dict[str, Any] = {
        "name": "Bartizan",
        "semanticVersion": version,
        "rules": [
            {
                "id": rule.id,
                "name": rule.name,
                "shortDescription": {"text": rule.short},
                "fullDescription": {"text": rule.full},
                "help": {"text": rule.help},
                "properties": {"tags": list(rule.tags)},
                "relationships": [_relationship(taxon, taxonomies) for taxon in rule.taxa],
            }
            for rule in rules
        ],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "taxonomies": [_taxonomy(name, edition, rules) for name, edition in taxonomies],
        "invocations": [{"executionSuccessful": finished}],
        "results": [_result(result, index[result.rule]) for result in results],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _taxonomy(name: str, edition: str, rules: Sequence[Rule]) -> dict[str, Any]:
    ids = {taxon.id for rule in rules for taxon in rule.taxa if (taxon.taxonomy, taxon.edition) == (name, edition)}
    return {"name": name, "version": edition, "taxa": [{"id": one} for one in sorted(ids)]}


def _relationship(taxon: Taxon, taxonomies: Sequence[tuple[str, str]]) -> dict[str, Any]:
    index = taxonomies.index((taxon.taxonomy, taxon.edition))
    component = {"name": taxon.taxonomy, "index": index}
    return {"target": {"id": taxon.id, "toolComponent": component}, "kinds": ["relevant"]}


def _result(result: Result, rule_index: int) -> dict[str, Any]:
    # A file name need not be valid UTF-8: Python then holds it with lone surrogates, which plain encoding refuses.
    identity = f"{result.rule}\0{result.where}\0{result.identity}".encode("utf-8", "surrogatepass")
    fingerprint = hashlib.sha256(identity).hexdigest()
    return {
        "ruleId": result.rule,
        "ruleIndex": rule_index,
        "level": result.level,
        "message": {"text": result.message},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(result.where)}}}],
        "partialFingerprints": {"bartizan/v1": fingerprint},
        "properties": result.properties,
    }


def _uri(where: str) -> str:
    """Return `where` as a URI reference (RFC 3986): addresses keep their delimiters, paths lose all special meaning.

    A colon in a path is escaped as well, or `model:v1.pkl` would name a scheme.
    """
    safe = "/:?#[]@!$&'()*+,;=%~" if where.startswith(("http://", "https://")) else "/!~"
    return quote(where, safe=safe, encoding="utf-8", errors="surrogatepass")
