"""What a server returns, before a model reads it: labelled with its origin, searched for orders, its links looked at.

Every text in a result counts as written by anybody, because servers hand on mail, pages and issues. A result is judged
passage by passage (`passages.py`), and withheld as a whole where the detection engine blocks one. Control characters
that would act on a terminal are taken out, and links that would run something or lead inside the network are taken off.
Binary parts are not looked into, except text in base64. What is hostile only in meaning, without any order in it,
passes: the decision on the next call stops that.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Text, Trust
from bartizan.core.sections.gateway import Mode
from bartizan.core.verdicts import Block
from bartizan.detect.judge import Judge
from bartizan.detect.memo import BEGINNING, Memo
from bartizan.mcp.passages import passages
from bartizan.mcp.places import host_of, inside, scheme_of

ORIGIN_KEY = "bartizan.dev/origin"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LINKS = frozenset(("uri", "url", "href", "src", "websiteUrl"))
_RUNS = frozenset(("javascript", "vbscript", "data", "blob", "jar"))
_REMEMBERED = 512


@dataclass(slots=True)
class Screened:
    """What may be handed on, or why nothing is. `edits` counts what was taken out of it."""

    result: dict[str, Any]
    withheld: str = ""
    edits: int = 0
    findings: list[Finding] = field(default_factory=list)


class Contents:
    """Screens what servers return."""

    def __init__(self, judge: Judge, mode: Mode, hosts: Collection[str] = ()) -> None:
        """Screen with `judge`. `hosts` are those of this machine or network that links may name."""
        self._judge = judge
        self._mode = mode
        self._judgements = Memo(_REMEMBERED)
        self.hosts = frozenset(hosts)

    def screened(self, result: dict[str, Any], server: str, what: str, trust: Trust) -> Screened:
        """Return a result as it may be handed on. `what` says in records which answer this is."""
        done = Screened(result)
        done.result = self._cleaned(result, done, f"{server}/{what}", "")
        for passage in passages(done.result):
            self._judged(Text(passage, trust, f"{server}/{what}"), done)
        origin = {"server": server, "from": what, "trust": trust.name.lower()}
        if not set(done.result) - {"_meta", "resultType"}:
            return done  # an empty result stays empty: MCP says so, and there is nothing in it to label
        meta = done.result.get("_meta")
        done.result["_meta"] = {**(meta if isinstance(meta, dict) else {}), ORIGIN_KEY: origin}
        return done

    def tamed(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return a result without control characters and bad links, unlabelled and not searched."""
        return dict(self._cleaned(result, Screened({}), "", ""))

    def _judged(self, text: Text, done: Screened) -> None:
        if self._mode == "off":
            return
        judged, _ = self._judgements.judge(self._judge, text, BEGINNING)
        done.findings += [one for one in judged.findings if one.severity > Severity.INFO]
        if isinstance(judged.verdict, Block):
            done.findings.append(Finding("injection-in-result", Severity.HIGH, judged.verdict.why, text.origin))
            if self._mode == "enforce" and not done.withheld:
                done.withheld = judged.verdict.why

    def _cleaned(self, node: Any, done: Screened, where: str, key: str) -> Any:
        """Return a copy without control characters and without links that must not be followed."""
        if isinstance(node, dict):
            return {tame(str(name)): self._cleaned(value, done, where, str(name)) for name, value in node.items()}
        if isinstance(node, list):
            kept = [
                self._cleaned(value, done, where, key) for value in node if not self._is_bad_link(value, done, where)
            ]
            done.edits += len(node) - len(kept)
            return kept
        if not isinstance(node, str):
            return node
        cleaned = tame(node)
        done.edits += cleaned != node
        if key in _LINKS and (why := self._link(cleaned)):
            done.findings.append(Finding("link-withheld", Severity.MEDIUM, why, where))
            done.edits += 1
            return "about:blank"
        return cleaned

    def _is_bad_link(self, node: object, done: Screened, where: str) -> bool:
        if not isinstance(node, dict) or node.get("type") != "resource_link":
            return False
        why = self._link(str(node.get("uri", "")))
        if why:
            done.findings.append(Finding("link-withheld", Severity.MEDIUM, why, where))
        return bool(why)

    def _link(self, address: str) -> str:
        """Return why a link must not be followed, or nothing."""
        scheme = scheme_of(address)
        if scheme in _RUNS and not address.lower().startswith("data:image/"):
            return f"a link of the kind {scheme}, which may run something: {visible(address)[:80]}"
        if scheme in ("http", "https", "ws", "wss", "ftp"):
            return inside(host_of(address) or "localhost", self.hosts)
        return ""


def tame(text: str) -> str:
    """Return a text without what would act on a terminal: escape sequences and control characters."""
    return _CONTROL.sub("", _SEQUENCE.sub("", text)) if not text.isprintable() else text
