"""The life of one request, in order. Read `exchange` first; everything else in this package serves one of its steps."""

import asyncio
import functools
import logging
from collections.abc import AsyncGenerator
from dataclasses import replace

from bartizan.core.errors import BadEvidence, BadRequest, Refused, UpstreamFailed
from bartizan.core.verdicts import Allow, verdict_name
from bartizan.gateway.auth import Caller, Headers
from bartizan.gateway.call import Answer, Call, Pieces
from bartizan.gateway.encoding import Expander, encoding_of
from bartizan.gateway.evidence import Receipt
from bartizan.gateway.gate import Gate
from bartizan.gateway.guard import OutputGuard
from bartizan.gateway.limits.booking import Booking, Turned
from bartizan.gateway.limits.leaving import Leaving
from bartizan.gateway.screening import PASSED
from bartizan.gateway.trace import Trace
from bartizan.gateway.untrusted import declared, marked
from bartizan.gateway.upstream import Answering
from bartizan.gateway.wires.base import REFUSAL, Asked, Dialect, Said, Wire

_log = logging.getLogger("bartizan.gateway")
_LARGE = 262144
"""A body beyond this is parsed in a thread: others are served meanwhile."""


async def exchange(gate: Gate, wire: Wire, call: Call) -> Answer:
    """Take one request through every step and return its answer. Whatever goes wrong becomes an answer too."""
    trace = gate.trace(wire.name, call)
    booking: Booking | Turned | None = None
    gate.evidence.began()
    try:
        # 1. Who is calling?
        caller = gate.auth.identify(call.headers)
        trace.caller = caller.id
        # 2. What is asked? A copy is parsed; the original bytes are what will be forwarded.
        asked = await _understood(gate, wire, call, caller)
        trace.model, trace.stream = asked.prompt.model, asked.prompt.stream
        # 3. May this caller ask that, and can every limit bear the most that it may use?
        booking = await admitted(gate, wire, asked, call, caller)
        if isinstance(booking, Turned):
            trace.block("block", booking.why)
            return await failed(gate, trace, booking.said, booking.headers)
        asked = booking.asked
        whole = gate.conversations.recalled(asked, caller.id) if gate.conversations else asked
        # 4. Screen the input. A screen that fails has found something.
        trace.judged = await gate.screen.judge(whole.prompt) if wire.generates else PASSED
        if not isinstance(trace.judged.enforced, Allow):
            trace.block(verdict_name(trace.judged.enforced), trace.judged.enforced.why)
            return await _refused(gate, wire, asked, trace)
        # 5. Forward the bytes that came; only the output limit and the wish for a bill may be written into them.
        answer = await booking.sending(
            gate.upstream.send(call.method, call.target, trace.told(call.headers), booking.body, asked.prompt.model)
        )
        trace.upstream, trace.status = answer.source, answer.status
        # 6. Screen the answer, decide each tool call, and write down what happened before the client holds all of it.
        active = gate.outputs.active(whole.prompt, trace.judged.course) if wire.generates else ()
        guard = gate.guard(wire.reader(asked), active, whole.prompt, trace)
        guard.told = functools.partial(gate.heard, whole, caller.id)
        if _is_stream(answer):
            return await _streamed(gate, trace, booking, answer, guard)
        return await _whole(gate, wire, booking, trace, answer, guard)
    except Refused as error:
        return await failed(gate, trace, wire.error(401, "invalid_api_key", str(error)))
    except BadRequest as error:
        return await failed(gate, trace, wire.error(400, "invalid_request", str(error)))
    except UpstreamFailed as error:
        _log.warning("request %s: %s", trace.id, error)
        return await failed(gate, trace, wire.error(502, "upstream_failed", "The model server did not answer."))
    except asyncio.CancelledError:
        trace.outcome = "aborted"
        gate.evidence.enqueue("exchange", trace.record(gate.clock.wall_ns()))
        raise
    except BadEvidence as error:
        _log.error("request %s: %s", trace.id, error)
        return _answer(wire.error(503, "evidence_unavailable", "No answer without a record: the ledger failed."), trace)
    finally:
        gate.evidence.ended()
        if isinstance(booking, Booking):
            booking.returned()


