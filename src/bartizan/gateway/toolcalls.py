"""The agent firewall in the path: every complete tool call of an answer is decided by where its values came from.

A call that may not happen is left out of the answer, alone, and a text stands in its place that the model can act on.
A call that a person must see waits for one, or is denied and may come again. What leaves may be executed once, where
the MCP proxy is ours too.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bartizan.core.clock import Clock, SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Prompt, ToolCall, Trust
from bartizan.core.sections.policy import Policy
from bartizan.core.verdicts import Allow, Ask, Block
from bartizan.gateway.desk import Desk, Outcome
from bartizan.gateway.rulings import Ruling
from bartizan.ledger.approvals.base import Place, Question
from bartizan.ledger.approvals.queue import new_id
from bartizan.ledger.decisions import Decisions, call_hash
from bartizan.policy.advice import told
from bartizan.policy.anchors import form_of
from bartizan.policy.cedar import Rules
from bartizan.policy.context import Context, Contexts
from bartizan.policy.decide import Decision, Provenance, decide, settled
from bartizan.policy.manifest import Manifest, Role
from bartizan.policy.values import as_number

Note = Callable[[Finding], None]
T = TypeVar("T")
_CUT = 120
"""Longest value that a decision shows whole."""
SAID: dict[Outcome, str] = {
    "denied": "A person was asked and said no. Do not try it again.",
    "asked": "A person has been asked. Tell the user; the same call may be made again once they have answered.",
    "full": "Nobody can be asked about it now.",
}
"""What is told further when a call that needs a person may not happen."""


class ToolCalls:
    """Decides the tool calls of answers as the operator set it."""

    def __init__(self, settings: Policy, clock: Clock | None = None, desk: Desk | None = None) -> None:
        """Read manifest and rules, open the decisions, if there are any. Raises BadSettings, BadEvidence."""
        self.mode = settings.tool_calls
        manifest = _read(settings.manifest_file, "manifest_file", Manifest.parse)
        self._rules = _read(settings.rules_file, "rules_file", Rules)
        self._contexts = Contexts(manifest)
        self.clock = clock or SystemClock()
        self.desk = desk
        decided = settings.decisions_file if settings.tool_calls != "off" else ""
        self.decisions = Decisions(Path(decided), self.clock) if decided else None

    def of(self, prompt: Prompt, note: Note, principal: str = "", request: str = "") -> "Judging | None":
        """Return what decides the calls of the answer to `prompt`; in monitor mode findings go to `note` only.

        `principal` is the caller, as the operator's rules name them; `request` the id in the ledger.
        """
        if self.mode == "off":
            return None
        return Judging(self, prompt, note, principal, request)

    def context(self, prompt: Prompt, principal: str) -> Context:
        """Return what a decision may use."""
        endorsed = self.desk.endorsements(principal) if self.desk is not None else ()
        context = self._contexts.of(prompt.messages, prompt.tools)
        return replace(context, rules=self._rules, principal=principal, endorsed=endorsed)

    def close(self) -> None:
        """Close the decisions."""
        if self.decisions is not None:
            self.decisions.close()


class Judging:
    """Decides the calls of one answer."""

    def __init__(self, rules: ToolCalls, prompt: Prompt, note: Note, principal: str, request: str) -> None:
        """Judge the answer to `prompt`."""
        self._rules, self._prompt, self._note = rules, prompt, note
        self._principal, self._request = principal, request
        self._passed: list[ToolCall] = []
        self._asked: dict[str, Question] = {}
        self._answers: dict[str, Outcome] = {}
        self._heard: set[str] = set()

    def __call__(self, call: ToolCall) -> Ruling:
        """Return what happens to a call."""
        context = self._rules.context(self._prompt, self._principal)
        for earlier in self._passed:
            context = context.after(earlier)
        decision, key = self._decided(call, context)
        why = f"{decision.reason}: {decision.why}"
        if decision.verdict in ("allow", "rewrite"):
            self._passed.append(call)
            changed = decision.verdict == "rewrite" and self._rules.mode == "enforce"
            if decision.verdict == "rewrite" and not changed:
                self._note(Finding("tool-call", Severity.HIGH, why, call.tool))
            if changed:
                return Ruling(Allow(why), arguments=decision.arguments)
            return Ruling(Allow(decision.why), settled=settled(decision, call, context))
        if self._rules.mode == "monitor":
            self._note(Finding("tool-call", Severity.HIGH, why, call.tool))
            return Ruling(Allow(why))
        if decision.verdict == "ask" and self._rules.desk is not None and key not in self._answers:
            self._asked[key] = self._question(call, decision, context, key)
            return Ruling(Ask(why))
        self._heard.add(call.tool)
        said = SAID.get(self._answers[key], "") if key in self._answers else ""
        return Ruling(Block(why), told(decision, context.tools, said))

    def again(self) -> None:
        """Decide the whole answer anew; what people have answered stays."""
        self._passed.clear()

    async def answered(self) -> None:
        """Ask people about the calls that need one, and wait for them."""
        desk, asked = self._rules.desk, dict(self._asked)
        self._asked.clear()
        if desk is not None:
            outcomes = await asyncio.gather(*(desk.settle(question) for question in asked.values()))
            self._answers.update(zip(asked, outcomes, strict=True))

    async def leave(self, calls: Sequence[ToolCall]) -> None:
        """Give each call that leaves the right to be executed once."""
        decisions, heard = self._rules.decisions, self._heard - {call.tool for call in calls}
        self._heard = set()
        if decisions is not None and (calls or heard):
            await asyncio.to_thread(_issue, decisions, calls, heard)

    def _decided(self, call: ToolCall, context: Context) -> tuple[Decision, str]:
        """Decide, without what a person has said yes to; each reason is asked about once."""
        approved: frozenset[str] = frozenset()
        now_ns = self._rules.clock.wall_ns()
        while True:
            decision = decide(call, context, now_ns, approved)
            key = self._key(call, decision.reason) if decision.verdict == "ask" else ""
            if self._answers.get(key) != "approved" or decision.reason in approved:
                return decision, key
            approved |= {decision.reason}

    def _key(self, call: ToolCall, reason: str) -> str:
        """Return what makes a question the same: caller, request of the user, call, reason; and which of its twins."""
        texts = (text for one in self._prompt.messages for text in one.texts())
        said = next((text.content for text in texts if text.trust is Trust.USER), "")
        twins = sum(1 for one in self._passed if (one.tool, one.arguments) == (call.tool, call.arguments))
        whole = (self._principal, said, call.tool, call_hash(json.loads(call.arguments or "{}")), reason, twins)
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()

    def _question(self, call: ToolCall, decision: Decision, context: Context, key: str) -> Question:
        now, desk = self._rules.clock.wall_ns(), self._rules.desk
        effect = context.called(call.tool, json.loads(call.arguments or "{}")).effect.value
        return Question(
            id=new_id(),
            key=key,
            at_ns=now,
            until_ns=now + round((desk.hold_s if desk else 0) * 1e9),
            principal=self._principal,
            tool=call.tool,
            effect=effect,
            reason=decision.reason,
            why=decision.why,
            arguments=call.arguments,
            places=tuple(_place(one) for one in decision.provenance),
            request=self._request,
            critical=desk is not None and desk.critical(effect),
        )


def _place(one: Provenance) -> Place:
    number = as_number(one.value) if one.role == Role.AMOUNT.value else None
    form = str(number) if number is not None else form_of(one.value)
    form = "" if len(one.value) >= _CUT or one.role == Role.SECRET.value else form
    return Place(one.argument, one.role, one.value, one.where, one.document, form)


def _issue(decisions: Decisions, calls: Sequence[ToolCall], heard: set[str]) -> None:
    for tool in heard:
        decisions.heard_of(tool)
    for call in calls:
        try:
            arguments = json.loads(call.arguments or "{}")
        except (ValueError, RecursionError):
            continue  # what is no JSON no server will take
        if isinstance(arguments, dict):
            decisions.issue(call.tool, arguments)


def _read(path: str, key: str, parse: Callable[[str], T]) -> T | None:
    if not path:
        return None
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadSettings(f"policy.{key} = {path!r}: {reason}") from error
