"""The assessment as JUnit XML: a test case for each claim; untested is an error, no claim yet is skipped."""

import re
import xml.etree.ElementTree as ET

from bartizan.threats.assessment import Assessment
from bartizan.threats.base import Row, State


def render(run: Assessment) -> str:
    """Return the document."""
    suites = ET.Element("testsuites", name="bartizan assess", time=f"{run.duration_s:.3f}")
    for row in run.rows:
        cases = _cases(row)
        counts = {
            kind: str(sum(case.find(kind) is not None for case in cases)) for kind in ("failure", "error", "skipped")
        }
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=f"{row.threat.id} {row.threat.name}",
            tests=str(len(cases)),
            failures=counts["failure"],
            errors=counts["error"],
            skipped=counts["skipped"],
            timestamp=run.started.removesuffix("Z"),
        )
        suite.extend(cases)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _cases(row: Row) -> list[ET.Element]:
    if row.state is State.NO_CLAIM:
        return [_case(row, "no claim yet", "skipped", row.why)]
    if row.state is State.UNTESTED:
        return [_case(row, "could not be tested", "error", row.why)]
    return [
        _case(
            row,
            claim.text,
            "failure" if claim.decides and not claim.held else "",
            f"measured {claim.measured}, claimed {claim.bound}",
        )
        for claim in row.claims
    ]


def _case(row: Row, name: str, kind: str, message: str) -> ET.Element:
    case = ET.Element("testcase", classname=f"bartizan.{row.threat.id}", name=_printable(name))
    if kind:
        ET.SubElement(case, kind, message=_printable(message))
    else:
        ET.SubElement(case, "system-out").text = _printable(message)
    return case


def _printable(text: str) -> str:
    """Return `text` without the characters that XML 1.0 cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