async def _understood(gate: Gate, wire: Wire, call: Call, caller: Caller) -> Asked:
    """Return what is asked, every text with the trust of whoever could have written it. Raises BadRequest."""
    large = len(call.body) > _LARGE
    asked = await asyncio.to_thread(wire.parse, call.body) if large else wire.parse(call.body)
    prompt = declared(marked(asked.prompt, gate.delimiters), call.headers)
    prompt = gate.retrieval.labelled(prompt, caller.id) if gate.retrieval else prompt
    return asked if prompt is asked.prompt else replace(asked, prompt=prompt)


async def admitted(gate: Gate, wire: Dialect, asked: Asked, call: Call, caller: Caller) -> Booking | Turned:
    """Return what is held for a request that the caller's rights and every limit allow, or why it is turned away."""
    denied = "admin keys may not talk to models" if caller.admin_only else ""
    denied = denied or caller.grant.denies(asked, call.path, call.address)
    if denied:
        return Turned(wire.error(403, "not_allowed", denied), denied)
    turned = gate.watch.turns(wire, asked, len(call.body), caller, (call.headers, call.address))
    if turned:
        return turned
    booking = await gate.limits.reserve(wire, asked, call.body, call.headers, caller)
    if isinstance(booking, Booking):
        booking.paid = functools.partial(gate.watch.paid, caller)
    return booking


async def _refused(gate: Gate, wire: Wire, asked: Asked, trace: Trace) -> Answer:
    """Say no in the client's own dialect, once it is written down."""
    if gate.block_status == 200:
        said = wire.refuse(asked, REFUSAL)
    else:
        said = wire.error(gate.block_status, "content_filter", REFUSAL)
    trace.status, trace.outcome = said.status, "blocked"
    return _answer(said, trace, await recorded(gate, trace))


async def failed(gate: Gate, trace: Trace, said: Said, headers: Headers | None = None) -> Answer:
    """Answer with an error, once it is written down if that can be."""
    trace.status, trace.outcome, trace.verdict = said.status, "error", "block"
    try:
        receipt = await recorded(gate, trace)
    except BadEvidence:
        receipt = None
    answer = _answer(said, trace, receipt)
    answer.headers += headers or []
    return answer


async def _whole(
    gate: Gate, wire: Wire, booking: Booking, trace: Trace, answer: Answering, guard: OutputGuard
) -> Answer:
    """Read the whole answer, screen it, record, then return it."""
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := await answer.read():
            pieces.append(piece)
            size += len(piece)
            if size > gate.answer_bytes:
                raise UpstreamFailed(f"answer of more than {gate.answer_bytes} bytes")
    finally:
        answer.release()
    body, headers = b"".join(pieces), answer.headers
    expander = Expander(encoding_of(headers), gate.answer_bytes)
    readable = expander.feed(body)
    screened = guard.whole(readable)
    while guard.waiting:
        await guard.answered()
        screened = guard.whole(readable)
    trace.screened(guard, size)
    booking.settle(guard.usage)
    trace.charged = booking.charged
    if guard.blocked:
        trace.block("block", guard.blocked)
        return await _refused(gate, wire, booking.asked, trace)
    if screened != readable:
        body, headers = screened, [pair for pair in headers if pair[0] != b"content-encoding"]
    trace.outcome = "answered"
    guard.remembered()
    await guard.announced()
    receipt = await recorded(gate, trace)
    return Answer(answer.status, _theirs(headers, booking) + our_headers(trace, receipt), body)


async def _streamed(gate: Gate, trace: Trace, booking: Booking, answer: Answering, guard: OutputGuard) -> Answer:
    """Record that a stream begins, then hand it on; how it ended is a second record, kept before its end."""
    trace.outcome = "streaming"
    try:
        expander = Expander(encoding_of(answer.headers), gate.answer_bytes)
        receipt = await recorded(gate, trace)
    except BaseException:
        answer.release()
        raise
    headers = [pair for pair in answer.headers if pair[0] != b"content-encoding"]
    booking.streams = True

    def settled(done: Booking) -> None:
        gate.evidence.enqueue("settled", trace.bill(done.charged, done.usage))

    leaving = Leaving(booking, answer, guard, expander, settled)

    def abandon() -> None:
        trace.outcome = "aborted"
        leaving.leave(complete=False)
        _left(gate, trace, guard, 0)

    pieces = Pieces(_pieces(gate, trace, leaving, guard, expander), abandon)
    return Answer(answer.status, _theirs(headers, booking) + our_headers(trace, receipt), pieces=pieces)


