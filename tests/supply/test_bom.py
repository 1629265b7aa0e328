"""The document validates against CycloneDX 1.6, holds every kind of thing, and is the same for the same content."""

import json
from pathlib import Path

import jsonschema
import pytest
from referencing import Registry, Resource

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings
from bartizan.supply.base import Package, Scanned, Verdict
from bartizan.supply.bom import DataSet, Materials, analyses_of, document
from bartizan.supply.packages.osv import Database

SCHEMAS = Path(__file__).parents[1] / "schemas"
CLOCK = StoppedClock()


def validate(whole):
    """Raise unless the document is CycloneDX 1.6."""
    names = {"spdx.SNAPSHOT.schema.json": "spdx", "jsf-0.82.SNAPSHOT.schema.json": "jsf-0.82"}
    base = "http://cyclonedx.org/schema/"
    registry = Registry().with_resources(
        (base + name, Resource.from_contents(json.loads((SCHEMAS / f"{file}.schema.json").read_text())))
        for name, file in names.items()
    )
    schema = json.loads((SCHEMAS / "bom-1.6.schema.json").read_text())
    jsonschema.Draft7Validator(schema, registry=registry).validate(whole)


def everything(tmp_path):
    """Return materials with one of each kind."""
    (tmp_path / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    for name in ("m.safetensors", "train.csv", "SKILL.md"):
        (tmp_path / name).write_text(name)
    record = {
        "id": "PYSEC-1",
        "aliases": ["CVE-2026-1"],
        "summary": "bad",
        "modified": "2026-01-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "flask"}, "versions": ["1.0"]}],
    }
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv" / "1.json").write_text(json.dumps(record))
    flask = Package("PyPI", "Flask", "1.0", ("sha256:" + "a" * 64, "md5:short", "sha512-!!"), "BSD-3-Clause")
    scoped = Package("npm", "@playwright/mcp", "0.0.41", ("sha512-" + "A" * 86 + "==",), "see LICENSE file")
    scanned = [
        Scanned(str(tmp_path / "m.safetensors"), "safetensors", Verdict.CLEAN),
        Scanned(str(tmp_path / "train.csv"), "text", Verdict.CLEAN),
        Scanned(str(tmp_path / "SKILL.md"), "skill", Verdict.CLEAN),
        Scanned("requirements.txt", "lock", Verdict.CLEAN, packages=(flask, Package("PyPI", "x"))),
        Scanned("other.txt", "lock", Verdict.CLEAN, packages=(flask,)),
        Scanned("mcp.json", "mcp servers", Verdict.CLEAN, packages=(scoped,)),
    ]
    data = [DataSet("reviews", "2", "b" * 64, "https://data.invalid", "CC-BY-4.0")]
    return Materials(scanned, data, Database.open(tmp_path / "osv"))


def test_everything_is_in_it_and_it_validates(tmp_path):
    """Models, data sets, packages, servers, skills, licences, hashes, vulnerabilities."""
    whole = document("app", everything(tmp_path), CLOCK)
    validate(whole)
    parts = {one["bom-ref"]: one for one in whole["components"]}
    model = parts[f"file:{tmp_path}/m.safetensors"]
    assert model["type"] == "machine-learning-model"
    assert (
        model["licenses"] == [{"expression": "apache-2.0"}] or model["licenses"][0]["license"]["name"] == "apache-2.0"
    )
    assert model["hashes"][0]["alg"] == "SHA-256"
    assert parts[f"file:{tmp_path}/train.csv"]["type"] == "data"
    assert parts["data:reviews@2"]["licenses"] == [{"expression": "CC-BY-4.0"}]
    flask = parts["pkg:pypi/flask@1.0"]
    assert (flask["version"], len(flask["hashes"])) == ("1.0", 1)
    assert parts["pkg:npm/%40playwright/mcp@0.0.41"]["licenses"] == [{"license": {"name": "see LICENSE file"}}]
    assert "version" not in parts["pkg:pypi/x"]
    (weakness,) = whole["vulnerabilities"]
    assert weakness["affects"] == [{"ref": "pkg:pypi/flask@1.0"}]
    assert weakness["analysis"] == {"state": "in_triage"}


def test_what_people_found_out_is_in_it(tmp_path):
    """By the advisory's id or any alias."""
    said = '{"CVE-2026-1": {"state": "not_affected", "justification": "code_not_reachable", "detail": "no server"}}'
    materials = everything(tmp_path)
    materials.analyses = analyses_of(said, "vex.json")
    materials.approved = frozenset({"0" * 64})
    whole = document("app", materials, CLOCK)
    validate(whole)
    assert whole["vulnerabilities"][0]["analysis"]["state"] == "not_affected"
    assert any(
        {"name": "bartizan:approved", "value": "false"} in one.get("properties", []) for one in whole["components"]
    )


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"CVE-1": {"state": "fine"}}', '{"CVE-1": {"state": "resolved", "x": "y"}}']
)
def test_analyses_in_other_words_are_refused(text):
    """A typing error must not make a vulnerability go away."""
    with pytest.raises(BadSettings):
        analyses_of(text, "vex.json")


def test_the_same_content_gives_the_same_document(tmp_path):
    """And another content another serial number."""
    materials = everything(tmp_path)
    first = document("app", materials, CLOCK)
    assert document("app", materials, CLOCK) == first
    materials.scanned.pop()
    assert document("app", materials, CLOCK)["serialNumber"] != first["serialNumber"]


def test_an_empty_document_validates():
    """Nothing found is a document too."""
    validate(document("app", Materials(), CLOCK))
