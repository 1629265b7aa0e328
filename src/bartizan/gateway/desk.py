"""Where tool calls wait for people: asks, waits for an answer without holding up the event loop, notes what came of it.

What was asked, answered and used is in the ledger; the values themselves are in the queue only, for those who answer.
A queue that cannot be reached is no answer, and no answer lets nothing happen.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from bartizan.core import settings as settings_file
from bartizan.core.clock import Clock
from bartizan.core.errors import BadEvidence, BadRequest, BadSettings, BartizanError, Refused
from bartizan.core.sections.approvals import Approvals as Section
from bartizan.gateway.call import Answer, Call
from bartizan.gateway.webhooks import Poster, Signer
from bartizan.gateway.wires.base import dump
from bartizan.ledger.approvals.base import Endorsed, Held, Question
from bartizan.ledger.approvals.queue import Queue
from bartizan.policy.endorsements import Endorsement
from bartizan.policy.manifest import Effect

_log = logging.getLogger("bartizan.gateway")
_POLL_S = 0.2
_FRESH_S = 1.0
PATH = "/approvals/answers"
Outcome = Literal["approved", "denied", "asked", "full"]
"""What came of a question: yes, no, no answer yet, or nobody was asked because too many questions wait."""
Record = Callable[[str, Mapping[str, Any]], Awaitable[object]]


class Posted(msgspec.Struct, frozen=True):
    """An answer that a program brings."""

    type: Literal["approval.answered"]
    id: str
    answer: Literal["approve", "deny"]
    who: str
    why: str


class Desk:
    """Asks people about calls. `record` is set before the first request."""

    def __init__(self, section: Section, queue: Queue, clock: Clock) -> None:
        """Ask through `queue`, which the desk closes. Raises BadSettings when a webhook has no secret."""
        self._section, self._queue, self._clock = section, queue, clock
        self._endorsed: tuple[Endorsed, ...] = ()
        self._poster = Poster(section.webhook)
        named = bool(section.secret_env or section.secret_file)
        if section.webhook and not named:
            raise BadSettings("approvals.webhook: expected a secret too, in secret_env or secret_file")
        secret = settings_file.secret(section.secret_env, section.secret_file, "approvals: secret") if named else ""
        self._signer = Signer.of(secret) if named else None
        self.record: Record = _unrecorded

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep endorsements fresh and post questions while the block runs."""
        await asyncio.to_thread(self._read)
        task = asyncio.ensure_future(self._refresh())
        try:
            async with self._poster.running():
                yield
        finally:
            task.cancel()
            await asyncio.wait((task,))
            self._queue.close()

    @property
    def hold_s(self) -> float:
        """Return how long a question stays open."""
        return self._section.hold_s

    def critical(self, effect: str) -> bool:
        """Return whether two people must agree."""
        return effect in self._section.two_people

    def endorsements(self, principal: str) -> tuple[Endorsement, ...]:
        """Return what people have said yes to beforehand, as far as it counts for this caller."""
        return tuple(
            Endorsement(Effect(one.effect), one.value, one.document, one.until_ns)
            for one in self._endorsed
            if one.principal in ("", principal)
        )

    async def settle(self, question: Question) -> Outcome:
        """Ask, wait as long as the settings say, and return what came of it. An approval is used by this."""
        try:
            return await self._settle(question)
        except Refused as error:
            _log.warning("a call is denied unasked: %s", error)
            return "full"
        except BadEvidence as error:
            _log.error("a call is denied, nobody could be asked: %s", error)
            return "full"

    async def _settle(self, question: Question) -> Outcome:
        held, new = await asyncio.to_thread(self._queue.ask, question, self._section.most_waiting)
        if new:
            await self.record("approval-asked", _noted(held))
            self._tell(held)
        waits = self._section.wait_s if self._section.mode == "wait" else 0.0
        until = self._clock.monotonic_ns() + waits * 1e9
        while True:
            match held.now(self._clock.wall_ns()):
                case "denied":
                    return "denied"
                case "approved":
                    if not await asyncio.to_thread(self._queue.use, held.question.id):
                        return "asked"
                    await self.record("approval-used", {"id": held.question.id, "request": question.request})
                    return "approved"
                case "expired" | "used":
                    return "asked"
                case "waiting":
                    pass
            if self._clock.monotonic_ns() >= until:
                return "asked"
            await asyncio.sleep(_POLL_S)
            held = await asyncio.to_thread(self._queue.find, held.question.id)

    async def answer_posted(self, _: object, call: Call) -> Answer:
        """Take an answer signed with the webhook's secret. What two people must agree on is not taken here."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in call.headers}
        try:
            if self._signer is None:
                raise Refused("approvals have no secret here, so nobody can sign an answer")
            self._signer.check(headers, call.body, self._clock.wall_ns() // 10**9)
            try:
                posted = msgspec.json.decode(call.body, type=Posted)
            except msgspec.DecodeError as error:
                raise BadRequest(f"the answer: {error}") from error
            held = await asyncio.to_thread(self._queue.answerable, posted.id)
            if held.question.critical:
                raise Refused(f"{posted.id}: two people must agree, in the dashboard")
            if not posted.who.strip() or not posted.why.strip():
                raise BadRequest(f"{posted.id}: expected who answers and a reason")
            body = {"id": posted.id, "answer": posted.answer, "who": posted.who, "why": posted.why, "by": "webhook"}
            await self.record("approval-answered", body)
            approve = posted.answer == "approve"
            held = await asyncio.to_thread(
                lambda: self._queue.answer(posted.id, approve=approve, who=posted.who, why=posted.why)
            )
        except Refused as error:
            return _said(403, {"error": str(error)})
        except BadRequest as error:
            return _said(409 if "waits no more" in str(error) else 400, {"error": str(error)})
        except BartizanError as error:
            _log.error("an answer could not be taken: %s", error)
            return _said(503, {"error": "the answer could not be kept"})
        return _said(200, {"id": posted.id, "state": held.state})

    def _tell(self, held: Held) -> None:
        signer, question = self._signer, held.question
        if signer is None:
            return
        body = {"type": "approval.asked", **msgspec.to_builtins(question)}
        self._poster.post(body, lambda data: signer.headers(question.id, self._clock.wall_ns() // 10**9, data))

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(_FRESH_S)
            try:
                await asyncio.to_thread(self._read)
            except BadEvidence as error:
                self._endorsed = ()  # a yes that may have been revoked is none
                _log.error("no endorsement counts: %s", error)

    def _read(self) -> None:
        self._endorsed = tuple(self._queue.endorsements())


def _noted(held: Held) -> dict[str, Any]:
    """Return what the ledger may hold of a question: no value, only where values came from."""
    question = held.question
    places: Sequence[dict[str, str]] = [
        {"argument": one.argument, "role": one.role, "where": one.where, "document": one.document}
        for one in question.places
    ]
    return {
        "id": question.id,
        "request": question.request,
        "caller": question.principal,
        "tool": question.tool,
        "effect": question.effect,
        "reason": question.reason,
        "critical": question.critical,
        "places": places,
    }


def _said(status: int, document: Mapping[str, Any]) -> Answer:
    return Answer(status, [(b"content-type", b"application/json")], dump(dict(document)))


async def _unrecorded(kind: str, body: Mapping[str, Any]) -> object:
    raise BadEvidence(f"{kind}: the desk has no ledger yet")
