"""Looks into PMML models: XML without entities and includes, functions by the standard's names.

An evaluator in Java takes a function name with dots for a class of its class path and runs it: to review. Entities, a
document type with an address, and includes make a parser read files or grow without end: blocked.
"""

import re
from xml.parsers import expat

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import unreadable

_ROOT = re.compile(rb"<(?:[\w.-]+:)?PMML[\s>/]")
_HEAD = 65_536
_ELSEWHERE = {"TableLocator": "takes its data from a table somewhere else"}
_INCLUDE = "http://www.w3.org/2001/XInclude"


class _Hostile(Exception):
    """Parsing further would cost more than it tells."""


def is_pmml(text: bytes) -> bool:
    """Return whether a text is XML with the root element of PMML."""
    return text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and _ROOT.search(text[:_HEAD]) is not None


def pmml_findings(text: bytes, path: str) -> list[Finding]:
    """Return what is wrong with a PMML model."""
    found: list[Finding] = []

    def wrong(rule: str, severity: Severity, why: str) -> None:
        found.append(Finding(rule, severity, why, path))

    def element(name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if space == _INCLUDE:
            wrong("xml-include", Severity.HIGH, "includes another file")
        elif local == "Apply" and "." in attributes.get("function", ""):
            why = (
                f"calls {visible(attributes['function'][:100])!r}, which an evaluator in Java takes for a class to run"
            )
            wrong("pmml-function", Severity.MEDIUM, why)
        elif local in _ELSEWHERE:
            wrong("pmml-elsewhere", Severity.MEDIUM, f"{local} {_ELSEWHERE[local]}")

    def entity(*_: object) -> None:
        wrong("xml-entity", Severity.HIGH, "declares an entity: files read, or growth without end")
        raise _Hostile

    def doctype(_: str, system: str | None, public: str | None, __: bool) -> None:
        if system or public:
            wrong("xml-doctype", Severity.HIGH, f"a document type at {visible(str(system or public)[:100])!r}")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = element
    parser.EntityDeclHandler = entity
    parser.StartDoctypeDeclHandler = doctype
    parser.ProcessingInstructionHandler = lambda target, _: wrong(
        "xml-instruction", Severity.MEDIUM, f"an instruction for {visible(target[:60])!r}"
    )
    try:
        parser.Parse(text, True)
    except _Hostile:
        pass
    except (expat.ExpatError, ValueError, LookupError) as error:
        found.append(unreadable(f"the XML breaks off: {error}", path))
    return list(dict.fromkeys(found))
