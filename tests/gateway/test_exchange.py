"""The order of steps: what each outcome answers, forwards and records."""

import json

import httpx
import pytest
from tests.gateway.conftest import chat

from bartizan.gateway.auth import BookKeys, SharedKey
from bartizan.gateway.grants import Grant
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.testing import StubUpstream
from bartizan.gateway.wires.base import REFUSAL

URL = "/v1/chat/completions"


async def test_allowed_traffic_is_forwarded_byte_for_byte(world):
    """Odd spacing and unknown fields arrive as sent; the answer comes back as given; a receipt stands in a header."""
    sent = b'{ "model":"m",\n "messages":[{"role":"user","content":"hi"}],  "unknown":{"x":[1,2.50]} }'
    world.upstream = StubUpstream((b'{"odd" : ', b"1.0}"))
    async with world.client() as client:
        answer = await client.post(f"{URL}?api-version=2", content=sent)
    assert answer.content == b'{"odd" : 1.0}'
    method, target, _, body = world.upstream.sent[0]
    assert (method, target, body) == ("POST", f"{URL}?api-version=2", sent)
    assert answer.headers["x-bartizan-verdict"] == "allow"
    assert answer.headers["x-bartizan-receipt"].startswith("0:")
    [(kind, record)] = world.records
    assert (kind, record["outcome"], record["verdict"], record["model"]) == ("exchange", "answered", "allow", "m")
    assert world.upstream.answers[0].released


async def test_a_blocked_prompt_is_a_refusal_and_is_never_forwarded(world):
    """Default: HTTP 200, the refusal text, `content_filter`, and a record with the finding."""
    async with world.client() as client:
        answer = await client.post(URL, content=chat("this is forbidden"))
    choice = answer.json()["choices"][0]
    assert answer.status_code == 200
    assert (choice["message"]["content"], choice["finish_reason"]) == (REFUSAL, "content_filter")
    assert answer.headers["x-bartizan-verdict"] == "block"
    assert world.upstream.sent == []
    [(_, record)] = world.records
    assert record["outcome"] == "blocked"
    assert record["input"]["findings"][0]["where"] == "/messages/0/content"


async def test_a_blocked_stream_is_a_stream_that_ends_in_content_filter(world):
    """A client that asked for a stream gets one, ended by [DONE]."""
    async with world.client() as client:
        answer = await client.post(URL, content=chat("forbidden", stream=True))
    assert answer.headers["content-type"] == "text/event-stream"
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    assert json.loads(events[-2])["choices"][0]["finish_reason"] == "content_filter"


async def test_the_operator_may_choose_an_error_status(world):
    """block_status 403 answers in the dialect's error form."""
    world.options = {"block_status": 403}
    async with world.client() as client:
        answer = await client.post(URL, content=chat("forbidden"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "content_filter")


async def test_monitor_records_and_lets_pass(world):
    """In monitor mode the verdict is in the record, not in the way."""
    world.mode = "monitor"
    async with world.client() as client:
        answer = await client.post(URL, content=chat("forbidden"))
    assert answer.headers["x-bartizan-verdict"] == "allow"
    assert world.records[0][1]["input"]["verdict"] == "block"
    assert len(world.upstream.sent) == 1


async def test_off_does_not_even_look(world):
    """A control that is off cannot fail."""
    world.mode = "off"
    async with world.client() as client:
        answer = await client.post(URL, content=chat("\N{SKULL}"))
    assert answer.status_code == 200
    assert len(world.upstream.sent) == 1


async def test_a_screen_that_crashes_closes_the_gate(world):
    """A crash is a finding; nothing is forwarded."""
    async with world.client() as client:
        answer = await client.post(URL, content=chat("\N{SKULL}"))
    assert answer.json()["choices"][0]["finish_reason"] == "content_filter"
    assert world.upstream.sent == []
    assert world.records[0][1]["input"]["findings"][0]["rule"] == "control-failed"


@pytest.mark.parametrize("stream", [False, True])
async def test_no_answer_without_a_record(world, stream):
    """A ledger that cannot be written refuses every answer, and the upstream's answer is given back."""
    world.log.fails = True
    async with world.client() as client:
        answer = await client.post(URL, content=chat(stream=stream))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "evidence_unavailable")
    assert all(given.released for given in world.upstream.answers)


