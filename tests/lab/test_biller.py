"""The biller charges what it wrote, in the way of its habit."""

import asyncio
import json

import httpx
import pytest

from bartizan.lab.biller import Bill, Biller

PATHS = {"/v1/chat/completions": "max_tokens", "/v1/responses": "max_output_tokens", "/v1/messages": "max_tokens"}


@pytest.mark.parametrize(("path", "cap"), PATHS.items())
async def test_a_whole_answer_and_a_stream_cost_the_same(path, cap):
    """The cap, times the choices; the count of the input."""
    biller = Biller()
    async with biller.serving() as url, httpx.AsyncClient() as client:
        for stream in (False, True):
            answer = await client.post(url + path, json={"model": "m", cap: 20, "stream": stream})
            assert answer.text.count("word ") >= 20
    sizes = {bill.output for bill in biller.bills}
    assert sizes == {20}
    assert biller.bills[0].input > 5


@pytest.mark.parametrize(("habit", "expected"), [("cut", range(8, 2000)), ("end", range(4096, 4097))])
async def test_a_stream_that_is_left_is_billed_by_habit(habit, expected):
    """What was written until then, or all of it."""
    biller = Biller(habit=habit)
    async with biller.serving() as url:
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps({"model": "m", "stream": True}).encode()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await reader.read(1000)
        writer.transport.abort()
        while not biller.bills:
            await asyncio.sleep(0.01)
    assert biller.bills[0].output in expected


async def test_what_is_not_understood_costs_nothing():
    """Errors are free."""
    biller = Biller()
    async with biller.serving() as url, httpx.AsyncClient() as client:
        assert (await client.post(url + "/v1/none", json={})).status_code == 404
        assert (await client.post(url + "/v1/messages", content=b"{")).status_code == 400
    assert (biller.bills, biller.seen) == ([], 2)
    assert Bill("p", "m", 1, 2).output == 2
