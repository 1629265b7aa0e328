"""Streams: each message on its own, in order, again for who missed it, bounded for who does not come."""

import asyncio

import pytest

from bartizan.mcp.http import streams as module
from bartizan.mcp.http.streams import Stream, Streams, TooOld
from bartizan.mcp.messages import Answer, Notification, Request

TOLD = Notification("notifications/message", {"data": "x"})
CALL = Request(1, "tools/call", {"_meta": {"progressToken": "t"}})


async def heard(stream, after=0):
    """Return the pieces of a stream that is at its end."""
    return [piece async for piece in stream.events(after) if piece]


async def test_an_answer_alone_is_no_stream():
    """With anything before it, or a server that streams, it is one."""
    plain, told, streamed, late = (Stream(n, kept=True, primed=False) for n in range(1, 5))
    plain.put(Answer(1, result={}))
    plain.end()
    told.put(TOLD)
    streamed.begin_sse()
    assert await plain.only_answer(1) == Answer(1, result={})
    assert await told.only_answer(1) is None
    assert await streamed.only_answer(1) is None
    assert await late.only_answer(0.001) is None
    assert await late.answer(0.001) is None
    assert await plain.answer(1) == Answer(1, result={})


async def test_a_stream_is_read_to_its_end_and_again_from_anywhere():
    """Ids say stream and place; what comes while others are read is not lost."""
    stream = Stream(3, kept=True, primed=True)
    for _ in range(3):
        stream.put(TOLD)
    stream.end()
    first = await heard(stream)
    assert first[0] == b"id: 3-0\ndata: \n\n"
    assert [piece.split(b"\n")[1] for piece in first[1:]] == [b"id: 3-1", b"id: 3-2", b"id: 3-3"]
    assert (await heard(stream, 2))[1:] == first[3:]
    with pytest.raises(TooOld):
        stream.check(4)


async def test_a_later_reader_takes_over():
    """One message goes to one connection."""
    stream = Stream(0, kept=True, primed=False)
    first = asyncio.create_task(heard(stream))
    await asyncio.sleep(0)
    second = asyncio.create_task(heard(stream))
    assert await first == []
    stream.put(TOLD)
    stream.end()
    assert len(await second) == 1
    assert not stream.connected


async def test_what_waits_is_bounded(monkeypatch):
    """The oldest goes; who asks for it is told."""
    monkeypatch.setattr(module, "MOST_EVENTS", 2)
    stream = Stream(1, kept=True, primed=False)
    for _ in range(5):
        stream.put(TOLD)
    with pytest.raises(TooOld):
        stream.check(0)
    stream.check(3)


async def test_a_stream_that_is_not_kept_holds_nothing_back():
    """Without a session there is no asking again."""
    stream = Stream(1, kept=False, primed=False)
    stream.put(TOLD)
    stream.end()
    assert len(await heard(stream)) == 1
    assert stream.bytes == 0


async def test_silence_is_shown_to_be_life(monkeypatch):
    """A comment now and then keeps proxies from closing."""
    monkeypatch.setattr(module, "PING_S", 0.001)
    stream = Stream(1, kept=True, primed=False)
    async for piece in stream.events(0):
        if piece:
            assert piece == module.PING
            break


async def test_messages_find_their_stream():
    """By the answer that they came in, by progress token, by subscription, by guess only where the way is mute."""
    told = Streams(kept=True)
    stream = told.begin(CALL)
    await told.deliver(TOLD, None)
    assert told.standing.last == TOLD
    await told.deliver(TOLD, 1)
    assert stream.last == TOLD
    progress = Notification("notifications/progress", {"progressToken": "t"})
    await told.deliver(progress, None)
    assert stream.last == progress
    await told.deliver(Answer(1, result={}), None)
    assert stream.done
    await told.deliver(Answer(1, result={"x": 1}), None)
    assert stream.last == Answer(1, result={})
    assert told.find("1-1") == (stream, 1)
    told.forget(stream)
    with pytest.raises(TooOld):
        told.find("1-1")
    mute = Streams(kept=True, guess=True)
    stream = mute.begin(CALL)
    await mute.deliver(TOLD, None)
    assert stream.last == TOLD


async def test_without_a_session_what_belongs_nowhere_is_dropped():
    """It might be another request's."""
    alone = Streams(kept=False, guess=True)
    one, two = alone.begin(CALL), alone.begin(Request(2, "ping", {}))
    await alone.deliver(TOLD, None)
    assert (one.last, two.last, alone.standing.last) == (None, None, None)
    alone.end()
    assert one.done
    assert not alone.is_open(1)


async def test_finished_streams_are_kept_within_bounds(monkeypatch):
    """So that a session cannot fill memory with answers."""
    monkeypatch.setattr(module, "MOST_BYTES", 200)
    kept = Streams(kept=True)
    for id_ in range(5):
        kept.begin(Request(id_, "ping", {}))
        await kept.deliver(Answer(id_, result={"x": "y" * 50}), None)
    with pytest.raises(TooOld):
        kept.find("1-0")
    assert kept.find("5-0")
