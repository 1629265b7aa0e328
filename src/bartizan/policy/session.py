"""One agent's conversation as it goes on, for frameworks that run tools themselves: what was said, decided, returned.

The application says what the user and the system wrote; each call is decided before it runs, and what it returned
counts as read from then on. Thread-safe: tools may run side by side.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from bartizan.core.messages import Message, Role, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.policy.advice import told
from bartizan.policy.cedar import Rules
from bartizan.policy.context import DENIED, context_of
from bartizan.policy.decide import Decision, decide
from bartizan.policy.manifest import Manifest

Approve = Callable[[ToolCall, Decision], bool]
"""Asks a person about a call; true lets it happen."""


class Session:
    """The conversation of one agent with one user."""

    def __init__(
        self,
        manifest: Manifest | None = None,
        rules: Rules | None = None,
        principal: str = "",
        approve: Approve | None = None,
    ) -> None:
        """Begin it. Without `approve`, what a person must see does not happen."""
        self._context = replace(context_of((), (), manifest), rules=rules, principal=principal)
        self._approve = approve
        self._under_way: list[ToolCall] = []
        self._lock = threading.Lock()
        self._count = 0
        self.decisions: list[Decision] = []

    def offer(self, tools: Sequence[ToolSpec]) -> None:
        """Name the tools that the agent has, beside those named before."""
        with self._lock:
            self._context = self._context.offering({**self._context.tools, **{tool.name: tool for tool in tools}})

    def said(self, role: Role, text: str) -> None:
        """Take in what the user, the system or the model said."""
        with self._lock:
            self._count += 1
            self._context = self._context.followed_by([Message.of(role, text, f"messages[{self._count}]")])

    def permit(self, tool: str, arguments: str) -> tuple[ToolCall, str]:
        """Decide a call. Return it as it may run, and an empty text; or what to tell the model instead."""
        with self._lock:
            self._count += 1
            call, approved = ToolCall(f"call_{self._count}", tool, arguments), frozenset[str]()
            context = self._context
            for other in self._under_way:
                context = context.after(other)
            decision = decide(call, context)
            while decision.verdict == "ask" and decision.reason not in approved:
                if self._approve is None or not self._approve(call, decision):
                    break
                approved |= {decision.reason}
                decision = decide(call, context, approved=approved)
            self.decisions.append(decision)
            if decision.verdict in ("ask", "block"):
                return call, told(decision, context.tools)
            call = call if decision.arguments is None else replace(call, arguments=decision.arguments)
            self._under_way.append(call)
            return call, ""

    def returned(self, call: ToolCall, text: str) -> None:
        """Take in what a call returned: from now on it is read."""
        text = text.removeprefix(DENIED)  # a tool cannot claim that it never ran
        result = ToolResult(call.id, Text(text, Trust.TOOL, f"messages[{call.id.removeprefix('call_')}]"))
        messages = (Message(Role.ASSISTANT, (call,)), Message(Role.TOOL, (result,)))
        with self._lock:
            self._under_way = [other for other in self._under_way if other.id != call.id]
            self._context = self._context.followed_by(messages)
