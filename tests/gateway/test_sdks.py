"""The official clients, direct and through the gateway: the same objects, the same exceptions, typed refusals."""

import asyncio

import anthropic
import openai
import pytest
from tests.doubles.canned_upstream import Canned, canned_upstream, document, event_stream

from bartizan.core.sections.output import Output
from bartizan.gateway.output.policy import OutputPolicy
from bartizan.gateway.upstream import HttpUpstream

CHUNK = {"id": "c1", "object": "chat.completion.chunk", "created": 5, "model": "m", "system_fingerprint": "fp"}


def chunk(delta, finish=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {**CHUNK, "choices": [choice], "usage": None, **more}


def call(arguments, **first):
    return {"tool_calls": [{"index": 0, **first, "function": {**first.get("function", {}), "arguments": arguments}}]}


CHAT = document(
    {
        "id": "c1",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        "brand_new_field": {"kept": True},
    }
)
CHAT_STREAM = event_stream(
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "The capital "}, obfuscation="xx"),
    chunk({"content": "is Paris."}),
    chunk({}, "stop"),
    {**CHUNK, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}},
    "[DONE]",
)
TOOL_STREAM = event_stream(
    chunk({"role": "assistant", "content": None}),
    chunk(call("", id="call_1", type="function", function={"name": "weather"})),
    chunk(call('{"city":')),
    chunk(call('"Paris"}')),
    chunk({}, "tool_calls"),
    "[DONE]",
)
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 5,
    "model": "m",
    "status": "completed",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Paris.", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 3,
        "output_tokens": 2,
        "total_tokens": 5,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
}
PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
RESPONSE_EVENTS = [
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_item.added", "output_index": 0, "item": ITEM},
    {"type": "response.content_part.added", **PLACE, "part": {"type": "output_text", "text": "", "annotations": []}},
    {"type": "response.output_text.delta", **PLACE, "delta": "Pa", "logprobs": []},
    {"type": "response.output_text.delta", **PLACE, "delta": "ris.", "logprobs": []},
    {"type": "response.output_text.done", **PLACE, "text": "Paris.", "logprobs": []},
    {"type": "response.content_part.done", **PLACE, "part": RESPONSE["output"][0]["content"][0]},
    {"type": "response.output_item.done", "output_index": 0, "item": RESPONSE["output"][0]},
    {"type": "response.completed", "response": RESPONSE},
]
RESPONSE_STREAM = event_stream(
    *({**event, "sequence_number": number} for number, event in enumerate(RESPONSE_EVENTS)), named=True
)
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Paris."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
TOOL_USE = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
MESSAGE_STREAM = event_stream(
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm, a city."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln/+=="}},
    {"type": "content_block_stop", "index": 0},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Par"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "is."}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
    {"type": "content_block_stop", "index": 2},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 2},
    },
    {"type": "message_stop"},
    named=True,
)
EMBEDDING = document(
    {
        "object": "list",
        "model": "m",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -1.5]}],
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }
)
MODELS = document({"object": "list", "data": [{"id": "m", "object": "model", "created": 5, "owned_by": "o"}]})
ASK = [{"role": "user", "content": "What is the capital of France?"}]
FORBIDDEN = [{"role": "user", "content": "this is forbidden"}]


OPEN = []


def openai_client(url):
    """A client for this base URL; closed after the test."""
    OPEN.append(openai.AsyncOpenAI(base_url=url + "/v1", api_key="k", max_retries=0))
    return OPEN[-1]


def anthropic_client(url):
    """A client for this base URL; closed after the test."""
    OPEN.append(anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0))
    return OPEN[-1]


@pytest.fixture(autouse=True)
async def closed_clients():
    """No connection outlives its test."""
    yield
    while OPEN:
        await OPEN.pop().close()
    await asyncio.sleep(0.01)


async def chat(url):
    return (await openai_client(url).chat.completions.create(model="m", messages=ASK)).model_dump()


async def chat_stream(url):
    stream = await openai_client(url).chat.completions.create(model="m", messages=ASK, stream=True)
    return [event.model_dump() async for event in stream]


async def chat_tools(url):
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}, "strict": True}}
    async with openai_client(url).chat.completions.stream(model="m", messages=ASK, tools=[tool]) as stream:
        return (await stream.get_final_completion()).model_dump()


async def responses(url):
    return (await openai_client(url).responses.create(model="m", input="hi")).model_dump(warnings=False)


async def responses_stream(url):
    async with openai_client(url).responses.stream(model="m", input="hi") as stream:
        events = [event.model_dump(warnings=False) async for event in stream]
        return events, (await stream.get_final_response()).output_text


async def embeddings(url):
    return (await openai_client(url).embeddings.create(model="m", input="x", encoding_format="float")).model_dump()


async def models(url):
    return [model.model_dump() async for model in openai_client(url).models.list()]


async def messages(url):
    return (await anthropic_client(url).messages.create(model="m", max_tokens=9, messages=ASK)).model_dump()


async def messages_stream(url):
    async with anthropic_client(url).messages.stream(model="m", max_tokens=9, messages=ASK) as stream:
        events = [event.model_dump(warnings=False) async for event in stream]
        return events, (await stream.get_final_message()).model_dump(warnings=False)


async def count_tokens(url):
    return (await anthropic_client(url).messages.count_tokens(model="m", messages=ASK)).model_dump()


