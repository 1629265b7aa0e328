"""Results of other tools as outside evidence: garak reports (JSON lines) and promptfoo results (JSON).

They are shown beside our own figures and decide nothing: other judges err in ways of their own. What a file says of
probes that we cannot place is counted, not dropped. Files are hostile until read: size-bound, nothing is executed.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bartizan.core.errors import BadSettings
from bartizan.core.measures import Measurement, proportion

MOST_BYTES = 1 << 30

_GARAK = {
    "promptinject": "T01",
    "sysprompt_extraction": "T01",
    "goodside": "T01",
    "dan": "T02",
    "dra": "T02",
    "doctor": "T02",
    "encoding": "T02",
    "grandma": "T02",
    "phrasing": "T02",
    "suffix": "T02",
    "tap": "T02",
    "visual_jailbreak": "T02",
    "fitd": "T02",
    "smuggling": "T02",
    "leakreplay": "T07",
    "divergence": "T07",
    "latentinjection": "T10",
    "web_injection": "T10",
    "ansiescape": "T10",
    "packagehallucination": "T09",
    "fileformats": "T09",
}
_PROMPTFOO = {
    "prompt-extraction": "T01",
    "hijacking": "T01",
    "system-prompt-override": "T01",
    "ascii-smuggling": "T01",
    "special-token-injection": "T01",
    "excessive-agency": "T01",
    "rbac": "T01",
    "bola": "T01",
    "bfla": "T01",
    "tool-discovery": "T01",
    "reasoning-dos": "T08",
    "divergent-repetition": "T08",
    "indirect-prompt-injection": "T10",
    "rag-document-exfiltration": "T10",
    "rag-poisoning": "T10",
    "data-exfil": "T10",
    "mcp": "T10",
    "agentic:memory-poisoning": "T10",
    "memory-poisoning": "T10",
}
_PROMPTFOO_FAMILIES = {"harmful": "T02", "pii": "T06", "coding-agent": "T10"}


@dataclass(frozen=True, slots=True)
class Outside:
    """What one tool measured for one threat; `threat` is empty for what could not be placed."""

    tool: str
    threat: str
    source: str
    """The file."""
    attacks: str
    """Which probes or plugins."""
    success: Measurement


def read(paths: Sequence[str]) -> tuple[Outside, ...]:
    """Return what the files at `paths` say. Raises BadSettings for a file that is neither garak's nor promptfoo's."""
    return tuple(one for path in paths for one in _read_one(Path(path)))


def _read_one(path: Path) -> list[Outside]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadSettings(f"{path}: larger than {MOST_BYTES} bytes", hint="Expected a result file, not a log.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"outside evidence {path}: cannot be read: {error}") from error
    try:
        tool, hits = _counted(text)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise BadSettings(
            f"outside evidence {path}: {type(error).__name__}: {error}",
            hint="Expected garak's report (.report.jsonl) or promptfoo's results (promptfoo … --output results.json).",
        ) from error
    if not hits:
        raise BadSettings(f"outside evidence {path}: holds no evaluated attack", hint="Did that run finish?")
    return [
        Outside(tool, threat, str(path), ", ".join(sorted(names)), proportion(won, total, seed=0))
        for threat, (won, total, names) in sorted(hits.items())
    ]


_Hits = dict[str, tuple[int, int, Counter[str]]]


def _counted(text: str) -> tuple[str, _Hits]:
    first = text.lstrip().partition("\n")[0]
    if first.startswith("{") and '"entry_type"' in first:
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        version = next((str(one["garak_version"]) for one in lines if one.get("garak_version")), "unknown version")
        return f"garak {version}", _summed(_garak(lines))
    document = json.loads(text)
    version = (document.get("metadata") or {}).get("promptfooVersion", "unknown version")
    return f"promptfoo {version}", _summed(_promptfoo(document["results"]["results"]))


def _summed(seen: Iterable[tuple[str, str, int, int]]) -> _Hits:
    won: Counter[str] = Counter()
    total: Counter[str] = Counter()
    names: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for threat, name, hits, count in seen:
        if not 0 <= hits <= count:
            raise ValueError(f"{name}: {hits} successes of {count}: expected 0 to {count}")
        won[threat] += hits
        total[threat] += count
        names[threat][name] += count
    return {threat: (won[threat], total[threat], names[threat]) for threat in total if total[threat]}


def _garak(lines: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str, int, int]]:
    """Yield (threat, probe, successful attacks, evaluated) of every `eval` entry; `passed` counts safe answers."""
    for one in lines:
        if one.get("entry_type") == "eval":
            probe = str(one["probe"])
            evaluated = int(one["total_evaluated"] if "total_evaluated" in one else one["total"])
            module = probe.removeprefix("probes.").partition(".")[0]
            yield _GARAK.get(module, ""), probe, evaluated - int(one["passed"]), evaluated


def _promptfoo(results: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str, int, int]]:
    """Yield (threat, plugin, 1 or 0, 1) of every judged result. An error of target or grader is no verdict."""
    for one in results:
        if one.get("failureReason") == 2 or one.get("error"):
            continue
        about = {**((one.get("testCase") or {}).get("metadata") or {}), **(one.get("metadata") or {})}
        plugin = str(about.get("pluginId", ""))
        if plugin:
            threat = _PROMPTFOO.get(plugin) or _PROMPTFOO_FAMILIES.get(plugin.partition(":")[0], "")
            yield threat, plugin, 0 if one["success"] else 1, 1
