"""The assessment as SARIF: broken claims are errors, untested threats warnings, successful attacks their evidence."""

import json

from bartizan.core import sarif
from bartizan.threats.assessment import Assessment
from bartizan.threats.base import Row, State
from bartizan.threats.frameworks import MAPPING


def render(run: Assessment) -> str:
    """Return the SARIF 2.1.0 log."""
    rules = [_rule(row) for row in run.rows]
    results = [result for row in run.rows for result in _results(run, row)]
    finished = all(row.state is not State.UNTESTED for row in run.rows)
    return json.dumps(sarif.log(run.version, rules, results, finished=finished), indent=2, ensure_ascii=True) + "\n"


def _rule(row: Row) -> sarif.Rule:
    threat = row.threat
    tags = tuple(str(entry) for entry in MAPPING[threat.id])
    taxa = tuple(sarif.Taxon(entry.framework, entry.edition, entry.id) for entry in MAPPING[threat.id])
    name = "".join(word.capitalize() for word in threat.name.replace("-", " ").split())
    short = f"{threat.id} {threat.name}"
    return sarif.Rule(threat.id, name, short, f"The attacker {threat.attacker}.", " ".join(row.to_do()), tags, taxa)


def _results(run: Assessment, row: Row) -> list[sarif.Result]:
    url = run.subject.url
    found = [
        sarif.Result(row.threat.id, "error", f"{one.text} Measured {one.measured}, claimed {one.bound}.", url, one.text)
        for one in row.claims
        if one.decides and not one.held
    ]
    if row.state is State.UNTESTED:
        found.append(sarif.Result(row.threat.id, "warning", f"Could not be tested: {row.why}", url, "untested"))
    for one in row.evidence.worst if row.evidence else ():
        if one.succeeded and one.control == "on":
            message = f"With the control on, {one.technique!r} succeeded on {one.case}: {one.why}."
            found.append(sarif.Result(row.threat.id, "warning", message, url, f"{one.case} {one.technique}"))
    return found
