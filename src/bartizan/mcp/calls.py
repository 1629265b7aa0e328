"""May this call of a tool be executed: pinned, within its schema, within the operator's rules, and decided about.

The chat side knows what the user asked; here is where the call takes effect. So the checks that need no conversation
are made here, and for the rest one decision of the chat side is spent (`ledger/decisions.py`). In order, the first that
says no is the answer; the decision is spent last, so a call that is refused for another reason costs none.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bartizan.core.errors import BadArtifact, BadEvidence, BadSettings
from bartizan.core.findings import Finding
from bartizan.core.messages import ToolSpec
from bartizan.core.sections.mcp import Mcp
from bartizan.ledger.decisions import Decisions
from bartizan.mcp.arguments import argument_findings
from bartizan.mcp.pins import Pins
from bartizan.policy.as_called import as_called
from bartizan.policy.cedar import Rules
from bartizan.policy.inference import role_of
from bartizan.policy.manifest import Effect, Manifest, Role, Tool, properties

_WORDS = {"none": "none was made for it", "spent": "the one for it is spent", "expired": "the one for it is too old"}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What happens to one call. `reason` is a word for machines; `decision` the id of the decision that was spent."""

    verdict: Literal["allow", "block"]
    reason: str
    why: str
    effect: str = ""
    decision: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Calls:
    """What is asked of every call."""

    settings: Mcp
    pins: Pins
    manifest: Manifest = field(default_factory=Manifest)
    rules: Rules | None = None
    decisions: Decisions | None = None

    def __post_init__(self) -> None:
        """Refuse settings that wait for decisions which nobody makes."""
        if self.settings.decision in ("required", "after-reading") and self.decisions is None:
            raise BadSettings(
                f"mcp.decision = {self.settings.decision!r}: expected policy.decisions_file to name a file",
                hint='Set policy.decisions_file = "bartizan-data/decisions.sqlite" here and for what decides.',
            )

    def judge(
        self, server: str, name: str, arguments: Mapping[str, Any], *, principal: str = "", tainted: bool = False
    ) -> Ruling:
        """Return what happens to a call of the tool that `server` itself calls `name`. Total: doubt is a block."""
        try:
            content = self.pins.approved(server, name)
            if content is None:
                return self._not_pinned(server, name)
            return self._of_tool(server, content, dict(arguments), principal, tainted)
        except (BadArtifact, BadEvidence) as error:
            return Ruling("block", "control-failed", str(error))

    def tool(self, server: str, content: Mapping[str, Any]) -> Tool:
        """Return what is known about a tool: what the operator wrote under one of its names, else what it shows."""
        spec = spec_of(content)
        names = self.names(server, spec.name)
        written = next((known for known in names if known in self.manifest.tools), spec.name)
        annotations = content.get("annotations")
        hints = annotations if isinstance(annotations, dict) else None
        return self.manifest.tool(ToolSpec(written, spec.description, spec.schema), hints)

    def names(self, server: str, name: str) -> list[str]:
        """Return the names that a tool has on the chat side. A name that another server's tool has too is none."""
        forms = [form.replace("{server}", server).replace("{tool}", name) for form in self.settings.called_as]
        others = [
            (other, tool)
            for other, pins in self.pins.read().servers.items()
            for tool in pins
            if other != server and tool == name
        ]
        taken = {
            form.replace("{server}", other).replace("{tool}", tool)
            for other, tool in others
            for form in self.settings.called_as
        }
        return [form for form in dict.fromkeys(forms) if form not in taken] or [f"{server}__{name}"]

    def _not_pinned(self, server: str, name: str) -> Ruling:
        pin = self.pins.pins(server).get(name)
        if pin is None:
            return Ruling("block", "tool-unknown", f"{server} has no approved tool of this name")
        said = "differs from what was approved" if pin.approved else "was not approved yet"
        return Ruling("block", "tool-quarantined", f"the tool {said}: see `bartizan mcp diff {server}`")

    def _of_tool(
        self, server: str, content: Mapping[str, Any], arguments: dict[str, Any], principal: str, tainted: bool
    ) -> Ruling:
        name = str(content["name"])
        described = any(known in self.manifest.tools for known in self.names(server, name))
        tool = as_called(self.tool(server, content), name, arguments, described=described)
        effect = tool.effect.value
        strange = next(_strange(content.get("inputSchema"), arguments), None)
        if strange is not None:
            return Ruling("block", "argument-not-offered", f"the tool has no argument {strange[:80]!r}", effect)
        found: tuple[Finding, ...] = ()
        if self.settings.arguments != "off":
            found = tuple(argument_findings(arguments, tool, self.settings.inside_hosts))
            if found and self.settings.arguments == "enforce":
                why = f"{found[0].where}: {found[0].why}"
                return Ruling("block", found[0].rule, why, effect, findings=found)
        over = _over(arguments, tool)
        if over:
            return Ruling("block", "amount-above-cap", over, effect, findings=found)
        if self.rules is not None:
            permitted = self.rules.permits(principal, f"{server}__{name}", effect, arguments, tainted=tainted)
            if not permitted.allowed:
                return Ruling("block", "not-permitted", f"the operator's rules: {permitted.why}", effect)
        return self._decided(server, name, arguments, tool.effect, found, tainted=tainted)

    def _decided(
        self,
        server: str,
        name: str,
        arguments: dict[str, Any],
        effect: Effect,
        found: tuple[Finding, ...],
        *,
        tainted: bool,
    ) -> Ruling:
        names, decisions = self.names(server, name), self.decisions
        if decisions is None or not self._needs_decision(decisions, names, effect, tainted=tainted):
            return Ruling("allow", "pinned", "an approved tool, and nothing against it", effect.value, findings=found)
        id_, why = decisions.spend(names, arguments)
        if not id_:
            said = f"a call like this needs a decision of the chat side, and {_WORDS[why]}"
            return Ruling("block", f"decision-{why}", said, effect.value, findings=found)
        return Ruling("allow", "decided", "the chat side decided so", effect.value, id_, found)

    def _needs_decision(self, decisions: Decisions, names: Sequence[str], effect: Effect, *, tainted: bool) -> bool:
        match self.settings.decision:
            case "required":
                return True
            case "after-reading":
                return tainted and effect is not Effect.READ
            case "when-known":
                return decisions.decides(names)
            case "off":
                return False


