"""What a server offers, compared with what was approved, and looked at before a person does.

Nothing that was not approved is shown to the client or can be called. The texts of a new or changed tool go through the
checks for tool descriptions of `supply` and through the detection engine; what they find keeps it from being pinned at
first use. What was approved as it is costs a hash and a comparison.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Text, Trust
from bartizan.core.verdicts import Block
from bartizan.detect.judge import Judge
from bartizan.mcp.mirrors import bad_annotation
from bartizan.mcp.names import name_findings
from bartizan.mcp.passages import passages
from bartizan.mcp.pins import INSTRUCTIONS, LAUNCH, Offered, Pins, Standing, digest
from bartizan.supply.agents.tool_descriptions import tool_findings

_LONG = 16384
_RESERVED = "#"


@dataclass(frozen=True, slots=True)
class Listing:
    """The tools that the client may see, how every offered one stands, and what was wrong with the list itself."""

    tools: tuple[dict[str, Any], ...]
    standings: tuple[Standing, ...]
    findings: tuple[Finding, ...] = ()


class Catalogue:
    """What one server offers."""

    def __init__(self, server: str, pins: Pins, judge: Judge, *, pin_first: bool) -> None:
        """Compare with `pins`. `pin_first` pins the first list of a new server as far as no check doubts it."""
        self.server = server
        self.pins = pins
        self._judge = judge
        self._pin_first = pin_first
        self._opening: set[str] = set()

    def listed(self, result: Mapping[str, Any], cursor: str = "") -> Listing:
        """Judge one page of a list of tools, asked for with `cursor`."""
        offered, findings = _readable(result.get("tools"), self.server)
        known = self.pins.pins(self.server)
        first = not any(not name.startswith(_RESERVED) for name in known)
        pin_clean = self._pin_first and (first or (bool(cursor) and cursor in self._opening))
        after = result.get("nextCursor")
        if pin_clean and isinstance(after, str) and after and len(self._opening) < 1000:
            self._opening.add(after)
        changed = [
            tool
            for tool in offered
            if (pin := known.get(tool["name"])) is None or pin.approved is None or pin.approved.sha256 != digest(tool)
        ]
        doubts = self._doubts(changed, offered) if changed else {}
        standings = self.pins.observe(
            self.server,
            [Offered(tool["name"], tool, tuple(doubts.get(tool["name"], ()))) for tool in offered],
            pin_clean=pin_clean,
        )
        shown = tuple(tool for tool, standing in zip(offered, standings, strict=True) if standing.usable)
        return Listing(shown, tuple(standings), tuple(findings))

    def instructions(self, text: str) -> Standing:
        """Judge what the server tells the model in general."""
        content = {"instructions": text}
        findings = [] if self._is_approved(INSTRUCTIONS, content) else list(self._of_texts([text], INSTRUCTIONS))
        first = INSTRUCTIONS not in self.pins.pins(self.server)
        pin_clean = self._pin_first and first
        return self.pins.observe(self.server, [Offered(INSTRUCTIONS, content, tuple(findings))], pin_clean=pin_clean)[0]

    def launched(self, content: Mapping[str, Any], findings: tuple[Finding, ...]) -> Standing:
        """Judge how the server is started or where it is. The first way is pinned, unless a check doubts it."""
        return self.pins.observe(self.server, [Offered(LAUNCH, content, findings)], pin_clean=True)[0]

    def _is_approved(self, name: str, content: Mapping[str, Any]) -> bool:
        pin = self.pins.pins(self.server).get(name)
        return pin is not None and pin.approved is not None and pin.approved.sha256 == digest(content)

    def _doubts(self, changed: list[dict[str, Any]], offered: list[dict[str, Any]]) -> dict[str, list[Finding]]:
        """Return what the checks say of each new or changed tool, beside all others that the client may have."""
        others = [(self.server, tool["name"]) for tool in offered]
        others += [
            (server, name)
            for server, pins in self.pins.read().servers.items()
            for name in pins
            if not name.startswith(_RESERVED) and (server, name) not in others
        ]
        names = {tool["name"] for tool in changed}
        beside = [{"name": name} for _, name in others if name not in names]
        found = tool_findings([*changed, *beside], "")
        return {
            tool["name"]: [
                *(one for one in found if one.where == f"#{tool['name'][:60]}"),
                *name_findings(tool["name"], others, self.server),
                *self._of_texts(passages(tool), tool["name"]),
            ]
            for tool in changed
        }

    def _of_texts(self, texts: Sequence[str], where: str) -> Iterator[Finding]:
        size = sum(map(len, texts))
        if size > _LONG:
            yield Finding("long-description", Severity.MEDIUM, f"{size} characters for the model to read", where)
        # A description orders by nature ("Use this before …"), so it is judged as a person's words
        verdicts = (self._judge.judge(Text(text, Trust.USER, where)).verdict for text in texts)
        why = next((verdict.why for verdict in verdicts if isinstance(verdict, Block)), None)
        if why is not None:
            yield Finding("injection-in-description", Severity.HIGH, why, where)


def _readable(tools: object, server: str) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Return the tools of a list that can be judged at all, each name once, and what was wrong with the others."""
    if not isinstance(tools, list):
        return [], [Finding("malformed-list", Severity.HIGH, "tools: expected a list", server)]
    kept: dict[str, dict[str, Any]] = {}
    twice: set[str] = set()
    findings: list[Finding] = []
    for tool in tools:
        name = tool.get("name") if isinstance(tool, dict) else None
        if not isinstance(name, str) or not name or name.startswith(_RESERVED) or len(name) > 128:
            findings.append(Finding("malformed-tool", Severity.HIGH, "a tool without a name that can be used", server))
        elif not isinstance(tool.get("inputSchema"), dict):
            findings.append(Finding("malformed-tool", Severity.HIGH, f"{name!r} has no inputSchema", server))
        elif why := bad_annotation(tool["inputSchema"]):
            findings.append(Finding("malformed-tool", Severity.HIGH, f"{name!r}: {why}", server))
        elif name in kept:
            twice.add(name)
        else:
            kept[name] = tool
    for name in sorted(twice):
        del kept[name]
        why = f"two tools are called {name!r}: one can take the other's calls, so neither is offered"
        findings.append(Finding("shadowed-tool", Severity.HIGH, why, server))
    return list(kept.values()), findings