async def _pieces(
    gate: Gate, trace: Trace, leaving: Leaving, guard: OutputGuard, expander: Expander
) -> AsyncGenerator[bytes, None]:
    trace.outcome, answer = "aborted", leaving.answer
    size = 0
    try:
        while not guard.ended and (piece := await answer.read()):
            size += len(piece)
            out = guard.feed(expander.feed(piece))
            waits = True
            while waits:
                waits = guard.waiting
                if guard.asking is not None:
                    await guard.announced()
                if out and (waits or not guard.ended):
                    trace.first_ns = trace.first_ns or gate.clock.wall_ns()
                    yield out
                out = await _resumed(guard) if waits else out
        if not guard.ended:
            out = guard.end()
            while guard.waiting:
                await guard.announced()
                yield out
                out = await _resumed(guard)
            await guard.announced()
        trace.screened(guard, size)
        trace.outcome = "blocked" if guard.blocked else "answered"
        guard.remembered()
        if not guard.blocked:
            leaving.bill()
            trace.charged = leaving.booking.charged
        await _ended(gate, trace)
        yield out
        while not guard.blocked and (piece := await answer.read()):
            yield guard.feed(expander.feed(piece))
    except UpstreamFailed:
        trace.outcome = "upstream failed"
        raise
    finally:
        leaving.leave(complete=trace.outcome in ("answered", "upstream failed"))
        if trace.outcome in ("aborted", "upstream failed"):
            _left(gate, trace, guard, size)


async def _resumed(guard: OutputGuard) -> bytes:
    """Return what may go on once people have answered about a call that waits."""
    await guard.answered()
    return guard.resume()


def _left(gate: Gate, trace: Trace, guard: OutputGuard, size: int) -> None:
    """Write down a stream that did not come to its end; nobody is there to wait for it."""
    guard.remembered()
    trace.screened(guard, size)
    now = gate.clock.wall_ns()
    gate.meter.observe(trace, now)
    gate.evidence.enqueue("stream-end", trace.end(now))


async def _ended(gate: Gate, trace: Trace) -> None:
    now = gate.clock.wall_ns()
    gate.meter.observe(trace, now)
    body = trace.end(now)
    if gate.wait_for_receipt:
        await gate.evidence.record("stream-end", body)
    else:
        gate.evidence.enqueue("stream-end", body)


async def recorded(gate: Gate, trace: Trace) -> Receipt | None:
    """Write the request down; return the receipt where the operator waits for it. Raises BadEvidence."""
    now = gate.clock.wall_ns()
    if trace.outcome != "streaming":
        gate.meter.observe(trace, now)
    body = trace.record(now)
    if gate.wait_for_receipt:
        return await gate.evidence.record("exchange", body)
    gate.evidence.enqueue("exchange", body)
    return None


def _is_stream(answer: Answering) -> bool:
    return any(name == b"content-type" and value[:17].lower() == b"text/event-stream" for name, value in answer.headers)


def _answer(said: Said, trace: Trace, receipt: Receipt | None = None) -> Answer:
    id_ = trace.id.encode()  # where a provider's id stands: SDKs show it, and it finds the record
    headers = [(b"content-type", said.content_type), (b"x-request-id", id_), (b"request-id", id_)]
    return Answer(said.status, headers + our_headers(trace, receipt), said.body)


def _theirs(headers: Headers, booking: Booking) -> Headers:
    """Return the upstream's headers; where we count limits, ours stand in for its own."""
    if not booking.headers:
        return headers
    ours = {name for name, _ in booking.headers}
    return [pair for pair in headers if pair[0] not in ours] + booking.headers


def our_headers(trace: Trace, receipt: Receipt | None) -> Headers:
    """Return the headers that name the request, its verdict and its record."""
    headers = [(b"x-bartizan-id", trace.id.encode()), (b"x-bartizan-verdict", trace.verdict.encode())]
    if receipt is not None:
        headers.append((b"x-bartizan-receipt", f"{receipt.seq}:{receipt.leaf_hash.hex()}".encode()))
    return headers
