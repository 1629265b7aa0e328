"""The SARIF log validates against the official schema and says error, warning, or nothing at all."""

import json
from pathlib import Path

import jsonschema
import pytest
from tests.threats.examples import assessment

from bartizan.threats.reports.sarif_log import render

SCHEMA = Path(__file__).parents[2] / "schemas" / "sarif-schema-2.1.0.json"


def results(run):
    """Render, validate and return the results."""
    log = json.loads(render(run))
    jsonschema.validate(log, json.loads(SCHEMA.read_text()))
    return log["runs"][0]["results"], log["runs"][0]["invocations"][0]["executionSuccessful"]


def test_a_broken_claim_is_an_error_and_an_untested_threat_a_warning():
    """And an attack that got through is shown."""
    found, finished = results(assessment())
    assert [(one["ruleId"], one["level"]) for one in found] == [
        ("T01", "warning"),
        ("T02", "error"),
        ("T02", "warning"),
        ("T03", "warning"),
    ]
    assert not finished


def test_a_run_in_which_all_holds_has_no_error():
    """Nothing is invented."""
    found, finished = results(assessment(failed=False, untested=False))
    assert {one["level"] for one in found} == {"warning"}
    assert finished


def test_the_same_result_has_the_same_fingerprint_and_another_has_not():
    """So that tools can follow it from run to run."""
    first, second = results(assessment())[0], results(assessment())[0]
    assert [one["partialFingerprints"] for one in first] == [one["partialFingerprints"] for one in second]
    assert len({json.dumps(one["partialFingerprints"]) for one in first}) == len(first)


def test_the_schema_refuses_a_wrong_log():
    """The oracle can fail."""
    log = json.loads(render(assessment()))
    log["runs"][0]["results"][0]["level"] = "terrible"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, json.loads(SCHEMA.read_text()))


def test_every_threat_points_at_its_framework_entries():
    """Each relationship leads to a taxonomy of the right edition that lists the entry; editions stay apart."""
    log = json.loads(render(assessment()))
    jsonschema.validate(log, json.loads(SCHEMA.read_text()))
    run = log["runs"][0]
    for rule in run["tool"]["driver"]["rules"]:
        entries = set()
        for one in rule["relationships"]:
            taxonomy = run["taxonomies"][one["target"]["toolComponent"]["index"]]
            assert taxonomy["name"] == one["target"]["toolComponent"]["name"]
            assert {"id": one["target"]["id"]} in taxonomy["taxa"]
            entries.add(f"{taxonomy['name']} {taxonomy['version']} {one['target']['id']}")
        assert entries == set(rule["properties"]["tags"])
