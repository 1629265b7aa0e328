"""What is known about one request, step by step, and the records that are made of it.

Records hold who, what, how much, the verdicts and why; never the prompt, the answer or a key. A hash of the request's
bytes ties the record to them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bartizan.core.findings import Finding
from bartizan.core.messages import Usage
from bartizan.core.verdicts import verdict_name
from bartizan.gateway.auth import Headers
from bartizan.gateway.screening import Judged
from bartizan.gateway.traceparent import Place
from bartizan.gateway.wires.base import new_id

_MOST_FINDINGS = 50
_OPERATIONS = {
    "openai-chat": ("chat", "openai"),
    "openai-responses": ("chat", "openai"),
    "openai-completions": ("text_completion", "openai"),
    "openai-embeddings": ("embeddings", "openai"),
    "anthropic-messages": ("chat", "anthropic"),
    "anthropic-count-tokens": ("count_tokens", "anthropic"),
}


class Screening(Protocol):
    """What the output guard has to tell."""

    findings: list[Finding]
    blocked: str
    redacted: int
    usage: Usage | None
    finish: str

    @property
    def denied(self) -> int:
        """How many calls a text stands in place of."""
        ...


@dataclass(slots=True)
class Trace:
    """What is known about a request so far."""

    wire: str
    began_ns: int
    body: bytes = b""
    place: Place | None = None
    """In a distributed trace, where spans are sent."""
    id: str = field(default_factory=lambda: new_id(""))
    caller: str = ""
    model: str = ""
    stream: bool = False
    verdict: str = "allow"
    why: str = ""
    judged: Judged | None = None
    upstream: str = ""
    status: int = 0
    outcome: str = ""
    first_ns: int = 0
    """When the first bytes of a stream went on."""
    finish: str = ""
    usage: Usage | None = None
    charged: int | None = None
    """Nano-dollars, where a price is known and the bill is settled."""
    answer_bytes: int = 0
    redacted: int = 0
    output_findings: Sequence[Finding] = ()
    watched: list[Finding] = field(default_factory=list)

    def told(self, headers: Headers) -> Headers:
        """Return the headers that go to the model server."""
        return headers if self.place is None else self.place.told(headers)

    def block(self, verdict: str, why: str) -> None:
        """Note that the request or its answer was stopped."""
        self.verdict, self.why = verdict, why

    def screened(self, guard: Screening, size: int) -> None:
        """Note what the output controls saw in an answer of `size` bytes."""
        self.answer_bytes = size
        self.output_findings = [*guard.findings, *self.watched]
        self.redacted, self.usage, self.finish = guard.redacted, guard.usage, guard.finish
        if guard.blocked:
            self.block("block", guard.blocked)
        elif guard.redacted or guard.denied:
            self.block("redact", guard.findings[0].why)

    def record(self, now_ns: int) -> dict[str, Any]:
        """Return the body of the record `exchange`."""
        judged = self.judged
        screened = {"verdict": verdict_name(judged.verdict), "findings": _findings(judged.findings)} if judged else {}
        return {
            "request": self.id,
            "at_ns": self.began_ns,
            "wire": self.wire,
            "caller": self.caller,
            "model": self.model,
            "stream": self.stream,
            "input": screened,
            "upstream": self.upstream,
            "status": self.status,
            "request_sha256": hashlib.sha256(self.body).hexdigest(),
            **self._result(now_ns),
        }

    def end(self, now_ns: int) -> dict[str, Any]:
        """Return the body of the record `stream-end`."""
        return {"request": self.id, **self._result(now_ns)}

    def bill(self, charged: int | None, usage: Usage | None) -> dict[str, Any]:
        """Return the body of the record `settled`: what a stream that was left has cost in the end."""
        return {"request": self.id, "usage": _counted(usage), "charged": charged}

    def _result(self, now_ns: int) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "verdict": self.verdict,
            "why": self.why,
            "output": _findings(self.output_findings),
            "redacted": self.redacted,
            "finish": self.finish,
            "usage": _counted(self.usage),
            "charged": self.charged,
            "answer_bytes": self.answer_bytes,
            "took_us": (now_ns - self.began_ns) // 1000,
        }


def spoken(wire: str) -> tuple[str, str]:
    """Return operation and provider of a dialect in OpenTelemetry's words for generative AI."""
    return _OPERATIONS.get(wire, (wire, "unknown"))


def _counted(usage: Usage | None) -> dict[str, int] | None:
    return {"input": usage.input_tokens, "output": usage.output_tokens} if usage else None


def _findings(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {"rule": finding.rule, "severity": finding.severity.name, "why": finding.why, "where": finding.where}
        for finding in findings[:_MOST_FINDINGS]
    ]
