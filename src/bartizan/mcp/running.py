"""Carries out what a session says, in order: a record is on disk before what it is about is done.

A ledger that cannot be written stops what waits for its record. A judgement that takes too long is a refusal. Long
messages are judged in a thread, so that others are served meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from bartizan.core.errors import BadEvidence
from bartizan.mcp.messages import INTERNAL_ERROR, Act, Answer, Message, Note, Request, ToClient, ToServer, refusal
from bartizan.mcp.session import Session

INLINE_BYTES = 8192
JUDGE_S = 10.0

Says = Callable[[Message], list[Act]]
Send = Callable[[Message], Awaitable[None]]


class Recording(Protocol):
    """Where records go."""

    def record(self, kind: str, body: Mapping[str, Any]) -> Awaitable[object]:
        """Append one record; it is durable when this returns. Raises BadEvidence."""
        ...

    def enqueue(self, kind: str, body: Mapping[str, Any]) -> None:
        """Append one record soon."""
        ...


async def judged(session: Session, says: Says, message: Message, size: int, timeout_s: float = JUDGE_S) -> list[Act]:
    """Return what becomes of a message of `size` bytes."""
    if size <= INLINE_BYTES:
        return says(message)
    try:
        return await asyncio.wait_for(asyncio.to_thread(says, message), timeout_s)
    except TimeoutError:
        return session.slow(message)


async def carry_out(
    session: Session, acts: Sequence[Act], recording: Recording, to_client: Send, to_server: Send
) -> None:
    """Do what is said, in order."""
    for at, act in enumerate(acts):
        match act:
            case Note(kind, body, durable):
                try:
                    if durable:
                        await recording.record(kind, body)
                    else:
                        recording.enqueue(kind, body)
                except BadEvidence:
                    await _unrecorded(session, acts[at + 1 :], to_client)
                    return
            case ToClient(message):
                await to_client(message)
            case ToServer(message):
                await to_server(message)


async def _unrecorded(session: Session, undone: Sequence[Act], to_client: Send) -> None:
    """Tell the client that what it waits for is not done, because it could not be recorded."""
    why = "the ledger cannot be written, so this was refused"
    for act in undone:
        match act:
            case ToServer(Request(id_)) | ToClient(Answer(id_)) if id_ is not None:
                session.forget(id_)
                await to_client(refusal(id_, INTERNAL_ERROR, why))
            case _:
                pass