CASES = [
    (chat, {("/v1/chat/completions", False): CHAT}),
    (chat_stream, {("/v1/chat/completions", True): CHAT_STREAM}),
    (chat_tools, {("/v1/chat/completions", True): TOOL_STREAM}),
    (responses, {("/v1/responses", False): document(RESPONSE)}),
    (responses_stream, {("/v1/responses", True): RESPONSE_STREAM}),
    (embeddings, {("/v1/embeddings", False): EMBEDDING}),
    (models, {("/v1/models", False): MODELS}),
    (messages, {("/v1/messages", False): document(MESSAGE)}),
    (messages_stream, {("/v1/messages", True): MESSAGE_STREAM}),
    (count_tokens, {("/v1/messages/count_tokens", False): document({"input_tokens": 7})}),
]


async def outcome(ask, url):
    """What a client sees: an object, or an exception with everything in it."""
    try:
        return await ask(url)
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        return type(error).__name__, error.status_code, error.body, error.message
    except (openai.APIError, anthropic.APIError) as error:
        return type(error).__name__, str(error)


@pytest.mark.parametrize(("ask", "answers"), CASES, ids=[ask.__name__ for ask, _ in CASES])
async def test_a_client_cannot_tell_the_difference(world, ask, answers):
    """Direct and through us: equal objects."""
    async with canned_upstream(answers) as direct:
        world.upstream = HttpUpstream("u", direct)
        async with world.server() as through:
            seen = await outcome(ask, through)
            assert seen == await outcome(ask, direct)
        await world.upstream.close()
    assert not isinstance(seen, tuple) or not str(seen[0]).endswith("Error")


@pytest.mark.parametrize("ask", [chat, chat_stream, responses, messages, messages_stream])
async def test_errors_become_the_same_exceptions(world, ask):
    """Type, status, body and message, for every status that the SDKs know."""
    details = {"type": "t", "message": "said so", "code": "c", "param": None}
    error = {"type": "error", "error": details, "request_id": "r"}
    paths = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
    answers = {}
    async with canned_upstream(answers) as direct:
        world.upstream = HttpUpstream("u", direct)
        async with world.server() as through:
            for status in (400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 529):
                answers |= {(path, stream): document(error, status) for path in paths for stream in (False, True)}
                seen = await outcome(ask, through)
                assert seen == await outcome(ask, direct)
                assert seen[1] == status
        await world.upstream.close()


async def test_an_error_in_the_middle_of_a_stream_is_the_same(world):
    """An error event, and a stream that is cut off."""
    failing = event_stream(chunk({"content": "x"}), {"error": {"message": "overloaded", "type": "server_error"}})
    async with canned_upstream({("/v1/chat/completions", True): failing}) as direct:
        world.upstream = HttpUpstream("u", direct)
        async with world.server() as through:
            seen = await outcome(chat_stream, through)
            assert seen == await outcome(chat_stream, direct)
        await world.upstream.close()
    assert seen[0] == "APIError"


async def test_refusals_arrive_as_typed_results(world):
    """Every dialect, streamed and not: no exception, the dialect's own word for it."""
    async with world.server() as url:
        client, claude = openai_client(url), anthropic_client(url)
        whole = await client.chat.completions.create(model="m", messages=FORBIDDEN)
        assert whole.choices[0].finish_reason == "content_filter"
        assert whole._request_id == world.records[-1][1]["request"]
        stream = await client.chat.completions.create(model="m", messages=FORBIDDEN, stream=True)
        assert [event async for event in stream][-1].choices[0].finish_reason == "content_filter"
        response = await client.responses.create(model="m", input="forbidden")
        assert (response.status, response.incomplete_details.reason) == ("incomplete", "content_filter")
        assert response.output_text.startswith("I'm sorry")
        events = [event async for event in await client.responses.create(model="m", input="forbidden", stream=True)]
        assert (events[-1].type, events[-1].response.output_text[:9]) == ("response.incomplete", "I'm sorry")
        message = await claude.messages.create(model="m", max_tokens=9, messages=FORBIDDEN)
        assert message.stop_reason == "refusal"
        assert message._request_id == world.records[-1][1]["request"]
        async with claude.messages.stream(model="m", max_tokens=9, messages=FORBIDDEN) as events:
            final = await events.get_final_message()
        assert (final.stop_reason, final.content[0].text) == ("refusal", "I'm sorry, but I can't help with that.")
    assert world.upstream.sent == []


SECRET = b" AKIA" + b"ABCDEFGH2345WXYZ ok"


async def responses_raw(url):
    """The events as the client yields them, without its accumulator, which only knows `completed`."""
    stream = await openai_client(url).responses.create(model="m", input="hi", stream=True)
    return [event.model_dump(warnings=False) async for event in stream]


@pytest.mark.parametrize("ask", [chat_stream, responses_raw, messages_stream])
async def test_streams_that_are_cut_end_as_typed_results(world, ask):
    """A secret in the middle: what the client builds holds none of it and says it was filtered."""
    world.outputs = OutputPolicy(Output(secrets="block"))
    answers = {
        ("/v1/chat/completions", True): planted(CHAT_STREAM, b"is Paris."),
        ("/v1/responses", True): planted(RESPONSE_STREAM, b"ris."),
        ("/v1/messages", True): planted(MESSAGE_STREAM, b"is."),
    }
    async with canned_upstream(answers) as direct:
        world.upstream = HttpUpstream("u", direct)
        async with world.server() as through:
            seen = str(await outcome(ask, through))
        await world.upstream.close()
    assert "AKIA" not in seen
    assert "I'm sorry" in seen
    assert "content_filter" in seen or "refusal" in seen
    assert world.records[-1][1]["outcome"] == "blocked"


def planted(canned, place):
    """The same stream with a secret in place of a text."""
    pieces = [piece.replace(place, SECRET) for piece in canned.pieces]
    return Canned(pieces, content_type=canned.content_type)
