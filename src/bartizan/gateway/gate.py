"""Everything a request passes on its way, as the operator set it, and what each part must be able to do."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bartizan.core.clock import Clock
from bartizan.core.findings import Finding
from bartizan.core.messages import Prompt
from bartizan.detect.turns.course import Course
from bartizan.gateway.auth import Authenticator
from bartizan.gateway.call import Answer, Call
from bartizan.gateway.conversations import Conversations
from bartizan.gateway.evidence import Receipt
from bartizan.gateway.guard import OutputGuard
from bartizan.gateway.health import Health
from bartizan.gateway.hearing import Hearing
from bartizan.gateway.limits.limiter import Limits, Unlimited
from bartizan.gateway.meter import Meter
from bartizan.gateway.output.base import Active
from bartizan.gateway.rulings import Asking
from bartizan.gateway.screening import Judged
from bartizan.gateway.trace import Trace
from bartizan.gateway.traceparent import Tracing
from bartizan.gateway.untrusted import Delimiters
from bartizan.gateway.upstream import Upstream
from bartizan.gateway.watch import Unwatched, Watching
from bartizan.gateway.wires.base import Asked, Reader


class Predictive(Protocol):
    """The routes of predictive models."""

    async def answer(self, gate: "Gate", call: Call) -> Answer | None:
        """Return the answer to a request, or None when it is for others."""
        ...

    def exposed(self) -> Mapping[float, int]:
        """Return how many callers could have a copy of a model at least as good as each share."""
        ...


class Judge(Protocol):
    """The guarded input screen."""

    async def judge(self, prompt: Prompt) -> Judged:
        """Return what it says about the prompt. Never raises."""
        ...


class Evidence(Protocol):
    """Where what happened is written."""

    async def record(self, kind: str, body: Mapping[str, Any]) -> Receipt:
        """Append one record and return its receipt once it is durable. Raises BadEvidence when it cannot be kept."""
        ...

    def enqueue(self, kind: str, body: Mapping[str, Any]) -> None:
        """Append one record soon; nobody waits for it."""
        ...

    def began(self) -> None:
        """Note that a request is on its way and will want a record."""
        ...

    def ended(self) -> None:
        """Note that it will want none any more."""
        ...

    @property
    def failed(self) -> str:
        """Why the last write failed; empty while writing works."""
        ...


class Outputs(Protocol):
    """The output controls."""

    def active(self, prompt: Prompt, course: Course | None = None) -> tuple[Active, ...]:
        """Return those that look at the answer to `prompt`, the last turn of `course` where one is followed."""
        ...


class ToolRules(Protocol):
    """The agent firewall."""

    def of(
        self, prompt: Prompt, note: Callable[[Finding], None], principal: str = "", request: str = ""
    ) -> Asking | None:
        """Return what decides the calls of the answer to `prompt`, or None when nothing does."""
        ...


class Labels(Protocol):
    """What is known of text that went through this gateway before."""

    def labelled(self, prompt: Prompt, caller: str) -> Prompt:
        """Return the prompt in which retrieved text has the trust of the web."""
        ...


Route = Callable[["Gate", Call], Awaitable[Answer]]
"""Answers a POST to a path of ours."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything a request passes, as the operator set it."""

    auth: Authenticator
    screen: Judge
    outputs: Outputs
    upstream: Upstream
    evidence: Evidence
    clock: Clock
    tool_calls: ToolRules | None = None
    limits: Limits = field(default_factory=Unlimited)
    watch: Watching = field(default_factory=Unwatched)
    block_status: int = 200
    wait_for_receipt: bool = True
    answer_bytes: int = 67108864
    control_timeout_s: float = 2.0
    fail_open: bool = False
    delimiters: Delimiters = ()
    meter: Meter = field(default_factory=Meter)
    predictive: Predictive | None = None
    retrieval: Labels | None = None
    conversations: Conversations | None = None
    routes: Mapping[str, Route] = field(default_factory=dict)
    tracing: Tracing | None = None
    healths: tuple[Health, ...] = ()
    """Of every upstream."""

    def trace(self, name: str, call: Call) -> Trace:
        """Return what is known of a request at its beginning."""
        place = self.tracing.begin(call.headers) if self.tracing is not None else None
        return Trace(name, self.clock.wall_ns(), call.body, place)

    def heard(self, asked: Asked, caller: str, told: Hearing) -> None:
        """Remember an answer that has left."""
        if self.conversations is not None:
            self.conversations.heard(asked, caller, told)

    def guard(self, reader: Reader, active: tuple[Active, ...], prompt: Prompt, trace: Trace) -> OutputGuard:
        """Return the guard for the answer to `prompt`."""
        rules, limit = self.tool_calls, self.control_timeout_s
        asking = rules.of(prompt, trace.watched.append, trace.caller, trace.id) if rules else None
        guard = OutputGuard(reader, active, asking, self.clock, timeout_s=limit, fail_open=self.fail_open)
        guard.asking = asking
        guard.heard = self.conversations.hearing() if self.conversations else None
        return guard
