"""Which entries of the public frameworks a threat answers to, each with its edition.

A bare "LLM03" means two different things in two editions of the OWASP list, and ATLAS renumbers; so an entry is always
(framework, edition, id). No official map between the frameworks exists: this one is ours, checked against the texts of
OWASP LLM Top 10 2025 and 2026, OWASP Agentic Top 10 2026, MITRE ATLAS content 2026.04 and NIST AI 100-2 E2025.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One entry of one edition of one framework."""

    framework: str
    edition: str
    id: str

    def __str__(self) -> str:
        """Return the id with its edition, as reports print it."""
        return f"{self.framework} {self.edition} {self.id}"


OWASP_LLM = "OWASP LLM Top 10"
OWASP_AGENTIC = "OWASP Agentic Top 10"
ATLAS = "MITRE ATLAS"
NIST = "NIST AI 100-2"
EU = "EU AI Act"

ATLAS_ALIASES = {"AML.T0019": "AML.T0115.000", "AML.T0058": "AML.T0115.001", "AML.T0104": "AML.T0115.002"}
"""Ids that ATLAS moved with content 2026.07: old to new."""


def _entries(llm_2025: str, llm_2026: str, agentic: str, atlas: str, nist: str, eu: str) -> tuple[Entry, ...]:
    columns = (
        (OWASP_LLM, "2025", llm_2025),
        (OWASP_LLM, "2026", llm_2026),
        (OWASP_AGENTIC, "2026", agentic),
        (ATLAS, "2026.04", atlas),
        (NIST, "E2025", nist),
        (EU, "2024/1689", eu),
    )
    return tuple(Entry(framework, edition, one) for framework, edition, ids in columns for one in ids.split())


MAPPING: dict[str, tuple[Entry, ...]] = {
    "T01": _entries("LLM01", "LLM01", "ASI01", "AML.T0051.000 AML.T0065 AML.T0068", "NISTAML.018", "Art.15(5)"),
    "T02": _entries("LLM01", "LLM01", "", "AML.T0054", "NISTAML.018", "Art.15(5)"),
    "T03": _entries("", "", "", "AML.T0015 AML.T0043", "NISTAML.022 NISTAML.025", "Art.15(5)"),
    "T04": _entries(
        "LLM04", "LLM05", "ASI06", "AML.T0020 AML.T0059 AML.T0019", "NISTAML.013 NISTAML.023", "Art.10 Art.15(5)"
    ),
    "T05": _entries("LLM10", "LLM06", "", "AML.T0024.002 AML.T0005.001", "NISTAML.031", "Art.15(5)"),
    "T06": _entries("LLM02", "LLM02", "", "AML.T0024.001", "NISTAML.032", "Art.10 Art.15(5)"),
    "T07": _entries("LLM02", "LLM02", "", "AML.T0024.000", "NISTAML.033", "Art.10 Art.15(5)"),
    "T08": _entries("LLM10", "LLM06", "ASI02 ASI08", "AML.T0034 AML.T0029 AML.T0012", "NISTAML.014", "Art.15(4)"),
    "T09": _entries(
        "LLM03", "LLM04", "ASI04", "AML.T0010 AML.T0011 AML.T0058", "NISTAML.05 NISTAML.051", "Art.25 Art.15(5)"
    ),
    "T10": _entries("LLM01", "LLM01", "ASI01 ASI06", "AML.T0051.001 AML.T0066 AML.T0070", "NISTAML.015", "Art.15(5)"),
}


def threats_of(framework: str, edition: str, entry_id: str) -> tuple[str, ...]:
    """Return the threats that answer to an entry. ATLAS ids are found under their old and their new number."""
    wanted = {entry_id, *(old for old, new in ATLAS_ALIASES.items() if new == entry_id and framework == ATLAS)}
    return tuple(
        threat
        for threat, entries in MAPPING.items()
        if any(one.framework == framework and _same_edition(one, edition) and one.id in wanted for one in entries)
    )


def _same_edition(entry: Entry, edition: str) -> bool:
    """ATLAS publishes monthly and keeps ids except for the aliases; the other frameworks renumber with each edition."""
    return entry.framework == ATLAS or entry.edition == edition