async def test_queued_receipts_answer_without_waiting(world):
    """With receipt = queued there is no receipt header, but the record comes."""
    world.options = {"wait_for_receipt": False}
    async with world.client() as client:
        answer = await client.post(URL, content=chat())
    assert "x-bartizan-receipt" not in answer.headers
    assert len(world.records) == 1


async def test_an_upstream_that_fails_is_a_502_without_its_details(world):
    """The client learns that the model server failed, not where it lives."""
    world.upstream = StubUpstream(fails="connect to 10.0.0.7 refused")
    async with world.client() as client:
        answer = await client.post(URL, content=chat())
    assert answer.status_code == 502
    assert "10.0.0.7" not in answer.text
    assert world.records[0][1]["outcome"] == "error"


async def test_an_upstream_error_is_handed_on_as_it_is(world):
    """Status and body of a provider's own error are the provider's."""
    world.upstream = StubUpstream((b'{"error":{"message":"slow down"}}',), status=429)
    async with world.client() as client:
        answer = await client.post(URL, content=chat(stream=True))
    assert (answer.status_code, answer.content) == (429, b'{"error":{"message":"slow down"}}')


async def test_a_stream_is_handed_on_and_its_end_recorded(world):
    """Two records: it began, it ended."""
    world.upstream = StubUpstream((b"data: 1\n\n", b"data: [DONE]\n\n"), content_type=b"text/event-stream")
    async with world.client() as client:
        answer = await client.post(URL, content=chat(stream=True))
    assert answer.content == b"data: 1\n\ndata: [DONE]\n\n"
    assert [(kind, record["outcome"]) for kind, record in world.records] == [
        ("exchange", "streaming"),
        ("stream-end", "answered"),
    ]
    assert world.records[0][1]["request"] == world.records[1][1]["request"]


async def open_and_leave(url):
    """Read the first bytes of a stream and close the connection."""
    async with httpx.AsyncClient() as client, client.stream("POST", url + URL, content=chat(stream=True)) as answer:
        async for _ in answer.aiter_bytes():
            break


async def test_a_client_that_leaves_closes_the_upstream(world):
    """A stream whose reader is gone is given back, and the record says aborted."""
    world.upstream = StubUpstream([b"data: x\n\n"] * 200_000, content_type=b"text/event-stream")
    async with world.server() as url:
        await open_and_leave(url)
    assert world.upstream.answers[0].released
    assert world.records[-1][1]["outcome"] == "aborted"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Bearer right"}, 200),
        ({"x-api-key": "right"}, 200),
    ],
)
async def test_only_the_key_opens(world, header, status):
    """No key and a wrong key are 401 in the dialect's form; both header styles work."""
    world.auth = SharedKey("right")
    async with world.client() as client:
        answer = await client.post(URL, content=chat(), headers=header)
        listing = await client.get("/v1/models", headers=header)
    assert (answer.status_code, listing.status_code) == (status, status)
    if status == 401:
        assert answer.json()["error"]["code"] == "invalid_api_key"
        assert world.upstream.sent == []


async def test_rights_and_ceilings_of_a_key_hold(world, tmp_path):
    """A model that is not granted is 403; an answer without a limit gets the key's; an admin key asks no model."""
    book = KeyBook(tmp_path / "keys.json", world.clock)
    _, text = book.create("bob", days=1, grant=Grant(models=("m",), max_output_tokens=7))
    _, admin = book.create("root", days=1, admin=True)
    world.auth = BookKeys(book)
    async with world.client() as client:
        denied = await client.post(URL, content=chat().replace(b'"m"', b'"x"'), headers={"x-api-key": text})
        given = await client.post(URL, content=chat(), headers={"x-api-key": text})
        managed = await client.post(URL, content=chat(), headers={"x-api-key": admin})
    assert [answer.status_code for answer in (denied, given, managed)] == [403, 200, 403]
    assert denied.json()["error"]["type"] == "permission_error"
    [(_, _, _, body)] = world.upstream.sent
    assert json.loads(body)["max_completion_tokens"] == 7
