"""Real skills and tool descriptions through `bartizan scan`, and our own hostile ones: recall and false positives.

`make bench-skills`. npm packages that carry skills or MCP servers are fetched once into build/agents (not installed).
Copies of the same text count once. Everything that instructs an agent goes to a person, so REVIEW is split: for
something in the structure, or for its plain words alone. The hostile corpus is ours (lab/hostile_agents.py); its part
that is hostile by intent only is reported apart.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import time
from collections import Counter
from pathlib import Path

from bartizan import __version__
from bartizan.core.findings import Severity
from bartizan.core.measures import proportion
from bartizan.lab.hostile_agents import honest_agents, hostile_agents, hostile_by_intent
from bartizan.supply.agents.skills import INTENT, is_part, is_skill, scan_skill, skill_folders
from bartizan.supply.agents.tool_descriptions import scan_tools
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes

SEED = 20261124
FOLDER = Path("build/agents")
RESULT = Path(__file__).parent / "results" / "skills.json"
WITH_SKILLS = (
    *("ecc-universal", "cc-sdd", "shopify-cc-kit", "@nextsparkjs/ai-workflow", "ai-labs-claude-skills", "blueprint-os"),
    *("appsheet-project", "claude-code-lint", "@plaited/development-skills", "@longtq2501/next-spring-skills"),
    *("@wednesday-solutions-eng/ai-agent-skills", "skill-creator", "openskills", "@n8n-as-code/skills"),
)
WITH_TOOLS = (
    *("@playwright/mcp", "chrome-devtools-mcp", "@upstash/context7-mcp", "@notionhq/notion-mcp-server", "tavily-mcp"),
    *("mongodb-mcp-server", "firecrawl-mcp", "@zereight/mcp-gitlab", "n8n-mcp", "@circleci/mcp-server-circleci"),
    *("next-devtools-mcp", "@supabase/mcp-server-supabase", "@modelcontextprotocol/server-filesystem"),
    *("@modelcontextprotocol/server-memory", "@azure-devops/mcp", "@gongrzhe/server-gmail-autoauth-mcp"),
)
_TOOL = re.compile(
    r"name:\s*([\"'`])([a-zA-Z_-]{3,60})\1,[^{}]{0,80}?description:\s*([\"'`])((?:(?!\3)[^\\]|\\.){20,3000})\3"
)


def fetch(names, folder):
    """Download the tarballs that are not there yet; a name that is not served is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("*.tgz")):
        for name in names:
            subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=False, capture_output=True)
    return sorted(folder.glob("*.tgz"))


def skills(tarballs):
    """Return the result of every different skill or rules file, SKILL.md apart from the others."""
    seen, found = set(), {"SKILL.md": [], "other texts": []}
    for tarball in tarballs:
        with tarfile.open(tarball) as archive:
            folders = skill_folders(archive.getnames())
            for info in archive:
                part = is_part(info.name, folders)
                if not info.isfile() or not (part or is_skill(info.name)) or info.size > 200_000:
                    continue
                data = archive.extractfile(info).read()
                digest = hashlib.sha256(data).digest()
                if digest not in seen:
                    seen.add(digest)
                    kind = "SKILL.md" if info.name.lower().endswith("/skill.md") else "other texts"
                    text, name = data.decode("utf-8", "replace"), f"{tarball.name}!{info.name}"
                    found[kind].append(scan_skill(text, name, part=part))
    return found


def tool_sets(tarballs):
    """Return the result of each server's tools, as far as its code spells them out, and how many tools there were."""
    results, count = [], 0
    for tarball in tarballs:
        tools = {}
        with tarfile.open(tarball) as archive:
            for info in archive:
                if info.isfile() and info.name.endswith((".js", ".mjs", ".cjs")) and info.size < 20 << 20:
                    source = archive.extractfile(info).read().decode("utf-8", "replace")
                    for match in _TOOL.finditer(source):
                        tools[match[2]] = {"name": match[2], "description": match[4].replace("\\n", "\n")}
        if tools:
            count += len(tools)
            results.append(scan_tools(json.dumps({"tools": list(tools.values())}), tarball.name))
    return results, count


def shares(results):
    """Return the counts of verdicts, and the share of BLOCK with its interval."""
    counts = Counter(_kind(one) for one in results)
    blocked = proportion(counts["BLOCK"], len(results), seed=SEED)
    rules = Counter(
        f"{f.severity.name} {f.rule}" for one in results for f in one.findings if f.severity >= Severity.MEDIUM
    )
    share = {"value": blocked.value, "low": blocked.low, "high": blocked.high}
    return {"n": len(results), "verdicts": dict(counts), "blocked": share, "findings": dict(rules)}


def _kind(result):
    """Return the verdict; REVIEW with what it is for."""
    if result.verdict is not Verdict.REVIEW:
        return result.verdict.name
    words_alone = {one.rule for one in result.findings if one.severity >= Severity.MEDIUM} == {INTENT}
    return "REVIEW for its plain words alone" if words_alone else "REVIEW for its structure"


def scanned(samples):
    """Return the results of samples through the whole scan."""
    return [scan_bytes(memoryview(one.data), one.name, Budget()) for one in samples]


def main():
    """Measure, print, write."""
    with_skills, with_tools = fetch(WITH_SKILLS, FOLDER / "skills"), fetch(WITH_TOOLS, FOLDER / "tools")
    begun = time.perf_counter()
    real = skills(with_skills)
    seconds = time.perf_counter() - begun
    sets, tools = tool_sets(with_tools)
    result = {
        "bartizan": __version__,
        "seed": SEED,
        "real skills": {kind: shares(results) for kind, results in real.items()},
        "seconds for real skills": seconds,
        "real tool sets": shares(sets) | {"tools": tools},
        "own hostile, by structure": shares(scanned(hostile_agents())),
        "own hostile, by intent only": shares(scanned(hostile_by_intent())),
        "own honest": shares(scanned(honest_agents())),
        "packages": [path.name for path in [*with_skills, *with_tools]],
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
