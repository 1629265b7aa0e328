"""The life of one request, in order. Read `exchange` first; everything else in this package serves one of its steps."""

import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bartizan.core.clock import Clock
from bartizan.core.errors import BadEvidence, BadRequest, Refused, UpstreamFailed
from bartizan.core.findings import Finding
from bartizan.core.messages import Prompt
from bartizan.core.verdicts import Allow, verdict_name
from bartizan.gateway.auth import Authenticator, Headers
from bartizan.gateway.evidence import Receipt
from bartizan.gateway.screening import Judged
from bartizan.gateway.upstream import Answering, Upstream
from bartizan.gateway.wires.base import REFUSAL, Asked, Said, Wire, new_id

_log = logging.getLogger("bartizan.gateway")


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


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything a request passes, as the operator set it."""

    auth: Authenticator
    screen: Judge
    upstream: Upstream
    evidence: Evidence
    clock: Clock
    block_status: int = 200
    wait_for_receipt: bool = True
    answer_bytes: int = 67108864


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came. `target` is the path with its query, as the client wrote it."""

    method: str
    target: str
    headers: Headers
    body: bytes


@dataclass(slots=True)
class Answer:
    """What goes back: a body, or for a stream the pieces of one."""

    status: int
    headers: Headers
    body: bytes = b""
    pieces: AsyncIterator[bytes] | None = None


@dataclass(slots=True)
class Trace:
    """What is known about a request so far; becomes its record."""

    wire: str
    began_ns: int
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
    answer_bytes: int = 0


async def exchange(gate: Gate, wire: Wire, call: Call) -> Answer:
    """Take one request through every step and return its answer. Whatever goes wrong becomes an answer too."""
    trace = Trace(wire.name, gate.clock.wall_ns())
    try:
        # 1. Who is calling?
        caller = gate.auth.identify(call.headers)
        trace.caller = caller.id
        # 2. What is asked? A copy is parsed; the original bytes are what will be forwarded.
        asked = wire.parse(call.body)
        trace.model, trace.stream = asked.prompt.model, asked.prompt.stream
        # 3. Screen the input. A screen that fails has found something.
        trace.judged = await gate.screen.judge(asked.prompt)
        if not isinstance(trace.judged.enforced, Allow):
            return await _refused(gate, wire, call, asked, trace)
        # 4. Forward the bytes that came.
        trace.upstream = gate.upstream.name
        answer = await gate.upstream.send(call.method, call.target, call.headers, call.body)
        trace.status = answer.status
        # 5. Hand the answer back, and write down what happened before the client holds all of it.
        if asked.prompt.stream and 200 <= answer.status < 300:
            return await _streamed(gate, call, trace, answer)
        return await _whole(gate, call, trace, answer)
    except Refused as error:
        return await _failed(gate, trace, wire.error(401, "invalid_api_key", str(error)), call)
    except BadRequest as error:
        return await _failed(gate, trace, wire.error(400, "invalid_request", str(error)), call)
    except UpstreamFailed as error:
        _log.warning("request %s: %s", trace.id, error)
        return await _failed(gate, trace, wire.error(502, "upstream_failed", "The model server did not answer."), call)
    except BadEvidence as error:
        _log.error("request %s: %s", trace.id, error)
        return _answer(wire.error(503, "evidence_unavailable", "No answer without a record: the ledger failed."), trace)


async def _refused(gate: Gate, wire: Wire, call: Call, asked: Asked, trace: Trace) -> Answer:
    judged = trace.judged
    assert judged is not None  # noqa: S101 - narrows the type; only called after judging
    trace.verdict, trace.why = verdict_name(judged.enforced), judged.enforced.why
    if gate.block_status == 200:
        said = wire.refuse(asked, REFUSAL)
    else:
        said = wire.error(gate.block_status, "content_filter", REFUSAL)
    trace.status, trace.outcome = said.status, "blocked"
    return _answer(said, trace, await _recorded(gate, "exchange", trace, call))


async def _failed(gate: Gate, trace: Trace, said: Said, call: Call) -> Answer:
    trace.status, trace.outcome, trace.verdict = said.status, "error", "block"
    try:
        receipt = await _recorded(gate, "exchange", trace, call)
    except BadEvidence:
        receipt = None
    return _answer(said, trace, receipt)