def spec_of(content: Mapping[str, Any]) -> ToolSpec:
    """Return a tool as a server lists it in the form that policies read."""
    schema = content.get("inputSchema")
    return ToolSpec(
        str(content.get("name", "")),
        str(content.get("description") or ""),
        json.dumps(schema if isinstance(schema, dict) else {}, ensure_ascii=False),
    )


def _strange(schema: object, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield arguments that the tool's schema does not name, unless it says that it takes any."""
    if not isinstance(schema, dict) or any(key in schema for key in ("$ref", "allOf", "anyOf", "oneOf", "if")):
        return
    if schema.get("patternProperties") or schema.get("additionalProperties", False) is not False:
        return
    named = properties(json.dumps(schema, ensure_ascii=False))
    yield from (name for name in arguments if named and name not in named)


def _over(arguments: Mapping[str, Any], tool: Tool) -> str:
    """Return why an amount is above the operator's cap, or nothing. What is no number is above any cap."""
    if tool.most is None:
        return ""
    for name, value in arguments.items():
        if role_of(tool, name) is not Role.AMOUNT:
            continue
        try:
            amount = float(value)
        except (TypeError, ValueError):
            return f"{name} is no number, and the operator caps it at {tool.most:g}"
        if not amount <= tool.most:
            return f"{name} = {amount:g} is above the operator's cap of {tool.most:g}"
    return ""
