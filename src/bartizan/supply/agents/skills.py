"""Judges skills and rules files: what an agent loads as its own instructions (SKILL.md, AGENTS.md, .cursorrules, …).

Structure is judged here; whether plain words mean well is not. So a text that instructs an agent goes to a person,
once: when it is approved in the lock, the scan does not ask again. A readme in a folder called skills instructs nobody.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from bartizan.core.findings import Finding, Severity
from bartizan.supply.agents.instructions import instruction_findings
from bartizan.supply.base import Scanned, judged

SKILL = "skill.md"
_NAMES = frozenset(
    {
        SKILL, "agents.md", "agents.override.md", "agent.md", "claude.md", "claude.local.md", "gemini.md", "qwen.md",
        "warp.md", "crush.md", "copilot-instructions.md", ".cursorrules", ".windsurfrules", ".clinerules", ".roorules",
        ".rules", ".goosehints", "soul.md", "memory.md", "tools.md", "heartbeat.md",
    }
)  # fmt: skip
INTENT = "intent-not-judged"
_FOR_A_PERSON = (
    "instructs an agent: nothing suspicious in its structure, but only a person can tell whether its words mean well"
)
_NOT_JUDGED = "only its structure was judged; whether plain words mean well is for a person to read"
_ENDS = (".mdc", ".instructions.md", ".prompt.md", ".agent.md", ".chatmode.md")
_TEXTS = (".md", ".mdx", ".txt", ".rst")
_RULES = re.compile(
    r"(?:^|/)(?:\.claude/(?:commands|agents|rules|output-styles)|\.(?:cursor|windsurf|roo|continue|amazonq|trae)/rules|"
    r"\.(?:codex|github)/prompts|\.opencode/(?:agents?|commands?)|\.gemini/commands|\.junie|\.kiro/steering|\.clinerules)/"
)
"""Folders whose texts are all given to an agent."""
_FOLDERS = re.compile(r"(?:^|/)\.?skills?/")
_HEAD = re.compile(r"\A\ufeff?---\s*\n(?:.*\n)*?description\s*:", re.IGNORECASE)
"""What skills, commands and rules begin with, so that an agent knows when to take them up."""
_ALLOWED = re.compile(r"^allowed-tools:\s*(.+)$", re.MULTILINE | re.IGNORECASE)
_UP = 6
"""Folders above a text in which its SKILL.md is looked for."""


def is_skill(path: str) -> bool:
    """Return whether a file of this name is judged as instructions for an agent."""
    lower = _plain(path)
    return _is_rules(lower) or (lower.endswith(_TEXTS) and bool(_FOLDERS.search(lower)))


def _plain(path: str) -> str:
    return path.replace("\\", "/").replace("!", "/").lower()


def _is_rules(lower: str) -> bool:
    name = lower.rsplit("/", 1)[-1]
    return name in _NAMES or name.endswith(_ENDS) or (name.endswith(_TEXTS) and bool(_RULES.search(lower)))


def beside_skill(path: Path) -> bool:
    """Return whether a text lies in the folder of a skill, whose SKILL.md may send an agent to it."""
    if not path.name.lower().endswith(_TEXTS):
        return False
    above = list(path.absolute().parents)[:_UP]
    return any((folder / name).is_file() for folder in above for name in ("SKILL.md", SKILL))


def skill_folders(names: Iterable[str]) -> tuple[str, ...]:
    """Return the folders of an archive that hold a skill, each with its slash."""
    return tuple(name[: -len(SKILL)] for name in names if f"/{name.lower()}".endswith(f"/{SKILL}"))


def is_part(name: str, folders: tuple[str, ...]) -> bool:
    """Return whether a member of an archive is a text of one of its skills."""
    return name.lower().endswith(_TEXTS) and name.startswith(folders)


def scan_skill(text: str, path: str, *, part: bool = False) -> Scanned:
    """Return the result for a skill or rules file, or for a text that is `part` of a skill."""
    found = instruction_findings(text, path)
    allowed = _ALLOWED.search(text[:4000])
    if allowed and re.search(r"(?:^|[\s,\[\"'])(?:\*|Bash(?:\(\*\))?)(?=$|[\s,\]\"'])", allowed[1]):
        why = f"may use any command without being asked: {allowed[1].strip()[:80]}"
        found.append(Finding("over-broad", Severity.LOW, why, path))
    found.append(intent(path) if part or _is_rules(_plain(path)) or _HEAD.match(text[:4000]) else _note(path))
    return judged(path, "skill", found)


def intent(path: str) -> Finding:
    """Return the finding that a person has to read this."""
    return Finding(INTENT, Severity.MEDIUM, _FOR_A_PERSON, path)


def _note(path: str) -> Finding:
    return Finding(INTENT, Severity.INFO, _NOT_JUDGED, path)