async def _whole(gate: Gate, call: Call, trace: Trace, answer: Answering) -> Answer:
    """Read the whole answer, then record, then return it."""
    try:
        body = await answer.read()
        pieces = [body]
        size = len(body)
        while body:
            body = await answer.read()
            pieces.append(body)
            size += len(body)
            if size > gate.answer_bytes:
                raise UpstreamFailed(f"answer of more than {gate.answer_bytes} bytes")
    finally:
        answer.release()
    trace.outcome, trace.answer_bytes = "answered", size
    receipt = await _recorded(gate, "exchange", trace, call)
    return Answer(answer.status, answer.headers + _our_headers(trace, receipt), b"".join(pieces))


async def _streamed(gate: Gate, call: Call, trace: Trace, answer: Answering) -> Answer:
    """Record that a stream begins, then hand it on; how it ended is a second record, kept before its end."""
    trace.outcome = "streaming"
    try:
        receipt = await _recorded(gate, "exchange", trace, call)
    except BaseException:
        answer.release()
        raise
    return Answer(answer.status, answer.headers + _our_headers(trace, receipt), pieces=_pieces(gate, trace, answer))


async def _pieces(gate: Gate, trace: Trace, answer: Answering) -> AsyncIterator[bytes]:
    trace.outcome = "aborted"
    try:
        while piece := await answer.read():
            trace.answer_bytes += len(piece)
            yield piece
        trace.outcome = "answered"
        await _finished(gate, trace)
    except UpstreamFailed:
        trace.outcome = "upstream failed"
        raise
    finally:
        answer.release()
        if trace.outcome != "answered":
            gate.evidence.enqueue("stream-end", _end(gate, trace))


async def _finished(gate: Gate, trace: Trace) -> None:
    if gate.wait_for_receipt:
        await gate.evidence.record("stream-end", _end(gate, trace))
    else:
        gate.evidence.enqueue("stream-end", _end(gate, trace))


def _end(gate: Gate, trace: Trace) -> dict[str, Any]:
    return {
        "request": trace.id,
        "outcome": trace.outcome,
        "answer_bytes": trace.answer_bytes,
        "took_us": (gate.clock.wall_ns() - trace.began_ns) // 1000,
    }


async def _recorded(gate: Gate, kind: str, trace: Trace, call: Call) -> Receipt | None:
    body = {
        "request": trace.id,
        "at_ns": trace.began_ns,
        "took_us": (gate.clock.wall_ns() - trace.began_ns) // 1000,
        "wire": trace.wire,
        "caller": trace.caller,
        "model": trace.model,
        "stream": trace.stream,
        "verdict": trace.verdict,
        "why": trace.why,
        "input": _input(trace.judged),
        "upstream": trace.upstream,
        "status": trace.status,
        "outcome": trace.outcome,
        "request_sha256": hashlib.sha256(call.body).hexdigest(),
        "answer_bytes": trace.answer_bytes,
    }
    if gate.wait_for_receipt:
        return await gate.evidence.record(kind, body)
    gate.evidence.enqueue(kind, body)
    return None


def _input(judged: Judged | None) -> dict[str, Any]:
    if judged is None:
        return {}
    return {"verdict": verdict_name(judged.verdict), "findings": [_finding(finding) for finding in judged.findings]}


def _finding(finding: Finding) -> dict[str, Any]:
    return {"rule": finding.rule, "severity": finding.severity.name, "why": finding.why, "where": finding.where}


def _answer(said: Said, trace: Trace, receipt: Receipt | None = None) -> Answer:
    headers = [(b"content-type", said.content_type), *_our_headers(trace, receipt)]
    return Answer(said.status, headers, said.body)


def _our_headers(trace: Trace, receipt: Receipt | None) -> Headers:
    headers = [(b"x-bartizan-id", trace.id.encode()), (b"x-bartizan-verdict", trace.verdict.encode())]
    if receipt is not None:
        headers.append((b"x-bartizan-receipt", f"{receipt.seq}:{receipt.leaf_hash.hex()}".encode()))
    return headers
