"""Judges skills and rules files: what an agent loads as its own instructions (SKILL.md, AGENTS.md, .cursorrules, …)."""

import re

from bartizan.core.findings import Finding, Severity
from bartizan.supply.agents.instructions import instruction_findings
from bartizan.supply.base import Scanned, judged

_NAMES = frozenset(
    {
        "skill.md", "agents.md", "agent.md", "claude.md", "claude.local.md", "gemini.md", "copilot-instructions.md",
        ".cursorrules", ".windsurfrules", ".clinerules", ".goosehints", "soul.md", "memory.md", "tools.md",
        "heartbeat.md",
    }
)  # fmt: skip
INTENT = "only its structure was judged; whether plain words mean well is for a person to read"
_ENDS = (".mdc", ".instructions.md", ".prompt.md", ".agent.md", ".chatmode.md")
_FOLDERS = re.compile(
    r"(?:^|/)(?:\.?skills?|\.cursor/rules|\.claude/(?:commands|agents|" r"rules)|\.windsurf/rules|\.clinerules)/"
)
_ALLOWED = re.compile(r"^allowed-tools:\s*(.+)$", re.MULTILINE | re.IGNORECASE)


def is_skill(path: str) -> bool:
    """Return whether an agent would take a file of this name for instructions."""
    lower = path.replace("\\", "/").replace("!", "/").lower()
    name = lower.rsplit("/", 1)[-1]
    return name in _NAMES or name.endswith(_ENDS) or (name.endswith((".md", ".txt")) and bool(_FOLDERS.search(lower)))


def scan_skill(text: str, path: str) -> Scanned:
    """Return the result for a skill or rules file."""
    found = instruction_findings(text, path)
    allowed = _ALLOWED.search(text[:4000])
    if allowed and re.search(r"(?:^|[\s,\[\"'])(?:\*|Bash(?:\(\*\))?)(?=$|[\s,\]\"'])", allowed[1]):
        why = f"may use any command without being asked: {allowed[1].strip()[:80]}"
        found.append(Finding("over-broad", Severity.LOW, why, path))
    found.append(Finding("intent-not-judged", Severity.INFO, INTENT, path))
    return judged(path, "skill", found)
